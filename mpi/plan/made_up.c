#include "mpi/plan/made_up.h"

#include <math.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

#define SEED 1

/* Numbers in (-1, 1). Only their spread matters here, so they may be cheap: 64-bit xorshift (Marsaglia 2003). */
static double next(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (double)(int64_t)*state * 0x1p-63;
}

static void fill_features(hs_shard_t *shard)
{
  uint64_t state = SEED + (uint64_t)shard->row0;
  for (int64_t e = 0; e < shard->rows * shard->d; e++) {
    double value = next(&state);
    if (shard->precision == HS_SINGLE)
      ((float *)shard->X)[e] = (float)value;
    else
      ((double *)shard->X)[e] = value;
  }
}

/* Legal for every loss: one-hot for softmax, else -1 and +1. */
static void fill_targets(hs_shard_t *shard, hs_loss_kind_t loss)
{
  uint64_t state = SEED;
  int C = shard->outputs;
  for (int64_t k = 0; k < shard->rows; k++) {
    int hot = (int)(fabs(next(&state)) * C);
    for (int c = 0; c < C; c++) shard->Y[k * C + c] = c == hot % C ? 1 : loss == HS_SOFTMAX ? 0 : -1;
    if (C == 1 && next(&state) < 0) shard->Y[k] = -1;
  }
}

hs_status_t hs_made_up_shard(hs_shard_t **out, const hs_problem_size_t *size, MPI_Comm comm, int64_t rows,
                             int64_t blocks)
{
  int ranks = hs_ranks(comm), rank = hs_rank(comm);
  hs_shard_t *shard = *out = hs_alloc(1, sizeof *shard, "shard");
  if (shard == NULL) return HS_NO_MEMORY;
  shard->partition = hs_partition_make(rows * ranks, blocks * ranks, rank, ranks);
  shard->row0 = hs_partition_first_row(&shard->partition, rank);
  shard->rows = hs_partition_first_row(&shard->partition, rank + 1) - shard->row0;
  shard->features = shard->d = size->d;
  shard->precision = size->precision;
  shard->outputs = size->outputs;
  shard->X = hs_alloc((size_t)shard->rows * (size_t)size->d, hs_precision_bytes(size->precision), "features");
  shard->Y = hs_alloc((size_t)shard->rows * (size_t)size->outputs, sizeof(double), "targets");
  if (shard->X == NULL || shard->Y == NULL) return HS_NO_MEMORY;
  fill_features(shard);
  fill_targets(shard, size->loss.kind);
  return HS_OK;
}
