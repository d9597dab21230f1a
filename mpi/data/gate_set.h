/* gate_set.h: the gates of a model and their masks on this rank's rows.
 *
 * Gaussian half-spaces (Kim & Pilanci): g_i ~ N(0, I_d), entry (i, j) a function of the seed, i and j alone,
 * so that the gates are the same on any number of ranks. Gates that are off on every row of every rank, or
 * that repeat the mask of an earlier gate, are dropped: they cannot change the model.
 */
#ifndef HS_MPI_DATA_GATE_SET_H
#define HS_MPI_DATA_GATE_SET_H

#include <mpi.h>

#include "base/status.h"
#include "gates/masks.h"
#include "mpi/data/shard.h"

typedef struct hs_gate_set {
  int count, d;
  double *G;             /* count x d, row-major, owned; replicated on all ranks */
  hs_masks_t masks;      /* owned */
  int duplicates, empty; /* dropped ones */
} hs_gate_set_t;

/* Sample `wanted` gates and drop the useless ones. HS_BAD_DATA when none is left. Collective. */
hs_status_t hs_gate_set_sample(hs_gate_set_t *set, MPI_Comm comm, const hs_shard_t *shard, int64_t wanted,
                               int64_t seed);

/* Gates given by the caller, G count x d (copied). Collective. */
hs_status_t hs_gate_set_given(hs_gate_set_t *set, MPI_Comm comm, const hs_shard_t *shard, int64_t count,
                              const double *G);

void hs_gate_set_free(hs_gate_set_t *set);

#endif
