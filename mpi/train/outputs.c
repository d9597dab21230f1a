#include "mpi/train/outputs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/run/run_bracket.h"
#include "mpi/comm/agree.h"

/* output.checkpoint, or the run file with .ckpt in place of its ending. */
static hs_status_t name_checkpoint(hs_outputs_t *outputs)
{
  const char *given = outputs->settings->output.checkpoint, *run = outputs->settings->output.run;
  size_t size = strlen(given) + strlen(run) + 8;
  outputs->checkpoint_path = hs_alloc(size, 1, "name of the checkpoint");
  if (outputs->checkpoint_path == NULL) return HS_NO_MEMORY;
  if (given[0] != '\0')
    snprintf(outputs->checkpoint_path, size, "%s", given);
  else
    snprintf(outputs->checkpoint_path, size, "%s.ckpt", run);
  return HS_OK;
}

/* Another job must not take these locks for stale. */
static void beat(void *context, double passed)
{
  const hs_outputs_t *outputs = context;
  (void)passed;
  hs_lock_beat(outputs->lock);
  hs_lock_beat(outputs->checkpoint_lock);
}

static hs_status_t take_locks(hs_outputs_t *outputs)
{
  const hs_settings_t *settings = outputs->settings;
  hs_status_t status = hs_lock_take(&outputs->lock, settings->output.run);
  if (status == HS_OK && settings->output.checkpoint[0] != '\0')
    status = hs_lock_take(&outputs->checkpoint_lock, outputs->checkpoint_path);
  if (status == HS_OK) status = hs_ticker_start(&outputs->beat, HS_LOCK_BEAT_SECONDS / 2.0, beat, outputs);
  return status;
}

hs_status_t hs_outputs_claim(hs_outputs_t *outputs, MPI_Comm comm, const hs_settings_t *settings)
{
  *outputs = (hs_outputs_t){.comm = comm, .rank = hs_rank(comm), .settings = settings};
  outputs->times = (hs_run_times_t){.load_seconds = NAN, .setup_seconds = NAN, .peak_bytes = -1};
  hs_status_t status = name_checkpoint(outputs);
  if (status == HS_OK && outputs->rank == 0) status = take_locks(outputs);
  return hs_agree(comm, status);
}

/* The run file appears only now, with the rows up to the checkpoint: later ones are computed again. */
static hs_status_t make_run_file(hs_outputs_t *outputs, const hs_run_facts_t *facts,
                                 const hs_provenance_t *provenance)
{
  char *yaml = NULL;
  hs_status_t status = hs_settings_to_yaml(outputs->settings, &yaml);
  if (status == HS_OK) status = hs_run_create(&outputs->run, outputs->settings->output.run, yaml, provenance);
  if (status == HS_OK) status = hs_run_write_facts(outputs->run, facts);
  for (int64_t k = 0; k < outputs->history.count && status == HS_OK; k++)
    status = hs_run_append(outputs->run, &outputs->history.rows[k]);
  if (status == HS_OK) status = hs_run_flush(outputs->run);
  hs_free(yaml);
  return status;
}

hs_status_t hs_outputs_open(hs_outputs_t *outputs, const hs_identity_t *identity,
                            const hs_partition_t *partition, const hs_run_facts_t *facts,
                            const hs_provenance_t *provenance)
{
  hs_status_t status = hs_checkpoint_open(&outputs->checkpoint, outputs->comm, outputs->checkpoint_path,
                                          identity, partition, &outputs->history);
  if (status != HS_OK) return status;
  if (outputs->rank == 0) status = make_run_file(outputs, facts, provenance);
  return hs_agree(outputs->comm, status);
}

hs_status_t hs_outputs_reopen(hs_outputs_t *outputs, const hs_identity_t *identity,
                              const hs_partition_t *partition, const hs_run_facts_t *facts,
                              const hs_provenance_t *provenance)
{
  hs_checkpoint_close(&outputs->checkpoint);
  hs_history_log_free(&outputs->history);
  hs_status_t status = hs_agree(outputs->comm, hs_run_close(&outputs->run));
  return status == HS_OK ? hs_outputs_open(outputs, identity, partition, facts, provenance) : status;
}

int64_t hs_outputs_met_at(const hs_outputs_t *outputs, double relative_gap)
{
  const hs_history_log_t *history = &outputs->history;
  int64_t k = 0, met_at;
  while (k < history->count && history->rows[k].relative_gap > relative_gap) k++;
  met_at = k < history->count ? history->rows[k].iteration : 0;
  HS_MPI(MPI_Bcast(&met_at, 1, MPI_INT64_T, 0, outputs->comm));
  return met_at;
}

void hs_outputs_polish(hs_outputs_t *outputs, const hs_run_polish_t *polish)
{
  if (outputs->status == HS_OK) outputs->status = hs_run_write_polish(outputs->run, polish);
}

void hs_outputs_row(hs_outputs_t *outputs, const hs_history_row_t *row)
{
  if (outputs->status == HS_OK) outputs->status = hs_history_log_add(&outputs->history, row);
  if (outputs->status == HS_OK) outputs->status = hs_lock_check(outputs->lock);
  if (outputs->status == HS_OK) outputs->status = hs_run_append(outputs->run, row);
}

static void take_costs(hs_outputs_t *outputs)
{
  hs_checkpoint_cost_t cost = hs_checkpoint_cost(outputs->checkpoint);
  outputs->times.checkpoint_seconds = cost.seconds;
  outputs->times.checkpoints = cost.written;
  outputs->times.checkpoint_bytes = cost.bytes;
}

hs_status_t hs_outputs_save(hs_outputs_t *outputs, const hs_model_t *model, const hs_bracket_t *bracket,
                            const hs_network_record_t *network, const char *stop, double loss)
{
  hs_status_t status = HS_OK;
  if (outputs->rank == 0) {
    take_costs(outputs);
    status = hs_lock_check(outputs->lock);
    if (status == HS_OK) status = hs_run_write_model(outputs->run, model);
    if (status == HS_OK) status = hs_run_write_bracket(outputs->run, bracket);
    if (status == HS_OK && network != NULL) status = hs_run_write_network(outputs->run, network);
    if (status == HS_OK) status = hs_run_write_times(outputs->run, &outputs->times);
    if (status == HS_OK) status = hs_run_finish(outputs->run, stop, loss);
    if (status == HS_OK) status = hs_run_close(&outputs->run);
    if (status == HS_OK && strcmp(stop, "converged") == 0) hs_checkpoint_remove(outputs->checkpoint);
  }
  return hs_agree(outputs->comm, status);
}

void hs_outputs_release(hs_outputs_t *outputs)
{
  hs_run_close(&outputs->run);
  hs_checkpoint_close(&outputs->checkpoint);
  hs_history_log_free(&outputs->history);
  hs_ticker_stop(&outputs->beat);
  hs_lock_release(&outputs->checkpoint_lock);
  hs_lock_release(&outputs->lock);
  hs_free(outputs->checkpoint_path);
  outputs->checkpoint_path = NULL;
}
