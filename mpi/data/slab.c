#include "mpi/data/slab.h"

const double *hs_slab(const hs_shard_t *shard, int64_t first, int count, double *buffer)
{
  int64_t offset = first * shard->d, numbers = (int64_t)count * shard->d;
  if (shard->precision == HS_DOUBLE) return (const double *)shard->X + offset;
  const float *from = (const float *)shard->X + offset;
  for (int64_t k = 0; k < numbers; k++) buffer[k] = (double)from[k];
  return buffer;
}
