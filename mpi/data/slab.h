/* slab.h: rows of a shard in double, a few at a time, for products that are made slab by slab.
 *
 * What a slab of a few hundred rows is multiplied into stays in the cache, and nothing of size n x neurons is stored.
 */
#ifndef HS_MPI_DATA_SLAB_H
#define HS_MPI_DATA_SLAB_H

#include <stdint.h>

#include "mpi/data/shard.h"

#define HS_SLAB_ROWS 256

/* Rows first .. first+count-1 of the shard, row-major, d numbers each: where they lie, or, of a shard in single precision,
 * copied to the buffer (count x d). Valid as long as both. Not collective; any thread. */
const double *hs_slab(const hs_shard_t *shard, int64_t first, int count, double *buffer);

#endif
