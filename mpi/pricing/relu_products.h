/* relu_products.h: what the rows of this rank add to values and gradients of the ReLU price, for many neurons at a time.
 *
 *   values      A = T'(XW)_+ ,          one column of C numbers for each column w of W
 *   gradients   G = X'((T a) o [Xw > 0]),  d numbers for each (w, a): the gradient of a'T'(Xw)_+
 *
 * Neurons are stored one after the other: W and G are m x d, A is m x C, row-major, m <= HS_PRODUCT_COLUMNS.
 * Rows are taken a slab at a time: two products of a slab with all columns while it is in the cache, nothing of size
 * rows x m is stored but one bit, the sign of x'w, where there are several outputs: gradients are then wanted for a part of the
 * columns only, when all ranks' values are known. Sums over a slab are in the precision of the products, sums over slabs
 * in double. Threads share the slabs; the same number of threads gives the same bits.
 * Not collective: the caller sums over ranks. A rank without rows gives zeros.
 */
#ifndef HS_MPI_PRICING_RELU_PRODUCTS_H
#define HS_MPI_PRICING_RELU_PRODUCTS_H

#include "base/precision.h"
#include "base/status.h"
#include "mpi/data/shard.h"

#define HS_PRODUCT_COLUMNS 256

typedef struct hs_relu_products hs_relu_products_t;

/* For at most `columns` <= HS_PRODUCT_COLUMNS neurons at a time.
 *   theta   rows x C; borrowed, as is the shard
 * HS_NO_MEMORY leaves *products NULL. */
hs_status_t hs_relu_products_create(hs_relu_products_t **products, const hs_shard_t *shard,
                                    const double *theta, int columns);
void hs_relu_products_free(hs_relu_products_t **products);

/* One output: G for a = 1. W times G gives the values.
 *   precision   of the products: single only for shards in single precision, which then need no copy */
void hs_relu_products_both(hs_relu_products_t *products, hs_precision_t precision, int m, const double *W,
                           double *G);

/* Several outputs: A for all columns; the signs are remembered ... */
void hs_relu_products_values(hs_relu_products_t *products, hs_precision_t precision, int m, const double *W,
                             double *A);

/* ... for G of the columns chosen[0] < chosen[1] < ... of the last call for values, `count` of them, in its precision.
 *   a, G   count x C, count x d: of the chosen columns only */
void hs_relu_products_gradients(hs_relu_products_t *products, int count, const int *chosen, const double *a,
                                double *G);

#endif
