/* factor_columns.h: some neighbouring columns of a lower triangular matrix L, and products with them.
 *
 * L has order n; these are its columns first .. first+count-1, from their diagonal elements down. They are kept in
 * panels of a few columns, each from its own first row on, so that a whole triangle takes little more than n^2/2
 * numbers.
 *   Blocks of vectors of length n are columns x n: vector c is contiguous at [c * n].
 *   Blocks of vectors of length count are count x columns, row-major, like predictions.
 * Threads share the panels, or the rows of a sum: their number does not change a bit of a product. The two solutions
 * use those of BLAS. Not collective.
 */
#ifndef HS_DENSE_FACTOR_COLUMNS_H
#define HS_DENSE_FACTOR_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct hs_factor_columns hs_factor_columns_t;

/* All zero. 0 <= first, first + count <= order. */
hs_status_t hs_factor_columns_create(hs_factor_columns_t **columns, int order, int first, int count);
void hs_factor_columns_free(hs_factor_columns_t **columns);

/* Where element (first + j, first + j) lies; those below it follow. To be written by the owner. */
double *hs_factor_column(hs_factor_columns_t *columns, int j);

/* a = (L' U) in the rows first .. first+count-1.   U  outputs x n    a  count x outputs */
void hs_factor_columns_forward(const hs_factor_columns_t *columns, int outputs, const double *U, double *a);

/* S = L w over these columns.   w  count x outputs    S  outputs x n, overwritten; zero above row first */
void hs_factor_columns_adjoint(const hs_factor_columns_t *columns, int outputs, const double *w, double *S);

/* One step of L y = c from above to below: y of these columns from what is left of c, and its part taken off the
 * rest.   rest  outputs x n, used from row first on    y  count x outputs */
void hs_factor_columns_solve(const hs_factor_columns_t *columns, int outputs, double *rest, double *y);

/* One step of L' q = p from below to above: q of these rows from those below.
 *   p  count x outputs    q  outputs x n, known from row first+count on */
void hs_factor_columns_solve_transposed(const hs_factor_columns_t *columns, int outputs, const double *p,
                                        double *q);

size_t hs_factor_columns_bytes(int order, int first, int count);

#endif
