#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/checkpoint/checkpoint_private.h"
#include "mpi/checkpoint/parts.h"
#include "mpi/comm/agree.h"

#define SLAB ((int64_t)4 << 20)  /* bytes verified at a time */
#define PIECE ((int64_t)1 << 30) /* bytes of one broadcast */

static hs_status_t open_file(const hs_checkpoint_t *checkpoint, int *descriptor)
{
  *descriptor = open(checkpoint->path, O_RDONLY | O_CLOEXEC);
  return *descriptor >= 0
             ? HS_OK
             : hs_fail(HS_IO, checkpoint->path, NULL, "the checkpoint cannot be read: %s", strerror(errno));
}

hs_status_t hs_checkpoint_fetch(const hs_checkpoint_t *checkpoint, const hs_stored_array_t *array,
                                int64_t offset, int64_t bytes, void *values)
{
  int descriptor;
  hs_status_t status = open_file(checkpoint, &descriptor);
  if (status != HS_OK) return status;
  status = hs_checkpoint_get(descriptor, checkpoint->path, array->offset + offset, bytes, values);
  close(descriptor);
  return status;
}

/* ---- verification ---- */

static hs_status_t hash_part(const hs_checkpoint_t *checkpoint, int descriptor, int64_t offset, int64_t bytes,
                             void *slab, int64_t *hash)
{
  XXH3_state_t *state = XXH3_createState();
  if (state == NULL) return hs_fail(HS_NO_MEMORY, NULL, NULL, "no memory for a hash");
  XXH3_64bits_reset(state);
  hs_status_t status = HS_OK;
  for (int64_t done = 0; done < bytes && status == HS_OK; done += SLAB) {
    int64_t now = hs_min64(SLAB, bytes - done);
    status = hs_checkpoint_get(descriptor, checkpoint->path, offset + done, now, slab);
    if (status == HS_OK) XXH3_64bits_update(state, slab, (size_t)now);
  }
  *hash = (int64_t)XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return status;
}

/* The parts of every ranks-th writer and array. */
static hs_status_t verify_mine(const hs_checkpoint_t *checkpoint, const int64_t *first_row,
                               const int64_t *hashes, void *slab)
{
  int64_t writers = checkpoint->facts.writers;
  int count = checkpoint->frame.count, descriptor;
  hs_status_t status = open_file(checkpoint, &descriptor);
  if (status != HS_OK) return status;
  for (int64_t k = checkpoint->rank; k < writers * count && status == HS_OK; k += checkpoint->ranks) {
    const hs_stored_array_t *array = &checkpoint->frame.array[k % count];
    hs_part_t part = hs_part_of(array, first_row, writers, k / count);
    int64_t hash = 0;
    if (part.offset < 0 || part.bytes < 0 || part.offset + part.bytes > hs_stored_bytes(array))
      status = hs_checkpoint_damaged(checkpoint, array->name);
    if (status == HS_OK)
      status = hash_part(checkpoint, descriptor, array->offset + part.offset, part.bytes, slab, &hash);
    if (status == HS_OK && hash != hashes[k]) status = hs_checkpoint_damaged(checkpoint, array->name);
  }
  close(descriptor);
  return status;
}

hs_status_t hs_checkpoint_verify(const hs_checkpoint_t *checkpoint)
{
  int64_t writers = checkpoint->facts.writers, count = writers * checkpoint->frame.count;
  int64_t *first_row = hs_alloc((size_t)writers + 1, sizeof *first_row, "checkpoint");
  int64_t *hashes = hs_alloc((size_t)count, sizeof *hashes, "checkpoint");
  void *slab = hs_alloc((size_t)SLAB, 1, "checkpoint");
  hs_status_t status = first_row != NULL && hashes != NULL && slab != NULL ? HS_OK : HS_NO_MEMORY;
  int descriptor = -1;
  if (status == HS_OK) status = open_file(checkpoint, &descriptor);
  if (status == HS_OK)
    status = hs_checkpoint_get(descriptor, checkpoint->path, checkpoint->frame.first_row, 8 * (writers + 1),
                               first_row);
  if (status == HS_OK)
    status = hs_checkpoint_get(descriptor, checkpoint->path, checkpoint->frame.hashes, 8 * count, hashes);
  if (descriptor >= 0) close(descriptor);
  if (status == HS_OK) status = verify_mine(checkpoint, first_row, hashes, slab);
  hs_free(first_row);
  hs_free(hashes);
  hs_free(slab);
  return hs_agree(checkpoint->comm, status);
}

/* ---- reading ---- */

static bool matches(const hs_checkpoint_t *checkpoint, const hs_state_item_t *item,
                    const hs_stored_array_t *array)
{
  int64_t rows = item->kind == HS_STORED_ROWS ? checkpoint->first_row[checkpoint->ranks] : item->rows;
  return array != NULL && array->kind == item->kind && array->type == item->type && array->rows == rows &&
         array->columns == item->columns;
}

/* Rank 0 reads what all have, and tells it: a file system does not like thousands who read the same. Collective. */
static hs_status_t read_same(const hs_checkpoint_t *checkpoint, const hs_stored_array_t *array, void *data)
{
  int64_t bytes = hs_stored_bytes(array);
  hs_status_t status = HS_OK;
  if (checkpoint->rank == 0) status = hs_checkpoint_fetch(checkpoint, array, 0, bytes, data);
  status = hs_agree(checkpoint->comm, status);
  for (int64_t done = 0; done < bytes && status == HS_OK; done += PIECE)
    HS_MPI(MPI_Bcast((char *)data + done, (int)hs_min64(PIECE, bytes - done), MPI_BYTE, 0, checkpoint->comm));
  return status;
}

static hs_status_t read_rows(const hs_checkpoint_t *checkpoint, const hs_stored_array_t *array, void *data)
{
  hs_part_t part = hs_part_of(array, checkpoint->first_row, checkpoint->ranks, checkpoint->rank);
  return hs_agree(checkpoint->comm, hs_checkpoint_fetch(checkpoint, array, part.offset, part.bytes, data));
}

hs_status_t hs_checkpoint_read(const hs_checkpoint_t *checkpoint, const hs_state_t *state)
{
  hs_status_t status = HS_OK;
  for (int i = 0; i < state->count && status == HS_OK; i++) {
    const hs_state_item_t *item = &state->item[i];
    const hs_stored_array_t *array = hs_checkpoint_array(checkpoint, item->name);
    if (!matches(checkpoint, item, array)) return hs_checkpoint_damaged(checkpoint, item->name);
    status = (item->kind == HS_STORED_ROWS ? read_rows : read_same)(checkpoint, array, item->data);
  }
  return status;
}
