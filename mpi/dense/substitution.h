/* substitution.h: solutions with a spread Cholesky factor, for use hundreds of times: V = (L L')^-1 R.
 *
 * pdpotrs sends messages for every tile on the diagonal. Here the rows are cut into a few blocks, and the diagonal
 * blocks of L are inverted (a hundredth of the work of the factor):
 *   forward    y_k = L_kk^-1 ( r_k - sum over j < k of L_kj y_j )
 *   backward   v_k = L_kk^-T ( y_k - sum over i > k of L_ik' v_i )
 * Every product is spread over all ranks, two sums over ranks follow per block and direction. Memory is read twice as
 * often as with the inverse (packed.h), which costs twice as much as the factor to begin with. Float halves the time
 * where the solution only preconditions.
 */
#ifndef HS_MPI_DENSE_SUBSTITUTION_H
#define HS_MPI_DENSE_SUBSTITUTION_H

#include "base/precision.h"
#include "mpi/dense/rows.h"
#include "mpi/dense/spread.h"

typedef struct hs_substitution hs_substitution_t;

/* Room for factors of the order and tiles of `like`, and for up to `columns` right-hand sides.
 * order x columns at most 2^31 - 1. The grid outlives it. Collective. */
hs_status_t hs_substitution_create(hs_substitution_t **substitution, const hs_spread_t *like,
                                   hs_precision_t precision, int columns);
void hs_substitution_free(hs_substitution_t **substitution); /* Not collective. */

/* Copy a factor. The spread matrix holds nothing of use afterwards: it may be freed or filled anew. Collective. */
hs_status_t hs_substitution_take(hs_substitution_t *substitution, hs_spread_t *factor);

/*   R  n x columns, row-major, the same on all ranks    V  the same shape, on all ranks; may be R
 * Collective. */
void hs_substitution_solve(hs_substitution_t *substitution, int columns, const double *R, double *V,
                           hs_traffic_t *traffic);

/* The same, with each rank giving and getting its own rows.
 *   R, V  own rows x columns, row-major; may be the same
 * Collective. */
void hs_substitution_solve_rows(hs_substitution_t *substitution, const hs_rows_t *rows, int columns,
                                const double *R, double *V, hs_traffic_t *traffic);

/* Bytes held by this rank, and those of them that one direction of a solution reads. */
size_t hs_substitution_bytes(const hs_substitution_t *substitution);
size_t hs_substitution_matrix_bytes(const hs_substitution_t *substitution);

#endif
