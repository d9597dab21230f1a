#include "mpi/admm/anderson.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/simd.h"
#include "base/size.h"

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

typedef struct block {
  void **place;
  int64_t count;
  size_t size;
} block_t;

#define BLOCKS 14

/* Everything that is allocated, for the sizes in *anderson. */
static void list_blocks(hs_anderson_t *anderson, block_t list[BLOCKS])
{
  int64_t m = anderson->memory, on = m > 0, weights = anderson->weights, entries = anderson->entries;
  block_t blocks[BLOCKS] = {
      {(void **)&anderson->root, entries, sizeof(double)},
      {(void **)&anderson->last_fz, on * weights, sizeof(double)},
      {(void **)&anderson->last_gz, on * weights, sizeof(double)},
      {(void **)&anderson->last_fp, on * entries, sizeof(double)},
      {(void **)&anderson->last_gp, on * entries, sizeof(double)},
      {(void **)&anderson->last_a, on * entries, sizeof(double)},
      {(void **)&anderson->dfz, m * weights, sizeof(float)},
      {(void **)&anderson->dgz, m * weights, sizeof(float)},
      {(void **)&anderson->dfp, m * entries, sizeof(float)},
      {(void **)&anderson->dgp, m * entries, sizeof(float)},
      {(void **)&anderson->da, m * entries, sizeof(float)},
      {(void **)&anderson->gram_z, m * m, sizeof(double)},
      {(void **)&anderson->gram_p, m * m, sizeof(double)},
      {(void **)&anderson->right_z, m, sizeof(double)},
  };
  for (int i = 0; i < BLOCKS; i++) list[i] = blocks[i];
}

hs_status_t hs_anderson_create(hs_anderson_t **out, int memory, int64_t weights, int64_t entries)
{
  block_t list[BLOCKS];
  *out = NULL;
  hs_anderson_t *anderson = hs_alloc(1, sizeof *anderson, "Anderson memory");
  if (anderson == NULL) return HS_NO_MEMORY;
  anderson->memory = memory;
  anderson->weights = weights;
  anderson->entries = entries;
  anderson->newest = -1;
  list_blocks(anderson, list);
  for (int i = 0; i < BLOCKS; i++) {
    *list[i].place =
        hs_alloc((size_t)list[i].count, list[i].size, "Anderson memory (smaller solver.anderson)");
    if (*list[i].place != NULL) continue;
    hs_anderson_free(&anderson);
    return HS_NO_MEMORY;
  }
  *out = anderson;
  return HS_OK;
}

void hs_anderson_free(hs_anderson_t **out)
{
  block_t list[BLOCKS];
  hs_anderson_t *anderson = *out;
  *out = NULL;
  if (anderson == NULL) return;
  list_blocks(anderson, list);
  for (int i = 0; i < BLOCKS; i++) hs_free(*list[i].place);
  hs_free(anderson);
}

size_t hs_anderson_bytes(int memory, int64_t weights, int64_t entries)
{
  hs_anderson_t sizes = {.memory = memory, .weights = weights, .entries = entries};
  block_t list[BLOCKS];
  size_t bytes = sizeof sizes;
  list_blocks(&sizes, list);
  for (int i = 0; i < BLOCKS; i++) bytes += (size_t)list[i].count * list[i].size;
  return bytes;
}

void hs_anderson_set_curvature(hs_anderson_t *anderson, int outputs, const double *curvature)
{
  for (int64_t i = 0; i < anderson->entries; i++) anderson->root[i] = sqrt(curvature[i / outputs]);
}

void hs_anderson_reset(hs_anderson_t *anderson, int outputs, const double *curvature)
{
  hs_anderson_set_curvature(anderson, outputs, curvature);
  anderson->held = anderson->next = 0;
  anderson->newest = -1;
  anderson->has_last = false;
}

void hs_anderson_get_counts(const hs_anderson_t *anderson, int64_t counts[HS_ANDERSON_COUNTS])
{
  counts[0] = anderson->held;
  counts[1] = anderson->next;
  counts[2] = anderson->newest;
  counts[3] = anderson->has_last;
}

hs_status_t hs_anderson_set_counts(hs_anderson_t *anderson, const int64_t counts[HS_ANDERSON_COUNTS])
{
  int64_t memory = anderson->memory;
  if (counts[0] < 0 || counts[0] > memory || counts[1] < 0 || (counts[1] >= memory && counts[1] != 0) ||
      counts[2] < -1 || counts[2] >= hs_max64(memory, 1))
    return hs_fail(HS_BAD_DATA, NULL, "Anderson memory", "the checkpoint holds impossible counts");
  anderson->held = (int)counts[0];
  anderson->next = (int)counts[1];
  anderson->newest = (int)counts[2];
  anderson->has_last = counts[3] != 0;
  return HS_OK;
}

/* Slots fill from 0 on, so that the first `held` are those in use. */
void hs_anderson_describe(hs_anderson_t *anderson, int outputs, hs_state_t *state)
{
  int64_t m = anderson->memory, weights = anderson->weights, entries = anderson->entries;
  if (m == 0) return;
  hs_state_add(state, HS_STORED_SAME, "gram_z", -1, HS_STORED_DOUBLE, m, m, anderson->gram_z);
  hs_state_add(state, HS_STORED_SAME, "gram_p", -1, HS_STORED_DOUBLE, m, m, anderson->gram_p);
  if (anderson->has_last) {
    hs_state_add(state, HS_STORED_SAME, "last_fz", -1, HS_STORED_DOUBLE, 1, weights, anderson->last_fz);
    hs_state_add(state, HS_STORED_SAME, "last_gz", -1, HS_STORED_DOUBLE, 1, weights, anderson->last_gz);
    hs_state_add(state, HS_STORED_ROWS, "last_fp", -1, HS_STORED_DOUBLE, 0, outputs, anderson->last_fp);
    hs_state_add(state, HS_STORED_ROWS, "last_gp", -1, HS_STORED_DOUBLE, 0, outputs, anderson->last_gp);
    hs_state_add(state, HS_STORED_ROWS, "last_a", -1, HS_STORED_DOUBLE, 0, outputs, anderson->last_a);
  }
  for (int j = 0; j < anderson->held; j++) {
    hs_state_add(state, HS_STORED_SAME, "dfz", j, HS_STORED_FLOAT, 1, weights, anderson->dfz + j * weights);
    hs_state_add(state, HS_STORED_SAME, "dgz", j, HS_STORED_FLOAT, 1, weights, anderson->dgz + j * weights);
    hs_state_add(state, HS_STORED_ROWS, "dfp", j, HS_STORED_FLOAT, 0, outputs, anderson->dfp + j * entries);
    hs_state_add(state, HS_STORED_ROWS, "dgp", j, HS_STORED_FLOAT, 0, outputs, anderson->dgp + j * entries);
    hs_state_add(state, HS_STORED_ROWS, "da", j, HS_STORED_FLOAT, 0, outputs, anderson->da + j * entries);
  }
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
