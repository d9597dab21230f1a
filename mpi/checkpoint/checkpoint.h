/* checkpoint.h: the state of a run, written by all ranks together and read back on any number of them.
 *
 * A checkpoint is written beside its name (PATH.new): rank 0 makes the frame and takes the room on the disk, every
 * rank writes its parts and their hashes, all of it is brought to the disk, and only then renamed over the one
 * before. A kill at any moment leaves the old one or the new one, whole.
 * Reading verifies every byte against the hashes, spread over the ranks, before anything is used.
 */
#ifndef HS_MPI_CHECKPOINT_CHECKPOINT_H
#define HS_MPI_CHECKPOINT_CHECKPOINT_H

#include <mpi.h>
#include <stdbool.h>

#include "model/history_log.h"
#include "mpi/checkpoint/state.h"
#include "mpi/data/partition.h"
#include "settings/settings.h"

typedef struct hs_checkpoint hs_checkpoint_t;

/* By what a run is known again. */
typedef struct hs_identity {
  const hs_settings_t *settings;    /* borrowed */
  int64_t features, targets, gates; /* fingerprints of the data and of the gates */
} hs_identity_t;

typedef struct hs_checkpoint_cost {
  double seconds;         /* all checkpoints of this process together */
  int64_t written, bytes; /* how many; size of the last one */
} hs_checkpoint_cost_t;

/* Look for a checkpoint at path, verify it and compare it with the run that is to begin.
 *   partition  of the rows over the ranks, now; copied
 *   history    of the run so far; borrowed, filled from the checkpoint on rank 0, and written with each one
 * HS_BAD_USAGE when it is of other settings or gates, HS_BAD_DATA when it is of other data or damaged; the message
 * says what differs. One of a run that had stopped at a budget, its results saved, is given up with a warning
 * instead. Collective. */
hs_status_t hs_checkpoint_open(hs_checkpoint_t **checkpoint, MPI_Comm comm, const char *path,
                               const hs_identity_t *identity, const hs_partition_t *partition,
                               hs_history_log_t *history);
void hs_checkpoint_close(hs_checkpoint_t **checkpoint);

/* From now on arrays of rows are cut otherwise: they are not rows of the data.
 *   first_row  ranks + 1 numbers; copied
 * Not collective, but the same on all ranks. */
void hs_checkpoint_cut(hs_checkpoint_t *checkpoint, const int64_t *first_row);

/* Was there one to go on from? Its iteration, number of blocks, and ranks that wrote it. Not collective. */
bool hs_checkpoint_found(const hs_checkpoint_t *checkpoint);
int64_t hs_checkpoint_iteration(const hs_checkpoint_t *checkpoint);
int64_t hs_checkpoint_blocks(const hs_checkpoint_t *checkpoint);
int64_t hs_checkpoint_writers(const hs_checkpoint_t *checkpoint);

/* Fill the arrays of the list from the file. HS_BAD_DATA when one is missing or has another shape. Collective. */
hs_status_t hs_checkpoint_read(const hs_checkpoint_t *checkpoint, const hs_state_t *state);

/* Write the state after an iteration.
 *   stop  "running", or why the run stops here
 * HS_IO when that fails; the checkpoint before it stays. Collective. */
hs_status_t hs_checkpoint_write(hs_checkpoint_t *checkpoint, const hs_state_t *state, int64_t iteration,
                                double relative_gap, const char *stop);

/* The run is over: nobody shall go on from it. Not collective; rank 0 acts. */
void hs_checkpoint_remove(const hs_checkpoint_t *checkpoint);

/* Not collective. */
hs_checkpoint_cost_t hs_checkpoint_cost(const hs_checkpoint_t *checkpoint);
const char *hs_checkpoint_path(const hs_checkpoint_t *checkpoint);

#endif
