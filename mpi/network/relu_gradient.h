/* relu_gradient.h: the smooth side of the network's training problem (relu_problem.h): value and gradient of
 *
 *   F(W1, W2) = L(f, Y) + beta/2 (|W1|^2 + |W2|^2),     f = H W2,  H = (X W1')_+
 *
 *   dF/dW2 = H'R + beta W2,   dF/dW1 = (R W2' o 1[H > 0])' X + beta W1,     R = grad L(f)
 *
 * Where x'w_k = 0 for a row F has a kink; the derivative of max(0, .) is taken as 0 there. Balanced layers have
 * F = hs_relu_value_t's objective, others more.
 *
 * One pass over the rows, slab by slab, threads as in relu_problem.c, and one reduction. Cost 8 n m d flops for small C.
 */
#ifndef HS_MPI_NETWORK_RELU_GRADIENT_H
#define HS_MPI_NETWORK_RELU_GRADIENT_H

#include "mpi/network/relu_problem.h"

typedef struct hs_relu_gradient hs_relu_gradient_t;

/* Room for networks of so many neurons; HS_NO_MEMORY on all ranks if on one. The problem is borrowed until it is freed.
 * Collective. */
hs_status_t hs_relu_gradient_create(hs_relu_gradient_t **work, const hs_relu_problem_t *problem, int neurons);
void hs_relu_gradient_free(hs_relu_gradient_t **work);

/* Length of a packed network: m (d + C). */
int64_t hs_relu_gradient_size(const hs_relu_gradient_t *work);

/* Numbers that each rank may add to the reduction, to agree on something by the way. */
#define HS_RELU_VOTES 2

/* F and its gradient; the same bits on all ranks.
 *   weights   packed: W1 (m x d), then W2 (m x C), row-major; the same on all ranks
 *   gradient  packed alike
 *   votes     HS_RELU_VOTES numbers: of this rank before, their sums over the ranks after; NULL: none
 * One reduction of m (d + C) + 1 + HS_RELU_VOTES numbers. Collective. */
void hs_relu_gradient(hs_relu_gradient_t *work, const double *weights, double *value, double *gradient,
                      double *votes, hs_traffic_t *traffic);

/* On how many rows, of all ranks, each neuron is on: x'w_k > 0.
 *   counts  neurons->count numbers, the same on all ranks
 * HS_NO_MEMORY on all ranks if on one. Collective. */
hs_status_t hs_relu_active_rows(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, double *counts,
                                hs_traffic_t *traffic);

#endif
