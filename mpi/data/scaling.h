/* scaling.h: shift and scale of the features, from statistics over all ranks.
 *
 *   x_scaled[j] = (x[j] - shift[j]) / scale[j],    j = 0..features-1; the bias column is not scaled
 *
 *   none       shift 0, scale 1
 *   center     shift mean, scale 1
 *   zscore     shift mean, scale standard deviation (divided by n)
 *   unit-norm  shift 0, scale the Euclidean norm of the column over all n rows
 *   common     shift mean, one scale for all columns: the root of their mean variance
 *
 * A column that is constant up to rounding gets scale 1: after the shift it is zero and does no harm.
 */
#ifndef HS_MPI_DATA_SCALING_H
#define HS_MPI_DATA_SCALING_H

#include <mpi.h>
#include <stdint.h>

#include "base/status.h"
#include "settings/settings.h"

/* Running mean and sum of squared deviations of every column, updated slab by slab. The update within a slab
 * takes two sweeps over cached rows and the merge follows Chan, Golub & LeVeque 1983: no cancellation. */
typedef struct hs_moments {
  int columns;
  int64_t rows;
  double *mean, *deviation; /* columns each, owned; deviation = sum of (x - mean)^2 */
  double *largest;          /* largest |x| */
  double *slab, *parked;    /* scratch */
} hs_moments_t;

hs_status_t hs_moments_create(hs_moments_t *moments, int columns);
void hs_moments_free(hs_moments_t *moments);

/* Add count rows of X (count x columns, row-major). Not collective. */
void hs_moments_add(hs_moments_t *moments, int64_t count, const double *X);

/* Merge the moments of all ranks, in place and alike on all. Collective. */
void hs_moments_merge(MPI_Comm comm, hs_moments_t *moments);

/* Shift and scale from merged moments. scaling is not AUTO. Not collective. */
void hs_scaling_make(hs_scaling_t scaling, const hs_moments_t *moments, double *shift, double *scale);

#endif
