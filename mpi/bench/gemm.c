#include "mpi/bench/gemm.h"

#include <cblas.h>

#include "base/memory.h"
#include "base/size.h"

hs_status_t hs_gemm_create(hs_gemm_t *gemm, int64_t rows, int d, int64_t columns, hs_precision_t precision,
                           const void *X)
{
  *gemm = (hs_gemm_t){.d = d, .precision = precision, .X = X};
  hs_status_t status = hs_to_int(rows, &gemm->rows, "rows");
  if (status == HS_OK) status = hs_to_int(columns, &gemm->columns, "columns");
  if (status != HS_OK) return status;
  size_t bytes = hs_precision_bytes(precision), weights = (size_t)d * (size_t)columns;
  gemm->U = hs_alloc(weights, bytes, "weights");
  gemm->S = hs_alloc(weights, bytes, "gradients");
  gemm->Z = hs_alloc((size_t)rows * (size_t)columns, bytes, "bare product");
  if (gemm->U == NULL || gemm->S == NULL || gemm->Z == NULL) {
    hs_gemm_free(gemm);
    return HS_NO_MEMORY;
  }
  for (size_t e = 0; e < weights; e++) {
    double value = (double)(e % 17) / 8 - 1;
    if (precision == HS_SINGLE)
      ((float *)gemm->U)[e] = (float)value;
    else
      ((double *)gemm->U)[e] = value;
  }
  return HS_OK;
}

void hs_gemm_free(hs_gemm_t *gemm)
{
  hs_free(gemm->U);
  hs_free(gemm->Z);
  hs_free(gemm->S);
  *gemm = (hs_gemm_t){0};
}

void hs_gemm_forward(hs_gemm_t *gemm)
{
  int m = gemm->rows, n = gemm->columns, k = gemm->d;
  if (m == 0) return;
  if (gemm->precision == HS_SINGLE)
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, gemm->X, k, gemm->U, n, 0, gemm->Z, n);
  else
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, gemm->X, k, gemm->U, n, 0, gemm->Z, n);
}

void hs_gemm_adjoint(hs_gemm_t *gemm)
{
  int m = gemm->columns, n = gemm->d, k = gemm->rows;
  if (k == 0) return;
  if (gemm->precision == HS_SINGLE)
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, gemm->Z, m, gemm->X, n, 0, gemm->S, n);
  else
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, gemm->Z, m, gemm->X, n, 0, gemm->S, n);
}
