#include "minimise/nearest_point.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "minimise/vectors.h"

#define DELTA 1e-1        /* the first, relative to the largest |z|^2 */
#define FALL 0.1          /* of delta from step to step */
#define LEAST_DELTA 1e-12 /* below, K + delta 1 may have no factor */
#define STEPS 40          /* proximal steps */
#define NEWTON 30         /* iterations for one of them */
#define HALVINGS 40
#define DESCENT 1e-4 /* Armijo: share of the decrease that the slope promises */
#define EXACT                                                                                                \
  1e-2 /* a proximal step is exact when its gradient is below this share of what it has left to gain */
#define VANISHED 1e-16 /* |p|^2 below this share of the largest |z|^2 is rounding */

/* LAPACK's routines, as Fortran has them. */
extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
                    double *b, const int *ldb, int *info);

typedef struct nearest {
  int m, count, *open; /* open: the coordinates that are free to move */
  const double *K;
  double scale, delta;        /* largest |z|^2; absolute */
  double *a, *Ka, *center;    /* m each: the iterate, its margins, where the proximal step began */
  double *trial, *Ktrial, *x; /* m each */
  double *factor;             /* count x count */
  double best;                /* gap of the best weights so far */
  double square, *weights;    /* m, of the caller */
  struct timespec begin;
} nearest_t;

static double seconds_since(const struct timespec *begin)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - begin->tv_sec) + 1e-9 * (double)(now.tv_nsec - begin->tv_nsec);
}

static bool nearest_create(nearest_t *n)
{
  size_t m = (size_t)n->m;
  n->open = hs_alloc(m, sizeof(int), "nearest point");
  n->a = hs_alloc(6 * m, sizeof(double), "nearest point");
  n->factor = hs_alloc(m * m, sizeof(double), "factor of the nearest point");
  if (n->open == NULL || n->a == NULL || n->factor == NULL) return false;
  n->Ka = n->a + m;
  n->center = n->Ka + m;
  n->trial = n->center + m;
  n->Ktrial = n->trial + m;
  n->x = n->Ktrial + m;
  return true;
}

static void nearest_free(nearest_t *n)
{
  hs_free(n->open);
  hs_free(n->a);
  hs_free(n->factor);
}

static void products(const nearest_t *n, const double *a, double *Ka)
{
  cblas_dgemv(CblasRowMajor, CblasNoTrans, n->m, n->m, 1, n->K, n->m, a, 1, 0, Ka, 1);
}

static double sum_of(int m, const double *a)
{
  double sum = 0;
  for (int k = 0; k < m; k++) sum += a[k];
  return sum;
}

/* With p = Z'a / 1'a:  |p|^2 = a'Ka / (1'a)^2,  z_k'p = (Ka)_k / 1'a.  The weights of the smallest gap are kept; true when p
 * is 0 to rounding. */
static bool keep_best(nearest_t *n, bool any)
{
  double sum = sum_of(n->m, n->a), square = hs_vector_dot(n->m, n->a, n->Ka), least = INFINITY;
  if (!(sum > 0)) return false;
  for (int k = 0; k < n->m; k++) least = fmin(least, n->Ka[k]);
  bool vanished = !(square > VANISHED * n->scale * sum * sum);
  double gap = vanished ? INFINITY : 1 - least * sum / square;
  if (!any && !(gap < n->best) && !(vanished && square / (sum * sum) < n->square)) return vanished;
  n->best = gap;
  n->square = fmax(square, 0) / (sum * sum);
  for (int k = 0; k < n->m; k++) n->weights[k] = n->a[k] / sum;
  return vanished;
}

static double slope(const nearest_t *n, int k)
{
  return n->Ka[k] - 1 + n->delta * (n->a[k] - n->center[k]);
}

/* q(trial) - q(a), by differences, which stay exact where the values of q agree in all digits:
 *     q(a) = a'Ka / 2 - 1'a + delta/2 |a - center|^2,   q(a + s) - q(a) = s'(slope(a) + (K s + delta s) / 2) */
static double change(const nearest_t *n, double *promised)
{
  double q = 0;
  *promised = 0;
  for (int k = 0; k < n->m; k++) {
    double s = n->trial[k] - n->a[k], g = slope(n, k);
    *promised += s * g;
    q += s * (g + 0.5 * (n->Ktrial[k] - n->Ka[k] + n->delta * s));
  }
  return q;
}

/* The coordinates that are free: positive, or on their way. Returns the largest violation of the proximal step's optimality. */
static double find_open(nearest_t *n)
{
  double worst = 0;
  n->count = 0;
  for (int k = 0; k < n->m; k++) {
    double g = slope(n, k);
    if (!(n->a[k] > 0) && !(g < 0)) continue;
    n->open[n->count++] = k;
    worst = fmax(worst, fabs(g));
  }
  return worst;
}

