#include "mpi/bounds/shared_rows.h"

#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

void hs_shared_rows_evaluate(void *shared, int count, const double *points, double *gradients)
{
  hs_shared_rows_t *rows = shared;
  hs_relu_parts_gradients(&rows->parts, count, points, gradients);
  if (!rows->copied) hs_sum(rows->comm, gradients, (int64_t)count * 2 * rows->parts.d, rows->traffic);
}

/* Keep the rows with theta != 0. */
static hs_status_t keep_some(hs_shared_rows_t *shared, int d, int64_t rows, const double *theta,
                             const double *X)
{
  shared->theta = hs_alloc((size_t)rows, sizeof(double), "rows of a bound");
  shared->X = hs_alloc((size_t)rows * (size_t)d, sizeof(double), "rows of a bound");
  if (shared->theta == NULL || shared->X == NULL) return HS_NO_MEMORY;
  for (int64_t k = 0; k < rows; k++) {
    if (theta[k] == 0) continue;
    memcpy(shared->X + shared->held * d, X + k * d, (size_t)d * sizeof *X);
    shared->theta[shared->held++] = theta[k];
  }
  return HS_OK;
}

/* all (total x width) = the blocks of all ranks one after the other. Counts fit: the copy is small. */
static void gather(MPI_Comm comm, int width, const int *counts, const double *mine, double *all, int *scratch)
{
  int ranks = hs_ranks(comm), *numbers = scratch, *places = scratch + ranks;
  for (int r = 0, place = 0; r < ranks; r++) {
    numbers[r] = counts[r] * width;
    places[r] = place;
    place += numbers[r];
  }
  HS_MPI(MPI_Allgatherv(mine, numbers[hs_rank(comm)], MPI_DOUBLE, all, numbers, places, MPI_DOUBLE, comm));
}

/* Replace the rows of this rank by those of all ranks. */
static hs_status_t copy_all(hs_shared_rows_t *shared, int d)
{
  int ranks = hs_ranks(shared->comm), held = (int)shared->held;
  int *counts = hs_alloc(3 * (size_t)ranks, sizeof *counts, "rows of a bound");
  double *theta = hs_alloc((size_t)shared->rows, sizeof *theta, "rows of a bound");
  double *X = hs_alloc((size_t)shared->rows * (size_t)d, sizeof *X, "rows of a bound");
  bool good = counts != NULL && theta != NULL && X != NULL;
  hs_status_t status = hs_agree(shared->comm, good ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    HS_MPI(MPI_Allgather(&held, 1, MPI_INT, counts, 1, MPI_INT, shared->comm));
    gather(shared->comm, 1, counts, shared->theta, theta, counts + ranks);
    gather(shared->comm, d, counts, shared->X, X, counts + ranks);
    hs_free(shared->theta);
    hs_free(shared->X);
    shared->theta = theta;
    shared->X = X;
    shared->held = shared->rows;
  } else {
    hs_free(theta);
    hs_free(X);
  }
  hs_free(counts);
  return status;
}

hs_status_t hs_shared_rows_make(hs_shared_rows_t *shared, MPI_Comm comm, int d, int64_t rows,
                                const double *theta, const double *X, double bytes, hs_traffic_t *traffic)
{
  *shared = (hs_shared_rows_t){.comm = comm, .traffic = traffic};
  hs_status_t status = hs_agree(comm, keep_some(shared, d, rows, theta, X));
  if (status == HS_OK) {
    HS_MPI(MPI_Allreduce(&shared->held, &shared->rows, 1, MPI_INT64_T, MPI_SUM, comm));
    double needed = hs_relu_parts_bytes(d, shared->rows) + (double)shared->rows * (d + 1) * (double)sizeof *X;
    shared->copied = needed <= bytes;
    if (shared->copied) status = copy_all(shared, d);
  }
  if (status == HS_OK)
    status = hs_agree(comm, hs_relu_parts_make(&shared->parts, d, shared->held, shared->theta, shared->X));
  if (status != HS_OK) hs_shared_rows_free(shared);
  return status;
}

void hs_shared_rows_free(hs_shared_rows_t *shared)
{
  hs_free(shared->theta);
  hs_free(shared->X);
  hs_relu_parts_free(&shared->parts);
  *shared = (hs_shared_rows_t){0};
}
