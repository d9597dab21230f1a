/* warm_start.h: where the next point of a path starts from.
 *
 * The iteration's state (z, p) at the last two points, taken on along the straight line through them in beta:
 *     z_start = z_k + t (z_k - z_k-1),      t = (beta_k+1 - beta_k) / (beta_k - beta_k-1)
 * Solutions of the group lasso move about straight in beta as long as the same groups are on. A group that was off at
 * both points stays off.
 * Factors and curvatures of the solver stay as they are. The penalty that suits falls with beta, about as its root;
 * where it has come to half of the one in use, the blocks are factored anew (squared loss, automatic penalty).
 * What the next point begins with is kept until it is done: that is what a checkpoint holds.
 */
#ifndef HS_MPI_PATH_WARM_START_H
#define HS_MPI_PATH_WARM_START_H

#include "mpi/admm/solver.h"

/* Lengths as in iterate.h. All owned. */
typedef struct hs_warm_start {
  int64_t weights, entries, rows;
  int points;                     /* that the solver has behind it: 0, 1 or 2, which stands for more */
  double *z, *p;                  /* the start */
  double *old_z, *old_p;          /* the state at the last point */
  double *curvature;              /* at the start */
  hs_penalty_t penalty;           /* at the start */
  int factorings;                 /* of the blocks, on the way to the start */
  double suited_beta, suited_rho; /* a beta, and the penalty found for it */
} hs_warm_start_t;

hs_status_t hs_warm_start_create(hs_warm_start_t *warm, const hs_solver_t *solver);
void hs_warm_start_free(hs_warm_start_t *warm);

/* The solver has done a point: move it to the start of the next.
 *   beta  of the points; the one that is done has number k, the next is k + 1
 * Collective. */
hs_status_t hs_warm_start_next(hs_warm_start_t *warm, hs_solver_t *solver, const double *beta, int k);

/* Put the solver, which has just been created, to the start that was read from a checkpoint. Collective. */
hs_status_t hs_warm_start_restore(hs_warm_start_t *warm, hs_solver_t *solver);

#endif
