/* spread_private.h: how a spread matrix lies in memory, for the files of this folder. */
#ifndef HS_MPI_DENSE_SPREAD_PRIVATE_H
#define HS_MPI_DENSE_SPREAD_PRIVATE_H

#include "mpi/dense/scalapack.h"
#include "mpi/dense/spread.h"

/* What the numbers are, so that a wrong order of calls is found where it happens. */
typedef enum hs_content { HS_MATRIX, HS_FACTOR, HS_INVERSE, HS_VECTORS, HS_SCRATCH } hs_content_t;

struct hs_spread {
  const hs_grid_t *grid;  /* borrowed */
  int order, tile, tiles; /* tiles: along one edge */
  int rows, columns;      /* of the local array; 0 outside the grid */
  int ld;                 /* of the local array, at least 1 */
  double *a;              /* ld x columns, column-major: the tiles side by side; owned */
  int descriptor[HS_DESCRIPTOR_LENGTH];
  hs_content_t content;
};

/* Rows of tile ti, or columns of tile tj. */
static inline int hs_spread_extent(const hs_spread_t *spread, int ti)
{
  int left = spread->order - ti * spread->tile;
  return left < spread->tile ? left : spread->tile;
}

/* Length, in elements, of the part of `length` that place `place` of `places` has, in blocks of `block`. */
int hs_cyclic_share(int length, int block, int place, int places);

/* Global number of a local row or column. */
static inline int hs_cyclic_global(int local, int block, int place, int places)
{
  return (local / block * places + place) * block + local % block;
}

/* Address of a tile of this rank. */
static inline double *hs_spread_at(const hs_spread_t *spread, int ti, int tj)
{
  int i = ti / spread->grid->rows * spread->tile, j = tj / spread->grid->columns * spread->tile;
  return spread->a + (size_t)j * (size_t)spread->ld + (size_t)i;
}

#endif
