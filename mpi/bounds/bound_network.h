/* bound_network.h: lower bounds on the optimum over all ReLU networks, from a network's residual.
 *
 *   D(s T) <= p*   for every s <= beta / Z,   Z = max over |w| <= 1 of |T'(Xw)_+|            mpi/network/relu_problem.h
 *
 * With the largest price that a search has found in the place of Z the bound is estimated; with an upper bound on Z it is
 * proved. Near the optimum the residual of the network itself is the right T, not that of the gated model (PRICING.md 0.3).
 */
#ifndef HS_MPI_BOUNDS_BOUND_NETWORK_H
#define HS_MPI_BOUNDS_BOUND_NETWORK_H

#include "mpi/bounds/relu_proof.h"
#include "mpi/network/relu_problem.h"
#include "mpi/pricing/relu_price.h"
#include "network/bracket.h"

/* Search from so many fresh starts and those near the neurons, and set estimated, starts and price of the bracket, if the
 * bound is higher than the one that is there.
 *   theta  rows x C of this rank     near  the network; NULL: none
 *   w      d: receives the maximiser, unit
 * Collective. */
hs_status_t hs_bound_estimate(const hs_relu_problem_t *problem, const double *theta, const hs_neurons_t *near,
                              int64_t starts, int64_t seed, double max_seconds, hs_bracket_t *bracket,
                              double *w, hs_traffic_t *traffic);

/* What one proof has come to. */
typedef struct hs_proof_outcome {
  double attained, upper; /* largest price met, and its proved upper bound; absolute */
  bool finished;          /* the bound is as accurate as was asked for */
  bool cut_short;         /* more time would give a better bound */
} hs_proof_outcome_t;

/* Prove a bound, in at most so many seconds (> 0), and set the proved part of the bracket if it is higher than the one that
 * is there. Where the proof meets a higher price than the searches did, the estimate from this theta is no longer claimed:
 * it is lowered.
 *   epsilon  relative accuracy of the proof; 0: by the rank of X
 *   w        d: on entry a direction of high price, on return that of the highest price met
 * Collective. */
hs_status_t hs_bound_prove(const hs_relu_problem_t *problem, const double *theta, double max_seconds,
                           double epsilon, hs_bracket_t *bracket, double *w, hs_proof_outcome_t *outcome,
                           hs_traffic_t *traffic);

#endif
