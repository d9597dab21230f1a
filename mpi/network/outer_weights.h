/* outer_weights.h: the best outer weights of fixed neurons, on all ranks' rows.
 *
 *   minimise over W2 (K x C)   L((X W1')_+ W2, Y) + beta sum_k |a_k|        |w_k| = 1; a_k: row k of W2
 *
 * A convex problem, whatever the number of neurons. Squared loss: one Gram matrix, kept from call to call, and one group
 * lasso (network/outer_lasso.h). Other losses: proximal Newton steps (outer_newton.h). The small problems are solved on the
 * first rank, so that all ranks go on with the same bits also where their processors differ.
 */
#ifndef HS_MPI_NETWORK_OUTER_WEIGHTS_H
#define HS_MPI_NETWORK_OUTER_WEIGHTS_H

#include "mpi/network/relu_problem.h"

typedef struct hs_outer_weights {
  const hs_relu_problem_t *problem; /* borrowed */
  int known;                        /* neurons of which Q and B are known: the first ones */
  double *Q, *B;                    /* known x known, known x C; owned. Squared loss only */
} hs_outer_weights_t;

/* Not collective. */
void hs_outer_weights_init(hs_outer_weights_t *weights, const hs_relu_problem_t *problem);
void hs_outer_weights_free(hs_outer_weights_t *weights);

/* Solve for neurons->W2, from the W2 that is there; weights are exactly zero where a neuron is of no use.
 *   neurons    |w_k| = 1, the same on all ranks. Those of the call before that were kept by hs_outer_weights_drop come
 *              first and have not changed
 *   tolerance  for the violation of the optimality conditions, relative to beta, say 1e-10
 *   violation  what was reached; NULL: not wanted. Double precision may end above the tolerance
 * Collective. */
hs_status_t hs_outer_weights_solve(hs_outer_weights_t *weights, hs_neurons_t *neurons, double tolerance,
                                   double *violation, hs_traffic_t *traffic);

/* Drop the neurons with a_k = 0, here and in what is known of them; returns how many went. Not collective. */
int hs_outer_weights_drop(hs_outer_weights_t *weights, hs_neurons_t *neurons);

#endif