/* x = (K_oo + delta 1)^-1 (1 + delta center_o) - a_o  on the open coordinates. False: no factor. */
static bool newton_direction(nearest_t *n)
{
  int size = n->count, one = 1, info = 0;
  for (int i = 0; i < size; i++) {
    const double *row = n->K + (int64_t)n->open[i] * n->m;
    double *to = n->factor + (int64_t)i * size;
    for (int j = 0; j <= i; j++) to[j] = row[n->open[j]];
    to[i] += n->delta;
    n->x[i] = 1 + n->delta * n->center[n->open[i]];
  }
  dpotrf_("U", &size, n->factor, &size, &info); /* upper in columns is lower in rows */
  if (info != 0) return false;
  dpotrs_("U", &size, &one, n->factor, &size, n->x, &size, &info);
  for (int i = 0; i < size; i++) n->x[i] -= n->a[n->open[i]];
  return true;
}

/* a <- (a + t x)_+ with the first t = 1, 1/2, ... of enough descent. False: there is none. */
static bool move(nearest_t *n)
{
  double t = 1;
  for (int halving = 0; halving < HALVINGS; halving++, t /= 2) {
    double promised;
    memcpy(n->trial, n->a, (size_t)n->m * sizeof(double));
    for (int i = 0; i < n->count; i++) n->trial[n->open[i]] = fmax(0, n->a[n->open[i]] + t * n->x[i]);
    products(n, n->trial, n->Ktrial);
    if (!(change(n, &promised) <= DESCENT * promised) || !(promised < 0)) continue;
    memcpy(n->a, n->trial, (size_t)n->m * sizeof(double));
    memcpy(n->Ka, n->Ktrial, (size_t)n->m * sizeof(double));
    return true;
  }
  return false;
}

/* One proximal step. Returns false when nothing more can be gained at all. */
static bool proximal_step(nearest_t *n, const hs_nearest_options_t *options, int *iterations)
{
  bool moved = false;
  memcpy(n->center, n->a, (size_t)n->m * sizeof(double));
  for (int k = 0; k < NEWTON; k++) {
    double left = fmin(1, fmax(n->best, options->tolerance));
    if (find_open(n) <= EXACT * left) return true;
    ++*iterations;
    if (!newton_direction(n)) return false;
    if (!move(n)) return moved;
    moved = true;
    if (keep_best(n, false) || n->best <= options->tolerance) return false;
    if (options->max_seconds > 0 && seconds_since(&n->begin) >= options->max_seconds) return false;
  }
  return true;
}

/* Weights to a: the best multiple of them,  a = weights / (weights'K weights).  Without any: the point of least norm alone. */
static void begin_with(nearest_t *n)
{
  double sum = sum_of(n->m, n->weights);
  int least = 0;
  for (int k = 0; k < n->m; k++) {
    double square = n->K[(int64_t)k * n->m + k];
    n->scale = fmax(n->scale, square);
    if (square < n->K[(int64_t)least * n->m + least]) least = k;
  }
  for (int k = 0; k < n->m; k++) n->a[k] = sum > 0 ? n->weights[k] / sum : k == least;
  products(n, n->a, n->Ka);
  double square = hs_vector_dot(n->m, n->a, n->Ka);
  if (square > VANISHED * n->scale) cblas_dscal(2 * n->m, 1 / square, n->a, 1); /* Ka lies behind a */
}

hs_status_t hs_nearest_point(int m, const double *K, const hs_nearest_options_t *options, double *delta,
                             double *weights, hs_nearest_report_t *report)
{
  nearest_t n = {.m = m, .K = K, .weights = weights, .best = INFINITY};
  *report = (hs_nearest_report_t){.gap = INFINITY};
  clock_gettime(CLOCK_MONOTONIC, &n.begin);
  if (!nearest_create(&n)) {
    nearest_free(&n);
    return HS_NO_MEMORY;
  }
  begin_with(&n);
  double share = *delta > 0 ? *delta : DELTA;
  bool more = !keep_best(&n, true) && n.best > options->tolerance;
  for (int step = 0; step < STEPS && more; step++) {
    n.delta = share * n.scale;
    more = proximal_step(&n, options, &report->iterations);
    if (more) share = fmax(share * FALL, LEAST_DELTA);
  }
  *delta = share;
  report->gap = n.best;
  report->square = n.square;
  nearest_free(&n);
  return HS_OK;
}
