/* grid.h: ranks in rows and columns, as ScaLAPACK wants them.
 *
 * The first rows x columns ranks of a communicator form the grid, row by row. Any that are left over hold nothing
 * and compute nothing, but take part in everything that is collective over the communicator.
 */
#ifndef HS_MPI_DENSE_GRID_H
#define HS_MPI_DENSE_GRID_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct hs_grid {
  MPI_Comm comm; /* borrowed: all ranks, also those outside the grid */
  int rows, columns;
  bool inside;      /* this rank has a place */
  int row, column;  /* its place; -1 outside */
  MPI_Comm members; /* the ranks inside, owned; MPI_COMM_NULL outside */
  int handle;       /* BLACS's number for `members` */
  int context;      /* BLACS's number for the grid; -1 outside */
} hs_grid_t;

/* The shape on which a matrix of this order is factored soonest, by a model of three terms (grid.c). At most
 * `ranks` places, never more rows than columns. A prime number of ranks becomes one row while there are few, and
 * leaves some ranks out where one row would communicate too much: 2 x 5 for 11 ranks and an order of 20000.
 * Not collective. */
void hs_grid_shape(int ranks, int64_t order, int *rows, int *columns);

/* rows x columns <= ranks of comm. Collective. */
void hs_grid_create(hs_grid_t *grid, MPI_Comm comm, int rows, int columns);

/* After the last matrix on it. Collective. */
void hs_grid_free(hs_grid_t *grid);

#endif
