/* runs.h: the rows of every block in the order of their patterns, for sums over rows with equal patterns.
 *
 * A' w needs, for every group of gates, the sum of x_k w_k' over the rows of each pattern. In this order a
 * sum stays in registers until its run of rows ends, instead of being read and written for every row. Rows
 * without an open gate in the group come first and are passed over.
 */
#ifndef HS_MASKED_RUNS_H
#define HS_MASKED_RUNS_H

#include "base/status.h"
#include "masked/groups.h"

#define HS_RUNS_MOST 65535

/* The order may be read this far beyond its end, so that a product can call for the rows it will need. */
#define HS_RUNS_AHEAD 16

typedef struct hs_runs {
  hs_groups_t groups; /* of all gates, in the order of `gates` */
  int *gates;         /* group after group, its gates in any order; owned */
  int64_t rows;
  int block;       /* rows of a block; the last may have fewer */
  uint16_t *order; /* block after block, group after group: its rows, counted from the block's first; owned */
  uint16_t *length; /* blocks x groups x 2^bits: rows of each pattern; owned */
} hs_runs_t;

/* Groups of consecutive gates.
 *   groups     of all gates
 *   block      rows of a block, at most HS_RUNS_MOST
 *   parts      threads that sort
 * Not collective. */
hs_status_t hs_runs_create(hs_runs_t *runs, const hs_masks_t *masks, hs_groups_t groups, int block,
                           int parts);

/* Other groups: the gates in this order, all of them. Not collective. */
void hs_runs_regroup(hs_runs_t *runs, const hs_masks_t *masks, const int *gates, int parts);
void hs_runs_free(hs_runs_t *runs);

/* The run lengths and the order of one group in the block that starts at row first (a multiple of block). */
static inline const uint16_t *hs_runs_length(const hs_runs_t *runs, int64_t first, int group)
{
  return runs->length + ((first / runs->block * runs->groups.count + group) << runs->groups.bits);
}

static inline const uint16_t *hs_runs_order(const hs_runs_t *runs, int64_t first, int group)
{
  int64_t rows = runs->rows - first < runs->block ? runs->rows - first : runs->block;
  return runs->order + first * runs->groups.count + group * rows;
}

/* Bytes of the runs of `rows` rows. */
size_t hs_runs_bytes(hs_groups_t groups, int64_t rows, int block);

#endif
