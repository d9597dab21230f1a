#include "mpi/checkpoint/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "mpi/checkpoint/checkpoint_private.h"
#include "mpi/comm/agree.h"
#include "settings/resume.h"

#define HISTORY "history"

/* ---- the one that is there ---- */

/* Rank 0 reads the frame for all. The texts of the facts stay on rank 0. Collective. */
static hs_status_t read_frame(hs_checkpoint_t *checkpoint)
{
  hs_status_t status = HS_OK;
  if (checkpoint->rank == 0)
    status = hs_checkpoint_frame_read(checkpoint->path, &checkpoint->facts, &checkpoint->frame);
  status = hs_agree(checkpoint->comm, status);
  if (status != HS_OK) return status;
  HS_MPI(MPI_Bcast(&checkpoint->frame, (int)sizeof checkpoint->frame, MPI_BYTE, 0, checkpoint->comm));
  int64_t numbers[3] = {checkpoint->facts.iteration, checkpoint->facts.blocks, checkpoint->facts.writers};
  HS_MPI(MPI_Bcast(numbers, 3, MPI_INT64_T, 0, checkpoint->comm));
  checkpoint->facts.iteration = numbers[0];
  checkpoint->facts.blocks = numbers[1];
  checkpoint->facts.writers = numbers[2];
  return HS_OK;
}

static hs_status_t other_data(const hs_checkpoint_t *checkpoint, const char *what)
{
  return hs_fail(
      HS_BAD_DATA, checkpoint->path, NULL,
      "is the checkpoint of a run on other data: %s (remove it to start anew, or give another output.run)",
      what);
}

/* Do the settings differ in something that the iterates depend on? */
static hs_status_t compare_settings(const hs_checkpoint_t *checkpoint, const hs_identity_t *identity)
{
  hs_settings_t *before = hs_alloc(1, sizeof *before, "settings of the checkpoint");
  if (before == NULL) return HS_NO_MEMORY;
  char what[HS_DIFFERENCE] = "its settings are of another version of the program";
  hs_settings_default(before);
  bool told_before = hs_error_message()[0] != '\0';
  bool parsed = hs_settings_parse(before, checkpoint->path, checkpoint->facts.settings) == HS_OK;
  if (!told_before) hs_error_clear();
  bool differ = !parsed || hs_settings_differ(before, identity->settings, what);
  hs_free(before);
  if (!differ) return HS_OK;
  return hs_fail(
      HS_BAD_USAGE, checkpoint->path, NULL,
      "is the checkpoint of another run: %s (set it back, remove the checkpoint to start anew, or give "
      "another output.run)",
      what);
}

static hs_status_t compare(const hs_checkpoint_t *checkpoint, const hs_identity_t *identity)
{
  const hs_checkpoint_facts_t *facts = &checkpoint->facts;
  char what[120];
  if (facts->rows != checkpoint->partition.rows) {
    snprintf(what, sizeof what, "%" PRId64 " rows then, %" PRId64 " now", facts->rows,
             checkpoint->partition.rows);
    return other_data(checkpoint, what);
  }
  hs_status_t status = compare_settings(checkpoint, identity);
  if (status != HS_OK) return status;
  if (facts->features != identity->features) return other_data(checkpoint, "the features differ");
  if (facts->targets != identity->targets) return other_data(checkpoint, "the targets differ");
  if (facts->gates != identity->gates)
    return hs_fail(
        HS_BAD_USAGE, checkpoint->path, NULL,
        "is the checkpoint of a run with other gates (remove it to start anew, or give another output.run)");
  return HS_OK;
}

/* Results of a run that ended at a budget are in its run file; to start anew there loses nothing but the chance
 * to go on. */
static bool may_be_given_up(const hs_checkpoint_t *checkpoint)
{
  const char *stop = checkpoint->facts.stop;
  return strcmp(stop, "iterations") == 0 || strcmp(stop, "seconds") == 0;
}

/* Collective. */
static hs_status_t recognise(hs_checkpoint_t *checkpoint, const hs_identity_t *identity)
{
  hs_status_t status = HS_OK;
  int given_up = 0;
  if (checkpoint->rank == 0) {
    status = compare(checkpoint, identity);
    if (status != HS_OK && status != HS_NO_MEMORY && may_be_given_up(checkpoint)) {
      hs_warn("%s; that run had stopped at a budget with its results saved: starting anew",
              hs_error_message());
      hs_error_clear();
      given_up = 1;
      status = HS_OK;
    }
  }
  status = hs_agree(checkpoint->comm, status);
  if (status != HS_OK) return status;
  HS_MPI(MPI_Bcast(&given_up, 1, MPI_INT, 0, checkpoint->comm));
  checkpoint->found = !given_up;
  return HS_OK;
}

/* Collective. */
static hs_status_t read_history(hs_checkpoint_t *checkpoint)
{
  hs_status_t status = HS_OK;
  if (checkpoint->rank == 0) {
    const hs_stored_array_t *array = hs_checkpoint_array(checkpoint, HISTORY);
    double *numbers = NULL;
    if (array == NULL || array->columns != HS_HISTORY_NUMBERS || array->type != HS_STORED_DOUBLE)
      status = hs_checkpoint_damaged(checkpoint, HISTORY);
    else
      numbers = hs_alloc((size_t)(array->rows * array->columns), sizeof *numbers, HISTORY);
    if (status == HS_OK && numbers == NULL) status = HS_NO_MEMORY;
    if (status == HS_OK) status = hs_checkpoint_fetch(checkpoint, array, 0, hs_stored_bytes(array), numbers);
    for (int64_t k = 0; status == HS_OK && k < array->rows; k++) {
      hs_history_row_t row;
      hs_history_from_numbers(numbers + k * HS_HISTORY_NUMBERS, &row);
      status = hs_history_log_add(checkpoint->history, &row);
    }
    hs_free(numbers);
  }
  return hs_agree(checkpoint->comm, status);
}

