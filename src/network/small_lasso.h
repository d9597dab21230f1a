/* small_lasso.h: a dense quadratic with a penalty on absolute values or with bounds at zero, solved exactly.
 *
 *   minimise  1/2 x'Px - q'x + penalty sum_i |x_i|                        over x in R^count
 *   minimise  1/2 x'Px - q'x + penalty sum_i x_i    subject to x >= 0     (nonnegative)
 *
 * An active set: the entries that are not zero are found one by one, and the equations for them are solved by a Cholesky
 * factor. Columns that are nearly the same, where coordinate descent needs millions of sweeps, are the normal case here: P
 * gets a ridge of 1e-13 of its mean diagonal, and its effect is taken back by centring the ridge at the solution, a few times
 * (the proximal point method). Where the minimiser is not unique, one of them is found.
 * Source: Lawson, Hanson 1974, "Solving Least Squares Problems", ch. 23; with signs: Osborne, Presnell, Turlach 2000, "A new
 * approach to variable selection in least squares problems". Not collective.
 */
#ifndef HS_NETWORK_SMALL_LASSO_H
#define HS_NETWORK_SMALL_LASSO_H

#include <stdbool.h>

#include "base/status.h"

typedef struct hs_small_lasso {
  int count;
  const double *P; /* count x count, symmetric, positive semidefinite; borrowed */
  const double *q; /* count; borrowed */
  double penalty;  /* >= 0 */
  bool nonnegative;
} hs_small_lasso_t;

/* Solve until no entry at zero has a gradient beyond the penalty by more than `slack` (absolute, > 0), or nothing can be
 * gained in double precision.
 *   x      count; in: a start, zeros or near the solution (nonnegative: >= 0); out: the minimiser, exact zeros where it is 0
 *   steps  changes of the set of entries; NULL: not wanted
 * HS_NO_MEMORY leaves x as it was. */
hs_status_t hs_small_lasso(const hs_small_lasso_t *problem, double slack, double *x, int *steps);

#endif
