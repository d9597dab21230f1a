/* gemm.h: the bare matrix products that do the same flops as A u and A' w: what the masked ones are judged by.
 *
 *   forward  Z = X U     X rows x d,  U d x P C,  Z rows x P C, all row-major
 *   adjoint  S = Z' X    S P C x d
 */
#ifndef HS_MPI_BENCH_GEMM_H
#define HS_MPI_BENCH_GEMM_H

#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"

typedef struct hs_gemm {
  int rows, d, columns; /* columns = P C */
  hs_precision_t precision;
  const void *X;   /* borrowed */
  void *U, *Z, *S; /* owned; S has the size of U */
} hs_gemm_t;

/* Not collective. */
hs_status_t hs_gemm_create(hs_gemm_t *gemm, int64_t rows, int d, int64_t columns, hs_precision_t precision,
                           const void *X);
void hs_gemm_free(hs_gemm_t *gemm);

void hs_gemm_forward(hs_gemm_t *gemm);
void hs_gemm_adjoint(hs_gemm_t *gemm);

#endif
