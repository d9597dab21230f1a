/* relu_price.h: the price of a ReLU neuron: where |theta'(Xw)_+| is largest, by ascent from many starts.
 *
 *   Z = max over |w| <= 1 of f(w),    f(w) = |T'(Xw)_+|     T = theta (n x C), the norm Euclidean in R^C      PRICING.md 1.1
 *
 * A network whose residual has Z <= beta is optimal. The ascent (relu_ascent.h) finds local maxima: its best value is a
 * lower bound on Z, hence an ESTIMATE in bounds on p*, to be reported with the number of starts.
 *
 * Starts (relu_starts.h): the given neurons and perturbations of them, then fresh ones, Gaussian directions and +- rows of X half
 * and half, from the seed and the round. They are followed in batches of at most 256, which are replicated, bitwise
 * equal, on the ranks; memory does not grow with their number. A shard in single precision is climbed in single precision,
 * and every column that counts (f near `above` or more, or near the best of its batch) is then led to its maximum in double: all
 * values returned are those of the double sums.
 * Maxima are the same if their unit directions differ by no more than HS_PRICE_APART: the one of larger value stays, of equal
 * values the one of the earlier start. Nearly equal ones are kept apart: a Lasso over them finds neurons on kinks. But where rows
 * lie on its hyperplane one maximum is found in hundreds of places, 1e-5 to 1e-2 apart, whose values differ by 1e-5: a list of
 * the best fifty had been fifty copies of one. Hence the best of each neighbourhood of radius HS_PRICE_NEAR come first, and
 * as long as there is room, those of neighbourhoods of a tenth of that, and so on.
 *
 * Reductions, in numbers of 8 bytes that each rank puts in:  d starts + d gradients, and C values if C > 1: as counted below.
 */
#ifndef HS_MPI_PRICING_RELU_PRICE_H
#define HS_MPI_PRICING_RELU_PRICE_H

#include <stdint.h>

#include "mpi/network/relu_problem.h"

#define HS_PRICE_APART 1e-6
#define HS_PRICE_NEAR 0.1

typedef struct hs_price_options {
  int64_t starts;           /* fresh ones, in batches; those from `near` are added to them */
  int64_t seed, round;      /* what the fresh starts are made from: other rounds, other starts */
  const hs_neurons_t *near; /* neurons whose directions and perturbations are starts as well; NULL: none */
  double above;             /* keep maxima with f > above ... */
  int keep;                 /* ... so many distinct ones, see above; 0: only the best value is wanted */
  int max_steps;            /* of an ascent; 0: 100 */
  double max_seconds;       /* no further batch after that; 0: no limit. Agreed between the ranks */
} hs_price_options_t;

typedef struct hs_price {
  double best;        /* largest f that was found, recomputed in double */
  double *best_w;     /* d, unit; owned */
  hs_neurons_t found; /* directions (W1 rows, unit, f descending); W2 row: T'(Xw)_+ / f, C numbers; owned */
  double *value;      /* f of each of them; owned */
  int64_t starts;     /* that were followed to the end: at least one batch, whatever max_seconds */
  int64_t steps;      /* of batches: each one reduction, or two if C > 1 */
  int64_t values;     /* columns whose f was evaluated: each one product X w, */
  int64_t gradients;  /* ... and whose gradient: each one product X'r */
} hs_price_t;

/* theta: rows x C on this rank. *price is cleared on failure: HS_BAD_USAGE without any start, HS_NUMERICAL where f is not
 * finite, HS_NO_MEMORY; on all ranks if on one. Collective. */
hs_status_t hs_relu_price(const hs_relu_problem_t *problem, const double *theta,
                          const hs_price_options_t *options, hs_price_t *price, hs_traffic_t *traffic);
void hs_price_free(hs_price_t *price);

#endif
