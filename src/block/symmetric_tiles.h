/* symmetric_tiles.h: a symmetric matrix of floats in square tiles, lower triangle only.
 *
 * Half the memory of a full matrix, and half the traffic: a tile below the diagonal is used for its own
 * product and its transpose's while it is in cache. Tiles on the diagonal are stored in full.
 * Not collective.
 */
#ifndef HS_BLOCK_SYMMETRIC_TILES_H
#define HS_BLOCK_SYMMETRIC_TILES_H

#include <stddef.h>

#define HS_TILE 96 /* 37 kB: a tile stays in cache between its two uses, and small matrices waste little */

/* Floats needed for an n x n matrix. */
size_t hs_tiles_size(int n);

/* Pack the lower triangle of A (n x n, column-major, leading dimension n) into tiles. */
void hs_tiles_pack(int n, const float *A, float *tiles);

/* Y = S X for n x columns row-major X and Y, which must not overlap. */
void hs_tiles_multiply(int n, const float *tiles, int columns, const float *X, float *Y);

#endif
