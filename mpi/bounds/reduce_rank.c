#include "mpi/bounds/reduce_rank.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/bounds/symmetric_eigen.h"
#include "mpi/comm/agree.h"
#include "mpi/data/slab.h"

#define CUT 1e-12 /* of the largest eigenvalue */

static void add_gram(const hs_shard_t *shard, double *buffer, double *gram)
{
  for (int64_t row = 0; row < shard->rows; row += HS_SLAB_ROWS) {
    int count = (int)hs_min64(HS_SLAB_ROWS, shard->rows - row);
    const double *x = hs_slab(shard, row, count, buffer);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, shard->d, count, 1, x, shard->d, 1, gram, shard->d);
  }
}

/* The eigenvectors that are kept, the largest value first. */
static void keep(hs_reduced_t *reduced, const double *values, const double *vectors)
{
  int d = reduced->d;
  reduced->largest = fmax(0, values[d - 1]);
  for (int i = d - 1; i >= 0 && values[i] > CUT * reduced->largest; i--)
    memcpy(reduced->basis + (int64_t)reduced->rank++ * d, vectors + (int64_t)i * d,
           (size_t)d * sizeof *vectors);
}

hs_status_t hs_reduce_rank(hs_reduced_t *reduced, MPI_Comm comm, const hs_shard_t *shard,
                           hs_traffic_t *traffic)
{
  size_t d = (size_t)shard->d;
  *reduced = (hs_reduced_t){.d = shard->d};
  double *work = hs_alloc(2 * d * d + d + HS_SLAB_ROWS * d, sizeof *work, "rank of the data");
  reduced->basis = hs_alloc(d * d, sizeof *reduced->basis, "rank of the data");
  bool good = work != NULL && reduced->basis != NULL;
  hs_status_t status = hs_agree(comm, good ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    double *gram = work, *vectors = gram + d * d, *values = vectors + d * d;
    add_gram(shard, values + d, gram);
    hs_sum(comm, gram, (int64_t)(d * d), traffic);
    status = hs_symmetric_eigen(comm, shard->d, gram, values, vectors);
    if (status == HS_OK) keep(reduced, values, vectors);
  }
  hs_free(work);
  if (status != HS_OK) hs_reduced_free(reduced);
  return status;
}

void hs_reduced_free(hs_reduced_t *reduced)
{
  hs_free(reduced->basis);
  *reduced = (hs_reduced_t){0};
}

hs_status_t hs_reduced_rows(const hs_reduced_t *reduced, const hs_shard_t *shard, double *rows, double *cut)
{
  int d = reduced->d, r = reduced->rank;
  double *buffer = hs_alloc(2 * (size_t)HS_SLAB_ROWS * (size_t)d, sizeof *buffer, "rows of a bound");
  if (buffer == NULL) return HS_NO_MEMORY;
  double *left = buffer + (size_t)HS_SLAB_ROWS * (size_t)d;
  for (int64_t row = 0; row < shard->rows && r > 0; row += HS_SLAB_ROWS) {
    int count = (int)hs_min64(HS_SLAB_ROWS, shard->rows - row);
    const double *x = hs_slab(shard, row, count, buffer);
    double *out = rows + row * r;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, r, d, 1, x, d, reduced->basis, d, 0, out, r);
    memcpy(left, x, (size_t)count * (size_t)d * sizeof *left);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, d, r, -1, out, r, reduced->basis, d, 1,
                left, d);
    for (int k = 0; k < count; k++) cut[row + k] = cblas_dnrm2(d, left + (int64_t)k * d, 1);
  }
  hs_free(buffer);
  return HS_OK;
}
