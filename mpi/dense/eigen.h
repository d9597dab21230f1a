/* eigen.h: all eigenvalues and eigenvectors of a spread symmetric matrix, and matrices made from them.
 *
 *   A = Q diag(w) Q',   f(A) = Q diag(f(w)) Q'         projection on the positive semidefinite: f = max(0, .)
 *
 * Needs about three times the memory of A on each rank, besides A. All collective over the grid's communicator.
 */
#ifndef HS_MPI_DENSE_EIGEN_H
#define HS_MPI_DENSE_EIGEN_H

#include "mpi/dense/spread.h"

/* By divide and conquer. A is lost; fill it anew, or compose into it.
 *   values   n, ascending, the same bits on all ranks
 *   vectors  of the grid, order and tile of A: becomes Q, column k belonging to values[k]
 * HS_NUMERICAL: the iteration did not converge, or A holds NaN. */
hs_status_t hs_spread_eigen(hs_spread_t *A, double *values, hs_spread_t *vectors);

/* result = Q diag(weights) Q'. Columns of weight 0 cost nothing: n^2 flops for each of the others. Q is lost.
 *   weights  n of any sign, the same on all ranks
 *   result   of the same grid, order and tile; may be the A that Q is from */
void hs_spread_compose(hs_spread_t *vectors, const double *weights, hs_spread_t *result);

#endif
