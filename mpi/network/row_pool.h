/* row_pool.h: copies of some rows of the data on all ranks, each once, and the products between them.
 *
 * What several small problems (margin.h) need of rows that lie on other ranks: a row is asked for by its global number, all
 * that were asked for are fetched by one sum over the ranks. The pool is the same on all ranks.
 * Memory on each rank: 4 n bytes, 8 d bytes for each row of the pool, and 8 n^2 where n is small (row_pool.c).
 */
#ifndef HS_MPI_NETWORK_ROW_POOL_H
#define HS_MPI_NETWORK_ROW_POOL_H

#include <mpi.h>
#include <stdint.h>

#include "mpi/comm/reduce.h"
#include "mpi/data/shard.h"

typedef struct hs_row_pool {
  int d, count, room; /* count: rows that are there */
  int asked;          /* rows that are there or will be after the next fetch */
  int64_t n;
  int *place;      /* n: 1 + place in the pool, 0: neither there nor asked for; owned */
  int64_t *number; /* room: global numbers of the rows, owned */
  double *rows;    /* room x d, owned */
  double
      *gram; /* n x n, of which count x count are products of the pool's rows; NULL where n is large; owned */
} hs_row_pool_t;

/* No rows yet. Clear it on failure too. */
hs_status_t hs_row_pool_create(hs_row_pool_t *pool, int64_t n, int d);
void hs_row_pool_clear(hs_row_pool_t *pool);

/* Have global row `row` from the next fetch on. To be called on all ranks with the same rows, in the same order. */
hs_status_t hs_row_pool_ask(hs_row_pool_t *pool, int64_t row);

/* Place of a row that was asked for. */
int hs_row_pool_place(const hs_row_pool_t *pool, int64_t row);

/* Fetch what was asked for. Collective. */
void hs_row_pool_fetch(hs_row_pool_t *pool, MPI_Comm comm, const hs_shard_t *shard, hs_traffic_t *traffic);

/* K (count x count) = Z Z',  z_i = signs_i times the row at which_i of the pool. HS_NO_MEMORY. Not collective. */
hs_status_t hs_row_pool_gram(const hs_row_pool_t *pool, int count, const int *which, const double *signs,
                             double *K);

#endif
