#include "mpi/network/row_pool.h"

#include <cblas.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/data/slab.h"

#define GRAM_MOST 4096 /* rows of the data up to which all products are kept: 128 MB */

hs_status_t hs_row_pool_create(hs_row_pool_t *pool, int64_t n, int d)
{
  *pool = (hs_row_pool_t){.d = d, .n = n};
  pool->place = hs_alloc((size_t)n, sizeof(int), "places of rows");
  if (pool->place == NULL) return HS_NO_MEMORY;
  if (n > GRAM_MOST) return HS_OK;
  pool->gram = hs_alloc((size_t)n * (size_t)n, sizeof(double), "products of rows");
  return pool->gram != NULL ? HS_OK : HS_NO_MEMORY;
}

void hs_row_pool_clear(hs_row_pool_t *pool)
{
  hs_free(pool->place);
  hs_free(pool->number);
  hs_free(pool->rows);
  hs_free(pool->gram);
  *pool = (hs_row_pool_t){0};
}

static hs_status_t grow(hs_row_pool_t *pool)
{
  int64_t wanted = hs_min64(pool->n, 2 * (int64_t)pool->room + 256);
  int room = 0;
  hs_status_t status = hs_to_int(wanted, &room, "rows of a pool");
  if (status != HS_OK) return status;
  int64_t *number = hs_alloc((size_t)room, sizeof *number, "rows of a pool");
  double *rows = hs_alloc((size_t)room * (size_t)pool->d, sizeof *rows, "rows of a pool");
  if (number == NULL || rows == NULL) {
    hs_free(number);
    hs_free(rows);
    return HS_NO_MEMORY;
  }
  if (pool->room > 0) {
    memcpy(number, pool->number, (size_t)pool->asked * sizeof *number);
    memcpy(rows, pool->rows, (size_t)pool->count * (size_t)pool->d * sizeof *rows);
  }
  hs_free(pool->number);
  hs_free(pool->rows);
  pool->number = number;
  pool->rows = rows;
  pool->room = room;
  return HS_OK;
}

hs_status_t hs_row_pool_ask(hs_row_pool_t *pool, int64_t row)
{
  if (pool->place[row] > 0) return HS_OK;
  hs_status_t status = pool->asked == pool->room ? grow(pool) : HS_OK;
  if (status != HS_OK) return status;
  pool->number[pool->asked++] = row;
  pool->place[row] = pool->asked;
  return HS_OK;
}

int hs_row_pool_place(const hs_row_pool_t *pool, int64_t row)
{
  return pool->place[row] - 1;
}

/* Products of the rows from `first` on with all of them. */
static void multiply(hs_row_pool_t *pool, int first)
{
  int n = (int)pool->n, d = pool->d, fresh = pool->count - first;
  const double *rows = pool->rows, *news = rows + (int64_t)first * d;
  double *at = pool->gram + (int64_t)first * n;
  if (first > 0)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, fresh, first, d, 1, news, d, rows, d, 0, at, n);
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, fresh, d, 1, news, d, 0, at + first, n);
  for (int i = first; i < pool->count; i++)
    for (int j = 0; j < i; j++) pool->gram[(int64_t)j * n + i] = pool->gram[(int64_t)i * n + j];
}

void hs_row_pool_fetch(hs_row_pool_t *pool, MPI_Comm comm, const hs_shard_t *shard, hs_traffic_t *traffic)
{
  int first = pool->count, d = pool->d;
  if (pool->asked == first) return;
  for (int k = first; k < pool->asked; k++) {
    int64_t row = pool->number[k] - shard->row0;
    double *to = pool->rows + (int64_t)k * d;
    if (row < 0 || row >= shard->rows) continue; /* zeros: another rank's */
    const double *x = hs_slab(shard, row, 1, to);
    if (x != to) memcpy(to, x, (size_t)d * sizeof *to);
  }
  hs_sum(comm, pool->rows + (int64_t)first * d, (int64_t)(pool->asked - first) * d, traffic);
  pool->count = pool->asked;
  if (pool->gram != NULL) multiply(pool, first);
}

/* K of rows that are not in pool->gram. */
static hs_status_t multiply_now(const hs_row_pool_t *pool, int count, const int *which, double *K)
{
  int d = pool->d;
  double *Z = hs_alloc((size_t)count * (size_t)d, sizeof *Z, "rows of a pool");
  if (Z == NULL) return HS_NO_MEMORY;
  for (int i = 0; i < count; i++)
    memcpy(Z + (int64_t)i * d, pool->rows + (int64_t)which[i] * d, (size_t)d * sizeof *Z);
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, count, d, 1, Z, d, 0, K, count);
  hs_free(Z);
  return HS_OK;
}

hs_status_t hs_row_pool_gram(const hs_row_pool_t *pool, int count, const int *which, const double *signs,
                             double *K)
{
  hs_status_t status = pool->gram == NULL ? multiply_now(pool, count, which, K) : HS_OK;
  for (int i = 0; i < count && status == HS_OK; i++) {
    double *row = K + (int64_t)i * count;
    for (int j = 0; j <= i; j++) {
      double product = pool->gram != NULL ? pool->gram[which[i] * pool->n + which[j]] : row[j];
      row[j] = signs[i] * signs[j] * product;
      K[(int64_t)j * count + i] = row[j];
    }
  }
  return status;
}
