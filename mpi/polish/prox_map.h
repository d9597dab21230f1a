/* prox_map.h: u = prox_{tau ||.||}(z) of all gates together with its derivative.
 *
 * The derivative D of the proximal map is a symmetric matrix with eigenvalues in [0, 1], one block for each unit: a
 * gate, or one output of it for per-output groups. Units whose u is zero have D = 0; the others are listed. Of D we
 * need its root T, D = T T:
 *   joint, per-output   T h = r h + (1 - r) e (e'h),   e = z/|z|,  r = sqrt(1 - tau/|z|)
 *   nuclear             z = U diag(s) V';  T scales the symmetric and the antisymmetric part of U'hV and what lies
 *                       outside of the span of U (or V), see prox_map.c
 * tau (D^-1 - 1) is the Hessian of tau ||.|| at u, on the directions that keep u non-zero (nuclear: of its rank).
 * Everything is replicated; not collective.
 */
#ifndef HS_MPI_POLISH_PROX_MAP_H
#define HS_MPI_POLISH_PROX_MAP_H

#include <stdint.h>

#include "base/status.h"
#include "mpi/admm/problem.h"

/* d x outputs weights, contiguous in u as well as in a compact vector, which holds the listed units alone. */
typedef struct hs_unit {
  int gate, output, outputs;
  int64_t offset; /* in u */
  double root;    /* r above */
} hs_unit_t;

typedef struct hs_svd hs_svd_t;

typedef struct hs_prox_map {
  const hs_problem_t *problem; /* borrowed */
  double *u;                   /* P x C x d, owned */
  double *direction;           /* P x C x d, e above; owned */
  hs_svd_t *svd;               /* of every gate, nuclear with d, C > 1 only; owned */
  hs_unit_t *units;            /* owned */
  int count;                   /* of units that are on */
  int64_t length;              /* weights in them */
  double norm, square;         /* sum ||u_i||, |u|^2 */
} hs_prox_map_t;

hs_status_t hs_prox_map_create(hs_prox_map_t *map, const hs_problem_t *problem);
void hs_prox_map_free(hs_prox_map_t *map);

/* Take the map at z, P x C x d. HS_NUMERICAL when a singular value decomposition does not converge, or z is not
 * finite; nothing in the map may be used then. */
hs_status_t hs_prox_map_set(hs_prox_map_t *map, const double *z, double threshold);

/* A number >= 0 that tells lists of units apart. */
int64_t hs_prox_map_print(const hs_prox_map_t *map);

/* The weights of the listed units, one after the other, and back; scatter leaves other weights alone. */
void hs_prox_map_gather(const hs_prox_map_t *map, const double *full, double *compact);
void hs_prox_map_scatter(const hs_prox_map_t *map, const double *compact, double *full);

/* h = T h, for one unit (d x outputs), or for a compact vector. */
void hs_prox_map_root_unit(const hs_prox_map_t *map, const hs_unit_t *unit, double *h);
void hs_prox_map_root(const hs_prox_map_t *map, double *compact);

#endif
