/* relu_problem.h: the training problem of the real two-layer ReLU network.
 *
 *   minimise over m, W1 (m x d), W2 (m x C)    L((X W1')_+ W2, Y) + beta/2 (|W1|_F^2 + |W2|_F^2)         (NC)
 *                                            = L((X W1')_+ W2, Y) + beta sum_k |w_k| |a_k|  once the layers are balanced
 *
 * The loss L is a sum over samples, beta is absolute. The number of neurons m is free: p*, the least value over all m, is what
 * bounds are about. Its dual, for the residual T (n x C):                                    PRICING.md 0.2, 2
 *
 *   p* = max D(T) over  |T'(Xw)_+| <= beta for all |w| <= 1            D as in loss.h; | | in R^C is Euclidean
 */
#ifndef HS_MPI_NETWORK_RELU_PROBLEM_H
#define HS_MPI_NETWORK_RELU_PROBLEM_H

#include <mpi.h>

#include "base/status.h"
#include "loss/loss.h"
#include "mpi/comm/reduce.h"
#include "mpi/data/shard.h"
#include "network/neurons.h"

/* Nothing in it is owned. */
typedef struct hs_relu_problem {
  MPI_Comm comm;
  const hs_shard_t *shard; /* rows of this rank: X (rows x d), Y (rows x C) */
  hs_loss_t loss;
  double beta; /* absolute, > 0 */
} hs_relu_problem_t;

/* A network's value. */
typedef struct hs_relu_value {
  double objective, loss, norm; /* loss + beta norm; norm = sum_k |w_k| |a_k| */
} hs_relu_value_t;

/* Evaluate a network through a real ReLU, all sums in double.
 *   neurons  the same on all ranks
 *   theta    rows x C, the residual -grad L at the predictions (squared loss: Y - f(X)); NULL: not wanted
 * HS_NO_MEMORY on all ranks if on one. Collective. */
hs_status_t hs_relu_evaluate(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, double *theta,
                             hs_relu_value_t *value, hs_traffic_t *traffic);

/* The best dual value along the ray s T:  max D(s T) over 0 <= s <= beta / Z. It is a lower bound on p* if Z is an upper
 * bound on max over |w| <= 1 of |T'(Xw)_+|, and an estimate of one if Z is an estimate.
 *   theta  rows x C, a residual at some prediction: inside the domain of D for s <= 1
 *   Z      > 0; infinity gives the value at 0
 * Collective. */
double hs_relu_dual(const hs_relu_problem_t *problem, const double *theta, double Z, hs_traffic_t *traffic);

#endif
