#include "minimise/nearest_point.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "minimise/vectors.h"

#define DELTA 1e-2 /* the first, relative to the largest |z|^2 */
#define FALL 0.1   /* of delta from step to step */
#define BACK 30    /* and rise from solve to solve: a small delta far from the solution leads nowhere */
#define LEAST_DELTA 1e-12 /* below, K + delta 1 may have no factor */
#define STEPS 40          /* proximal steps */
#define NEWTON 60         /* iterations for one of them */
#define BISECTIONS 50     /* of a line search */
#define EXACT 1e-2        /* of the gap: error of the direction of a proximal step */
#define ROUNDING 1e-20    /* of its square */
#define VANISHED 1e-16    /* |p|^2 below this share of the largest |z|^2 is rounding */

/* LAPACK's routines, as Fortran has them. */
extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
                    double *b, const int *ldb, int *info);

typedef struct nearest {
  int m, count, *active; /* the rows with a share in Newton's matrix */
  const double *K;
  double scale, delta;     /* largest |z|^2; absolute */
  double *b, *Kb, *center; /* m each: v = Z'b, its margins Z v; where the proximal step began */
  double *next, *Knext;    /* Newton's point */
  double *a, *Ka;          /* what v stands for in the problem of the weights */
  double *factor;          /* count x count */
  double best;             /* gap of the best weights so far */
  double square, *weights; /* m, of the caller */
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
  n->active = hs_alloc(m, sizeof(int), "nearest point");
  n->b = hs_alloc(7 * m, sizeof(double), "nearest point");
  n->factor = hs_alloc(m * m, sizeof(double), "factor of the nearest point");
  if (n->active == NULL || n->b == NULL || n->factor == NULL) return false;
  n->Kb = n->b + m;
  n->center = n->Kb + m;
  n->next = n->center + m;
  n->Knext = n->next + m;
  n->a = n->Knext + m;
  n->Ka = n->a + m;
  return true;
}

static void nearest_free(nearest_t *n)
{
  hs_free(n->active);
  hs_free(n->b);
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

/* How far below its target row k is:  r_k = 1 + delta center_k - z_k'v */
static double lack(const nearest_t *n, int k)
{
  return 1 + n->delta * n->center[k] - n->Kb[k];
}

/* The active rows, r > 0, and a = r_+ / delta. */
static void find_active(nearest_t *n)
{
  n->count = 0;
  for (int k = 0; k < n->m; k++) {
    double r = lack(n, k);
    n->a[k] = fmax(0, r / n->delta);
    if (r > 0) n->active[n->count++] = k;
  }
}

/* Newton's point:  (K_AA + delta 1) b_A = 1 + delta center_A,  b = 0 elsewhere. False: no factor. */
static bool newton_point(nearest_t *n)
{
  int size = n->count, one = 1, info = 0;
  double *x = n->Knext; /* free until the products are made */
  for (int i = 0; i < size; i++) {
    const double *row = n->K + (int64_t)n->active[i] * n->m;
    double *to = n->factor + (int64_t)i * size;
    for (int j = 0; j <= i; j++) to[j] = row[n->active[j]];
    to[i] += n->delta;
    x[i] = 1 + n->delta * n->center[n->active[i]];
  }
  dpotrf_("U", &size, n->factor, &size, &info); /* upper in columns is lower in rows */
  if (info != 0) return false;
  dpotrs_("U", &size, &one, n->factor, &size, x, &size, &info);
  memset(n->next, 0, (size_t)n->m * sizeof(double));
  for (int i = 0; i < size; i++) n->next[n->active[i]] = x[i];
  products(n, n->next, n->Knext);
  return true;
}

/* Derivative at b + t s, s = next - b, of  phi(b) = b'Kb / 2 + |r_+|^2 / (2 delta). */
static double slope(const nearest_t *n, double t)
{
  double along = 0, rows = 0;
  for (int k = 0; k < n->m; k++) {
    double s = n->next[k] - n->b[k], h = n->Knext[k] - n->Kb[k];
    along += s * (n->Kb[k] + t * h);
    rows += fmax(0, lack(n, k) - t * h) * h;
  }
  return along - rows / n->delta;
}

/* To the least phi on the way to Newton's point. False when that is no further than a share of |v|, squared: the proximal step
 * is done. */
static bool move(nearest_t *n, double share)
{
  double low = 0, high = 1, begin = slope(n, 0), t = 1;
  if (slope(n, 1) > -1e-8 * begin) {
    for (int k = 0; k < BISECTIONS; k++) {
      t = (low + high) / 2;
      if (slope(n, t) > 0)
        high = t;
      else
        low = t;
    }
  }
  for (int k = 0; k < n->m; k++) {
    n->b[k] += t * (n->next[k] - n->b[k]);
    n->Kb[k] += t * (n->Knext[k] - n->Kb[k]);
  }
  return -begin > share * hs_vector_dot(n->m, n->b, n->Kb);
}

/* At the end of a proximal step b = r_+ / delta, and b is the one of the two that rounding has not blown up. */
static void round_off(nearest_t *n)
{
  for (int k = 0; k < n->m; k++) n->a[k] = fmax(0, n->b[k]);
}

/* One proximal step. Returns false when nothing more can be gained at all. */
static bool proximal_step(nearest_t *n, const hs_nearest_options_t *options, int *iterations)
{
  memcpy(n->center, n->a, (size_t)n->m * sizeof(double));
  find_active(n);
  for (int k = 0; k < NEWTON; k++) {
    double accuracy = EXACT * fmin(1, n->best);
    ++*iterations;
    if (!newton_point(n)) return false;
    bool more = move(n, fmax(accuracy * accuracy, ROUNDING));
    find_active(n);
    if (!more) round_off(n);
    products(n, n->a, n->Ka);
    if (keep_best(n, false) || n->best <= options->tolerance) return false;
    if (options->max_seconds > 0 && seconds_since(&n->begin) >= options->max_seconds) return false;
    if (!more) return true;
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
  memcpy(n->b, n->a, 2 * (size_t)n->m * sizeof *n->b);
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
  double share = *delta > 0 ? fmin(DELTA, BACK * *delta) : DELTA;
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
