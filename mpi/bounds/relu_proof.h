/* relu_proof.h: a PROVED upper bound on the price of a ReLU neuron, hence a proved lower bound on p*.
 *
 *   Z = max over |w| <= 1 of |T'(Xw)_+|  <=  upper                                           PRICING.md 3
 *
 * After an orthogonal change to as many coordinates as X has rank:
 *   enumeration  all activation patterns, rank(X) <= 2 (several outputs: 1): exact
 *   cones        branch and bound over simplicial cones, shared by the ranks; rank(X) <= 7
 *   quadratic    a trust-region eigenproblem in d x d sums; any rank, a few ten per cent too large. A cap for the cones
 * Several outputs: |T'(Xw)_+|^2 <= sum over c of Z_c^2 for the columns of T R, R (C x C) the right singular vectors of T, is
 * up to sqrt(C) too large. It is what there is for rank(X) > 7, and where all rows do not fit on every rank; else the cap of
 * cones that bound the norm itself (src/bounds/norm_rows.h), for which the Z_c are computed to 1e-2 in a part of the time.
 * To `upper` is added what the cut of the rank can change and 1e-12 sum_k |theta_k| |x_k| for rounding.
 */
#ifndef HS_MPI_BOUNDS_RELU_PROOF_H
#define HS_MPI_BOUNDS_RELU_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "mpi/network/relu_problem.h"

typedef struct hs_proof_options {
  double max_seconds;  /* of the proof, agreed between the ranks; it reports what it has then. Must be > 0 */
  double floor;        /* a bound below this is of no use: beta. Nodes below (1 + epsilon) floor are closed */
  double epsilon;      /* relative accuracy; 0: 1e-6, but 1e-4 for rank 7 or several outputs */
  const double *start; /* d, unit: a good w that is known; NULL: none */
} hs_proof_options_t;

typedef struct hs_proof {
  double upper;       /* Z <= upper, proved up to rounding, which is allowed for */
  double attained;    /* largest |T'(Xw)_+| seen, at ... */
  double *w;          /* ... this w (d, unit); owned */
  int rank;           /* of X */
  const char *method; /* "cones", "quadratic", "enumeration"; static */
  bool finished;      /* reached its accuracy; false: out of time, or nothing sharper is known */
  int64_t nodes;      /* cones bounded, over all ranks */
  double seconds;
} hs_proof_t;

/* theta: rows x C on this rank. *proof is cleared on failure. The same number of ranks gives the same bits unless time runs
 * out. Collective. */
hs_status_t hs_relu_prove(const hs_relu_problem_t *problem, const double *theta,
                          const hs_proof_options_t *options, hs_proof_t *proof, hs_traffic_t *traffic);
void hs_proof_free(hs_proof_t *proof);

#endif
