/* fista.h: the accelerated proximal gradient method, the yardstick that the solver is measured against.
 *
 *   w   = -grad L(q),  s = A' w                 one masked product, ONE Allreduce;  q = A y
 *   z+  = prox_{beta/l}( y + s/l )              l = 1.02 curvature |A|^2 by power iteration, no backtracking
 *   y+  = z+ + (t - 1)/t+ (z+ - z)              t+ = (1 + sqrt(1 + 4 t^2))/2        Beck & Teboulle 2009
 *   t+  = 1, y+ = z+  where (y - z+)'(z+ - z) > 0        gradient restart: O'Donoghue & Candes 2015
 *
 * A is linear, so q+ follows from A z+ and A z: one A and one A' a step, as in hs_solve. Bounds are certified in
 * every iteration as there: w at the point where the gradient is taken, scaled into the dual feasible set.
 */
#ifndef HS_MPI_BENCH_FISTA_H
#define HS_MPI_BENCH_FISTA_H

#include "mpi/admm/solve.h"

/* The interface of hs_solve. Of the options rho and anderson mean nothing here; of the history rows rho is the
 * Lipschitz constant l, primal_residual is sqrt(l) |z+ - y|, dual_residual is 0; setup_seconds is the time of
 * the power iteration. */
hs_status_t hs_fista(const hs_problem_t *problem, const hs_solve_options_t *options, hs_observer_t *observer,
                     void *context, hs_solution_t *solution);

#endif
