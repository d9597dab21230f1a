/* outer_newton.h: the problem of outer_weights.h for a loss that is not quadratic, by proximal Newton steps.
 *
 *   a+ = argmin over a' of  1/2 (a' - a)'P(a' - a) - G'(a' - a) + beta sum |a'_k|      P = H'L''H, G = -H'L'
 *   a  := a + t (a+ - a), t = 1, 1/2, ... by Armijo's rule on the true objective
 *
 * L'' is the second derivative at the predictions: a number per row for one output, C x C per row for several
 * (outer_model.h). Where that gets too large, an upper bound that is common to the outputs of a row: many more steps, and a
 * violation of 1e-5 to 1e-7 at the end. A share of the loss's largest curvature is added, more after a step that had to be
 * shortened, less after one that had not: Huber and squared hinge are flat in places.
 * Source: Lee, Sun, Saunders 2014, "Proximal Newton-type methods for minimizing composite functions".
 */
#ifndef HS_MPI_NETWORK_OUTER_NEWTON_H
#define HS_MPI_NETWORK_OUTER_NEWTON_H

#include "mpi/network/relu_problem.h"

/* As hs_outer_weights_solve. Collective. */
hs_status_t hs_outer_newton(const hs_relu_problem_t *problem, hs_neurons_t *neurons, double tolerance,
                            double *violation, hs_traffic_t *traffic);

#endif
