/* outer_model.h: the quadratic model of a proximal Newton step of outer_newton.h, and its minimiser.
 *
 *   a+ = argmin over a' of  1/2 (a' - a)'P(a' - a) - G'(a' - a) + beta sum |a'_k|      P = H'L''H, G = -H'L'
 *
 * over the neurons that are on or whose |G_k| comes near beta; the others stay at zero, their turn comes when it does.
 */
#ifndef HS_MPI_NETWORK_OUTER_MODEL_H
#define HS_MPI_NETWORK_OUTER_MODEL_H

#include "mpi/network/relu_problem.h"

/* neurons->W2: a in, a+ out.
 *   scores   predictions at a, rows x C on this rank
 *   G        -H'L' at a, K x C, the same on all ranks
 *   damping  added to L'', as a share of the loss's largest curvature
 * HS_NO_MEMORY on all ranks if on one. Collective. */
hs_status_t hs_outer_model(const hs_relu_problem_t *problem, hs_neurons_t *neurons, const double *scores,
                           const double *G, double damping, double tolerance, hs_traffic_t *traffic);

#endif
