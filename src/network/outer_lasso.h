/* outer_lasso.h: the best outer weights of fixed neurons, for a quadratic loss: a small dense group lasso.
 *
 *   minimise  1/2 a'P a - q'a + beta sum_k |a_k|         a_k in R^C, k = 1..K; | | Euclidean
 *
 * With H = (X w_k)_+, |w_k| = 1: P = H'H for each output and q = H'Y give the squared loss up to |Y|^2/2, and the penalty is
 * exactly weight decay (FORMULATIONS.md 0.3).
 *   C = 1   exact active set, small_lasso.h
 *   C > 1   |a_k| = min over e_k >= 0 of (|a_k|^2 / e_k + e_k) / 2 turns it into K scalars: minimise over e >= 0
 *               F(e) = min over a of 1/2 a'Pa - q'a + beta/2 sum |a_k|^2/e_k + beta/2 sum e_k
 *           which is convex and smooth up to e = 0 (Micchelli, Pontil 2005; Bach et al. 2012, "Optimization with
 *           sparsity-inducing penalties", 5). Newton steps; each model is a nonnegative quadratic for small_lasso.h, so that
 *           columns that are nearly the same do no harm. Cost K^3 a step, coupled (K C)^3, of the columns that matter.
 * Not collective.
 */
#ifndef HS_NETWORK_OUTER_LASSO_H
#define HS_NETWORK_OUTER_LASSO_H

#include <stdbool.h>

#include "base/status.h"

typedef struct hs_outer_lasso {
  int columns, outputs; /* K, C */
  bool coupled;         /* P mixes outputs: K C x K C, index k C + c. Else K x K, the same for every output */
  const double *P;      /* symmetric, positive semidefinite; borrowed */
  const double *q;      /* K x C; borrowed */
  double beta;          /* > 0 */
} hs_outer_lasso_t;

/* Solve until the violation is at most the tolerance, or no longer falls in double precision.
 *   A          K x C; in: a start, zeros or near the solution; out: the minimiser, exactly zero where a column is off
 *   violation  of the optimality conditions, relative to beta, what hs_outer_violation says of A; NULL: not wanted
 * HS_NO_MEMORY leaves A as it was. */
hs_status_t hs_outer_lasso(const hs_outer_lasso_t *problem, double tolerance, double *A, double *violation);

/* How far A is from optimal, with G = q - P A (K x C):
 *   the largest of |G_k| / beta - 1 where a_k = 0 and |G_k / beta - a_k / |a_k|| where not; at least 0 */
double hs_outer_violation(int columns, int outputs, double beta, const double *A, const double *G);

/* G = q - P A */
void hs_outer_gradient(const hs_outer_lasso_t *problem, const double *A, double *G);

/* 1/2 a'Pa - q'a + beta sum |a_k| */
double hs_outer_objective(const hs_outer_lasso_t *problem, const double *A);

#endif
