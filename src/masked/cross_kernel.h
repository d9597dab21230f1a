/* cross_kernel.h: the kernel between two sets of rows, wherever they are from.
 *
 *     K_kl = (x_k . x_l) * |{i : m_ki = m_li = 1}|      k in the one set, l in the other
 *
 * Unlike hs_masked_kernel the rows need not be neighbours, nor belong to an operator: those of another process will
 * do, as the kernel of all rows needs them, spread over processes.
 */
#ifndef HS_MASKED_CROSS_KERNEL_H
#define HS_MASKED_CROSS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"

typedef struct hs_cross_kernel hs_cross_kernel_t;

/* Some rows, as a view. */
typedef struct hs_kernel_rows {
  int count;
  const void *X;         /* count x d row-major of the given precision */
  const uint64_t *masks; /* count x ceil(gates / 64), packed as in gates/masks.h */
} hs_kernel_rows_t;

/* Room for kernels of rows with d >= 1 features and masks of `gates` gates, for the threads that there are; products
 * never fail then. HS_NO_MEMORY. Not collective. */
hs_status_t hs_cross_kernel_create(hs_cross_kernel_t **kernel, hs_precision_t precision, int d, int gates);
void hs_cross_kernel_free(hs_cross_kernel_t **kernel);

/* K between the given rows, in the precision of the features: in float the error is a few roundings of the sum of
 * absolute values, enough for an inverse that preconditions, not for a certificate. Counts are exact.
 *   K  rows.count x columns.count, column-major, leading dimension ld >= rows.count; overwritten
 * The same number of threads gives the same bits. Called outside of parallel loops. Not collective. */
void hs_cross_kernel(hs_cross_kernel_t *kernel, hs_kernel_rows_t rows, hs_kernel_rows_t columns, double *K,
                     int ld);

/* Bytes of the room, for the threads that there are. */
size_t hs_cross_kernel_bytes(hs_precision_t precision, int gates);

#endif
