#include "block/block_inverse.h"

#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "block/symmetric_tiles.h"

/* LAPACK, column-major: Cholesky factor, and inverse from it. */
extern void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);
extern void spotri_(const char *uplo, const int *n, float *a, const int *lda, int *info);

/* A float Cholesky can fail where 1/lambda is below the rounding of K/rho: the diagonal is then raised by
 * this share of its largest element, times 10 at every further attempt. */
#define RAISE_START 1e-6f
#define ATTEMPTS 4

struct hs_block_inverse {
  hs_masked_t *op; /* borrowed */
  int outputs;
  int64_t blocks;
  int64_t *first;      /* blocks + 1 */
  float **tiles;       /* per block, views into storage */
  float *storage;      /* all tiles, owned */
  size_t storage_size; /* floats */
  float *kernel;       /* largest block, n_b x n_b */
  float *x, *y;        /* largest block x outputs */
  int largest;
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

static hs_status_t allocate(hs_block_inverse_t *inverse)
{
  size_t n = (size_t)inverse->largest;
  inverse->tiles = hs_alloc((size_t)inverse->blocks, sizeof *inverse->tiles, "block inverses");
  inverse->storage =
      hs_alloc(inverse->storage_size, sizeof(float), "block inverses (smaller solver.block_rows)");
  inverse->kernel = hs_alloc(n * n, sizeof(float), "block kernel (smaller solver.block_rows)");
  inverse->x = hs_alloc(n * (size_t)inverse->outputs, sizeof(float), "block vectors");
  inverse->y = hs_alloc(n * (size_t)inverse->outputs, sizeof(float), "block vectors");
  if (inverse->tiles == NULL || inverse->storage == NULL || inverse->kernel == NULL || inverse->x == NULL ||
      inverse->y == NULL)
    return HS_NO_MEMORY;
  float *next = inverse->storage;
  for (int64_t b = 0; b < inverse->blocks; b++) {
    inverse->tiles[b] = next;
    next += hs_tiles_size((int)(inverse->first[b + 1] - inverse->first[b]));
  }
  return HS_OK;
}

hs_status_t hs_block_inverse_create(hs_block_inverse_t **out, hs_masked_t *op, int outputs, int64_t blocks,
                                    const int64_t *first)
{
  *out = NULL;
  hs_block_inverse_t *inverse = hs_alloc(1, sizeof *inverse, "block inverses");
  if (inverse == NULL) return HS_NO_MEMORY;
  inverse->op = op;
  inverse->outputs = outputs;
  inverse->blocks = blocks;
  inverse->first = hs_alloc((size_t)blocks + 1, sizeof *inverse->first, "block rows");
  hs_status_t status = inverse->first != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) memcpy(inverse->first, first, ((size_t)blocks + 1) * sizeof *first);
  if (status == HS_OK) status = measure(inverse);
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
  hs_free(inverse->kernel);
  hs_free(inverse->x);
  hs_free(inverse->y);
  hs_free(inverse);
}

/* Lower triangle of diag(1/lambda) + K/rho, plus a share of its largest diagonal element. */
static void assemble(hs_block_inverse_t *inverse, int64_t block, double rho, const double *curvature,
                     float raise)
{
  int64_t first = inverse->first[block];
  int n = (int)(inverse->first[block + 1] - first);
  float *A = inverse->kernel, factor = (float)(1.0 / rho), largest = 0;
  hs_masked_kernel(inverse->op, first, n, A);
  for (int j = 0; j < n; j++) {
    float *column = A + (size_t)j * (size_t)n;
    for (int i = j; i < n; i++) column[i] *= factor;
    column[j] += (float)(1.0 / curvature[first + j]);
    if (column[j] > largest) largest = column[j];
  }
  for (int j = 0; j < n; j++) A[(size_t)j * (size_t)n + (size_t)j] += raise * largest;
}

static hs_status_t invert_block(hs_block_inverse_t *inverse, int64_t block, double rho,
                                const double *curvature)
{
  int n = (int)(inverse->first[block + 1] - inverse->first[block]), info = 0;
  float raise = 0;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    assemble(inverse, block, rho, curvature, raise);
    spotrf_("L", &n, inverse->kernel, &n, &info);
    if (info == 0) spotri_("L", &n, inverse->kernel, &n, &info);
    if (info == 0) {
      hs_tiles_pack(n, inverse->kernel, inverse->tiles[block]);
      return HS_OK;
    }
    raise = raise > 0 ? 10 * raise : RAISE_START;
  }
  return hs_fail(HS_NUMERICAL, NULL, "x-update",
                 "a block of %d rows is not positive definite at rho = %g (fix solver.rho higher, or use "
                 "smaller blocks)",
                 n, rho);
}

hs_status_t hs_block_inverse_factor(hs_block_inverse_t *inverse, double rho, const double *curvature)
{
  hs_status_t status = HS_OK;
  for (int64_t b = 0; b < inverse->blocks && status == HS_OK; b++)
    status = invert_block(inverse, b, rho, curvature);
  return status;
}

void hs_block_inverse_apply(hs_block_inverse_t *inverse, const double *R, double *V)
{
  int C = inverse->outputs;
  for (int64_t b = 0; b < inverse->blocks; b++) {
    int n = (int)(inverse->first[b + 1] - inverse->first[b]);
    const double *r = R + inverse->first[b] * C;
    double *v = V + inverse->first[b] * C;
    for (int k = 0; k < n * C; k++) inverse->x[k] = (float)r[k];
    hs_tiles_multiply(n, inverse->tiles[b], C, inverse->x, inverse->y);
    for (int k = 0; k < n * C; k++) v[k] = (double)inverse->y[k];
  }
}

hs_kernel_size_t hs_block_inverse_kernel_size(hs_block_inverse_t *inverse, const double *curvature,
                                              int64_t first, int64_t stride)
{
  hs_kernel_size_t size = {0};
  for (int64_t b = first; b < inverse->blocks; b += stride) {
    int n = (int)(inverse->first[b + 1] - inverse->first[b]);
    const double *lambda = curvature + inverse->first[b];
    hs_masked_kernel(inverse->op, inverse->first[b], n, inverse->kernel);
    size.blocks += 1;
    for (int j = 0; j < n; j++) {
      const float *column = inverse->kernel + (size_t)j * (size_t)n;
      double sum = 0.5 * lambda[j] * (double)column[j] * (double)column[j];
      for (int i = j + 1; i < n; i++) sum += lambda[i] * (double)column[i] * (double)column[i];
      size.square += 2 * lambda[j] * sum;
      size.trace += lambda[j] * (double)column[j];
    }
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
  return (storage + n * n + 2 * n * (size_t)outputs) * sizeof(float) +
         (size_t)blocks * (sizeof(float *) + sizeof(int64_t));
}
