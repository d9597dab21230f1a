/* score.h: how good predictions are on rows that are spread over the ranks. */
#ifndef HS_MPI_SCORE_SCORE_H
#define HS_MPI_SCORE_SCORE_H

#include "loss/loss.h"
#include "mpi/data/shard.h"

/* Numbers that do not apply are NAN. */
typedef struct hs_score {
  double loss;           /* the sum over the rows */
  double accuracy;       /* of classes: share of rows whose class is right */
  double rmse, r2;       /* of regression: over all rows and outputs */
  double standard_error; /* of accuracy or r2, as a mean over the rows */
} hs_score_t;

/* r2 = 1 - sum (a - y)^2 / sum (y - mean of its column)^2; NAN where all targets of a column are equal. Its standard
 * error is that of the first sum.
 *   scores  rows x C of this rank
 * Collective. */
hs_status_t hs_score(MPI_Comm comm, const hs_shard_t *shard, hs_loss_t loss, const double *scores,
                     hs_score_t *result);

#endif
