/* checkpoint_file.h: the frame of a checkpoint: an HDF5 file whose arrays have fixed places in it.
 *
 *   /state/NAME        the arrays, contiguous; attribute `kind`. Many processes write and read their parts by plain offsets
 *   /check/hashes      [writers, arrays] XXH3 of the part that each writer put into each array, as int64
 *   /check/first_row   [writers + 1] first global row of each writer
 *   attributes         facts, see below
 *
 * The frame is made by one process before anything is written: places are then known, and the room on the disk is
 * taken, so that a full disk shows before the writing begins. Knows nothing of MPI. Not collective.
 */
#ifndef HS_IO_CHECKPOINT_CHECKPOINT_FILE_H
#define HS_IO_CHECKPOINT_CHECKPOINT_FILE_H

#include <stdint.h>

#include "base/status.h"

#define HS_CHECKPOINT_ARRAYS 512
#define HS_CHECKPOINT_NAME 24

typedef enum hs_stored_type { HS_STORED_DOUBLE, HS_STORED_FLOAT, HS_STORED_INT64 } hs_stored_type_t;

typedef enum hs_stored_kind {
  HS_STORED_SAME, /* equal on all ranks */
  HS_STORED_ROWS, /* of the rows of the data, in global order */
  HS_STORED_ROOT  /* of rank 0 alone */
} hs_stored_kind_t;

typedef struct hs_stored_array {
  char name[HS_CHECKPOINT_NAME];
  hs_stored_kind_t kind;
  hs_stored_type_t type;
  int64_t rows, columns; /* shape */
  int64_t offset;        /* in the file, bytes; 0 where the array is empty */
} hs_stored_array_t;

int64_t hs_stored_bytes(const hs_stored_array_t *array);

typedef struct hs_checkpoint_facts {
  char *settings;                   /* YAML; owned when read */
  char *version, *commit;           /* of the program; owned when read */
  char *stop;                       /* why the run stopped there, "running" if it did not; owned when read */
  int64_t iteration, rows, blocks;  /* rows n and blocks N over all ranks */
  int64_t writers;                  /* ranks that wrote it */
  int64_t features, targets, gates; /* fingerprints */
  double relative_gap;
} hs_checkpoint_facts_t;

typedef struct hs_checkpoint_frame {
  int count;
  hs_stored_array_t array[HS_CHECKPOINT_ARRAYS];
  int64_t hashes, first_row; /* offsets of the two checks */
  int64_t bytes;             /* of the whole file */
} hs_checkpoint_frame_t;

/* Make the file at path (an old one is lost) with arrays of the given names, types and shapes; fills in all
 * places. HS_IO, with the file removed, when it cannot be made or the disk has no room for it. */
hs_status_t hs_checkpoint_frame_create(const char *path, const hs_checkpoint_facts_t *facts,
                                       hs_checkpoint_frame_t *frame);

/* Read facts and places. HS_BAD_DATA when the file is foreign, cut off or damaged; HS_IO when it cannot be opened.
 * On success the facts are to be cleared by the caller. */
hs_status_t hs_checkpoint_frame_read(const char *path, hs_checkpoint_facts_t *facts,
                                     hs_checkpoint_frame_t *frame);
void hs_checkpoint_facts_clear(hs_checkpoint_facts_t *facts);

/* Write at, or read from, an offset of the file; short transfers are repeated. */
hs_status_t hs_checkpoint_put(int descriptor, const char *path, int64_t offset, int64_t bytes,
                              const void *values);
hs_status_t hs_checkpoint_get(int descriptor, const char *path, int64_t offset, int64_t bytes, void *values);

/* Bring the file `temporary` to the disk and rename it to path, durably. */
hs_status_t hs_checkpoint_commit(const char *temporary, const char *path);

#endif
