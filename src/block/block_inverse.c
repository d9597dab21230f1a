#include "block/block_inverse.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"
#include "block/symmetric_tiles.h"

/* LAPACK, column-major: Cholesky factor, and inverse from it. */
extern void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);
extern void spotri_(const char *uplo, const int *n, float *a, const int *lda, int *info);

/* A float Cholesky can fail where 1/lambda is below the rounding of K/rho: the diagonal is then raised by
 * this share of its largest element, times 10 at every further attempt. */
#define RAISE_START 1e-6f
#define ATTEMPTS 4

/* Scratch space of a thread. */
typedef struct scratch {
  float *kernel;         /* largest block, n_b x n_b; NULL if this thread applies inverses only */
  float *x, *y;          /* largest block x outputs */
  hs_kernel_size_t size; /* its share of a sum */
} scratch_t;

/* Threads that work on different blocks. */
typedef struct team {
  int appliers; /* apply inverses: no more than blocks */
  int makers;   /* make inverses: as many, or one that leaves the threads to BLAS */
} team_t;

struct hs_block_inverse {
  hs_block_kernel_t *fill;
  void *context; /* borrowed */
  int outputs;
  int64_t blocks;
  int64_t *first;      /* blocks + 1 */
  float **tiles;       /* per block, views into storage */
  float *storage;      /* all tiles, owned */
  size_t storage_size; /* floats */
  int largest;
  team_t team;
  scratch_t *scratch; /* of every applier; the first makers of them have a kernel */
};

static hs_status_t measure(hs_block_inverse_t *inverse)
{
  for (int64_t b = 0; b < inverse->blocks; b++) {
    int n = 0;
    hs_status_t status = hs_to_int(inverse->first[b + 1] - inverse->first[b], &n, "solver.block_rows");
    if (status == HS_OK && n > HS_BLOCK_ROWS_MOST)
      status = hs_fail(HS_BAD_USAGE, NULL, "solver.block_rows", "%d rows in a block (at most %d)", n,
                       HS_BLOCK_ROWS_MOST);
    if (status != HS_OK) return status;
    if (n > inverse->largest) inverse->largest = n;
    inverse->storage_size += hs_tiles_size(n);
  }
  return HS_OK;
}

/* Fewer blocks than threads: each is made by all threads together. */
static team_t make_team(int64_t blocks, int threads)
{
  return (team_t){.appliers = hs_parts(blocks, 1, threads), .makers = blocks < threads ? 1 : threads};
}

static hs_status_t allocate_scratch(hs_block_inverse_t *inverse)
{
  size_t n = (size_t)inverse->largest, entries = n * (size_t)inverse->outputs;
  inverse->scratch = hs_alloc((size_t)inverse->team.appliers, sizeof *inverse->scratch, "block vectors");
  if (inverse->scratch == NULL) return HS_NO_MEMORY;
  for (int t = 0; t < inverse->team.appliers; t++) {
    scratch_t *own = &inverse->scratch[t];
    own->x = hs_alloc(entries, sizeof(float), "block vectors");
    own->y = hs_alloc(entries, sizeof(float), "block vectors");
    if (own->x == NULL || own->y == NULL) return HS_NO_MEMORY;
    if (t >= inverse->team.makers) continue;
    own->kernel = hs_alloc(n * n, sizeof(float), "block kernel (smaller solver.block_rows)");
    if (own->kernel == NULL) return HS_NO_MEMORY;
  }
  return HS_OK;
}

static hs_status_t allocate(hs_block_inverse_t *inverse)
{
  inverse->tiles = hs_alloc((size_t)inverse->blocks, sizeof *inverse->tiles, "block inverses");
  inverse->storage =
      hs_alloc(inverse->storage_size, sizeof(float), "block inverses (smaller solver.block_rows)");
  if (inverse->tiles == NULL || inverse->storage == NULL) return HS_NO_MEMORY;
  float *next = inverse->storage;
  for (int64_t b = 0; b < inverse->blocks; b++) {
    inverse->tiles[b] = next;
    next += hs_tiles_size((int)(inverse->first[b + 1] - inverse->first[b]));
  }
  return allocate_scratch(inverse);
}

