#include "mpi/pricing/relu_products.h"

#include <assert.h>
#include <cblas.h>
#include <string.h>

#include "base/memory.h"
#include "base/simd.h"
#include "base/size.h"
#include "base/threads.h"
#include "mpi/data/slab.h"

#define LINE 64 /* bytes that scratch of threads and sums are rounded up to */

struct hs_relu_products {
  const hs_shard_t *shard;
  const double *theta;
  int columns, parts;
  int64_t slabs;
  hs_precision_t precision; /* of the last values */
  int m;                    /* columns of the last values */
  int count;                /* columns of the gradients */
  const int *chosen;
  void *W;        /* columns x max(d, C): W or a in the precision of the products */
  uint8_t *signs; /* several outputs: a bit for each row and column */
  char *scratch;  /* of the parts */
  size_t scratch_bytes;
  double *sums; /* of the parts but the first */
  size_t sum_numbers;
};

/* m bytes for each eight rows; a slab begins at a multiple of eight. */
static uint8_t *signs_at(const hs_relu_products_t *products, int64_t row)
{
  return products->signs + (size_t)(row / 8) * (size_t)products->m;
}

static const float *float_rows(const hs_relu_products_t *products, int64_t first)
{
  return (const float *)products->shard->X + first * products->shard->d;
}

static const float *float_theta(const hs_relu_products_t *products, int64_t first, int count, float *buffer)
{
  int C = products->shard->outputs;
  const double *theta = products->theta + first * C;
  for (int64_t e = 0; e < (int64_t)count * C; e++) buffer[e] = (float)theta[e];
  return buffer;
}

#define REAL float
#define NAME(stem) stem##_single
#define GEMM cblas_sgemm
#define ROWS(products, first, count, buffer) float_rows(products, first)
#define THETA(products, first, count, buffer) float_theta(products, first, count, buffer)
#include "mpi/pricing/relu_products_body.h"

#define REAL double
#define NAME(stem) stem##_double
#define GEMM cblas_dgemm
#define ROWS(products, first, count, buffer) hs_slab((products)->shard, first, count, buffer)
#define THETA(products, first, count, buffer) ((products)->theta + (first) * (products)->shard->outputs)
#include "mpi/pricing/relu_products_body.h"

static size_t whole_lines(size_t bytes)
{
  return (bytes + LINE - 1) / LINE * LINE;
}

static bool allocate(hs_relu_products_t *products)
{
  size_t rows = HS_SLAB_ROWS, d = (size_t)products->shard->d, C = (size_t)products->shard->outputs;
  size_t columns = (size_t)products->columns, wide = d > C ? d : C, parts = (size_t)products->parts;
  products->scratch_bytes = whole_lines((rows * (columns + d + C) + columns * wide) * sizeof(double));
  products->sum_numbers = whole_lines(columns * wide * sizeof(double)) / sizeof(double);
  products->scratch = hs_alloc(parts, products->scratch_bytes, "slabs of the price");
  products->sums = hs_alloc(parts - 1, products->sum_numbers * sizeof(double), "sums of the price");
  products->W = hs_alloc(columns * wide, sizeof(double), "starts of the price");
  size_t bytes = C > 1 ? (size_t)((products->shard->rows + 7) / 8) * columns : 0;
  products->signs = hs_alloc(bytes, 1, "signs of the price");
  return products->scratch != NULL && products->sums != NULL && products->W != NULL &&
         products->signs != NULL;
}

hs_status_t hs_relu_products_create(hs_relu_products_t **out, const hs_shard_t *shard, const double *theta,
                                    int columns)
{
  assert(columns >= 1 && columns <= HS_PRODUCT_COLUMNS);
  hs_relu_products_t *products = *out = hs_alloc(1, sizeof *products, "products of the price");
  if (products == NULL) return HS_NO_MEMORY;
  *products = (hs_relu_products_t){.shard = shard,
                                   .theta = theta,
                                   .columns = columns,
                                   .parts = hs_parts(shard->rows, HS_SLAB_ROWS, hs_threads()),
                                   .slabs = (shard->rows + HS_SLAB_ROWS - 1) / HS_SLAB_ROWS};
  if (allocate(products)) return HS_OK;
  hs_relu_products_free(out);
  return HS_NO_MEMORY;
}

void hs_relu_products_free(hs_relu_products_t **products)
{
  if (*products == NULL) return;
  hs_free((*products)->scratch);
  hs_free((*products)->sums);
  hs_free((*products)->W);
  hs_free((*products)->signs);
  hs_free(*products);
  *products = NULL;
}

typedef void slabs_t(const hs_relu_products_t *products, int part, int64_t from, int64_t to, double *sum);

/* result = sum over slabs, parts of them on all threads. */
static void over_slabs(hs_relu_products_t *products, slabs_t *do_slabs, size_t numbers, double *result)
{
  int parts = products->parts;
  memset(result, 0, numbers * sizeof *result);
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++) {
    double *sum = part == 0 ? result : products->sums + (size_t)(part - 1) * products->sum_numbers;
    if (part > 0) memset(sum, 0, numbers * sizeof *sum);
    do_slabs(products, part, hs_part_first(products->slabs, parts, part),
             hs_part_first(products->slabs, parts, part + 1), sum);
  }
  for (int part = 1; part < parts; part++)
    add_double(numbers, products->sums + (size_t)(part - 1) * products->sum_numbers, result);
}

static void set(hs_relu_products_t *products, int columns, int wide, const double *from)
{
  size_t numbers = (size_t)columns * (size_t)wide;
  if (products->precision == HS_SINGLE)
    set_single(products, numbers, from);
  else
    set_double(products, numbers, from);
}

void hs_relu_products_both(hs_relu_products_t *products, hs_precision_t precision, int m, const double *W,
                           double *G)
{
  assert(products->shard->outputs == 1 && m <= products->columns);
  products->precision = precision;
  products->m = m;
  set(products, m, products->shard->d, W);
  over_slabs(products, precision == HS_SINGLE ? both_single : both_double,
             (size_t)m * (size_t)products->shard->d, G);
}

void hs_relu_products_values(hs_relu_products_t *products, hs_precision_t precision, int m, const double *W,
                             double *A)
{
  assert(products->shard->outputs > 1 && m <= products->columns);
  products->precision = precision;
  products->m = m;
  set(products, m, products->shard->d, W);
  over_slabs(products, precision == HS_SINGLE ? values_single : values_double,
             (size_t)m * (size_t)products->shard->outputs, A);
}

void hs_relu_products_gradients(hs_relu_products_t *products, int count, const int *chosen, const double *a,
                                double *G)
{
  assert(count <= products->m);
  products->count = count;
  products->chosen = chosen;
  set(products, count, products->shard->outputs, a);
  over_slabs(products, products->precision == HS_SINGLE ? gradients_single : gradients_double,
             (size_t)count * (size_t)products->shard->d, G);
}
