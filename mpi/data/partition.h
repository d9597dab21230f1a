/* partition.h: which rows belong to which block, and which blocks to which rank.
 *
 * Blocks are cut on global row numbers, block b holding rows floor(b n / N) .. floor((b+1) n / N) -
 * 1, and a rank owns a run of whole blocks. The blocks, hence the iterates, do not depend on the
 * number of ranks as long as there are at least as many blocks as ranks; otherwise there is one
 * block per rank that has rows. Not collective.
 */
#ifndef HS_MPI_DATA_PARTITION_H
#define HS_MPI_DATA_PARTITION_H

#include <stdint.h>

typedef struct hs_partition {
  int64_t rows;   /* n, over all ranks */
  int64_t blocks; /* N, over all ranks; at least 1, at most n */
  int rank, ranks;
} hs_partition_t;

/* n >= 1 rows in `wanted` >= 1 blocks: fewer if there are fewer rows, more if there are more ranks. */
hs_partition_t hs_partition_make(int64_t n, int64_t wanted, int rank, int ranks);

/* First global row of block b, 0 <= b <= N. */
int64_t hs_partition_block_row(const hs_partition_t *partition, int64_t block);

/* First block of a rank, 0 <= rank <= ranks. */
int64_t hs_partition_first_block(const hs_partition_t *partition, int rank);

/* First global row of a rank, 0 <= rank <= ranks; rank r holds rows [row(r), row(r+1)), perhaps
 * none. */
int64_t hs_partition_first_row(const hs_partition_t *partition, int rank);

#endif
