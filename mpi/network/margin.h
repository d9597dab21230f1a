/* margin.h: the direction of largest margin for the mask of a gate, over the rows of all ranks.
 *
 *   max over |e| <= 1 of  min_k s_k x_k'e,     s_k = +1 where x_k'g >= 0, -1 elsewhere;  rows x_k = 0 do not count
 *
 * It is positive exactly when the cone of the mask, {v : s_k x_k'v >= 0}, has an interior. Solved through its dual
 * (minimise/nearest_point.h) by cutting planes: each gate has a list of rows, kept by one rank, which finds the best direction
 * for these; the rows of all ranks are scanned for those that it violates most, and these join the list. All gates go
 * together, and are dealt out to the ranks. The margin over the list is a bound on what any direction reaches.
 * Copies of the rows that matter to any gate lie on all ranks (row_pool.h).
 */
#ifndef HS_MPI_NETWORK_MARGIN_H
#define HS_MPI_NETWORK_MARGIN_H

#include <mpi.h>

#include "mpi/comm/reduce.h"
#include "mpi/data/shard.h"

typedef struct hs_margin_options {
  /* relative: a margin of (1 - tolerance) times the largest one will do; 0: the usual, 1e-3 */
  double tolerance;
  /* 0: no limit. At the limit the best directions that were met are taken, those of the gates themselves included; what is
   * under way is ended first: a scan or the products of rows, an iteration */
  double max_seconds;
} hs_margin_options_t;

typedef struct hs_margin_report {
  int rounds; /* scans of the rows */
  int flat; /* gates whose cone has no interior, as far as is known: no direction of positive margin was met */
  int unsolved; /* gates whose direction is not known to be the best to the tolerance: seconds, rounds or rounding were the
                   limit. The margin is what was computed all the same */
  double gap; /* the largest, over gates that are not flat, of 1 - margin / (bound on the largest margin) */
  double seconds;
} hs_margin_report_t;

/* Directions of the gates.
 *   G        gates x d, row-major; the same on all ranks
 *   options  the same on all ranks
 *   E        gates x d: unit vectors, the same on all ranks; never of less margin than g/|g|. Of a flat cone: the best met
 *   margins  gates: min_k s_k x_k'e as computed; <= 0 where the cone is flat
 * HS_NO_MEMORY on all ranks if on one. Collective. */
hs_status_t hs_margin_directions(MPI_Comm comm, const hs_shard_t *shard, int gates, const double *G,
                                 const hs_margin_options_t *options, double *E, double *margins,
                                 hs_margin_report_t *report, hs_traffic_t *traffic);

#endif
