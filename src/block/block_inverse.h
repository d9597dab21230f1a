/* block_inverse.h: the exact x-updates of the rows of one process, a dense inverse per block.
 *
 * For block b with kernel K_b = A_b A_b' (one output's; all outputs share it; of the masked operator, or of whatever
 * fills it) and curvatures lambda_k of its rows,
 *     M_b = ( diag(1/lambda) + K_b / rho )^-1                        n_b x n_b                 DESIGN 3
 * M_b is kept in float. It only preconditions: the residual it multiplies is formed in double, and it is zero
 * at the solution whatever M_b, so that the rounding of M_b costs no accuracy. An inverse rather than a
 * Cholesky factor because it is applied in one sweep (half the memory traffic of two triangular solves).
 * Threads (those of the operator or that are there) work on different blocks, each with a kernel of its own; where there are fewer
 * blocks than threads, BLAS has the threads for one block after the other. Not collective.
 */
#ifndef HS_BLOCK_BLOCK_INVERSE_H
#define HS_BLOCK_BLOCK_INVERSE_H

#include <stdint.h>

#include "base/status.h"
#include "masked/masked.h"

typedef struct hs_block_inverse hs_block_inverse_t;

#define HS_BLOCK_ROWS_MOST 40000 /* rows of a block */

/*   op      borrowed; the rows of this process
 *   blocks  number of blocks on this process, may be 0
 *   first   blocks + 1 row numbers (local): block b holds rows first[b] .. first[b+1]-1; copied
 * Allocates everything; no block is factored yet. */
hs_status_t hs_block_inverse_create(hs_block_inverse_t **inverse, hs_masked_t *op, int outputs,
                                    int64_t blocks, const int64_t *first);
void hs_block_inverse_free(hs_block_inverse_t **inverse);

/* The same for rows of another kind: `fill` writes the lower triangle of the kernel of the rows first ..
 * first+count-1 (count x count, column-major); threads may call it at once. The context is borrowed. */
typedef void hs_block_kernel_t(void *context, int64_t first, int count, float *K);
hs_status_t hs_block_inverse_create_of(hs_block_inverse_t **inverse, hs_block_kernel_t *fill, void *context,
                                       int threads, int outputs, int64_t blocks, const int64_t *first);

/* Build all kernels and invert for this rho > 0.
 *   curvature  per local row, > 0 (squared loss: 1)
 * HS_NUMERICAL when a block is not positive definite even after its diagonal was raised. */
hs_status_t hs_block_inverse_factor(hs_block_inverse_t *inverse, double rho, const double *curvature);

/* V = M R, block by block; R and V are rows x outputs, row-major, double, and may be the same. */
void hs_block_inverse_apply(hs_block_inverse_t *inverse, const double *R, double *V);

/* Trace and square, summed over every stride-th block from block `first` on (stride 1: all), of the weighted kernels H_b = Lambda^1/2 K_b Lambda^1/2,
 * Lambda = diag(curvature): sum_b tr H_b and sum_b |H_b|_F^2. Builds their kernels. */
typedef struct hs_kernel_size {
  double trace, square;
  int64_t blocks; /* how many were summed */
} hs_kernel_size_t;

hs_kernel_size_t hs_block_inverse_kernel_size(hs_block_inverse_t *inverse, const double *curvature,
                                              int64_t first, int64_t stride);

/* Bytes of the inverses of `rows` rows in blocks of equal length or one less. */
size_t hs_block_inverse_bytes(int64_t blocks, int64_t rows, int outputs);

#endif
