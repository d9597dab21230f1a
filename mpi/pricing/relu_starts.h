/* relu_starts.h: directions from which the ReLU price is climbed.
 *
 * In this order:
 *   near neurons, if any   their directions; the same with 2 % noise; HS_PRICE_PERTURBED with noise of 3 to 100 %.
 *                          Optimal neurons have samples on their hyperplanes: near-duplicates resolve these kinks
 *   fresh ones             Gaussian directions and +- rows of X in turn: no other kind did better       PRICING.md 1.1
 * Every start is a function of seed, round and its number of its kind, whatever the ranks and batches. Rows are chosen by
 * their global number. A start without a direction (a neuron or a row of zeros) becomes a coordinate axis.
 */
#ifndef HS_MPI_PRICING_RELU_STARTS_H
#define HS_MPI_PRICING_RELU_STARTS_H

#include <stdint.h>

#include "mpi/network/relu_problem.h"

#define HS_PRICE_PERTURBED 64

/* Borrows everything. */
typedef struct hs_relu_starts {
  const hs_relu_problem_t *problem;
  const hs_neurons_t *near; /* NULL: none */
  int64_t fresh;
  int64_t seed, round;
} hs_relu_starts_t;

/* How many there are. Not collective. */
int64_t hs_relu_starts_count(const hs_relu_starts_t *starts);

/* W (count x d, row-major) = starts first .. first+count-1, of length 1, the same bits on all ranks: what rank 0 and the
 * owners of rows put in goes through one reduction of count x d numbers. Collective. */
void hs_relu_starts_make(const hs_relu_starts_t *starts, int64_t first, int count, double *W,
                         hs_traffic_t *traffic);

#endif
