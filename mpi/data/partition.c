#include "mpi/data/partition.h"

#include "base/size.h"

/* floor(part * whole / parts) without overflow of the product: whole < 2^63, part <= parts. */
static int64_t share(int64_t whole, int64_t part, int64_t parts)
{
  return whole / parts * part + whole % parts * part / parts;
}

hs_partition_t hs_partition_make(int64_t n, int64_t wanted, int rank, int ranks)
{
  int64_t blocks = hs_min64(n, hs_max64(wanted, ranks));
  return (hs_partition_t){.rows = n, .blocks = blocks, .rank = rank, .ranks = ranks};
}

int64_t hs_partition_block_row(const hs_partition_t *partition, int64_t block)
{
  return share(partition->rows, block, partition->blocks);
}

int64_t hs_partition_first_block(const hs_partition_t *partition, int rank)
{
  return share(partition->blocks, rank, partition->ranks);
}

int64_t hs_partition_first_row(const hs_partition_t *partition, int rank)
{
  return hs_partition_block_row(partition, hs_partition_first_block(partition, rank));
}
