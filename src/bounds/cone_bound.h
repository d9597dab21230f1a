/* cone_bound.h: an upper bound on a difference of convex functions over a simplicial cone, from what is known at its edges.
 *
 *   max of F(w) - H(w) over |w| <= 1, w = sum_j l_j v_j, l >= 0                                     PRICING.md 3.3
 *
 * F and H are convex and positively homogeneous, v_1 .. v_d span the cone. On it F(w) <= sum_j l_j F(v_j), and H(w) >= g'w
 * for every gradient g of H and every convex combination of gradients. So
 *
 *   F(w) - H(w) <= sum_j l_j c_j,  c_j = F(v_j) - g'v_j;  and if y'v_j >= c_j for all j:  <= y'w <= |y|.
 *
 * The bound is |y| for a y that is made feasible explicitly, whatever the accuracy of what led to it; it holds up to the
 * rounding of a few dot products of length d.
 *
 * The norm of a function with several outputs (norm_rows.h): c_j = | ( max(F(v_j) - g'v_j, least_j), across_j ) |.
 * Not collective.
 */
#ifndef HS_BOUNDS_CONE_BOUND_H
#define HS_BOUNDS_CONE_BOUND_H

#include <stdbool.h>

#define HS_CONE_WIDTH 8                  /* of all rows below: numbers beyond d are zero */
#define HS_CONE_MOST (HS_CONE_WIDTH - 1) /* largest d */
#define HS_CONE_TANGENTS (HS_CONE_WIDTH + 1)

typedef struct hs_cone {
  int d;
  int tangents;                                       /* at most HS_CONE_TANGENTS, at least 1 */
  double edges[HS_CONE_WIDTH][HS_CONE_WIDTH];         /* v_j, about unit */
  double F[HS_CONE_WIDTH];                            /* F(v_j) */
  double gradients[HS_CONE_TANGENTS][HS_CONE_WIDTH];  /* of H; the last one is where the search starts */
  bool norm;                                          /* of several outputs, with ... */
  double least[HS_CONE_WIDTH], across[HS_CONE_WIDTH]; /* ... these, across >= 0; else they are not used */
} hs_cone_t;

/* The bound, infinity when the cone is too wide for one. A bound <= enough is not improved further. *where: l of the point
 * where the bounding function is largest (HS_CONE_WIDTH numbers, not normalised). */
double hs_cone_bound(const hs_cone_t *cone, double enough, double *where);

#endif
