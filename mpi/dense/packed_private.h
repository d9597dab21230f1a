/* packed_private.h: what the two precisions of packed.c share. */
#ifndef HS_MPI_DENSE_PACKED_PRIVATE_H
#define HS_MPI_DENSE_PACKED_PRIVATE_H

#include "mpi/dense/packed.h"

struct hs_packed {
  const hs_grid_t *grid; /* borrowed */
  hs_precision_t precision;
  int order, tile, tiles, columns;
  size_t size; /* elements of M on this rank */
  void *M;     /* tiles by columns of tiles, each column-major and whole, also on the diagonal; owned */
  void *x;     /* order x columns, column-major, in the precision: R; owned */
  void *y;     /* 2 x tile: a tile's product and its transpose's; owned */
  double *V;   /* order x columns: R of all ranks, then what this rank contributes; owned */
};

#endif
