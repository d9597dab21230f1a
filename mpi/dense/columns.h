/* columns.h: columns of a spread matrix, whole, on one rank; and the square of a triangular one. */
#ifndef HS_MPI_DENSE_COLUMNS_H
#define HS_MPI_DENSE_COLUMNS_H

#include "mpi/dense/spread.h"

/* Columns first .. first+count-1 of the lower triangle (of the factor: of L), zero above the diagonal.
 *   root   rank of the grid's communicator that gets them
 *   out    order x count, column-major; scratch on the other ranks. order x count at most 2^31 - 1
 * Collective. */
void hs_spread_columns(const hs_spread_t *spread, int first, int count, int root, double *out,
                       hs_traffic_t *traffic);

/* L -> the lower triangle of L'L, in place of a factor. n^3/3 flops over all ranks. Collective. */
hs_status_t hs_spread_square(hs_spread_t *spread);

#endif
