/* group_newton.h: the group lasso of outer_lasso.h by Newton steps in the sizes of the groups.
 *
 * For sizes e >= 0, with S = sqrt(e) on each group and a, g = q - P a at the minimiser in a:          outer_lasso.h
 *   a = S X,  (beta I + S P S) X = S q             no division by e: groups that are off are just zero
 *   F(e)       = -1/2 q'a + beta/2 sum e
 *   dF/de_k    = beta/2 - |g_k|^2 / (2 beta)
 *   d2F/de_kde_l = g_k' R_kl g_l / beta^2,         R = P - P S (beta I + S P S)^-1 S P
 * Not collective. Inside src/network only; outer_lasso.h is the way in.
 */
#ifndef HS_NETWORK_GROUP_NEWTON_H
#define HS_NETWORK_GROUP_NEWTON_H

#include "network/outer_lasso.h"

/* As hs_outer_lasso; any number of outputs. */
hs_status_t hs_group_newton(const hs_outer_lasso_t *problem, double tolerance, double *A);

#endif
