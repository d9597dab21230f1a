/* checkpoint_private.h: what opening, reading and writing a checkpoint share. */
#ifndef HS_MPI_CHECKPOINT_CHECKPOINT_PRIVATE_H
#define HS_MPI_CHECKPOINT_CHECKPOINT_PRIVATE_H

#include "mpi/checkpoint/checkpoint.h"

struct hs_checkpoint {
  MPI_Comm comm; /* borrowed */
  int rank, ranks;
  char *path, *temporary; /* owned */
  hs_partition_t partition;
  int64_t *first_row; /* ranks + 1, owned: of the ranks now */
  hs_identity_t identity;
  char *yaml; /* the settings, owned */
  hs_history_log_t *history;
  bool found;
  hs_checkpoint_facts_t facts; /* of the one that was found; texts on rank 0 alone */
  hs_checkpoint_frame_t frame; /* of it */
  hs_checkpoint_cost_t cost;
};

/* NULL: there is no such array. Not collective. */
const hs_stored_array_t *hs_checkpoint_array(const hs_checkpoint_t *checkpoint, const char *name);

/* Bytes of an array of the file that was found, by this process. Not collective. */
hs_status_t hs_checkpoint_fetch(const hs_checkpoint_t *checkpoint, const hs_stored_array_t *array,
                                int64_t offset, int64_t bytes, void *values);

/* Compare every byte with the hashes. Collective. */
hs_status_t hs_checkpoint_verify(const hs_checkpoint_t *checkpoint);

hs_status_t hs_checkpoint_damaged(const hs_checkpoint_t *checkpoint, const char *where);

#endif
