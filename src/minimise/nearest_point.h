/* nearest_point.h: the point of least norm in the convex hull of a few points (Wolfe 1976, "Finding the nearest point in
 * a polytope").
 *
 * The largest margin of a direction over signed rows z_k is this problem's dual:
 *     max over |e| <= 1 of min_k z_k'e  =  min |p| over p in conv(z_k),      e = p / |p|
 * and e is a convex combination of the rows whose margin is the least one.
 * All sums run in a fixed order, so that replicated points give the same bits on all ranks. Not collective.
 */
#ifndef HS_MINIMISE_NEAREST_POINT_H
#define HS_MINIMISE_NEAREST_POINT_H

#include "base/status.h"

typedef struct hs_nearest_point {
  int d;
  int count, room; /* points, and for how many there is memory */
  double *points;  /* count x d, owned */
  double *weights; /* count: p = sum_k weights_k z_k; >= 0, of sum 1; owned */
  double *p;       /* d: the point of least norm so far, owned */
} hs_nearest_point_t;

/* No points yet; p = 0. */
hs_status_t hs_nearest_point_create(hs_nearest_point_t *hull, int d);
void hs_nearest_point_free(hs_nearest_point_t *hull);

/* One more point, of weight 0 unless it is the first. HS_NO_MEMORY leaves the hull as it was. */
hs_status_t hs_nearest_point_add(hs_nearest_point_t *hull, const double *z);

/* Find p for the points that are there, starting from the weights that are there:
 *   z_k'p >= (1 - tolerance) |p|^2 for all of them, or as near to that as rounding allows. */
hs_status_t hs_nearest_point_solve(hs_nearest_point_t *hull, double tolerance);

/* Drop the points of weight 0: p stays what it is. */
void hs_nearest_point_shrink(hs_nearest_point_t *hull);

#endif
