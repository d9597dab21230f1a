/* gram.h: the weighted Gram matrix of the gated network on the rows of one process, block by block.
 *
 *     G_(i,a),(j,b) = sum_k lambda_k m_ki m_kj x_ka x_kb      i, j = 0..P-1,  a, b = 0..d-1
 *
 * is A' diag(lambda) A of one output: symmetric, of order P d, index i * d + a. All operations are in double, whatever
 * the precision of X: G is factored, and what it loses in digits a certificate at small beta cannot win back.
 *
 * Gates are taken a few at a time (g). For a pair of such groups rows fall into 2^(2g) classes of equal masks. The sum
 * of lambda_k x_k x_k' is made once for each class, d (d+1) / 2 numbers, and the g^2 gate pairs are sums over classes:
 * about g^2 times fewer operations than the product of the expanded matrix needs, and never an n x P d matrix.
 */
#ifndef HS_MASKED_GRAM_H
#define HS_MASKED_GRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "masked/masked.h"

typedef struct hs_masked_gram hs_masked_gram_t;

/* Room for the blocks of the Gram matrix of an operator, which is borrowed and outlives it; blocks never fail then.
 * Works with the threads of the operator. HS_NO_MEMORY. Not collective. */
hs_status_t hs_masked_gram_create(hs_masked_gram_t **gram, const hs_masked_t *op);
void hs_masked_gram_free(hs_masked_gram_t **gram);

/* Rows i0 .. i0+rows-1, columns j0 .. j0+columns-1 of G: overwrites the elements with i >= j. Others in the block may
 * be written or left.
 *   lambda  a weight for each row, of any sign; NULL: ones
 *   block   column-major: element (i, j) at [(i - i0) + (j - j0) * ld]; ld >= rows
 * Any block will do; cut between gates (at multiples of d) nothing is computed in vain, and the larger it is the less
 * is computed twice: best is the whole lower triangle in one call. The same call gives the same bits with any number
 * of threads while d is at most HS_GRAM_WIDE, else with the same number. Called outside of parallel loops.
 * Not collective. */
void hs_masked_gram_block(hs_masked_gram_t *gram, const double *lambda, int64_t i0, int rows, int64_t j0,
                          int columns, double *block, int ld);

/* Above this number of features the sums of classes are left to BLAS. */
#define HS_GRAM_WIDE 128

/* Bytes of the room for an operator of these sizes and of the threads that there are. */
size_t hs_masked_gram_bytes(int64_t rows, int d, int gates);

#endif
