/* gram_plan.h: how the work on a block of the Gram matrix is divided.
 *
 * The gates that the block needs are cut into groups of consecutive gates. A pair of groups is work; a unit is a group
 * of row gates with some of its groups of column gates, done by one thread: what is prepared for the rows of the first
 * serves all of the others.
 */
#ifndef HS_MASKED_GRAM_PLAN_H
#define HS_MASKED_GRAM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Gates first .. end-1; do the rows, the columns of the block belong to them? */
typedef struct hs_gram_group {
  int first, end;
  bool in_rows, in_columns;
} hs_gram_group_t;

/* Group `group` with the groups first .. end-1, which are at most `group`. */
typedef struct hs_gram_unit {
  int group, first, end;
} hs_gram_unit_t;

/* Gates of the rows and of the columns of a block. */
typedef struct hs_gram_range {
  int row, row_end, column, column_end;
} hs_gram_range_t;

/* What the costs depend on. */
typedef struct hs_gram_costs {
  int64_t rows, chunk;
  int most_bits; /* gates in a group, at most */
  double fold;   /* of one bucket, in sums of one row into a bucket */
  double flush;  /* of the addition of a finished sum to the block, in the same unit */
} hs_gram_costs_t;

typedef struct hs_gram_plan {
  hs_gram_group_t *groups; /* ascending; owned, room for a group per gate */
  int count;
  hs_gram_unit_t *units; /* the longest first; owned */
  int units_count;
} hs_gram_plan_t;

/* Room for blocks of any of the gates with units for `threads` threads. Not collective. */
hs_status_t hs_gram_plan_create(hs_gram_plan_t *plan, int gates, int threads);
void hs_gram_plan_free(hs_gram_plan_t *plan);
size_t hs_gram_plan_bytes(int gates, int threads);

/* Divide a block in the cheapest way. Groups depend on the block and the costs alone, units on the threads too. */
void hs_gram_plan_make(hs_gram_plan_t *plan, hs_gram_range_t range, const hs_gram_costs_t *costs,
                       int threads);

#endif
