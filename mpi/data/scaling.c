#include "mpi/data/scaling.h"

#include <math.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

/* Below this share of its largest value the spread of a column is rounding noise, not information. */
#define CONSTANT_SPREAD 1e-10

hs_status_t hs_moments_create(hs_moments_t *moments, int columns)
{
  *moments = (hs_moments_t){.columns = columns};
  moments->mean = hs_alloc((size_t)columns, sizeof(double), "column means");
  moments->deviation = hs_alloc((size_t)columns, sizeof(double), "column deviations");
  moments->largest = hs_alloc((size_t)columns, sizeof(double), "column maxima");
  moments->parked = hs_alloc((size_t)columns, sizeof(double), "column means");
  moments->slab = hs_alloc((size_t)columns, sizeof(double), "column means");
  bool good = moments->slab != NULL && moments->mean != NULL && moments->deviation != NULL &&
              moments->largest != NULL;
  return good && moments->parked != NULL ? HS_OK : HS_NO_MEMORY;
}

void hs_moments_free(hs_moments_t *moments)
{
  hs_free(moments->mean);
  hs_free(moments->deviation);
  hs_free(moments->largest);
  hs_free(moments->parked);
  hs_free(moments->slab);
  *moments = (hs_moments_t){0};
}

void hs_moments_add(hs_moments_t *moments, int64_t count, const double *X)
{
  if (count == 0) return;
  int columns = moments->columns;
  double before = (double)moments->rows, total = before + (double)count;
  double *mean = moments->slab, *deviation = moments->parked;
  /* Row by row, so that memory is read in its order: first the means of the slab, then the deviations from them. */
  for (int j = 0; j < columns; j++) mean[j] = deviation[j] = 0;
  for (int64_t k = 0; k < count; k++)
    for (int j = 0; j < columns; j++) {
      double x = X[k * columns + j], size = fabs(x);
      mean[j] += x;
      moments->largest[j] = size > moments->largest[j] ? size : moments->largest[j];
    }
  for (int j = 0; j < columns; j++) mean[j] /= (double)count;
  for (int64_t k = 0; k < count; k++)
    for (int j = 0; j < columns; j++)
      deviation[j] += (X[k * columns + j] - mean[j]) * (X[k * columns + j] - mean[j]);
  for (int j = 0; j < columns; j++) {
    double shift = mean[j] - moments->mean[j];
    moments->deviation[j] += deviation[j] + shift * shift * before * (double)count / total;
    moments->mean[j] += shift * (double)count / total;
  }
  moments->rows += count;
}

void hs_moments_merge(MPI_Comm comm, hs_moments_t *moments)
{
  int columns = moments->columns;
  double local = (double)moments->rows;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &moments->rows, 1, MPI_INT64_T, MPI_SUM, comm));
  double weight = local / (double)moments->rows;
  /* mean = sum_r n_r mean_r / n,  deviation = sum_r ( deviation_r + n_r (mean_r - mean)^2 ) */
  double *own = moments->mean;
  double *mean = moments->parked;
  for (int j = 0; j < columns; j++) mean[j] = weight * own[j];
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, mean, columns, MPI_DOUBLE, MPI_SUM, comm));
  for (int j = 0; j < columns; j++) {
    moments->deviation[j] += local * (own[j] - mean[j]) * (own[j] - mean[j]);
    own[j] = mean[j];
  }
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, moments->deviation, columns, MPI_DOUBLE, MPI_SUM, comm));
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, moments->largest, columns, MPI_DOUBLE, MPI_MAX, comm));
}

static double usable(double scale, double largest)
{
  return scale > CONSTANT_SPREAD * largest && isfinite(scale) ? scale : 1.0;
}

void hs_scaling_make(hs_scaling_t scaling, const hs_moments_t *moments, double *shift, double *scale)
{
  double n = (double)moments->rows, variance = 0, largest = 0;
  int columns = moments->columns;
  for (int j = 0; j < columns; j++) {
    variance += moments->deviation[j] / n / columns;
    largest = fmax(largest, moments->largest[j]);
  }
  for (int j = 0; j < columns; j++) {
    double mean = moments->mean[j], spread = sqrt(moments->deviation[j] / n);
    bool centred =
        scaling == HS_SCALING_CENTER || scaling == HS_SCALING_ZSCORE || scaling == HS_SCALING_COMMON;
    shift[j] = centred ? mean : 0.0;
    scale[j] = 1.0;
    if (scaling == HS_SCALING_ZSCORE) scale[j] = usable(spread, moments->largest[j]);
    if (scaling == HS_SCALING_COMMON) scale[j] = usable(sqrt(variance), largest);
    if (scaling == HS_SCALING_UNIT_NORM)
      scale[j] = usable(sqrt(moments->deviation[j] + n * mean * mean), moments->largest[j]);
  }
}
