#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/size.h"
#include "base/version.h"
#include "mpi/checkpoint/checkpoint_private.h"
#include "mpi/checkpoint/parts.h"
#include "mpi/comm/agree.h"

#define PIECE ((int64_t)1 << 30) /* bytes of one call of MPI */

/* One checkpoint being written. */
typedef struct writing {
  hs_checkpoint_t *checkpoint;
  hs_state_t state; /* sorted by name, as HDF5 lists the arrays */
  hs_checkpoint_frame_t frame;
  int64_t *hashes; /* ranks x arrays on rank 0, one row elsewhere */
  double *history; /* rank 0 */
} writing_t;

static int by_name(const void *left, const void *right)
{
  return strcmp(((const hs_state_item_t *)left)->name, ((const hs_state_item_t *)right)->name);
}

/* The history as an array of numbers, on rank 0. */
static hs_status_t add_history(writing_t *writing)
{
  const hs_history_log_t *history = writing->checkpoint->history;
  int64_t rows = writing->checkpoint->rank == 0 ? history->count : 0;
  writing->history = hs_alloc((size_t)rows * HS_HISTORY_NUMBERS, sizeof(double), "history");
  if (writing->history == NULL) return HS_NO_MEMORY;
  for (int64_t k = 0; k < rows; k++)
    hs_history_to_numbers(&history->rows[k], writing->history + k * HS_HISTORY_NUMBERS);
  hs_state_add(&writing->state, HS_STORED_ROOT, "history", -1, HS_STORED_DOUBLE, rows, HS_HISTORY_NUMBERS,
               writing->history);
  return HS_OK;
}

static hs_status_t prepare(writing_t *writing, const hs_state_t *state)
{
  const hs_checkpoint_t *checkpoint = writing->checkpoint;
  writing->state = *state;
  hs_status_t status = add_history(writing);
  if (status != HS_OK) return status;
  hs_state_t *sorted = &writing->state;
  qsort(sorted->item, (size_t)sorted->count, sizeof *sorted->item, by_name);
  writing->frame.count = sorted->count;
  for (int i = 0; i < sorted->count; i++) {
    const hs_state_item_t *item = &sorted->item[i];
    hs_stored_array_t *array = &writing->frame.array[i];
    *array = (hs_stored_array_t){
        .kind = item->kind,
        .type = item->type,
        .rows = item->kind == HS_STORED_ROWS ? checkpoint->first_row[checkpoint->ranks] : item->rows,
        .columns = item->columns};
    memcpy(array->name, item->name, sizeof array->name);
  }
  int writers = checkpoint->rank == 0 ? checkpoint->ranks : 1;
  writing->hashes = hs_alloc((size_t)writers * (size_t)sorted->count, sizeof(int64_t), "checkpoint");
  return writing->hashes != NULL ? HS_OK : HS_NO_MEMORY;
}

/* Places in the file, from rank 0. Collective. */
static hs_status_t make_frame(writing_t *writing, int64_t iteration, double relative_gap, const char *stop)
{
  hs_checkpoint_t *checkpoint = writing->checkpoint;
  hs_status_t status = HS_OK;
  if (checkpoint->rank == 0) {
    hs_checkpoint_facts_t facts = {.settings = checkpoint->yaml,
                                   .version = (char *)HS_VERSION,
                                   .commit = (char *)hs_commit(),
                                   .stop = (char *)stop,
                                   .iteration = iteration,
                                   .rows = checkpoint->partition.rows,
                                   .blocks = checkpoint->partition.blocks,
                                   .writers = checkpoint->ranks,
                                   .features = checkpoint->identity.features,
                                   .targets = checkpoint->identity.targets,
                                   .gates = checkpoint->identity.gates,
                                   .relative_gap = relative_gap};
    status = hs_checkpoint_frame_create(checkpoint->temporary, &facts, &writing->frame);
  }
  status = hs_agree(checkpoint->comm, status);
  if (status == HS_OK)
    HS_MPI(MPI_Bcast(&writing->frame, (int)sizeof writing->frame, MPI_BYTE, 0, checkpoint->comm));
  return status;
}

static hs_status_t file_error(const writing_t *writing, int code)
{
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return hs_fail(HS_IO, writing->checkpoint->temporary, NULL, "the checkpoint cannot be written: %s", text);
}

/* Through MPI rather than the system: it knows how to keep neighbours on one page apart where the file system, as
 * NFS, does not. Each rank by itself: nobody waits for one that has failed. */
