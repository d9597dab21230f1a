/* dual.h: one proximal point step u+ = argmin_v P(v) + |v - u|^2 / (2 sigma), seen from its dual.
 *
 * The variable is the residual w = -grad L(p), given by predictions p, so that w is always in the domain of L*:
 *     phi(p) = L*(-w) + |u+|^2 / (2 sigma),     s = A'w,    u+ = prox_{sigma beta}(u + sigma s)
 * At the minimum p = A u+. Every point gives a pair of bounds: P(u+), and D(c w) with the scale c that makes c s
 * feasible (mpi/admm/certificate.h).
 */
#ifndef HS_MPI_POLISH_DUAL_H
#define HS_MPI_POLISH_DUAL_H

#include "mpi/admm/certificate.h"
#include "mpi/polish/prox_map.h"

typedef struct hs_dual {
  const hs_problem_t *problem; /* borrowed */
  int64_t entries;             /* rows x C on this rank */
  double *p, *w, *a;           /* rows x C: predictions, residual, A u+; owned */
  double *center;              /* P x C x d, u above; owned */
  double *s, *z;               /* P x C x d, s with room for a few sums behind; owned */
  double *scratch;             /* rows x C, owned */
  hs_prox_map_t map;           /* u+ and the derivative */
  double sigma;
  double value, linear, square; /* -L*(-w), and the sums of its ray (loss.h) */
  hs_certificate_t bounds;      /* of this point: P(u+), its loss, D(c w) */
  double inner; /* sqrt of <w(A u+) - w(p), p - A u+>: how far p is from A u+, in units of the objective */
  double outer; /* |u+ - u| / sqrt(sigma): how far u+ is from the optimum, in the same units */
} hs_dual_t;

/* Collective. */
hs_status_t hs_dual_create(hs_dual_t *dual, const hs_problem_t *problem);
void hs_dual_free(hs_dual_t *dual);

/* w, s, the value and u+ at the predictions p + length * step; p itself stays. step may be NULL. False on all ranks
 * when something is not finite. Collective. */
bool hs_dual_move(hs_dual_t *dual, const double *step, double length, hs_traffic_t *traffic);

/* u+ anew after a change of center or sigma. Ranks have to list the same units: where their processors differ, a
 * singular value may be at the threshold for one and below it for another, which counts as not finite. Collective, as
 * above. */
bool hs_dual_map(hs_dual_t *dual);

/* phi. The same on all ranks, but for the last bits where their processors differ. Not collective. */
double hs_dual_objective(const hs_dual_t *dual);

/* a, the bounds and the residuals at p.
 *   sums, count  numbers of the caller to be added up over ranks in the same reduction; count <= HS_DUAL_SUMS
 * Collective. */
#define HS_DUAL_SUMS 8
void hs_dual_assess(hs_dual_t *dual, double *sums, int count, hs_traffic_t *traffic);

#endif