hs_status_t hs_checkpoint_damaged(const hs_checkpoint_t *checkpoint, const char *where)
{
  return hs_fail(
      HS_BAD_DATA, checkpoint->path, where,
      "the checkpoint is damaged (remove it to start from the beginning, or put a whole copy back)");
}

const hs_stored_array_t *hs_checkpoint_array(const hs_checkpoint_t *checkpoint, const char *name)
{
  for (int i = 0; i < checkpoint->frame.count; i++)
    if (strcmp(checkpoint->frame.array[i].name, name) == 0) return &checkpoint->frame.array[i];
  return NULL;
}

/* ---- life ---- */

static char *join(const char *path, const char *ending)
{
  size_t size = strlen(path) + strlen(ending) + 1;
  char *name = hs_alloc(size, 1, "name of the checkpoint");
  if (name != NULL) snprintf(name, size, "%s%s", path, ending);
  return name;
}

/* Rank 0 looks, so that all see the same. Collective. */
static bool exists(const hs_checkpoint_t *checkpoint)
{
  int there = checkpoint->rank == 0 && access(checkpoint->path, F_OK) == 0;
  HS_MPI(MPI_Bcast(&there, 1, MPI_INT, 0, checkpoint->comm));
  return there != 0;
}

static hs_status_t create(hs_checkpoint_t **out, MPI_Comm comm, const char *path,
                          const hs_identity_t *identity, const hs_partition_t *partition,
                          hs_history_log_t *history)
{
  hs_checkpoint_t *checkpoint = *out = hs_alloc(1, sizeof *checkpoint, "checkpoint");
  if (checkpoint == NULL) return HS_NO_MEMORY;
  checkpoint->comm = comm;
  checkpoint->rank = hs_rank(comm);
  checkpoint->ranks = hs_ranks(comm);
  checkpoint->partition = *partition;
  checkpoint->history = history;
  checkpoint->identity = *identity;
  checkpoint->path = join(path, "");
  checkpoint->temporary = join(path, ".new");
  checkpoint->first_row = hs_alloc((size_t)checkpoint->ranks + 1, sizeof(int64_t), "rows of the ranks");
  if (checkpoint->path == NULL || checkpoint->temporary == NULL || checkpoint->first_row == NULL)
    return HS_NO_MEMORY;
  for (int r = 0; r <= checkpoint->ranks; r++)
    checkpoint->first_row[r] = hs_partition_first_row(partition, r);
  return hs_settings_to_yaml(identity->settings, &checkpoint->yaml);
}

hs_status_t hs_checkpoint_open(hs_checkpoint_t **checkpoint, MPI_Comm comm, const char *path,
                               const hs_identity_t *identity, const hs_partition_t *partition,
                               hs_history_log_t *history)
{
  *checkpoint = NULL;
  hs_status_t status = hs_agree(comm, create(checkpoint, comm, path, identity, partition, history));
  if (status == HS_OK && exists(*checkpoint)) {
    status = read_frame(*checkpoint);
    if (status == HS_OK) status = recognise(*checkpoint, identity);
    if (status == HS_OK && (*checkpoint)->found) status = hs_checkpoint_verify(*checkpoint);
    if (status == HS_OK && (*checkpoint)->found) status = read_history(*checkpoint);
  }
  if (status != HS_OK) hs_checkpoint_close(checkpoint);
  return status;
}

void hs_checkpoint_cut(hs_checkpoint_t *checkpoint, const int64_t *first_row)
{
  memcpy(checkpoint->first_row, first_row, ((size_t)checkpoint->ranks + 1) * sizeof *first_row);
}

void hs_checkpoint_close(hs_checkpoint_t **out)
{
  hs_checkpoint_t *checkpoint = *out;
  *out = NULL;
  if (checkpoint == NULL) return;
  hs_checkpoint_facts_clear(&checkpoint->facts);
  hs_free(checkpoint->path);
  hs_free(checkpoint->temporary);
  hs_free(checkpoint->first_row);
  hs_free(checkpoint->yaml);
  hs_free(checkpoint);
}

void hs_checkpoint_remove(const hs_checkpoint_t *checkpoint)
{
  if (checkpoint->rank != 0) return;
  unlink(checkpoint->path);
  unlink(checkpoint->temporary);
}

bool hs_checkpoint_found(const hs_checkpoint_t *checkpoint)
{
  return checkpoint->found;
}

int64_t hs_checkpoint_iteration(const hs_checkpoint_t *checkpoint)
{
  return checkpoint->facts.iteration;
}

int64_t hs_checkpoint_blocks(const hs_checkpoint_t *checkpoint)
{
  return checkpoint->facts.blocks;
}

int64_t hs_checkpoint_writers(const hs_checkpoint_t *checkpoint)
{
  return checkpoint->facts.writers;
}

hs_checkpoint_cost_t hs_checkpoint_cost(const hs_checkpoint_t *checkpoint)
{
  return checkpoint->cost;
}

const char *hs_checkpoint_path(const hs_checkpoint_t *checkpoint)
{
  return checkpoint->path;
}
