/* relu_parts.h: the price of a neuron as a difference of two convex functions, evaluated at many points at a time.
 *
 *   f(w) = theta'(Xw)_+ = F_+(w) - F_-(w)
 *   F_s(w) = sum over sign(theta_k) = s of (q_k'w)_+ = g_s(w)'w      q_k = |theta_k| x_k
 *   g_s(w) = sum over these k with q_k'w > 0 of q_k                  a gradient; F_s(z) >= g_s(w)'z for every z
 *
 * The rows q_k lie in blocks that stay in the cache while all points pass over them, column by column within a block, those
 * of F_+ first. Not collective.
 */
#ifndef HS_BOUNDS_RELU_PARTS_H
#define HS_BOUNDS_RELU_PARTS_H

#include <stdint.h>

#include "base/status.h"

#define HS_PARTS_MOST 7 /* largest d */

typedef struct hs_relu_parts {
  int d;
  int64_t blocks[2]; /* of F_+, of F_- */
  double *q; /* blocks x d x rows of a block, the last ones of each part filled up with zeros; owned */
} hs_relu_parts_t;

/* theta: rows; X: rows x d row-major, 1 <= d <= HS_PARTS_MOST. Rows with theta = 0 are left out. HS_NO_MEMORY. */
hs_status_t hs_relu_parts_make(hs_relu_parts_t *parts, int d, int64_t rows, const double *theta,
                               const double *X);
void hs_relu_parts_free(hs_relu_parts_t *parts);

/* Bytes that hs_relu_parts_make would take. */
double hs_relu_parts_bytes(int d, int64_t rows);

/* gradients (count x 2 x d) = g_+ and g_- at each of the points (count x d). Each number is the sum of at most
 * hs_relu_parts_additions terms one after the other. */
void hs_relu_parts_gradients(const hs_relu_parts_t *parts, int count, const double *points,
                             double *gradients);

/* Longest chain of additions in one number, for bounds on its rounding. */
double hs_relu_parts_additions(const hs_relu_parts_t *parts);

#endif
