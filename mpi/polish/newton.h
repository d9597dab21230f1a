/* newton.h: the Newton system of the polish, on the weights that are on.
 *
 *     (I + sigma T A' H A T) y = T A' H g,     x = sigma T y
 *
 * with T T the derivative of the proximal map (prox_map.h) and H the curvature of the loss. As sigma grows, x is the
 * Newton step of the objective in the groups that are on: T^-2/sigma is the Hessian of the penalty plus 1/sigma.
 * While the system is small its matrix is made and factored, the same on all ranks; beyond, it is solved by conjugate
 * gradients with two masked products and one reduction of the active weights in each.
 */
#ifndef HS_MPI_POLISH_NEWTON_H
#define HS_MPI_POLISH_NEWTON_H

#include <stdbool.h>

#include "mpi/polish/gram.h"
#include "mpi/polish/prox_map.h"

typedef struct hs_newton {
  const hs_problem_t *problem; /* borrowed */
  hs_gram_t gram;
  double *matrix;           /* of the system, owned */
  int64_t room;             /* doubles of it */
  double *rows, *full;      /* rows x C; P x C x d; owned */
  double *rhs;              /* compact, like all that follow; owned */
  double *y, *r, *q, *v, *m; /* conjugate gradients: solution, residual, direction, product, preconditioner */
  bool *marked;             /* per gate, owned */
  int64_t factorings, products; /* so far */
  bool dense;                   /* was the last system factored? */
} hs_newton_t;

/* Collective. */
hs_status_t hs_newton_create(hs_newton_t *newton, const hs_problem_t *problem, const hs_masks_t *masks);
void hs_newton_free(hs_newton_t *newton);

/* Solve the system at the given map, curvature and sigma.
 *   g         rows x C on this rank
 *   accuracy  relative residual wanted, conjugate gradients only
 *   x         P x C x d, overwritten, zero outside of the units of the map; replicated
 *   *inner    (A'Hg)'x
 * Collective. HS_NUMERICAL when the matrix is not positive definite, HS_NO_MEMORY. */
hs_status_t hs_newton_solve(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                            double sigma, const double *g, double accuracy, double *x, double *inner,
                            hs_traffic_t *traffic);

#endif
