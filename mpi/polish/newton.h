/* newton.h: the Newton system of the polish, on the weights that are on.
 *
 *     (I + sigma T A' H A T) y = T A' H g,     x = sigma T y
 *
 * with T T the derivative of the proximal map (prox_map.h) and H the curvature of the loss (curvature.h). The same
 * without T reads (A'HA + T^-2/sigma) x = A'Hg, where T^-2/sigma is the Hessian of the penalty plus 1/sigma.
 *
 * While a matrix is small or cheap it is made and factored (dense.h). Beyond, conjugate gradients take one masked
 * product, one adjoint one and one reduction of the active weights for each of their steps. T is all the
 * preconditioning they get: it leaves of a gate's weights those directions that its norm does not hold. They stop at
 * |residual| <= |y|/10. The identity in the matrix makes this a bound on the error in the norm of the matrix, by which
 * the slope of the dual objective along the step is off; measured, neither a looser nor a much tighter rule pays, and
 * preconditioners that weigh the residual differently take more products in all. They may take long, so they look
 * after signals and the clock themselves.
 */
#ifndef HS_MPI_POLISH_NEWTON_H
#define HS_MPI_POLISH_NEWTON_H

#include <stdbool.h>

#include "mpi/polish/dense.h"

typedef struct hs_newton {
  const hs_problem_t *problem; /* borrowed */
  hs_dense_t dense;
  bool *marked;        /* per gate: is one of its units on? owned */
  double *rows, *full; /* rows x C; P x C x d; owned */
  double *y, *r, *q,
      *v; /* compact: solution, residual, direction, its product; y, v with room for two sums; owned */
  double expected;              /* products that the next system will take */
  double deadline;              /* of MPI_Wtime on rank 0, set by the caller; 0: none */
  bool stopped, late;           /* a signal came, the deadline has passed: found on any rank, known to all */
  int64_t factorings, products; /* so far */
} hs_newton_t;

/* Collective. */
hs_status_t hs_newton_create(hs_newton_t *newton, const hs_problem_t *problem);
void hs_newton_free(hs_newton_t *newton);

/* Solve the system at the given map, curvature and sigma.
 *   g       rows x C on this rank
 *   x       P x C x d, overwritten, zero outside of the units of the map; replicated
 *   *norms  sigma |y|^2
 * Collective. HS_NUMERICAL, without a message, when rounding has the better of it; HS_INTERRUPTED when stopped or
 * late. */
hs_status_t hs_newton_solve(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                            double sigma, const double *g, double *x, double *norms, hs_traffic_t *traffic);

#endif
