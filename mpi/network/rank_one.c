#include "mpi/network/rank_one.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "minimise/vectors.h"

extern void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s,
                    double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
                    int *iwork, int *info);

static void split_vector(int d, const double *weights, int *count, double *sigma, double *A, double *B)
{
  double length = sqrt(hs_vector_dot(d, weights, weights));
  *count = length > 0;
  sigma[0] = length;
  B[0] = 1;
  for (int j = 0; j < d && length > 0; j++) A[j] = weights[j] / length;
}

/* Into sigma, A (d x most column-major: parts one after the other) and Vt (most x C column-major). */
static hs_status_t decompose(int d, int C, double *copy, double *sigma, double *A, double *Vt)
{
  int most = d < C ? d : C, info;
  int lwork = 4 * most * most + 7 * most + 10 * (d > C ? d : C);
  double *work = hs_alloc((size_t)lwork, sizeof *work, "singular values");
  int *iwork = hs_alloc(8 * (size_t)most, sizeof *iwork, "singular values");
  hs_status_t status = work != NULL && iwork != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    dgesdd_("S", &d, &C, copy, &d, sigma, A, &d, Vt, &most, work, &lwork, iwork, &info);
    if (info != 0)
      status =
          hs_fail(HS_NUMERICAL, NULL, "gate weights", "a singular value decomposition failed (%d)", info);
  }
  hs_free(work);
  hs_free(iwork);
  return status;
}

hs_status_t hs_rank_one_split(int d, int C, const double *weights, double least, int *count, double *sigma,
                              double *A, double *B)
{
  *count = 0;
  if (C == 1) {
    split_vector(d, weights, count, sigma, A, B);
    return HS_OK;
  }
  int most = d < C ? d : C;
  size_t size = (size_t)d * (size_t)C;
  double *copy = hs_alloc(size, sizeof *copy, "gate weights");
  double *Vt = hs_alloc((size_t)most * (size_t)C, sizeof *Vt, "singular vectors");
  hs_status_t status = copy != NULL && Vt != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    memcpy(copy, weights, size * sizeof *copy);
    status = decompose(d, C, copy, sigma, A, Vt);
  }
  while (status == HS_OK && *count < most && sigma[*count] > least * sigma[0]) ++*count;
  for (int r = 0; r < *count; r++)
    for (int c = 0; c < C; c++) B[(int64_t)r * C + c] = Vt[(int64_t)c * most + r];
  hs_free(copy);
  hs_free(Vt);
  return status;
}
