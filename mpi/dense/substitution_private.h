/* substitution_private.h: what the two precisions of substitution.c share. */
#ifndef HS_MPI_DENSE_SUBSTITUTION_PRIVATE_H
#define HS_MPI_DENSE_SUBSTITUTION_PRIVATE_H

#include "mpi/dense/substitution.h"

struct hs_substitution {
  const hs_grid_t *grid; /* borrowed */
  hs_precision_t precision;
  int order, tile, tiles, columns;
  int block;     /* tiles along the edge of a diagonal block */
  size_t size;   /* elements of L on this rank */
  size_t *start; /* per tile column of this rank: where its tiles begin in L; owned */
  void *L;       /* tiles by columns of tiles, each column-major and whole; owned */
  void *x;       /* order x columns, column-major, in the precision: what L is multiplied with; owned */
  void *y;       /* tile: the product of one; owned */
  double *sum;   /* order x columns, row-major: products, of this rank and then of all; owned */
  double *V;     /* order x columns, row-major: where rows are spread over the ranks; owned */
};

#endif
