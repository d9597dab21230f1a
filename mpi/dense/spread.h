/* spread.h: a symmetric matrix of order n, spread over the ranks of a grid in tiles.
 *
 * Tile (I, J) holds the rows I b .. I b + b - 1 and the columns J b .. J b + b - 1 (fewer at the end); it belongs
 * to place (I mod rows, J mod columns) of the grid: 2-D block-cyclic, as ScaLAPACK has it. A rank stores about
 * n^2 / (rows x columns) doubles; nothing here ever holds the whole matrix.
 *
 * Only the lower triangle counts, i >= j; what is written elsewhere is ignored. Tiles are column-major: element
 * (i, j) of a tile that starts at (i0, j0) is tile[(i - i0) + (j - j0) * ld].
 */
#ifndef HS_MPI_DENSE_SPREAD_H
#define HS_MPI_DENSE_SPREAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "mpi/comm/reduce.h"
#include "mpi/dense/grid.h"

typedef struct hs_spread hs_spread_t;

/* A zero matrix.
 *   grid   borrowed, outlives the matrix
 *   order  n >= 1
 *   tile   b >= 1, the same on all ranks; 0: automatic
 * HS_BAD_DATA where a rank's share exceeds ScaLAPACK's 32-bit indices (16 GB: more ranks). Collective. */
hs_status_t hs_spread_create(hs_spread_t **spread, const hs_grid_t *grid, int64_t order, int tile);
void hs_spread_free(hs_spread_t **spread); /* Not collective. */

int64_t hs_spread_order(const hs_spread_t *spread);
int hs_spread_tile(const hs_spread_t *spread);

/* The communicator of its grid. Not collective. */
MPI_Comm hs_spread_comm(const hs_spread_t *spread);

/* The numbers of another matrix of the same grid, order and tile. Not collective. */
void hs_spread_copy(hs_spread_t *to, const hs_spread_t *from);

/* Bytes held by this rank. */
size_t hs_spread_bytes(const hs_spread_t *spread);

/* Something done with a block of the matrix: rows i0 .. i0+rows-1, columns j0 .. j0+columns-1. */
typedef void hs_block_task_t(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block,
                             int ld);

/* Call the task for every tile of this rank that has a part in the lower triangle, in place, to write it: all
 * elements with i >= j, whatever was there. The matrix need not have been cleared. Not collective. */
void hs_spread_fill(hs_spread_t *spread, hs_block_task_t *task, void *context);

/* The same to read what is there, or to change it element by element. Of eigenvectors (eigen.h) all tiles, else those
 * of the lower triangle. Not collective. */
void hs_spread_visit(hs_spread_t *spread, hs_block_task_t *task, void *context);

/* Set to zero. Not collective. */
void hs_spread_clear(hs_spread_t *spread);

/* A += sum over ranks of A_r, where every rank can compute any block of its A_r: the Gram matrix of its rows, say.
 *   share    called on every rank of the grid's communicator for the same blocks, which are zero on entry, of many
 *            tiles each; writes A_r for i >= j. Blocks are computed once.
 *   traffic  what was reduced is added
 * Blocks are summed onto their owners one after the other; a rank has room for two, and MPI
 * for two or three more: each at most 16 MB and a 64th of a rank's share of the matrix, or 4 MB, or a tile.
 * Collective. */
hs_status_t hs_spread_add(hs_spread_t *spread, hs_block_task_t *share, void *context, hs_traffic_t *traffic);

#endif
