/* solver.h: V = A^-1 R some dozens of times, with a positive definite spread matrix, in whichever way is soonest done.
 *
 * Small matrices are inverted (packed.h): an application is one product and one sum over the ranks. From
 * HS_INVERSE_MOST rows on the two thirds of n^3 more that the inverse takes than the factor cost more than they save:
 * the factor is used as it is (substitution.h).
 */
#ifndef HS_MPI_DENSE_SOLVER_H
#define HS_MPI_DENSE_SOLVER_H

#include "base/precision.h"
#include "mpi/dense/rows.h"
#include "mpi/dense/spread.h"

#define HS_INVERSE_MOST 3000

typedef struct hs_dense_solver hs_dense_solver_t;

/* Room for matrices of the order and tiles of `like`, and for up to `columns` right-hand sides. Collective. */
hs_status_t hs_dense_solver_create(hs_dense_solver_t **solver, const hs_spread_t *like,
                                   hs_precision_t precision, int columns);
void hs_dense_solver_free(hs_dense_solver_t **solver); /* Not collective. */

/* Factor a matrix and keep what is needed of it; it holds nothing of use afterwards. HS_NUMERICAL when it is not
 * positive definite. Collective. */
hs_status_t hs_dense_solver_take(hs_dense_solver_t *solver, hs_spread_t *matrix);

/*   R, V  n x columns, row-major, the same on all ranks; may be the same. Collective. */
void hs_dense_solver_apply(hs_dense_solver_t *solver, int columns, const double *R, double *V,
                           hs_traffic_t *traffic);

/* The same, with each rank giving and getting its own rows. Collective. */
void hs_dense_solver_apply_rows(hs_dense_solver_t *solver, const hs_rows_t *rows, int columns,
                                const double *R, double *V, hs_traffic_t *traffic);

#endif