static void fill_masked(void *context, int64_t first, int count, float *K)
{
  hs_masked_kernel(context, first, count, K);
}

hs_status_t hs_block_inverse_create(hs_block_inverse_t **out, hs_masked_t *op, int outputs, int64_t blocks,
                                    const int64_t *first)
{
  return hs_block_inverse_create_of(out, fill_masked, op, hs_masked_threads(op), outputs, blocks, first);
}

hs_status_t hs_block_inverse_create_of(hs_block_inverse_t **out, hs_block_kernel_t *fill, void *context,
                                       int threads, int outputs, int64_t blocks, const int64_t *first)
{
  *out = NULL;
  hs_block_inverse_t *inverse = hs_alloc(1, sizeof *inverse, "block inverses");
  if (inverse == NULL) return HS_NO_MEMORY;
  inverse->fill = fill;
  inverse->context = context;
  inverse->outputs = outputs;
  inverse->blocks = blocks;
  inverse->first = hs_alloc((size_t)blocks + 1, sizeof *inverse->first, "block rows");
  hs_status_t status = inverse->first != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) memcpy(inverse->first, first, ((size_t)blocks + 1) * sizeof *first);
  if (status == HS_OK) status = measure(inverse);
  inverse->team = make_team(blocks, threads);
  if (status == HS_OK) status = allocate(inverse);
  if (status != HS_OK) hs_block_inverse_free(&inverse);
  *out = inverse;
  return status;
}

void hs_block_inverse_free(hs_block_inverse_t **out)
{
  hs_block_inverse_t *inverse = *out;
  *out = NULL;
  if (inverse == NULL) return;
  hs_free(inverse->first);
  hs_free(inverse->tiles);
  hs_free(inverse->storage);
  for (int t = 0; inverse->scratch != NULL && t < inverse->team.appliers; t++) {
    hs_free(inverse->scratch[t].kernel);
    hs_free(inverse->scratch[t].x);
    hs_free(inverse->scratch[t].y);
  }
  hs_free(inverse->scratch);
  hs_free(inverse);
}

/* Lower triangle of diag(1/lambda) + K/rho, plus a share of its largest diagonal element, into A. */
static void assemble(hs_block_inverse_t *inverse, int64_t block, double rho, const double *curvature,
                     float raise, float *A)
{
  int64_t first = inverse->first[block];
  int n = (int)(inverse->first[block + 1] - first);
  float factor = (float)(1.0 / rho), largest = 0;
  inverse->fill(inverse->context, first, n, A);
  for (int j = 0; j < n; j++) {
    float *column = A + (size_t)j * (size_t)n;
    for (int i = j; i < n; i++) column[i] *= factor;
    column[j] += (float)(1.0 / curvature[first + j]);
    if (column[j] > largest) largest = column[j];
  }
  for (int j = 0; j < n; j++) A[(size_t)j * (size_t)n + (size_t)j] += raise * largest;
}

/* false: not positive definite. */
static bool invert_block(hs_block_inverse_t *inverse, int64_t block, double rho, const double *curvature,
                         float *room)
{
  int n = (int)(inverse->first[block + 1] - inverse->first[block]), info = 0;
  float raise = 0;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    assemble(inverse, block, rho, curvature, raise, room);
    spotrf_("L", &n, room, &n, &info);
    if (info == 0) spotri_("L", &n, room, &n, &info);
    if (info == 0) {
      hs_tiles_pack(n, room, inverse->tiles[block]);
      return true;
    }
    raise = raise > 0 ? 10 * raise : RAISE_START;
  }
  return false;
}

hs_status_t hs_block_inverse_factor(hs_block_inverse_t *inverse, double rho, const double *curvature)
{
  int makers = inverse->team.makers;
  int64_t blocks = inverse->blocks, failed = blocks;
#pragma omp parallel for schedule(static, 1) num_threads(makers) reduction(min : failed)
  for (int t = 0; t < makers; t++)
    for (int64_t b = hs_part_first(blocks, makers, t); b < hs_part_first(blocks, makers, t + 1); b++)
      if (!invert_block(inverse, b, rho, curvature, inverse->scratch[t].kernel)) {
        failed = hs_min64(failed, b);
        break;
      }
  if (failed == blocks) return HS_OK;
  return hs_fail(HS_NUMERICAL, NULL, "x-update",
                 "a block of %d rows is not positive definite at rho = %g (fix solver.rho higher, or use "
                 "smaller blocks)",
                 (int)(inverse->first[failed + 1] - inverse->first[failed]), rho);
}

