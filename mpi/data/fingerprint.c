#include "mpi/data/fingerprint.h"

#include <xxhash.h>

#include "mpi/comm/agree.h"

uint64_t hs_fingerprint_rows(const void *rows, int64_t count, int64_t bytes, int64_t row0)
{
  uint64_t sum = 0;
  for (int64_t k = 0; k < count; k++)
    sum += XXH3_64bits_withSeed((const char *)rows + k * bytes, (size_t)bytes, (XXH64_hash_t)(row0 + k));
  return sum;
}

uint64_t hs_fingerprint(const void *data, int64_t bytes)
{
  return XXH3_64bits(data, (size_t)bytes);
}

void hs_fingerprint_sum(MPI_Comm comm, uint64_t *print)
{
  uint64_t mine = *print;
  HS_MPI(MPI_Allreduce(&mine, print, 1, MPI_UINT64_T, MPI_SUM, comm));
}
