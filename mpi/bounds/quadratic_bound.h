/* quadratic_bound.h: an upper bound on max over |w| <= 1 of |theta'(Xw)_+| by a quadratic function.     PRICING.md 3.1 (q)
 *
 * With z = Xw, (z)_+ = (z + |z|)/2 and, for any t_k > 0 and |w| <= 1,
 *     |z_k| <= (z_k^2 / t_k + t_k) / 2      used where s theta_k > 0
 *     |z_k| >= z_k^2 / |x_k|                used where s theta_k < 0
 *     s f(w) <= 1/2 (b'w + w'Aw + c),  b = s X'theta,
 *     A = sum_+ |theta_k| x_k x_k'/(2 t_k) - sum_- |theta_k| x_k x_k'/|x_k|,  c = sum_+ |theta_k| t_k / 2
 * The maximum over the ball is at most lambda + sum_i (v_i'b)^2 / (4 (lambda - a_i)) for every lambda >= 0 above all
 * eigenvalues a_i of A. Every choice of t gives a bound; t_k^2 = x_k'M x_k with a density matrix M that is improved in steps.
 * A step costs n d^2 operations and one sum of d^2 numbers over the ranks.
 */
#ifndef HS_MPI_BOUNDS_QUADRATIC_BOUND_H
#define HS_MPI_BOUNDS_QUADRATIC_BOUND_H

#include "mpi/comm/reduce.h"
#include "mpi/data/shard.h"

/* *bound: the least value met. theta: rows of the shard. At least one step for each sign, at most `steps`; none is begun after
 * the deadline (of MPI_Wtime, agreed) or an interrupt. Collective. */
hs_status_t hs_quadratic_bound(MPI_Comm comm, const hs_shard_t *shard, const double *theta, int steps,
                               double deadline, double *bound, hs_traffic_t *traffic);

#endif