static hs_status_t put(const writing_t *writing, MPI_File file, int64_t offset, int64_t bytes,
                       const void *data)
{
  for (int64_t done = 0; done < bytes; done += PIECE) {
    int now = (int)hs_min64(PIECE, bytes - done), arrived = 0;
    MPI_Status told;
    int code =
        MPI_File_write_at(file, (MPI_Offset)(offset + done), (const char *)data + done, now, MPI_BYTE, &told);
    if (code != MPI_SUCCESS) return file_error(writing, code);
    MPI_Get_count(&told, MPI_BYTE, &arrived);
    if (arrived != now)
      return hs_fail(HS_IO, writing->checkpoint->temporary, NULL,
                     "the checkpoint cannot be written: %d of %d bytes arrived (disk full?)", arrived, now);
  }
  return HS_OK;
}

/* The part of this rank in every array, and its hash. */
static hs_status_t put_parts(writing_t *writing, MPI_File file)
{
  const hs_checkpoint_t *checkpoint = writing->checkpoint;
  hs_status_t status = HS_OK;
  for (int i = 0; i < writing->frame.count && status == HS_OK; i++) {
    const hs_stored_array_t *array = &writing->frame.array[i];
    hs_part_t part = hs_part_of(array, checkpoint->first_row, checkpoint->ranks, checkpoint->rank);
    /* Rows are held locally from their first; what is shared is held whole. */
    const char *data = writing->state.item[i].data;
    if (array->kind != HS_STORED_ROWS) data += part.offset;
    writing->hashes[i] = (int64_t)XXH3_64bits(data, (size_t)part.bytes);
    status = put(writing, file, array->offset + part.offset, part.bytes, data);
  }
  return status;
}

static hs_status_t put_checks(const writing_t *writing, MPI_File file)
{
  const hs_checkpoint_t *checkpoint = writing->checkpoint;
  int64_t writers = checkpoint->ranks;
  hs_status_t status =
      put(writing, file, writing->frame.hashes, 8 * writers * writing->frame.count, writing->hashes);
  if (status == HS_OK)
    status = put(writing, file, writing->frame.first_row, 8 * (writers + 1), checkpoint->first_row);
  return status;
}

/* Collective. */
static hs_status_t put_all(writing_t *writing)
{
  hs_checkpoint_t *checkpoint = writing->checkpoint;
  MPI_File file = MPI_FILE_NULL;
  int code = MPI_File_open(MPI_COMM_SELF, checkpoint->temporary, MPI_MODE_WRONLY, MPI_INFO_NULL, &file);
  hs_status_t status = code == MPI_SUCCESS ? HS_OK : file_error(writing, code);
  if (status == HS_OK) status = put_parts(writing, file);
  status = hs_agree(checkpoint->comm, status);
  int count = writing->frame.count;
  if (status == HS_OK)
    HS_MPI(MPI_Gather(checkpoint->rank == 0 ? MPI_IN_PLACE : writing->hashes, count, MPI_INT64_T,
                      writing->hashes, count, MPI_INT64_T, 0, checkpoint->comm));
  if (status == HS_OK && checkpoint->rank == 0) status = put_checks(writing, file);
  if (file != MPI_FILE_NULL) {
    code = status == HS_OK ? MPI_File_sync(file) : MPI_SUCCESS;
    int closed = MPI_File_close(&file);
    if (code == MPI_SUCCESS) code = closed;
    if (code != MPI_SUCCESS && status == HS_OK) status = file_error(writing, code);
  }
  return hs_agree(checkpoint->comm, status);
}

hs_status_t hs_checkpoint_write(hs_checkpoint_t *checkpoint, const hs_state_t *state, int64_t iteration,
                                double relative_gap, const char *stop)
{
  double begin = MPI_Wtime();
  writing_t *writing = hs_alloc(1, sizeof *writing, "checkpoint");
  hs_status_t status = writing != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    writing->checkpoint = checkpoint;
    status = prepare(writing, state);
  }
  status = hs_agree(checkpoint->comm, status);
  if (status == HS_OK) status = make_frame(writing, iteration, relative_gap, stop);
  if (status == HS_OK) status = put_all(writing);
  if (status == HS_OK && checkpoint->rank == 0)
    status = hs_checkpoint_commit(checkpoint->temporary, checkpoint->path);
  status = hs_agree(checkpoint->comm, status);
  if (status == HS_OK) {
    checkpoint->cost.written += 1;
    checkpoint->cost.bytes = writing->frame.bytes;
  } else if (checkpoint->rank == 0) {
    unlink(checkpoint->temporary);
  }
  double seconds = MPI_Wtime() - begin;
  checkpoint->cost.seconds += seconds;
  if (status == HS_OK)
    hs_log("%6" PRId64 "  checkpoint written: %.1f MB in %.2f s", iteration,
           (double)checkpoint->cost.bytes / 1e6, seconds);
  if (writing != NULL) {
    hs_free(writing->hashes);
    hs_free(writing->history);
  }
  hs_free(writing);
  return status;
}
