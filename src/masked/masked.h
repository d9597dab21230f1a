/* masked.h: the operator of the gated network on the rows of one process, and its kernel.
 *
 *     (A u)_k   = sum_i m_ki u_i' x_k          k = 1..n   (C numbers per row)
 *     (A' w)_i  = sum_k m_ki x_k w_k'          i = 1..P   (d x C numbers per gate)
 *     K_kl      = (x_k . x_l) * |{i : m_ki = m_li = 1}|    the kernel A A' of one output
 *
 * X is n x d row-major; weights u and gradients A'w are P blocks of d x C, column-major within the block:
 * element (i, c, j) at [(i * C + c) * d + j]. Predictions and residuals are n x C row-major. Weights,
 * gradients, predictions and residuals are double; X, and the products inside, are of the operator's
 * precision. Not collective: everything here concerns the rows of this process alone. n may be 0.
 *
 * An operator works with the threads that there are when it is created (base/threads.h), and holds scratch space
 * for each of them. The same number of threads gives the same bits; different numbers agree up to rounding.
 * Products are called outside of parallel loops; they start one.
 */
#ifndef HS_MASKED_MASKED_H
#define HS_MASKED_MASKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"
#include "gates/masks.h"

typedef struct hs_masked hs_masked_t;

/*   X      borrowed, rows x d row-major of the given precision; unchanged until hs_masked_free
 *   masks  borrowed, masks->rows == rows
 * Allocates all scratch space, so that products never fail. */
hs_status_t hs_masked_create(hs_masked_t **op, hs_precision_t precision, int64_t rows, int d, int outputs,
                             const void *X, const hs_masks_t *masks);
void hs_masked_free(hs_masked_t **op);

/* a = A u. Gates whose block is entirely zero cost nothing or little.
 *   u  P x C x d    a  rows x C, overwritten */
void hs_masked_forward(hs_masked_t *op, const double *u, double *a);

/* s = A' w.   w  rows x C    s  P x C x d, overwritten */
void hs_masked_adjoint(hs_masked_t *op, const double *w, double *s);

/* The same for some gates, P flags. Those of a group are computed together: the blocks of gates that are not wanted
 * are left alone, or computed as well. */
void hs_masked_adjoint_some(hs_masked_t *op, const bool *wanted, const double *w, double *s);

/* How many groups there are: group g has the places P g / count .. P (g + 1) / count - 1 of the order below. It
 * depends on the number of rows. */
int hs_masked_group_count(const hs_masked_t *op);

/* Groups of gates that are consecutive in this order (a permutation of 0..P-1) are computed together from now on; at
 * first it is ascending. Costs about as much as `hs_masked_regroup_cost` products A' w of all gates. Other groups
 * give A' w other rounding. */
void hs_masked_regroup(hs_masked_t *op, const int *order);
double hs_masked_regroup_cost(const hs_masked_t *op);

/* The same products with every operation in double, whatever the precision of X: for certificates. Slower. */
void hs_masked_forward_exact(hs_masked_t *op, const double *u, double *a);
void hs_masked_adjoint_exact(hs_masked_t *op, const double *w, double *s);

/* Kernel of the rows first .. first+count-1, in float: the lower triangle of K (count x count, column-major,
 * leading dimension count) is overwritten, the strict upper triangle is left alone. In float because it
 * only enters the preconditioning inverse of a block solve, never a certificate.
 * Outside of a parallel loop all threads work on it. Within one, of at most hs_masked_threads(op) threads, each
 * call is the work of its own thread. */
void hs_masked_kernel(hs_masked_t *op, int64_t first, int count, float *K);

/* How many threads it was created for. */
int hs_masked_threads(const hs_masked_t *op);

/* Bytes of an operator of these sizes and of the threads that there are, X and masks excluded. */
size_t hs_masked_bytes(hs_precision_t precision, int64_t rows, int d, int outputs, int gates);

#endif
