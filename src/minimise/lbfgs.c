#include "minimise/lbfgs.h"

#include <math.h>
#include <stddef.h>

#include "minimise/vectors.h"

#define MEMORY 15
#define WINDOW 10       /* iterations over which the decrease is judged */
#define TRIALS 25       /* evaluations in one search along a line */
#define DECREASE 1e-4   /* Armijo's constant */
#define CURVATURE 0.9   /* Wolfe's constant */
#define FIRST_STEP 1e-2 /* length of the first trial, in lengths of x */
#define ROUNDING 4e-16

/* A trial x + t p on the line. */
typedef struct trial {
  double t, value, slope;
} trial_t;

typedef struct lbfgs {
  int64_t size;
  int memory, pairs, newest; /* pairs of differences that are there, and the slot of the last one */
  double *S, *Y;             /* memory x size: x+ - x and g+ - g */
  double *product, *share;   /* memory each: s'y; scratch of the recursion */
  double *x, *g, *p;         /* x is the caller's; gradient and direction there */
  double *next_x, *next_g;
  double value, slope; /* at x: f and p'g */
  trial_t next;
  hs_objective_t function;
  void *context;
  hs_minimise_report_t *report;
  bool stop;
  double history[WINDOW + 1]; /* values of the last iterations, by iteration modulo the length */
} lbfgs_t;

int64_t hs_lbfgs_room(int64_t size, const hs_lbfgs_options_t *options)
{
  int64_t memory = options->memory > 0 ? options->memory : MEMORY;
  return (2 * memory + 4) * size + 2 * memory;
}

static void share_room(lbfgs_t *l, double *room)
{
  double **vectors[] = {&l->g, &l->p, &l->next_x, &l->next_g};
  for (int i = 0; i < 4; i++, room += l->size) *vectors[i] = room;
  l->S = room;
  l->Y = l->S + l->memory * l->size;
  l->product = l->Y + l->memory * l->size;
  l->share = l->product + l->memory;
}

/* p = -H g by the two loops (algorithm 7.4), H from the pairs; without any, p = -g. */
static void find_direction(lbfgs_t *l)
{
  for (int64_t e = 0; e < l->size; e++) l->p[e] = -l->g[e];
  for (int back = 0; back < l->pairs; back++) {
    int slot = (l->newest - back + l->memory) % l->memory;
    l->share[slot] = hs_vector_dot(l->size, l->S + slot * l->size, l->p) / l->product[slot];
    hs_vector_add(l->size, -l->share[slot], l->Y + slot * l->size, l->p);
  }
  if (l->pairs > 0) {
    const double *y = l->Y + l->newest * l->size;
    double scale = l->product[l->newest] / hs_vector_dot(l->size, y, y);
    for (int64_t e = 0; e < l->size; e++) l->p[e] *= scale;
  }
  for (int back = l->pairs - 1; back >= 0; back--) {
    int slot = (l->newest - back + l->memory) % l->memory;
    double share = hs_vector_dot(l->size, l->Y + slot * l->size, l->p) / l->product[slot];
    hs_vector_add(l->size, l->share[slot] - share, l->S + slot * l->size, l->p);
  }
  l->slope = hs_vector_dot(l->size, l->p, l->g);
}

static hs_status_t evaluate(lbfgs_t *l, double t)
{
  for (int64_t e = 0; e < l->size; e++) l->next_x[e] = l->x[e] + t * l->p[e];
  l->report->evaluations++;
  hs_status_t status = l->function(l->context, l->next_x, &l->next.value, l->next_g, &l->stop);
  l->next.t = t;
  l->next.slope = hs_vector_dot(l->size, l->p, l->next_g);
  return status;
}

/* The least point of the cubic through two trials, kept well inside of the bracket; its middle where the cubic has none
 * or the other end is outside of the domain. */
static double between(trial_t low, trial_t high, bool halve)
{
  double width = high.t - low.t, middle = low.t + 0.5 * width;
  if (halve || !isfinite(high.value) || !isfinite(high.slope)) return middle;
  double secant = 3 * (low.value - high.value) / width;
  double a = low.slope + high.slope + secant, root = sqrt(a * a - low.slope * high.slope);
  double t = high.t - width * (high.slope + root - a) / (high.slope - low.slope + 2 * root);
  if (!isfinite(t)) return middle;
  return fmax(low.t + 0.1 * width, fmin(t, low.t + 0.9 * width));
}

static bool falls_enough(const lbfgs_t *l)
{
  return l->next.value <= l->value + DECREASE * l->next.t * l->slope; /* false for NaN */
}

static bool out_of_evaluations(const lbfgs_t *l, const hs_lbfgs_options_t *options)
{
  return options->max_evaluations > 0 && l->report->evaluations >= options->max_evaluations;
}

