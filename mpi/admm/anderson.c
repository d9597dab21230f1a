#include "mpi/admm/anderson.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/simd.h"
#include "base/size.h"
#include "base/threads.h"

/* Tikhonov term of the least squares, relative to its unit diagonal: the differences become
 * nearly dependent after many steps, and their inner products carry rounding of about this size. */
#define RIDGE 1e-10

/* Entries or weights that are worth a thread. */
#define PART 1024

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
  int parts;       /* threads that share weights and entries */
  double *shares;  /* for each part its share of the inner products, of weights and of entries */
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

#define BLOCKS 15

static int64_t share_length(const hs_anderson_t *anderson)
{
  return 2 * hs_anderson_sums(anderson);
}

static int count_parts(int64_t weights, int64_t entries)
{
  return hs_parts(hs_max64(weights, entries), PART, hs_threads());
}

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
      {(void **)&anderson->shares, anderson->parts * share_length(anderson), sizeof(double)},
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
  anderson->parts = count_parts(weights, entries);
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
  hs_anderson_t sizes = {
      .memory = memory, .weights = weights, .entries = entries, .parts = count_parts(weights, entries)};
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

/* A range of the weights or of the entries. Slots of memory are `stride` apart. */
typedef struct range {
  int64_t first, count, stride;
  const double *root; /* square root of the metric per entry; NULL: 1 */
  double *last_f, *last_g;
  float *df, *dg;
} range_t;

static range_t weights_of_part(const hs_anderson_t *anderson, int part)
{
  int64_t weights = anderson->weights, first = hs_part_first(weights, anderson->parts, part);
  return (range_t){.first = first,
                   .count = hs_part_first(weights, anderson->parts, part + 1) - first,
                   .stride = weights,
                   .last_f = anderson->last_fz + first,
                   .last_g = anderson->last_gz + first,
                   .df = anderson->dfz + first,
                   .dg = anderson->dgz + first};
}

static range_t entries_of_part(const hs_anderson_t *anderson, int part)
{
  int64_t entries = anderson->entries, first = hs_part_first(entries, anderson->parts, part);
  return (range_t){.first = first,
                   .count = hs_part_first(entries, anderson->parts, part + 1) - first,
                   .stride = entries,
                   .root = anderson->root + first,
                   .last_f = anderson->last_fp + first,
                   .last_g = anderson->last_gp + first,
                   .df = anderson->dfp + first,
                   .dg = anderson->dgp + first};
}

/* Store f = g - x, scaled into its metric, and its change since the step before, if there was one. */
static void store(bool difference, range_t range, const double *x, const double *g, int slot)
{
  float *df = range.df + slot * range.stride, *dg = range.dg + slot * range.stride;
  for (int64_t i = 0; i < range.count; i++) {
    double f = (g[i] - x[i]) * (range.root != NULL ? range.root[i] : 1);
    if (difference) {
      df[i] = (float)(f - range.last_f[i]);
      dg[i] = (float)(g[i] - range.last_g[i]);
    }
    range.last_f[i] = f;
    range.last_g[i] = g[i];
  }
}

static void store_image(const hs_anderson_t *anderson, bool difference, range_t range, const double *a,
                        int slot)
{
  float *da = anderson->da + slot * range.stride + range.first;
  double *last = anderson->last_a + range.first;
  for (int64_t i = 0; i < range.count; i++) {
    if (difference) da[i] = (float)(a[i] - last[i]);
    last[i] = a[i];
  }
}

/* Inner products of a range, in the order of `sums`: of the newest change with all, of all with f, of f with f. */
static void multiply_range(const hs_anderson_t *anderson, range_t range, double *products)
{
  int m = anderson->memory, newest = anderson->newest;
  memset(products, 0, (size_t)hs_anderson_sums(anderson) * sizeof *products);
  for (int j = 0; j < anderson->held; j++) {
    const float *df = range.df + j * range.stride;
    if (newest >= 0) products[j] = dot_ff(range.count, range.df + newest * range.stride, df);
    products[m + j] = dot_fd(range.count, df, range.last_f);
  }
  products[2 * m] = dot_dd(range.count, range.last_f, range.last_f);
}

