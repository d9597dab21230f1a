/* outputs.h: the files that a training run writes: run file, checkpoint, and the lock that keeps other jobs away.
 *
 * Rank 0 writes the run file; checkpoints are written by all. Order of life: claim (before the data are read, so
 * that a second job on the same output fails at once), open (when everything a user can get wrong has been checked),
 * rows, save, finish, release.
 */
#ifndef HS_MPI_TRAIN_OUTPUTS_H
#define HS_MPI_TRAIN_OUTPUTS_H

#include <mpi.h>

#include "base/ticker.h"
#include "io/files/lock.h"
#include "io/run/run_file.h"
#include "io/run/run_network.h"
#include "model/history_log.h"
#include "mpi/checkpoint/checkpoint.h"
#include "network/bracket.h"
#include "settings/settings.h"

typedef struct hs_outputs {
  MPI_Comm comm; /* borrowed */
  int rank;
  const hs_settings_t *settings;     /* borrowed */
  char *checkpoint_path;             /* owned */
  hs_ticker_t *beat;                 /* keeps the locks fresh, rank 0 */
  hs_lock_t *lock, *checkpoint_lock; /* rank 0; the second where the checkpoint has a name of its own */
  hs_run_t *run;                     /* rank 0 */
  hs_history_log_t history;          /* rank 0 */
  hs_checkpoint_t *checkpoint;
  hs_run_times_t times;
  hs_status_t status; /* of writing the history, rank 0 */
} hs_outputs_t;

/* Take the lock. HS_IO when another job has it. Collective. */
hs_status_t hs_outputs_claim(hs_outputs_t *outputs, MPI_Comm comm, const hs_settings_t *settings);

/* Look for a checkpoint to go on from (hs_checkpoint_open says what can be wrong with it), and make the run file with
 * the history so far. A run file of an earlier run is replaced. Collective. */
hs_status_t hs_outputs_open(hs_outputs_t *outputs, const hs_identity_t *identity,
                            const hs_partition_t *partition, const hs_run_facts_t *facts,
                            const hs_provenance_t *provenance);

/* Leave what has been written since the last checkpoint, and open again from there, as a resumed run would. Arguments
 * and errors as above. Collective. */
hs_status_t hs_outputs_reopen(hs_outputs_t *outputs, const hs_identity_t *identity,
                              const hs_partition_t *partition, const hs_run_facts_t *facts,
                              const hs_provenance_t *provenance);

/* The first iteration of the history so far with this relative gap or a smaller one; 0: none. Collective. */
int64_t hs_outputs_met_at(const hs_outputs_t *outputs, double relative_gap);

/* Take in a row of history; a failure is kept in outputs->status. Rank 0; not collective. */
void hs_outputs_row(hs_outputs_t *outputs, const hs_history_row_t *row);

/* Take in what is told of the polish, in the same way. */
void hs_outputs_polish(hs_outputs_t *outputs, const hs_run_polish_t *polish);

/* Model, bounds, times and the reason of the end; a checkpoint is removed when the run has converged.
 *   network  how the ReLU network came about; NULL: there is none
 * Collective. */
hs_status_t hs_outputs_save(hs_outputs_t *outputs, const hs_model_t *model, const hs_bracket_t *bracket,
                            const hs_network_record_t *network, const char *stop, double loss);

/* Close and unlock. Not collective. */
void hs_outputs_release(hs_outputs_t *outputs);

#endif