static void apply_block(const hs_block_inverse_t *inverse, int64_t block, scratch_t *own, const double *R,
                        double *V)
{
  int C = inverse->outputs, n = (int)(inverse->first[block + 1] - inverse->first[block]);
  const double *r = R + inverse->first[block] * C;
  double *v = V + inverse->first[block] * C;
  for (int k = 0; k < n * C; k++) own->x[k] = (float)r[k];
  hs_tiles_multiply(n, inverse->tiles[block], C, own->x, own->y);
  for (int k = 0; k < n * C; k++) v[k] = (double)own->y[k];
}

void hs_block_inverse_apply(hs_block_inverse_t *inverse, const double *R, double *V)
{
  int appliers = inverse->team.appliers;
  int64_t blocks = inverse->blocks;
#pragma omp parallel for schedule(static, 1) num_threads(appliers)
  for (int t = 0; t < appliers; t++)
    for (int64_t b = hs_part_first(blocks, appliers, t); b < hs_part_first(blocks, appliers, t + 1); b++)
      apply_block(inverse, b, &inverse->scratch[t], R, V);
}

static void add_block_size(hs_block_inverse_t *inverse, int64_t block, const double *curvature, float *K,
                           hs_kernel_size_t *size)
{
  int n = (int)(inverse->first[block + 1] - inverse->first[block]);
  const double *lambda = curvature + inverse->first[block];
  inverse->fill(inverse->context, inverse->first[block], n, K);
  size->blocks += 1;
  for (int j = 0; j < n; j++) {
    const float *column = K + (size_t)j * (size_t)n;
    double sum = 0.5 * lambda[j] * (double)column[j] * (double)column[j];
    for (int i = j + 1; i < n; i++) sum += lambda[i] * (double)column[i] * (double)column[i];
    size->square += 2 * lambda[j] * sum;
    size->trace += lambda[j] * (double)column[j];
  }
}

hs_kernel_size_t hs_block_inverse_kernel_size(hs_block_inverse_t *inverse, const double *curvature,
                                              int64_t first, int64_t stride)
{
  int64_t count = first < inverse->blocks ? (inverse->blocks - first + stride - 1) / stride : 0;
  int makers = hs_parts(count, 1, inverse->team.makers);
  scratch_t *scratch = inverse->scratch;
#pragma omp parallel for schedule(static, 1) num_threads(makers)
  for (int t = 0; t < makers; t++) {
    scratch[t].size = (hs_kernel_size_t){0};
    for (int64_t i = hs_part_first(count, makers, t); i < hs_part_first(count, makers, t + 1); i++)
      add_block_size(inverse, first + i * stride, curvature, scratch[t].kernel, &scratch[t].size);
  }
  hs_kernel_size_t size = scratch[0].size;
  for (int t = 1; t < makers; t++) {
    size.trace += scratch[t].size.trace;
    size.square += scratch[t].size.square;
    size.blocks += scratch[t].size.blocks;
  }
  return size;
}

size_t hs_block_inverse_bytes(int64_t blocks, int64_t rows, int outputs)
{
  if (blocks == 0) return 0;
  int64_t length = rows / blocks, longer = rows % blocks;
  size_t storage = (size_t)(blocks - longer) * hs_tiles_size((int)length) +
                   (size_t)longer * hs_tiles_size((int)length + 1);
  size_t n = (size_t)(longer > 0 ? length + 1 : length);
  team_t team = make_team(blocks, hs_threads());
  size_t kernels = (size_t)team.makers * n * n, vectors = 2 * (size_t)team.appliers * n * (size_t)outputs;
  return (storage + kernels + vectors) * sizeof(float) + (size_t)team.appliers * sizeof(scratch_t) +
         (size_t)blocks * (sizeof(float *) + sizeof(int64_t));
}
