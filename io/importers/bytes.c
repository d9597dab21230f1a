#include "io/importers/bytes.h"

#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"

#define BUFFER ((size_t)1 << 18)
#define LARGEST_STEP ((size_t)1 << 30) /* counters of zlib and bzip2 have 32 bits */

typedef enum { PLAIN, GZIP, BZIP2 } packing_t;

struct hs_bytes {
  const char *path; /* borrowed */
  int file;
  packing_t packing;
  int64_t length; /* of the file as it lies on disk */
  unsigned char *buffer;
  size_t at, end; /* buffer[at..end) is waiting */
  bool in_member; /* inside compressed data; false between members and at the end */
  bool decoder_open;
  z_stream gzip;
  bz_stream bzip2;
};

static hs_status_t refill(hs_bytes_t *b)
{
  ssize_t got;
  do got = read(b->file, b->buffer, BUFFER);
  while (got < 0 && errno == EINTR);
  if (got < 0) return hs_fail(HS_IO, b->path, NULL, "cannot be read: %s", strerror(errno));
  b->at = 0;
  b->end = (size_t)got;
  return HS_OK;
}

static void close_decoder(hs_bytes_t *b)
{
  if (b->decoder_open && b->packing == GZIP) inflateEnd(&b->gzip);
  if (b->decoder_open && b->packing == BZIP2) BZ2_bzDecompressEnd(&b->bzip2);
  b->decoder_open = false;
}

static hs_status_t open_decoder(hs_bytes_t *b)
{
  close_decoder(b);
  memset(&b->gzip, 0, sizeof b->gzip);
  memset(&b->bzip2, 0, sizeof b->bzip2);
  bool good = true;
  if (b->packing == GZIP) good = inflateInit2(&b->gzip, 15 + 16) == Z_OK; /* 16: gzip wrapping */
  if (b->packing == BZIP2) good = BZ2_bzDecompressInit(&b->bzip2, 0, 0) == BZ_OK;
  if (!good) return hs_fail(HS_NO_MEMORY, b->path, NULL, "no memory to decompress");
  b->decoder_open = b->packing != PLAIN;
  b->in_member = b->decoder_open;
  return HS_OK;
}

hs_status_t hs_bytes_rewind(hs_bytes_t *b)
{
  if (lseek(b->file, 0, SEEK_SET) != 0)
    return hs_fail(HS_IO, b->path, NULL, "cannot be read again: %s", strerror(errno));
  b->at = b->end = 0;
  return open_decoder(b);
}

static hs_status_t recognise(hs_bytes_t *b)
{
  struct stat about;
  if (fstat(b->file, &about) != 0)
    return hs_fail(HS_IO, b->path, NULL, "cannot be examined: %s", strerror(errno));
  if (!S_ISREG(about.st_mode))
    return hs_fail(HS_BAD_DATA, b->path, NULL,
                   "is not a regular file (imports read their input twice: save it to a file first)");
  b->length = (int64_t)about.st_size;
  hs_status_t status = refill(b);
  if (status != HS_OK) return status;
  if (b->end >= 3 && b->buffer[0] == 0x1f && b->buffer[1] == 0x8b) b->packing = GZIP;
  if (b->end >= 4 && memcmp(b->buffer, "BZh", 3) == 0 && b->buffer[3] >= '1' && b->buffer[3] <= '9')
    b->packing = BZIP2;
  return hs_bytes_rewind(b);
}

hs_status_t hs_bytes_open(hs_bytes_t **out, const char *path)
{
  *out = NULL;
  hs_bytes_t *b = hs_alloc(1, sizeof *b, "input");
  if (b == NULL) return HS_NO_MEMORY;
  b->path = path;
  b->file = open(path, O_RDONLY | O_CLOEXEC);
  hs_status_t status = HS_OK;
  if (b->file < 0) status = hs_fail(HS_BAD_DATA, path, NULL, "cannot be opened: %s", strerror(errno));
  if (status == HS_OK && (b->buffer = hs_alloc(BUFFER, 1, "input buffer")) == NULL) status = HS_NO_MEMORY;
  if (status == HS_OK) status = recognise(b);
  if (status != HS_OK) hs_bytes_close(&b);
  *out = b;
  return status;
}

/* One step of the decoder: consumes from the buffer, writes to `to`, clears in_member at a member's end. */
static hs_status_t step_gzip(hs_bytes_t *b, unsigned char *to, size_t want, size_t *made)
{
  b->gzip.next_in = b->buffer + b->at;
  b->gzip.avail_in = (uInt)(b->end - b->at);
  b->gzip.next_out = to;
  b->gzip.avail_out = (uInt)want;
  int code = inflate(&b->gzip, Z_NO_FLUSH);
  b->at = b->end - b->gzip.avail_in;
  *made = want - b->gzip.avail_out;
  if (code == Z_STREAM_END) b->in_member = false;
  if (code == Z_MEM_ERROR) return hs_fail(HS_NO_MEMORY, b->path, NULL, "no memory to decompress");
  if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
    return hs_fail(HS_BAD_DATA, b->path, NULL, "damaged gzip data: %s",
                   b->gzip.msg != NULL ? b->gzip.msg : "unknown fault");
  return HS_OK;
}

