#include "io/importers/spill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"

#define READ_BYTES ((int64_t)1 << 20)

struct hs_spill {
  const char *scratch; /* borrowed */
  int file;
  int64_t rows, window, buckets;
  int64_t entry;                      /* bytes: position and record */
  int64_t room;                       /* entries in the buffer of a bucket */
  char *buffers;                      /* buckets x room x entry; while reading, one stretch of the file */
  int64_t *waiting, *written;         /* entries of each bucket in its buffer and in the file */
  int64_t read_first, read_count, at; /* entries of the file in the buffer; next to give */
};

static hs_status_t open_nameless(hs_spill_t *s)
{
  char path[4096];
  if (snprintf(path, sizeof path, "%s.XXXXXX", s->scratch) >= (int)sizeof path)
    return hs_fail(HS_IO, s->scratch, NULL, "the name is too long");
  s->file = mkstemp(path);
  if (s->file < 0) return hs_fail(HS_IO, path, NULL, "temporary file cannot be made: %s", strerror(errno));
  unlink(path);
  return HS_OK;
}

hs_status_t hs_spill_open(hs_spill_t **out, const char *scratch, int64_t rows, int64_t window, int64_t record,
                          int64_t memory)
{
  *out = NULL;
  hs_spill_t *s = hs_alloc(1, sizeof *s, "spill");
  if (s == NULL) return HS_NO_MEMORY;
  *s = (hs_spill_t){.scratch = scratch, .file = -1, .rows = rows, .window = window};
  s->buckets = (rows + window - 1) / window;
  s->entry = record + (int64_t)sizeof(int64_t);
  s->room = hs_max64(1, memory / s->buckets / s->entry);
  int64_t read_room = hs_max64(1, READ_BYTES / s->entry);
  s->buffers = hs_alloc((size_t)hs_max64(s->buckets * s->room, read_room), (size_t)s->entry, "spill");
  s->waiting = hs_alloc((size_t)s->buckets, sizeof *s->waiting, "spill");
  s->written = hs_alloc((size_t)s->buckets, sizeof *s->written, "spill");
  hs_status_t status =
      s->buffers != NULL && s->waiting != NULL && s->written != NULL ? open_nameless(s) : HS_NO_MEMORY;
  if (status != HS_OK) hs_spill_close(&s);
  *out = s;
  return status;
}

static hs_status_t write_bucket(hs_spill_t *s, int64_t bucket)
{
  int64_t length = s->waiting[bucket] * s->entry, done = 0;
  int64_t offset = (bucket * s->window + s->written[bucket]) * s->entry;
  const char *from = s->buffers + bucket * s->room * s->entry;
  while (done < length) {
    ssize_t put = pwrite(s->file, from + done, (size_t)(length - done), (off_t)(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0)
      return hs_fail(HS_IO, s->scratch, NULL,
                     "temporary file beside it cannot be written: %s (memory= holds more rows)",
                     strerror(errno));
    done += put;
  }
  s->written[bucket] += s->waiting[bucket];
  s->waiting[bucket] = 0;
  return HS_OK;
}

void *hs_spill_put(hs_spill_t *s, int64_t position, hs_status_t *status)
{
  int64_t bucket = position / s->window;
  *status = s->waiting[bucket] == s->room ? write_bucket(s, bucket) : HS_OK;
  if (*status != HS_OK) return NULL;
  char *entry = s->buffers + (bucket * s->room + s->waiting[bucket]++) * s->entry;
  memcpy(entry, &position, sizeof position);
  return entry + sizeof position;
}

hs_status_t hs_spill_flush(hs_spill_t *s)
{
  for (int64_t bucket = 0; bucket < s->buckets; bucket++) {
    hs_status_t status = write_bucket(s, bucket);
    if (status != HS_OK) return status;
  }
  return HS_OK;
}

static hs_status_t read_on(hs_spill_t *s)
{
  s->read_first = s->at;
  s->read_count = hs_min64(s->rows - s->at, hs_max64(1, READ_BYTES / s->entry));
  int64_t length = s->read_count * s->entry, done = 0;
  while (done < length) {
    ssize_t got =
        pread(s->file, s->buffers + done, (size_t)(length - done), (off_t)(s->at * s->entry + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return hs_fail(HS_IO, s->scratch, NULL, "temporary file beside it cannot be read: %s",
                     got < 0 ? strerror(errno) : "it is too short");
    done += got;
  }
  return HS_OK;
}

const void *hs_spill_get(hs_spill_t *s, int64_t *position, hs_status_t *status)
{
  *status = s->at == s->read_first + s->read_count ? read_on(s) : HS_OK;
  if (*status != HS_OK) return NULL;
  const char *entry = s->buffers + (s->at++ - s->read_first) * s->entry;
  memcpy(position, entry, sizeof *position);
  return entry + sizeof *position;
}

void hs_spill_close(hs_spill_t **spill)
{
  hs_spill_t *s = *spill;
  *spill = NULL;
  if (s == NULL) return;
  if (s->file >= 0) close(s->file);
  hs_free(s->buffers);
  hs_free(s->waiting);
  hs_free(s->written);
  hs_free(s);
}
