#include "mpi/plan/reading.h"

#include <math.h>

#include "base/size.h"
#include "mpi/comm/agree.h"

#define BYTES (64e6)

hs_status_t hs_reading_measure(const hs_source_t *source, const hs_problem_size_t *size, hs_scaling_t scaling,
                               double *seconds_a_row)
{
  hs_source_t features = *source;
  features.info.has_targets = false;
  int rank = hs_rank(source->comm), ranks = hs_ranks(source->comm);
  int64_t wanted = hs_max64(1, (int64_t)(BYTES / (8.0 * size->features)));
  int64_t rows = hs_min64(source->info.rows, wanted * ranks);
  hs_partition_t partition = hs_partition_make(rows, ranks, rank, ranks);
  hs_shard_options_t options = {
      .bias = size->d > size->features, .precision = size->precision, .scaling = scaling};
  hs_shard_t *shard;
  double begin = MPI_Wtime();
  hs_status_t status = hs_shard_load(&shard, &features, &partition, &options);
  *seconds_a_row = (MPI_Wtime() - begin) / ceil((double)rows / ranks);
  hs_shard_free(&shard);
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, seconds_a_row, 1, MPI_DOUBLE, MPI_MAX, source->comm));
  return status;
}
