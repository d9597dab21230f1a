#include "mpi/admm/anderson.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/simd.h"

/* Tikhonov term of the least squares, relative to its unit diagonal: the differences become
 * nearly dependent after many steps, and their inner products carry rounding of about this size. */
#define RIDGE 1e-10

struct hs_anderson {
  int memory, held, next; /* ring of `memory` slots, `held` of them in use; next is overwritten next */
  int64_t weights, entries;
  bool has_last;
  double *root;                                           /* entries: square root of the metric of p */
  double *last_fz, *last_gz, *last_fp, *last_gp, *last_a; /* the step before */
  float *dfz, *dgz;                                       /* memory x weights */
  float *dfp, *dgp, *da;                                  /* memory x entries */
  double *gram_z;  /* memory x memory: products of dfz; metric not applied */
  double *gram_p;  /* the same of dfp, summed over ranks */
  double *right_z; /* <dfz_j, fz> */
  double square_z; /* |fz|^2 */
  int newest;      /* slot of the step last taken, -1: none */
};

int hs_anderson_sums(const hs_anderson_t *anderson)
{
  return 2 * anderson->memory + 1;
}

static void *block(int64_t memory, int64_t length, size_t size)
{
  return hs_alloc((size_t)memory * (size_t)length, size, "Anderson memory (smaller solver.anderson)");
}

hs_status_t hs_anderson_create(hs_anderson_t **out, int memory, int64_t weights, int64_t entries)
{
  *out = NULL;
  hs_anderson_t *anderson = hs_alloc(1, sizeof *anderson, "Anderson memory");
  if (anderson == NULL) return HS_NO_MEMORY;
  anderson->memory = memory;
  anderson->weights = weights;
  anderson->entries = entries;
  anderson->newest = -1;
  bool on = memory > 0;
  anderson->root = block(1, entries, sizeof(double));
  anderson->last_fz = block(on, weights, sizeof(double));
  anderson->last_gz = block(on, weights, sizeof(double));
  anderson->last_fp = block(on, entries, sizeof(double));
  anderson->last_gp = block(on, entries, sizeof(double));
  anderson->last_a = block(on, entries, sizeof(double));
  anderson->dfz = block(memory, weights, sizeof(float));
  anderson->dgz = block(memory, weights, sizeof(float));
  anderson->dfp = block(memory, entries, sizeof(float));
  anderson->dgp = block(memory, entries, sizeof(float));
  anderson->da = block(memory, entries, sizeof(float));
  anderson->gram_z = block(memory, memory, sizeof(double));
  anderson->gram_p = block(memory, memory, sizeof(double));
  anderson->right_z = block(memory, 1, sizeof(double));
  bool good = anderson->root != NULL && anderson->last_fz != NULL && anderson->last_gz != NULL &&
              anderson->last_fp != NULL && anderson->last_gp != NULL && anderson->last_a != NULL &&
              anderson->dfz != NULL && anderson->dgz != NULL && anderson->dfp != NULL &&
              anderson->dgp != NULL && anderson->da != NULL && anderson->gram_z != NULL &&
              anderson->gram_p != NULL && anderson->right_z != NULL;
  if (!good) {
    hs_anderson_free(&anderson);
    return HS_NO_MEMORY;
  }
  *out = anderson;
  return HS_OK;
}

void hs_anderson_free(hs_anderson_t **out)
{
  hs_anderson_t *anderson = *out;
  *out = NULL;
  if (anderson == NULL) return;
  hs_free(anderson->root);
  hs_free(anderson->last_fz);
  hs_free(anderson->last_gz);
  hs_free(anderson->last_fp);
  hs_free(anderson->last_gp);
  hs_free(anderson->last_a);
  hs_free(anderson->dfz);
  hs_free(anderson->dgz);
  hs_free(anderson->dfp);
  hs_free(anderson->dgp);
  hs_free(anderson->da);
  hs_free(anderson->gram_z);
  hs_free(anderson->gram_p);
  hs_free(anderson->right_z);
  hs_free(anderson);
}

void hs_anderson_reset(hs_anderson_t *anderson, int outputs, const double *curvature)
{
  for (int64_t i = 0; i < anderson->entries; i++) anderson->root[i] = sqrt(curvature[i / outputs]);
  anderson->held = anderson->next = 0;
  anderson->newest = -1;
  anderson->has_last = false;
}

HS_SIMD_CLONES
static double dot_ff(int64_t n, const float *x, const float *y)
{
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += (double)x[i] * (double)y[i];
  return sum;
}

HS_SIMD_CLONES
static double dot_fd(int64_t n, const float *x, const double *y)
{
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += (double)x[i] * y[i];
  return sum;
}