/* Search along p from the trial step t. *found: next_x, next_g and next are a point to go to. */
static hs_status_t search_line(lbfgs_t *l, double t, const hs_lbfgs_options_t *options, bool *found)
{
  trial_t low = {0, l->value, l->slope}, high = {INFINITY, 0, 0};
  *found = false;
  for (int trial = 1; trial <= TRIALS; trial++) {
    hs_status_t status = evaluate(l, t);
    if (status != HS_OK) return status;
    bool falls = falls_enough(l);
    *found = falls && l->next.slope >= CURVATURE * l->slope;
    if (*found) return HS_OK;
    if (l->stop || out_of_evaluations(l, options)) break;
    if (falls)
      low = l->next;
    else
      high = l->next;
    t = isinf(high.t) ? (l->pairs > 0 ? 2 : 4) * t : between(low, high, trial % 3 == 0);
    if (!(t > low.t && t < high.t)) break;
  }
  /* No step that does all that is wanted, but perhaps one that lowers the value. */
  *found = falls_enough(l) && l->next.t > low.t;
  if (*found || low.t == 0) return HS_OK;
  bool asked = l->stop;
  *found = true;
  hs_status_t status = evaluate(l, low.t);
  l->stop = l->stop || asked;
  return status;
}

/* x := the point found, its differences into the memory if they show positive curvature. */
static void move(lbfgs_t *l)
{
  int slot = l->pairs > 0 ? (l->newest + 1) % l->memory : 0;
  double *s = l->S + slot * l->size, *y = l->Y + slot * l->size;
  for (int64_t e = 0; e < l->size; e++) {
    s[e] = l->next_x[e] - l->x[e];
    y[e] = l->next_g[e] - l->g[e];
    l->x[e] = l->next_x[e];
  }
  double product = hs_vector_dot(l->size, s, y);
  double sizes = sqrt(hs_vector_dot(l->size, s, s) * hs_vector_dot(l->size, y, y));
  if (product > 1e-12 * sizes) {
    l->product[slot] = product;
    l->newest = slot;
    if (l->pairs < l->memory) l->pairs++;
  } else if (l->pairs == l->memory) {
    l->pairs--; /* the oldest one was in that slot */
  }
  double *g = l->g;
  l->g = l->next_g;
  l->next_g = g;
  l->value = l->next.value;
}

/* Is there a reason to end before another iteration? */
static bool finished(lbfgs_t *l, const hs_lbfgs_options_t *options)
{
  hs_minimise_report_t *report = l->report;
  int64_t k = report->iterations;
  report->end = l->value;
  report->gradient = sqrt(hs_vector_dot(l->size, l->g, l->g));
  l->history[k % (WINDOW + 1)] = l->value;
  double before = l->history[(k + 1) % (WINDOW + 1)]; /* that of k - WINDOW, once there is one */
  if (report->gradient <= options->gradient)
    report->stop = HS_MINIMISE_GRADIENT;
  else if (l->stop)
    report->stop = HS_MINIMISE_ASKED;
  else if (k >= WINDOW && before - l->value <= options->tolerance * fabs(l->value))
    report->stop = HS_MINIMISE_DECREASE;
  else if (options->max_iterations > 0 && k >= options->max_iterations)
    report->stop = HS_MINIMISE_ITERATIONS;
  else if (out_of_evaluations(l, options))
    report->stop = HS_MINIMISE_EVALUATIONS;
  else
    return false;
  return true;
}

/* The length of the first trial step is a guess; later the pairs know. */
static double first_trial(const lbfgs_t *l)
{
  if (l->pairs > 0) return 1;
  double length = sqrt(hs_vector_dot(l->size, l->x, l->x));
  return FIRST_STEP * (length > 0 ? length : 1) / l->report->gradient;
}

static hs_status_t iterate(lbfgs_t *l, const hs_lbfgs_options_t *options)
{
  while (!finished(l, options)) {
    bool found = false;
    find_direction(l);
    if (!(l->slope < 0)) {
      l->pairs = 0;
      find_direction(l);
    }
    double t = first_trial(l);
    /* A step that can gain no more than the rounding of the value is not worth a search. */
    if (l->pairs == 0 || -l->slope > ROUNDING * fabs(l->value)) {
      hs_status_t status = search_line(l, t, options, &found);
      if (status != HS_OK) return status;
    }
    if (found) {
      move(l);
      l->report->iterations++;
    } else if (l->pairs > 0) {
      l->pairs = 0; /* once more, along the negative gradient */
    } else if (!l->stop && !out_of_evaluations(l, options)) {
      l->report->stop = HS_MINIMISE_STUCK;
      return HS_OK;
    }
  }
  return HS_OK;
}

hs_status_t hs_lbfgs(int64_t size, double *x, hs_objective_t function, void *context,
                     const hs_lbfgs_options_t *options, double *room, hs_minimise_report_t *report)
{
  lbfgs_t l = {.size = size, .memory = options->memory > 0 ? options->memory : MEMORY, .x = x};
  l.function = function;
  l.context = context;
  l.report = report;
  share_room(&l, room);
  *report = (hs_minimise_report_t){.evaluations = 1};
  hs_status_t status = function(context, x, &l.value, l.g, &l.stop);
  if (status != HS_OK) return status;
  if (!isfinite(l.value))
    return hs_fail(HS_NUMERICAL, NULL, "L-BFGS", "the value at the start is %g (a finite number)", l.value);
  report->start = l.value;
  return iterate(&l, options);
}
