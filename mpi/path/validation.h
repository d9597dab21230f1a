/* validation.h: the rows that choose a point of a path, and the scores of weights on them.
 *
 * They are those of data.validation, or those of data.train that were held out of the training; scaled as the training
 * rows are.
 */
#ifndef HS_MPI_PATH_VALIDATION_H
#define HS_MPI_PATH_VALIDATION_H

#include "mpi/score/score.h"
#include "mpi/train/setup.h"

typedef struct hs_validation {
  hs_source_t source;
  hs_shard_t *shard; /* owned */
  hs_masks_t masks;  /* owned: of the gates of the problem */
  hs_masked_t *op;   /* owned */
  double *scores;    /* rows x C, owned */
} hs_validation_t;

/* HS_BAD_DATA when the rows do not fit those of the training. Whatever happened, it is to be released. Collective. */
hs_status_t hs_validation_create(hs_validation_t *validation, const hs_setup_t *setup);
void hs_validation_free(hs_validation_t *validation);

/* Of the gated network with these weights (P x C x d). Collective. */
hs_status_t hs_validation_score(hs_validation_t *validation, const hs_setup_t *setup, const double *u,
                                hs_score_t *score);

#endif
