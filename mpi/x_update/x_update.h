/* x_update.h: the exact x-updates of the consensus iteration, four ways.                             DESIGN 3
 *
 *     V = M R,     M = ( diag(1/lambda) + K / rho )^-1,     K the kernel A A' of a block of rows
 *
 *   block-kernel   M of each block of rows on its rank                                  block_inverse.h
 *   global-kernel  one block of all n rows, on all ranks                                spread.c
 *   block-gram     the same M of one block per rank, through its P d x P d Gram matrix
 *   global-gram    the same of all rows, on all ranks
 * The last two: for the squared loss the problem is reduced beforehand (mpi/gram/reduction.h), and what remains is
 * block-kernel or global-kernel on the reduced rows. For other losses, whose curvatures lambda change, by
 *     M = Lambda - Lambda A (rho I + A' Lambda A)^-1 A' Lambda                            woodbury.c
 * with one more masked product of each kind in an application.
 *
 * M may be in float: it only preconditions, since the residual that it multiplies is formed in double and is zero at
 * the solution.
 */
#ifndef HS_MPI_X_UPDATE_X_UPDATE_H
#define HS_MPI_X_UPDATE_X_UPDATE_H

#include "base/status.h"
#include "block/block_inverse.h"
#include "mpi/admm/problem.h"
#include "mpi/comm/reduce.h"
#include "settings/settings.h"

typedef struct hs_x_update hs_x_update_t;

/* For a problem on the rows of the data, or a reduced one; of the given kind, not HS_X_AUTO. Borrows the problem.
 * Collective. */
hs_status_t hs_x_update_create(hs_x_update_t **update, const hs_problem_t *problem, hs_x_kind_t kind);
void hs_x_update_free(hs_x_update_t **update); /* Collective. */

/* N, over all ranks. Not collective. */
double hs_x_update_blocks(const hs_x_update_t *update);

/* Sums over blocks and ranks, see block_inverse.h; of some of the blocks where there are many. Collective. */
hs_kernel_size_t hs_x_update_kernel_size(hs_x_update_t *update, const double *curvature);

/* Make M for this rho > 0.   curvature  per row of this rank, > 0
 * HS_NUMERICAL when a block is not positive definite. Collective. */
hs_status_t hs_x_update_factor(hs_x_update_t *update, double rho, const double *curvature);

/* V = M R; own rows x C, row-major; may be the same. Collective. */
void hs_x_update_apply(hs_x_update_t *update, const double *R, double *V, hs_traffic_t *traffic);

#endif