static hs_status_t step_bzip2(hs_bytes_t *b, unsigned char *to, size_t want, size_t *made)
{
  b->bzip2.next_in = (char *)b->buffer + b->at;
  b->bzip2.avail_in = (unsigned)(b->end - b->at);
  b->bzip2.next_out = (char *)to;
  b->bzip2.avail_out = (unsigned)want;
  int code = BZ2_bzDecompress(&b->bzip2);
  b->at = b->end - b->bzip2.avail_in;
  *made = want - b->bzip2.avail_out;
  if (code == BZ_STREAM_END) b->in_member = false;
  if (code == BZ_MEM_ERROR) return hs_fail(HS_NO_MEMORY, b->path, NULL, "no memory to decompress");
  if (code != BZ_OK && code != BZ_STREAM_END)
    return hs_fail(HS_BAD_DATA, b->path, NULL, "damaged bzip2 data (error %d)", code);
  return HS_OK;
}

/* Between members: the end of the file, padding with zeros, or another member. */
static hs_status_t next_member(hs_bytes_t *b, bool *end)
{
  *end = false;
  for (;;) {
    if (b->at == b->end) {
      hs_status_t status = refill(b);
      if (status != HS_OK) return status;
      if (b->end == 0) {
        *end = true;
        return HS_OK;
      }
    }
    if (b->buffer[b->at] != 0) break;
    b->at++;
  }
  if (b->buffer[b->at] != (b->packing == GZIP ? 0x1f : 'B'))
    return hs_fail(HS_BAD_DATA, b->path, NULL, "other bytes follow the end of the compressed data");
  return open_decoder(b);
}

static hs_status_t read_packed(hs_bytes_t *b, unsigned char *to, size_t want, size_t *got)
{
  while (*got < want) {
    bool end = false;
    hs_status_t status = b->in_member ? HS_OK : next_member(b, &end);
    if (status != HS_OK || end) return status;
    bool file_end = false;
    if (b->at == b->end) {
      if ((status = refill(b)) != HS_OK) return status;
      file_end = b->end == 0;
    }
    size_t step = want - *got < LARGEST_STEP ? want - *got : LARGEST_STEP, made = 0;
    status =
        b->packing == GZIP ? step_gzip(b, to + *got, step, &made) : step_bzip2(b, to + *got, step, &made);
    if (status != HS_OK) return status;
    *got += made;
    if (file_end && made == 0 && b->in_member)
      return hs_fail(HS_BAD_DATA, b->path, NULL, "truncated: the file ends inside the %s data",
                     b->packing == GZIP ? "gzip" : "bzip2");
  }
  return HS_OK;
}

hs_status_t hs_bytes_read(hs_bytes_t *b, void *to, size_t want, size_t *got)
{
  *got = 0;
  if (b->packing != PLAIN) return read_packed(b, to, want, got);
  while (*got < want) {
    if (b->at == b->end) {
      hs_status_t status = refill(b);
      if (status != HS_OK || b->end == 0) return status;
    }
    size_t ready = b->end - b->at, take = want - *got < ready ? want - *got : ready;
    memcpy((char *)to + *got, b->buffer + b->at, take);
    b->at += take;
    *got += take;
  }
  return HS_OK;
}

hs_status_t hs_bytes_read_at(const hs_bytes_t *b, void *to, size_t length, int64_t offset)
{
  size_t done = 0;
  while (done < length) {
    ssize_t got = pread(b->file, (char *)to + done, length - done, (off_t)(offset + (int64_t)done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return hs_fail(HS_IO, b->path, NULL, "cannot be read: %s", strerror(errno));
    if (got == 0) return hs_fail(HS_BAD_DATA, b->path, NULL, "truncated");
    done += (size_t)got;
  }
  return HS_OK;
}

int64_t hs_bytes_length(const hs_bytes_t *b)
{
  return b->packing == PLAIN ? b->length : -1;
}

const char *hs_bytes_path(const hs_bytes_t *b)
{
  return b->path;
}

const char *hs_bytes_packing(const hs_bytes_t *b)
{
  return b->packing == GZIP ? ", gzip" : b->packing == BZIP2 ? ", bzip2" : "";
}

void hs_bytes_close(hs_bytes_t **bytes)
{
  hs_bytes_t *b = *bytes;
  *bytes = NULL;
  if (b == NULL) return;
  close_decoder(b);
  if (b->file >= 0) close(b->file);
  hs_free(b->buffer);
  hs_free(b);
}