HS_SIMD_CLONES
static double dot_dd(int64_t n, const double *x, const double *y)
{
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

HS_SIMD_CLONES
static void subtract_scaled(int64_t n, double gamma, const float *x, double *y)
{
#pragma omp simd
  for (int64_t i = 0; i < n; i++) y[i] -= gamma * (double)x[i];
}

/* Store f = g - x, scaled into its metric, and its change since the step before, if there was one.
 *   root  square root of the metric per entry; NULL: 1 */
static void store(bool difference, int64_t n, const double *root, const double *x, const double *g,
                  double *last_f, double *last_g, float *df, float *dg)
{
  for (int64_t i = 0; i < n; i++) {
    double f = (g[i] - x[i]) * (root != NULL ? root[i] : 1);
    if (difference) {
      df[i] = (float)(f - last_f[i]);
      dg[i] = (float)(g[i] - last_g[i]);
    }
    last_f[i] = f;
    last_g[i] = g[i];
  }
}

void hs_anderson_take(hs_anderson_t *anderson, const double *z, const double *p, const double *z1,
                      const double *p1, const double *a1, double *sums)
{
  int m = anderson->memory;
  int64_t weights = anderson->weights, entries = anderson->entries;
  memset(sums, 0, (size_t)hs_anderson_sums(anderson) * sizeof *sums);
  if (m == 0) {
    for (int64_t i = 0; i < entries; i++) sums[0] += pow(anderson->root[i] * (p1[i] - p[i]), 2);
    anderson->square_z = 0;
    for (int64_t i = 0; i < weights; i++) anderson->square_z += (z1[i] - z[i]) * (z1[i] - z[i]);
    return;
  }
  int slot = anderson->next;
  bool difference = anderson->has_last;
  store(difference, weights, NULL, z, z1, anderson->last_fz, anderson->last_gz,
        anderson->dfz + slot * weights, anderson->dgz + slot * weights);
  store(difference, entries, anderson->root, p, p1, anderson->last_fp, anderson->last_gp,
        anderson->dfp + slot * entries, anderson->dgp + slot * entries);
  for (int64_t i = 0; i < entries; i++) {
    if (difference) anderson->da[slot * entries + i] = (float)(a1[i] - anderson->last_a[i]);
    anderson->last_a[i] = a1[i];
  }
  anderson->has_last = true;
  anderson->newest = difference ? slot : -1;
  if (difference) {
    anderson->next = (slot + 1) % m;
    anderson->held = anderson->held < m ? anderson->held + 1 : m;
  }
  for (int j = 0; j < anderson->held; j++) {
    if (difference) {
      sums[j] = dot_ff(entries, anderson->dfp + slot * entries, anderson->dfp + j * entries);
      double product = dot_ff(weights, anderson->dfz + slot * weights, anderson->dfz + j * weights);
      anderson->gram_z[slot * m + j] = anderson->gram_z[j * m + slot] = product;
    }
    sums[m + j] = dot_fd(entries, anderson->dfp + j * entries, anderson->last_fp);
    anderson->right_z[j] = dot_fd(weights, anderson->dfz + j * weights, anderson->last_fz);
  }
  sums[2 * m] = dot_dd(entries, anderson->last_fp, anderson->last_fp);
  anderson->square_z = dot_dd(weights, anderson->last_fz, anderson->last_fz);
}

double hs_anderson_residual(const hs_anderson_t *anderson, const double *sums, double metric)
{
  return metric * anderson->square_z + sums[2 * anderson->memory];
}

double hs_anderson_change(const hs_anderson_t *anderson)
{
  return anderson->square_z;
}

/* Cholesky solve of the small system H gamma = right, in place; false if H is not positive definite. */
static bool solve_small(int n, double *H, double *right)
{
  for (int j = 0; j < n; j++) {
    for (int k = 0; k < j; k++)
      for (int i = j; i < n; i++) H[i * n + j] -= H[i * n + k] * H[j * n + k];
    if (!(H[j * n + j] > 0)) return false;
    double root = sqrt(H[j * n + j]);
    for (int i = j; i < n; i++) H[i * n + j] /= root;
  }
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < i; k++) right[i] -= H[i * n + k] * right[k];
    right[i] /= H[i * n + i];
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int k = i + 1; k < n; k++) right[i] -= H[k * n + i] * right[k];
    right[i] /= H[i * n + i];
  }
  return true;
}

/* gamma from the normal equations, their matrix scaled to a unit diagonal; false: take the plain step. */
static bool coefficients(const hs_anderson_t *anderson, const double *sums, double metric, double *gamma)
{
  int m = anderson->memory, held = anderson->held;
  double H[HS_ANDERSON_MOST * HS_ANDERSON_MOST], unit[HS_ANDERSON_MOST];
  for (int j = 0; j < held; j++) {
    double square = metric * anderson->gram_z[j * m + j] + anderson->gram_p[j * m + j];
    if (!(square > 0)) return false;
    unit[j] = 1 / sqrt(square);
  }
  for (int j = 0; j < held; j++) {
    for (int k = 0; k < held; k++)
      H[j * held + k] =
          unit[j] * unit[k] * (metric * anderson->gram_z[j * m + k] + anderson->gram_p[j * m + k]);
    H[j * held + j] += RIDGE;
    gamma[j] = unit[j] * (metric * anderson->right_z[j] + sums[m + j]);
  }
  if (!solve_small(held, H, gamma)) return false;
  for (int j = 0; j < held; j++) gamma[j] *= unit[j];
  return true;
}

double hs_anderson_combine(hs_anderson_t *anderson, const double *sums, double metric, const double *z1,
                           const double *p1, const double *a1, double *z, double *p, double *a)
{
  int m = anderson->memory;
  int64_t weights = anderson->weights, entries = anderson->entries;
  memcpy(z, z1, (size_t)weights * sizeof *z);
  memcpy(p, p1, (size_t)entries * sizeof *p);
  memcpy(a, a1, (size_t)entries * sizeof *a);
  if (anderson->newest >= 0)
    for (int j = 0; j < anderson->held; j++)
      anderson->gram_p[anderson->newest * m + j] = anderson->gram_p[j * m + anderson->newest] = sums[j];
  double gamma[HS_ANDERSON_MOST], size = 0;
  if (anderson->held == 0 || !coefficients(anderson, sums, metric, gamma)) return 0;
  for (int j = 0; j < anderson->held; j++) {
    subtract_scaled(weights, gamma[j], anderson->dgz + j * weights, z);
    subtract_scaled(entries, gamma[j], anderson->dgp + j * entries, p);
    subtract_scaled(entries, gamma[j], anderson->da + j * entries, a);
    size += fabs(gamma[j]);
  }
  return size;
}
