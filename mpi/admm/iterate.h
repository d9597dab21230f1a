/* iterate.h: the state of the compressed consensus iteration and its images. */
#ifndef HS_MPI_ADMM_ITERATE_H
#define HS_MPI_ADMM_ITERATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Weights are P x C x d and replicated on all ranks; rows are this rank's rows x C. All owned. */
typedef struct hs_iterate {
  double *z, *p, *a;    /* the state: consensus weights, local predictions, a = A z */
  double *z1, *p1, *a1; /* the plain step from it */
  double *w, *s;        /* w = -grad L(p), s = A' w summed over ranks; s has room for a few sums behind it */
  double *r, *v;        /* residual of the x-update, and v = M r, the change of w */
  double *curvature;    /* per row, lambda in M = (diag(1/lambda) + K/rho)^-1 */
  double *best_z;       /* weights of the lowest objective so far */
} hs_iterate_t;

#define HS_ITERATE_EXTRA 8 /* room behind s */

hs_status_t hs_iterate_create(hs_iterate_t *iterate, int64_t weights, int64_t rows, int outputs);
void hs_iterate_free(hs_iterate_t *iterate);

/* Bytes of an iterate of these sizes. */
size_t hs_iterate_bytes(int64_t weights, int64_t rows, int outputs);

#endif
