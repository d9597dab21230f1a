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

static bool all_zero(int count, const double *numbers)
{
  for (int c = 0; c < count; c++)
    if (numbers[c] != 0) return false;
  return true;
}

/* Keep the rows with theta != 0. */
static hs_status_t keep_some(hs_shared_rows_t *shared, int64_t rows, const double *theta, const double *X)
{
  int d = shared->d, C = shared->outputs;
  shared->theta = hs_alloc((size_t)rows * (size_t)C, sizeof(double), "rows of a bound");
  shared->X = hs_alloc((size_t)rows * (size_t)d, sizeof(double), "rows of a bound");
  if (shared->theta == NULL || shared->X == NULL) return HS_NO_MEMORY;
  for (int64_t k = 0; k < rows; k++) {
    if (all_zero(C, theta + k * C)) continue;
    memcpy(shared->X + shared->held * d, X + k * d, (size_t)d * sizeof *X);
    memcpy(shared->theta + shared->held * C, theta + k * C, (size_t)C * sizeof *theta);
    shared->held++;
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
static hs_status_t copy_all(hs_shared_rows_t *shared)
{
  int d = shared->d, C = shared->outputs;
  int ranks = hs_ranks(shared->comm), held = (int)shared->held;
  int *counts = hs_alloc(3 * (size_t)ranks, sizeof *counts, "rows of a bound");
  double *theta = hs_alloc((size_t)shared->rows * (size_t)C, sizeof *theta, "rows of a bound");
  double *X = hs_alloc((size_t)shared->rows * (size_t)d, sizeof *X, "rows of a bound");
  bool good = counts != NULL && theta != NULL && X != NULL;
  hs_status_t status = hs_agree(shared->comm, good ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    HS_MPI(MPI_Allgather(&held, 1, MPI_INT, counts, 1, MPI_INT, shared->comm));
    gather(shared->comm, C, counts, shared->theta, theta, counts + ranks);
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

/* What evaluations pass over. */
static hs_status_t make_parts(hs_shared_rows_t *shared)
{
  if (shared->outputs == 1)
    return hs_relu_parts_make(&shared->parts, shared->d, shared->held, shared->theta, shared->X);
  if (!shared->copied) return HS_OK;
  return hs_norm_rows_make(&shared->norm, shared->d, shared->outputs, shared->held, shared->theta, shared->X);
}

/* Bytes of the copy of all rows. */
static double copy_bytes(const hs_shared_rows_t *shared)
{
  int d = shared->d, C = shared->outputs;
  double parts = C == 1 ? hs_relu_parts_bytes(d, shared->rows) : hs_norm_rows_bytes(d, C, shared->rows);
  return parts + (double)shared->rows * (d + C) * (double)sizeof(double);
}

hs_status_t hs_shared_rows_make(hs_shared_rows_t *shared, MPI_Comm comm, int d, int outputs, int64_t rows,
                                const double *theta, const double *X, double bytes, hs_traffic_t *traffic)
{
  *shared = (hs_shared_rows_t){.comm = comm, .d = d, .outputs = outputs, .traffic = traffic};
  hs_status_t status = hs_agree(comm, keep_some(shared, rows, theta, X));
  if (status == HS_OK) {
    HS_MPI(MPI_Allreduce(&shared->held, &shared->rows, 1, MPI_INT64_T, MPI_SUM, comm));
    shared->copied = copy_bytes(shared) <= bytes;
    if (shared->copied) status = copy_all(shared);
  }
  if (status == HS_OK) status = hs_agree(comm, make_parts(shared));
  if (status != HS_OK) hs_shared_rows_free(shared);
  return status;
}

double hs_shared_rows_additions(const hs_shared_rows_t *shared)
{
  double additions =
      shared->outputs == 1 ? hs_relu_parts_additions(&shared->parts) : hs_norm_rows_additions(&shared->norm);
  additions += hs_ranks(shared->comm);
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &additions, 1, MPI_DOUBLE, MPI_MAX, shared->comm));
  return additions;
}

void hs_shared_rows_free(hs_shared_rows_t *shared)
{
  hs_free(shared->theta);
  hs_free(shared->X);
  hs_relu_parts_free(&shared->parts);
  hs_norm_rows_free(&shared->norm);
  *shared = (hs_shared_rows_t){0};
}
