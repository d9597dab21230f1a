/* reduce_rank.h: X in as many coordinates as it has rank.
 *
 *   X'X = V diag(s) V';  B: the eigenvectors of the eigenvalues above 1e-12 of the largest, as rows (rank x d)
 *   (Xw)_+ for |w| <= 1 is (XB' v)_+ for v = Bw, |v| <= 1, but for what is cut off: |x_k'w - x_k'B'Bw| <= |x_k - B'Bx_k|
 */
#ifndef HS_MPI_BOUNDS_REDUCE_RANK_H
#define HS_MPI_BOUNDS_REDUCE_RANK_H

#include "mpi/comm/reduce.h"
#include "mpi/data/shard.h"

typedef struct hs_reduced {
  int d, rank;
  double largest; /* |X|^2: the largest eigenvalue of X'X */
  double *basis;  /* B, rank x d; owned */
} hs_reduced_t;

/* HS_NUMERICAL if X is not finite. Collective. */
hs_status_t hs_reduce_rank(hs_reduced_t *reduced, MPI_Comm comm, const hs_shard_t *shard,
                           hs_traffic_t *traffic);
void hs_reduced_free(hs_reduced_t *reduced);

/* rows (rows of the shard x rank) = X B', and cut (rows of the shard) = |x_k - B'Bx_k|. Not collective. */
hs_status_t hs_reduced_rows(const hs_reduced_t *reduced, const hs_shard_t *shard, double *rows, double *cut);

#endif
