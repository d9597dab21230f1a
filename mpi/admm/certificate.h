/* certificate.h: upper and lower bounds on the optimum, the best of each kept.
 *
 *   P(u) = L(A u, Y) + beta sum_i ||u_i||            D(T) = -sum_k f*_k(-T_k)   for  max_i ||A_i' T||_* <=
 * beta
 *
 * A residual w = -grad L(p) with masked gradients s = A' w is scaled into the dual feasible set:
 * T = c w with 0 <= c <= beta / max_i ||s_i||_*. Weak duality needs nothing else, so the bound holds whatever
 * path led to w.                                                     FORMULATIONS.md 10.1, 10.2
 */
#ifndef HS_MPI_ADMM_CERTIFICATE_H
#define HS_MPI_ADMM_CERTIFICATE_H

#include "mpi/admm/problem.h"
#include "mpi/comm/reduce.h"

typedef struct hs_certificate {
  double primal; /* lowest P seen */
  double loss;   /* its loss */
  double dual;   /* highest D seen */
} hs_certificate_t;

/* (primal - dual) / |primal|; 0 when the gap is not positive. */
double hs_certificate_relative_gap(const hs_certificate_t *certificate);

/* Largest scale c allowed for w, given s = A' w summed over ranks. Not collective. */
double hs_certificate_scale(const hs_problem_t *problem, const double *s);

/* D(c w) for losses whose dual is quadratic along rays, at the best c in [0, scale]:
 *   linear, square  the sums of hs_loss_dual_ray over all ranks. Not collective. */
double hs_certificate_quadratic(const hs_problem_t *problem, double linear, double square, double scale);

/* Bounds recomputed with every operation in double, for weights u and residual w; used where the iteration
 * runs on single precision products. a and s are scratch (rows x C; P C d). Collective. */
void hs_certificate_exact(const hs_problem_t *problem, const double *u, const double *w, double *a, double *s,
                          hs_certificate_t *certificate, hs_traffic_t *traffic);

#endif
