/* norm_rows.h: the price of a neuron with several outputs, |f(w)| with f(w) = T'(Xw)_+ in R^C, over a simplicial cone.
 *
 * Let N = sum over the rows that are active at the centre of theta_k x_k' (C x d), and s_k = +1 for the rows that are not and
 * -1 for those that are: with e_k(w) = (s_k x_k'w)_+ >= 0
 *
 *   f(w) = N w + sum_k theta_k e_k(w)
 *
 * and on the cone e_k differs from zero only for rows of F, those that change their sign in it. Along the direction
 * a = unit(f) of the centre and across it, for w = sum_j l_j v_j, l >= 0, and every combination g of gradients of H:
 *
 *   a'f(w) <= sum_j l_j (A_j - g'v_j)          A_j = a'N v_j + sum over F, a'theta_k > 0, of  a'theta_k  e_k(v_j)
 *                                              H   =           sum over F, a'theta_k < 0, of |a'theta_k| e_k
 *  -a'f(w) <= sum_j l_j B_j                    B_j = H(v_j) - a'N v_j
 *   |f(w) - (a'f(w)) a| <= sum_j l_j P_j       P_j = |(I - aa') N v_j| + sum over F of |(I - aa') theta_k| e_k(v_j)
 *   |f(w)| <= sum_j l_j c_j,                   c_j = | ( max(A_j - g'v_j, B_j), P_j ) |
 *
 * for the e_k are convex and the norm in R^2 is a convex function that grows with either positive number. What this is too
 * large by is of second order in the radius of the cone: F are few rows and their e_k small, and P itself is of first order.
 * For C = 1 it is the bound of cone_bound.h. One pass over all rows. Not collective.
 */
#ifndef HS_BOUNDS_NORM_ROWS_H
#define HS_BOUNDS_NORM_ROWS_H

#include <stdint.h>

#include "base/status.h"
#include "bounds/cone_bound.h"

typedef struct hs_norm_rows {
  int d, outputs;
  int64_t blocks;
  double *
      numbers; /* blocks x (d + C) x rows of a block: X, then T, column by column; the last filled up; owned */
  int32_t *mixed;   /* for the rows of F: 2 row + (active at the centre); owned */
  double *N, *a;    /* C x d; C; owned */
  double *products; /* N v_j, then the part across a: d x C; owned */
} hs_norm_rows_t;

/* What the choice of an edge needs beside the bound. */
typedef struct hs_norm_cone {
  double value;                              /* |f| at the centre */
  double own[HS_CONE_WIDTH][HS_CONE_WIDTH];  /* gradients at v_i of the sum in A */
  double bend[HS_CONE_WIDTH][HS_CONE_WIDTH]; /* |(I - aa') N (v_i - v_j)|^2 / (2 value), for j < i */
} hs_norm_cone_t;

/* theta: rows x C; X: rows x d, both row-major, 1 <= d <= HS_CONE_MOST. HS_NO_MEMORY. */
hs_status_t hs_norm_rows_make(hs_norm_rows_t *norm, int d, int outputs, int64_t rows, const double *theta,
                              const double *X);
void hs_norm_rows_free(hs_norm_rows_t *norm);

/* Bytes that hs_norm_rows_make would take. */
double hs_norm_rows_bytes(int d, int outputs, int64_t rows);

/* Longest chain of additions in one number, for bounds on its rounding. */
double hs_norm_rows_additions(const hs_norm_rows_t *norm);

/* |f(w)|, and its gradient (d). */
double hs_norm_value(hs_norm_rows_t *norm, const double *w, double *gradient);

/* Complete a cone of which d and edges are set. centre: about the middle of it, unit (d). */
void hs_norm_describe(hs_norm_rows_t *norm, const double *centre, hs_cone_t *cone, hs_norm_cone_t *about);

#endif
