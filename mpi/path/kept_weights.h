/* kept_weights.h: weights of some points of a path, groups that are zero left out. Replicated; not collective. */
#ifndef HS_MPI_PATH_KEPT_WEIGHTS_H
#define HS_MPI_PATH_KEPT_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* All zero, but for the sizes, is empty. */
typedef struct hs_kept_weights {
  int64_t gates, size; /* P; d C numbers of one gate */
  int64_t count, room; /* points in here */
  int64_t *point;      /* count: which */
  int64_t *first;      /* count + 1: where their blocks begin */
  int64_t blocks, blocks_room;
  int64_t *gate;   /* blocks: which gate */
  double *weights; /* blocks x size */
} hs_kept_weights_t;

/* Add the weights u (P x size) of a point. */
hs_status_t hs_kept_weights_add(hs_kept_weights_t *kept, int64_t point, const double *u);

/* Forget all, but keep the room. */
void hs_kept_weights_clear(hs_kept_weights_t *kept);

/* Make room for that many points and blocks in all, and say that they are there: the caller fills the arrays. */
hs_status_t hs_kept_weights_resize(hs_kept_weights_t *kept, int64_t count, int64_t blocks);

/* u = the weights of a point; false where it is not in here. */
bool hs_kept_weights_get(const hs_kept_weights_t *kept, int64_t point, double *u);

void hs_kept_weights_free(hs_kept_weights_t *kept);

#endif
