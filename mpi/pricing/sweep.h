/* sweep.h: sums over the rows of a rank that are made for many directions at once.
 *
 * Rows come in slabs, directions in pieces, so that the products of the two stay in the cache. Threads share the directions:
 * what belongs to one direction is summed by one thread, over the rows in their order.
 */
#ifndef HS_MPI_PRICING_SWEEP_H
#define HS_MPI_PRICING_SWEEP_H

#include <stddef.h>
#include <stdint.h>

#include "mpi/data/shard.h"

#define HS_SWEEP_WIDTH 64 /* directions in a piece, at most */

/* Nothing in it is owned. */
typedef struct hs_sweep {
  const hs_shard_t *shard;
  const double *theta; /* rows x C */
} hs_sweep_t;

/* Some rows against some directions. */
typedef struct hs_sweep_tile {
  int64_t first; /* direction */
  int width;     /* directions, at most HS_SWEEP_WIDTH */
  int rows;      /* at most HS_SLAB_ROWS */
  int d, outputs;
  const double *x;     /* rows x d */
  const double *theta; /* rows x C */
  double *scratch;     /* of this thread */
} hs_sweep_tile_t;

typedef void hs_sweep_work_t(void *context, const hs_sweep_tile_t *tile);

/* Numbers of scratch of all threads, for work that needs `each` numbers for each pair of a row and a direction. */
size_t hs_sweep_scratch(const hs_sweep_t *sweep, int each);

/* Call work for all tiles; tiles of one direction come in the order of the rows. Not collective. */
void hs_sweep_run(const hs_sweep_t *sweep, int64_t directions, int each, double *scratch,
                  hs_sweep_work_t *work, void *context);

/* dots (rows x width, row-major) = x D' for the directions D (directions x d) of the tile. */
void hs_sweep_dots(const hs_sweep_tile_t *tile, const double *D, double *dots);

#endif
