/* circle.h: the masks along great circles, and the price of each.
 *
 * On the circle  g(t) = cos t g + sin t p  the row x is on where  (x.g) cos t + (x.p) sin t >= 0:  a half circle that begins
 * at t_in = atan2(x.p, x.g) - pi/2. HS_CIRCLE_EDGES equidistant angles, the edges, are looked at. Between two edges the sum
 *     S(t) = X' D(g(t)) T = sum over the rows that are on of x_k theta_k'
 * changes by the rows that begin or end there; a row that begins in one half ends at the same place of the other, so the
 * changes of one half, and S(0), tell S at all edges.                                                     PRICING.md 1.2, 4
 *
 * Bins of a circle: HS_CIRCLE_BINS blocks of d x C, column-major as in group.h. Block j > 0 is S(edge j) - S(edge j-1), which
 * is the opposite of the change half a circle on; block 0 the change into edge 0; the last block S(0). Sums over rows, so
 * those of the ranks are added up.
 */
#ifndef HS_MPI_PRICING_CIRCLE_H
#define HS_MPI_PRICING_CIRCLE_H

#include <stdint.h>

#include "group/group.h"
#include "mpi/pricing/sweep.h"

#define HS_CIRCLE_EDGES 256
#define HS_CIRCLE_BINS (HS_CIRCLE_EDGES / 2 + 1)

/* Numbers in the bins of one circle. */
int64_t hs_circle_numbers(int d, int outputs);

/* Bins of `count` circles over the rows of this rank.
 *   G, P     count x d: unit vectors, p orthogonal to g; or p = 0 (d = 1), a circle that only turns g around
 *   scratch  of hs_sweep_scratch(sweep, 2)
 *   bins     count x hs_circle_numbers, overwritten
 * Not collective. */
void hs_circle_bin(const hs_sweep_t *sweep, int64_t count, const double *G, const double *P, double *scratch,
                   double *bins);

/* The edge of the highest price of one circle, given its bins over all ranks. Of prices that are equal to rounding the first
 * edge has it, so that other sums of the same numbers (other ranks) lead to the same gate.
 *   S      scratch, d x C
 *   price  of that edge
 * Not collective. */
int hs_circle_best(hs_groups_t groups, int d, int outputs, const double *bins, double *S,
                   hs_group_work_t *work, double *price);

/* to (d) = g(t) at an edge, unit. Not collective. */
void hs_circle_gate(int d, const double *g, const double *p, int edge, double *to);

/* Prices this close, relatively, are equal to rounding. */
#define HS_PRICE_SLACK 1e-10

#endif
