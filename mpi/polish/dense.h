/* dense.h: a Newton system (newton.h) as a matrix that is made and factored, the same on all ranks. */
#ifndef HS_MPI_POLISH_DENSE_H
#define HS_MPI_POLISH_DENSE_H

#include "mpi/polish/gram.h"
#include "mpi/polish/prox_map.h"

/* Largest order: two or three matrices of it are in memory, 8 x 3000^2 bytes each. */
#define HS_DENSE_LIMIT 3000

typedef struct hs_dense {
  const hs_problem_t *problem; /* borrowed */
  hs_gram_t gram;
  double *matrix; /* owned */
  int64_t room;   /* doubles */
} hs_dense_t;

hs_status_t hs_dense_create(hs_dense_t *dense, const hs_problem_t *problem);
void hs_dense_free(hs_dense_t *dense);

/* May the system of these gates be a matrix? *flops: what it costs a rank, about. Not collective. */
bool hs_dense_fits(const hs_dense_t *dense, const hs_prox_map_t *map, const bool *marked, double *flops);

/* y = (I + sigma T A'HA T)^-1 y, y compact.
 *   marked  the gates of the map's units
 * Collective. HS_NO_MEMORY; HS_NUMERICAL, without a message, when rounding has made the matrix indefinite. */
hs_status_t hs_dense_solve(hs_dense_t *dense, const hs_prox_map_t *map, const bool *marked,
                           const hs_curvature_t *curvature, double sigma, double *y, hs_traffic_t *traffic);

#endif
