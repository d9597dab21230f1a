/* relu_price.h: the price of a ReLU neuron: where |theta'(Xw)_+| is largest, by ascent from many starts.
 *
 *   Z = max over |w| <= 1 of f(w),    f(w) = |T'(Xw)_+|     T = theta (n x C), the norm Euclidean in R^C      PRICING.md 1.1
 *
 * A network whose residual has Z <= beta is optimal. The ascent finds local maxima: its best value is a lower bound on Z,
 * hence an ESTIMATE in bounds on p*, to be reported with the number of starts.
 *
 * Ascent, a batch of S columns at a time, all of them replicated and bitwise equal on the ranks:
 *   w' = unit(G + kappa w),  G = gradient of f at w,  kappa per column: tripled after a decrease, halved after a success.
 * One step is two products of the local rows with S columns and ONE Allreduce of (d + C) S numbers (one output: d S).
 * Starts: Gaussian directions and +- rows of X, half and half, from the seed and the round; the given neurons and slight
 * perturbations of them.
 */
#ifndef HS_MPI_PRICING_RELU_PRICE_H
#define HS_MPI_PRICING_RELU_PRICE_H

#include <stdint.h>

#include "mpi/network/relu_problem.h"

typedef struct hs_price_options {
  int64_t starts;           /* fresh ones, in batches; those from `near` are added to them */
  int64_t seed, round;      /* what the fresh starts are made from: other rounds, other starts */
  const hs_neurons_t *near; /* neurons whose directions and perturbations are starts as well; NULL: none */
  double above;             /* keep maxima with f > above ... */
  int keep;                 /* ... the so many best distinct ones; 0: only the best value is wanted */
  int max_steps;            /* of an ascent; 0: 100 */
  double max_seconds;       /* no further batch after that; 0: no limit. Agreed between the ranks */
} hs_price_options_t;

typedef struct hs_price {
  double best;        /* largest f that was found, recomputed in double */
  double *best_w;     /* d, unit; owned */
  hs_neurons_t found; /* directions (W1 rows, unit, f descending); W2 row: T'(Xw)_+ / f, C numbers; owned */
  double *value;      /* f of each of them; owned */
  int64_t starts;     /* that were followed to the end */
  int64_t steps;      /* of batches: each one Allreduce */
} hs_price_t;

/* theta: rows x C on this rank. *price is cleared on failure. Collective. */
hs_status_t hs_relu_price(const hs_relu_problem_t *problem, const double *theta,
                          const hs_price_options_t *options, hs_price_t *price, hs_traffic_t *traffic);
void hs_price_free(hs_price_t *price);

#endif
