/* packed.h: products with a spread symmetric matrix, for use hundreds of times: V = M R.
 *
 * Each rank keeps its tiles of the lower triangle, one after the other, and uses each for its own product and its
 * transpose's in one sweep over the memory; ONE sum over the ranks of the n x C results follows. This is bound by
 * memory: float halves the time where M only preconditions (the residual that it multiplies is formed in double, so
 * that the rounding of M costs no accuracy).
 */
#ifndef HS_MPI_DENSE_PACKED_H
#define HS_MPI_DENSE_PACKED_H

#include "base/precision.h"
#include "mpi/dense/rows.h"
#include "mpi/dense/spread.h"

typedef struct hs_packed hs_packed_t;

/* Room for matrices of the order and tiles of `like`, and for products with up to `columns` columns.
 * order x columns at most 2^31 - 1. The grid outlives it. Collective. */
hs_status_t hs_packed_create(hs_packed_t **packed, const hs_spread_t *like, hs_precision_t precision,
                             int columns);
void hs_packed_free(hs_packed_t **packed); /* Not collective. */

/* Copy a matrix or an inverse, which may then be freed or filled anew. Not collective. */
void hs_packed_take(hs_packed_t *packed, const hs_spread_t *spread);

/* V = M R.
 *   R  n x columns, row-major, the same on all ranks    V  the same shape, on all ranks; may be R
 * Collective. */
void hs_packed_multiply(hs_packed_t *packed, int columns, const double *R, double *V, hs_traffic_t *traffic);

/* The same, with each rank giving and getting its own rows. Moves as much as the other in two halves.
 *   R, V  own rows x columns, row-major; may be the same
 * Collective. */
void hs_packed_multiply_rows(hs_packed_t *packed, const hs_rows_t *rows, int columns, const double *R,
                             double *V, hs_traffic_t *traffic);

/* Bytes held by this rank, and those of them that a product reads once. */
size_t hs_packed_bytes(const hs_packed_t *packed);
size_t hs_packed_matrix_bytes(const hs_packed_t *packed);

#endif