/* Sums over the shares of all parts, in their order: of the weights, then of the entries. */
static void add_shares(hs_anderson_t *anderson)
{
  int64_t length = share_length(anderson);
  for (int part = 1; part < anderson->parts; part++)
    for (int64_t i = 0; i < length; i++) anderson->shares[i] += anderson->shares[part * length + i];
}

void hs_anderson_take(hs_anderson_t *anderson, const double *z, const double *p, const double *z1,
                      const double *p1, const double *a1, double *sums)
{
  int m = anderson->memory, count = hs_anderson_sums(anderson), parts = anderson->parts;
  int64_t weights = anderson->weights, entries = anderson->entries;
  memset(sums, 0, (size_t)count * sizeof *sums);
  if (m == 0) {
    for (int64_t i = 0; i < entries; i++) sums[0] += pow(anderson->root[i] * (p1[i] - p[i]), 2);
    anderson->square_z = 0;
    for (int64_t i = 0; i < weights; i++) anderson->square_z += (z1[i] - z[i]) * (z1[i] - z[i]);
    return;
  }
  int slot = anderson->next;
  bool difference = anderson->has_last;
  anderson->has_last = true;
  anderson->newest = difference ? slot : -1;
  if (difference) {
    anderson->next = (slot + 1) % m;
    anderson->held = anderson->held < m ? anderson->held + 1 : m;
  }
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++) {
    double *share = anderson->shares + part * share_length(anderson);
    range_t w = weights_of_part(anderson, part), e = entries_of_part(anderson, part);
    store(difference, w, z + w.first, z1 + w.first, slot);
    store(difference, e, p + e.first, p1 + e.first, slot);
    store_image(anderson, difference, e, a1 + e.first, slot);
    multiply_range(anderson, w, share);
    multiply_range(anderson, e, share + count);
  }
  add_shares(anderson);
  const double *of_weights = anderson->shares;
  memcpy(sums, anderson->shares + count, (size_t)count * sizeof *sums);
  for (int j = 0; j < anderson->held; j++) {
    if (difference) anderson->gram_z[slot * m + j] = anderson->gram_z[j * m + slot] = of_weights[j];
    anderson->right_z[j] = of_weights[m + j];
  }
  anderson->square_z = of_weights[2 * m];
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

/* out = g - sum_j gamma_j d_j over a range.
 *   d  of the range, slots range.stride apart */
static void combine_range(range_t range, int held, const double *gamma, const float *d, const double *g,
                          double *out)
{
  memcpy(out + range.first, g + range.first, (size_t)range.count * sizeof *out);
  for (int j = 0; j < held; j++)
    subtract_scaled(range.count, gamma[j], d + j * range.stride, out + range.first);
}

double hs_anderson_combine(hs_anderson_t *anderson, const double *sums, double metric, const double *z1,
                           const double *p1, const double *a1, double *z, double *p, double *a)
{
  int m = anderson->memory, held = anderson->held, parts = anderson->parts;
  if (anderson->newest >= 0)
    for (int j = 0; j < held; j++)
      anderson->gram_p[anderson->newest * m + j] = anderson->gram_p[j * m + anderson->newest] = sums[j];
  double gamma[HS_ANDERSON_MOST], size = 0;
  if (held > 0 && !coefficients(anderson, sums, metric, gamma)) held = 0;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++) {
    range_t w = weights_of_part(anderson, part), e = entries_of_part(anderson, part);
    combine_range(w, held, gamma, w.dg, z1, z);
    combine_range(e, held, gamma, e.dg, p1, p);
    combine_range(e, held, gamma, anderson->da + e.first, a1, a);
  }
  for (int j = 0; j < held; j++) size += fabs(gamma[j]);
  return size;
}
