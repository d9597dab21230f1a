/* factor.h: Cholesky factor, solutions and inverse of a positive definite spread matrix, in place.
 *
 *   hs_spread_fill, hs_spread_add  ->  hs_spread_factor  ->  hs_spread_solve, any number of times
 *                                                        ->  hs_spread_invert  ->  packed.h
 *
 * All collective over the grid's communicator.
 */
#ifndef HS_MPI_DENSE_FACTOR_H
#define HS_MPI_DENSE_FACTOR_H

#include "mpi/dense/rows.h"
#include "mpi/dense/spread.h"

/* A -> L, A = L L'. n^3/3 flops over all ranks. HS_NUMERICAL when A is not positive definite: its numbers are lost
 * then, and it has to be filled anew. */
hs_status_t hs_spread_factor(hs_spread_t *spread);

/* B <- A^-1 B from the factor. Two sweeps over it with messages between all tiles on the way: for a few columns
 * hundreds of times, the inverse (packed.h) is several times as fast.
 *   B  n x columns, row-major, the same on all ranks before and after */
hs_status_t hs_spread_solve(const hs_spread_t *spread, int columns, double *B, hs_traffic_t *traffic);

/* The same, with each rank giving and getting its own rows.
 *   B  own rows x columns, row-major */
hs_status_t hs_spread_solve_rows(const hs_spread_t *spread, const hs_rows_t *rows, int columns, double *B,
                                 hs_traffic_t *traffic);

/* L -> A^-1, its lower triangle. 2 n^3/3 flops more. */
hs_status_t hs_spread_invert(hs_spread_t *spread);

#endif
