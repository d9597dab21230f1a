/* circle.h: the price of a neuron in two dimensions, exactly: all 2 n activation patterns in the order of angles.
 *
 * Between two neighbouring angles at which a row changes its sign, f(w) = sum theta_k (x_k'w)_+ = g'w with a fixed g: it is
 * largest in size at +-unit(g) or at an end. O(n log n). Not collective.                                   PRICING.md 3.2
 */
#ifndef HS_BOUNDS_CIRCLE_H
#define HS_BOUNDS_CIRCLE_H

#include <stdint.h>

#include "base/status.h"

/* *most = max |f| over |w| <= 1, attained at w (2, unit). theta: rows; X: rows x 2 row-major. HS_NO_MEMORY. */
hs_status_t hs_circle(int64_t rows, const double *theta, const double *X, double *most, double *w);

#endif
