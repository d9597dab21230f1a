/* rows.h: rows of numbers between the ranks that own them and the ranks that need them.
 *
 * Rank r of a communicator owns the rows first[r] .. first[r+1]-1 of n = first[ranks], perhaps none.
 * What is moved is added to `traffic`.
 */
#ifndef HS_MPI_DENSE_ROWS_H
#define HS_MPI_DENSE_ROWS_H

#include "mpi/dense/spread.h"

typedef struct hs_rows {
  MPI_Comm comm; /* borrowed */
  int ranks, rank;
  int64_t *first;       /* ranks + 1, owned */
  int *counts, *starts; /* ranks each, owned: scratch */
} hs_rows_t;

/*   first  ranks + 1 ascending numbers from 0 on, the same on all ranks; copied
 * Not collective. */
hs_status_t hs_rows_create(hs_rows_t *rows, MPI_Comm comm, const int64_t *first);
void hs_rows_free(hs_rows_t *rows);

/* Everybody's rows on every rank.
 *   local  own rows x width    all  n x width, at most 2^31 - 1 numbers; they may not overlap
 * Collective. */
void hs_rows_gather(const hs_rows_t *rows, int width, const double *local, double *all,
                    hs_traffic_t *traffic);

/* local = own rows of the sum over ranks of `all`; otherwise the same. Collective. */
void hs_rows_sum(const hs_rows_t *rows, int width, const double *all, double *local, hs_traffic_t *traffic);

/* A rank computes its tiles of a kernel from the data of the rows of these tiles and of their columns: of the n rows
 * of data it needs n / grid rows and n / grid columns. */
typedef enum hs_side { HS_TILE_ROWS, HS_TILE_COLUMNS } hs_side_t;

/* How many rows of data this rank needs for one side; 0 outside the grid. Not collective. */
int hs_rows_needed(const hs_spread_t *spread, hs_side_t side);

/* Where the data of row `i0`, the first of a tile of this rank, lies among them; the tile's other rows follow.
 * Not collective. */
int hs_rows_place(const hs_spread_t *spread, hs_side_t side, int64_t i0);

/* Fetch them, in ascending order, from the ranks that own them.
 *   rows    over the communicator of the spread's grid, of as many rows as its order
 *   bytes   of one row of data, whatever it consists of
 *   local   own rows of data       needed  hs_rows_needed(...) of them
 * Collective. */
hs_status_t hs_rows_fetch(const hs_rows_t *rows, const hs_spread_t *spread, hs_side_t side, int bytes,
                          const void *local, void *needed, hs_traffic_t *traffic);

#endif
