/* relu_ascent.h: ascent of the ReLU price f(w) = |T'(Xw)_+| on the unit sphere, from a batch of starts at a time.
 *
 * f is a difference of convex functions; the plain fixed point w = unit(G(w)) cycles. Shifted, for each column by itself:
 *
 *   w' = unit(G + kappa w)        G = X'((T a) o [Xw > 0]), a = T'(Xw)_+ / f: the gradient of f at w;  G'w = f
 *   f(w') >= f(w):  move there; kappa is halved, and 0 once it is below f/20
 *   else:           stay; kappa = max(3 kappa, f, |G|/10)
 *
 * f never decreases. It is linear in w as long as no row changes its side, and there kappa = 0 goes to the maximum in one
 * step. A column is at rest when |G - f w| <= small f (a stationary point), when a step gains less than `small gain` f and
 * a last one with kappa = 0 does as well or fails (a maximum on a kink), when kappa has grown beyond `large` f, or
 * after the last step allowed. Columns at rest cost nothing. Local maxima, not the largest: hence many starts.
 * Inside of a cell w is exact. On kinks, where many rows lie on the hyperplane of w, the ascent zigzags: hundreds of starts of
 * one maximum end within 1e-5 of its f, the best of them within 1e-6 or so, in directions 1e-3 apart.
 *
 * One output: f and G come from the same sums, G first (f = |w'G|): a step is ONE reduction of d numbers for each column tried.
 * Several: a must be known before G. A step is one reduction of C numbers for each column tried, and, once all ranks
 * know which columns have moved, one of d numbers for each of those: the other half of the work is not spent on
 * columns that stay. (Taking a from the step before would save the first reduction, but its direction need not be one of ascent.)
 * Source: the shift is the proximal term of the convex-concave procedure (Lipp, Boyd 2016, "Variations and extension
 * of the convex-concave procedure"), chosen by success.
 */
#ifndef HS_MPI_PRICING_RELU_ASCENT_H
#define HS_MPI_PRICING_RELU_ASCENT_H

#include <stdint.h>

#include "base/precision.h"
#include "mpi/network/relu_problem.h"

/* Columns on their way. The same on all ranks, bit by bit. */
typedef struct hs_ascent_batch {
  int count;
  double *W; /* count x d: unit starts, then where they ended */
  double *A; /* count x C: out, T'(Xw)_+ there */
  double *f; /* count: out, |A| */
} hs_ascent_batch_t;

/* What it has cost; added up. */
typedef struct hs_ascent_work {
  int64_t steps;     /* of batches, the first evaluation included */
  int64_t values;    /* columns whose f was evaluated: a product X w each; C numbers reduced if C > 1 */
  int64_t gradients; /* columns whose G was: a product X'r and d numbers each */
} hs_ascent_work_t;

typedef struct hs_relu_ascent hs_relu_ascent_t;

/* For batches of at most `columns` <= HS_PRODUCT_COLUMNS (relu_products.h).
 *   theta   rows x C; borrowed, as is the problem
 * HS_NO_MEMORY on all ranks if on one; *ascent is NULL then. Collective. */
hs_status_t hs_relu_ascent_create(hs_relu_ascent_t **ascent, const hs_relu_problem_t *problem,
                                  const double *theta, int columns);
void hs_relu_ascent_free(hs_relu_ascent_t **ascent);

/* Follow a batch.
 *   precision   of the products. Single: only for a shard in single precision; f is then right to about 1e-6, and columns
 *               rest when they are as near to a maximum as that shows
 *   max_steps   after the evaluation of the starts; 0 evaluates only
 * A value that is not finite rests where it is. Collective. */
void hs_relu_ascent_run(hs_relu_ascent_t *ascent, hs_ascent_batch_t *batch, hs_precision_t precision,
                        int max_steps, hs_ascent_work_t *work, hs_traffic_t *traffic);

#endif
