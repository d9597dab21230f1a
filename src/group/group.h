/* group.h: the norm of one gate's weights, its dual norm and its proximal map.
 *
 * A block is the weights of one gate: d x C, column-major (column c, the weights of output c, is contiguous).
 *   joint       ||u|| = Frobenius norm                 dual: Frobenius norm
 *   per-output  ||u|| = sum of the column norms        dual: the largest column norm
 *   nuclear     ||u|| = sum of the singular values     dual: the largest singular value
 */
#ifndef HS_GROUP_GROUP_H
#define HS_GROUP_GROUP_H

#include "base/status.h"

typedef enum hs_groups { HS_JOINT, HS_PER_OUTPUT, HS_NUCLEAR } hs_groups_t;

/* Scratch space for one block shape; owned by the caller, one per thread. */
typedef struct hs_group_work hs_group_work_t;

hs_status_t hs_group_work_create(hs_group_work_t **work, int d, int outputs);
void hs_group_work_free(hs_group_work_t **work);

double hs_group_norm(hs_groups_t groups, int d, int outputs, const double *block, hs_group_work_t *work);
double hs_group_dual_norm(hs_groups_t groups, int d, int outputs, const double *block, hs_group_work_t *work);

/* block = argmin_u threshold ||u|| + |u - block|^2/2, in place. Returns the norm of the result (0: the group
 * is off, and the block is exactly zero). *active counts the groups that are not zero: 0 or 1 for joint and
 * nuclear, 0..C for per-output. threshold >= 0. */
double hs_group_prox(hs_groups_t groups, int d, int outputs, double *block, double threshold, int *active,
                     hs_group_work_t *work);

/* "joint", "per-output", "nuclear" and back; -1 for an unknown name. */
const char *hs_groups_name(hs_groups_t groups);
int hs_groups_find(const char *name);

#endif
