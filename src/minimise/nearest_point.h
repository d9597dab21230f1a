/* nearest_point.h: the point of least norm in the convex hull of a few points z_k, given by their products K = Z Z'.
 *
 * The largest margin of a direction over signed rows z_k is this problem's dual:
 *     max over |e| <= 1 of min_k z_k'e  =  min |p| over p in conv(z_k),      e = p / |p|
 * and e is a convex combination of the rows whose margin is the least one. Up to its scale the point is Z'a, where a solves
 *     min over a >= 0 of  a'K a / 2 - 1'a,       weights = a / 1'a,      |p|^2 = 1 / 1'a
 * (the dual of a support vector machine without offset). That is done by proximal steps (Rockafellar 1976),
 *     a <- argmin over a >= 0 of  a'K a / 2 - 1'a + delta/2 |a - c|^2,      c the a before,
 * with delta falling by a factor from step to step. In v = Z'b a step is a smooth problem without constraints,
 *     min over v of  |v|^2 / 2 + |r_+|^2 / (2 delta),    r = 1 + delta c - Z v,    a = r_+ / delta,
 * solved by Newton's method with an exact line search (Mangasarian 2002, "A finite Newton method for classification"; Li, Sun
 * & Toh 2018): a Cholesky factor of K + delta 1 on the rows of r > 0 per iteration, some ten to forty in all. Points that
 * depend on each other, repeated ones too, are in no way. Not collective.
 */
#ifndef HS_MINIMISE_NEAREST_POINT_H
#define HS_MINIMISE_NEAREST_POINT_H

#include "base/status.h"

typedef struct hs_nearest_options {
  double tolerance;   /* relative, of the gap below */
  double max_seconds; /* 0: no limit. At least one iteration is made */
} hs_nearest_options_t;

typedef struct hs_nearest_report {
  /* z_k'p >= (1 - gap) |p|^2 for all points, as computed from K: |p| (1 - gap) is the margin of p / |p|, and no direction has
   * a margin above |p|. Infinite where p = 0 to rounding */
  double gap;
  double square;  /* |p|^2 = weights'K weights */
  int iterations; /* of Newton's method, a factor each */
} hs_nearest_report_t;

/* The weights of p = sum_k weights_k z_k.
 *   m        points, at least 1
 *   K        m x m, symmetric, both triangles
 *   delta    to start with, relative to the largest |z_k|^2; 0 takes the usual one. Receives the last one, for a solve
 *            that goes on from these weights
 *   weights  m: a start (>= 0; all 0 if there is none); receives weights >= 0 of sum 1
 * Stops when the gap is within the tolerance, at the limit of time, or when rounding leaves nothing to gain; 0 in the hull
 * is such a case. HS_NO_MEMORY leaves the weights as they were. */
hs_status_t hs_nearest_point(int m, const double *K, const hs_nearest_options_t *options, double *delta,
                             double *weights, hs_nearest_report_t *report);

#endif
