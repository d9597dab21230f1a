/* branch_and_bound.h: an upper bound on max |f(w)| over |w| <= 1 by simplicial cones that the ranks share.   PRICING.md 3.3, 4
 *
 * While there are few cones every rank does the same. Then they are dealt out; after every so many cones the ranks exchange
 * what they have attained, and those that have little left to do get cones from those that have much. How many is fixed by
 * the size of the problem, not by a clock: the same number of ranks gives the same bits, unless the time runs out. Where no
 * rank holds all rows, all ranks grow the same tree, and the evaluation of its vertices is shared.
 */
#ifndef HS_MPI_BOUNDS_BRANCH_AND_BOUND_H
#define HS_MPI_BOUNDS_BRANCH_AND_BOUND_H

#include <stdbool.h>

#include "bounds/cone_bound.h"
#include "mpi/bounds/shared_rows.h"

typedef struct hs_branch_options {
  double floor, epsilon; /* cones below (1 + epsilon) max(floor, attained) are closed */
  double cap;            /* an upper bound that is known */
  double deadline;       /* of MPI_Wtime; the ranks agree */
  const double *start;   /* d, unit, or NULL: a good w */
} hs_branch_options_t;

typedef struct hs_branch {
  double upper, attained;
  double w[HS_CONE_MOST]; /* unit, where it is attained */
  bool finished;          /* no cone is open */
  int64_t nodes;          /* cones bounded, over all ranks */
} hs_branch_t;

/* 2 <= d <= HS_CONE_MOST of the rows; of several outputs the rows are copied, and f is a norm. Upper holds up to the rounding of evaluations. An interrupt ends it like the clock.
 * Collective. */
hs_status_t hs_branch_and_bound(hs_shared_rows_t *rows, const hs_branch_options_t *options,
                                hs_branch_t *result);

#endif
