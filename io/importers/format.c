#include "io/importers/format.h"

#include <string.h>
#include <strings.h>

#include "io/importers/bytes.h"
#include "io/importers/libsvm_row.h"
#include "io/importers/lines.h"

#define SAMPLE 100 /* lines */
#define HEAD 512   /* bytes */

static hs_status_t refuse_foreign(const char *path, const unsigned char *head, size_t length)
{
  static const struct {
    const char *magic;
    size_t length;
    const char *advice;
  } known[] = {
      {"\x89HDF\r\n\x1a\n", 8, "an HDF5 file (train reads it directly; import takes CSV, LIBSVM, IDX, NPY)"},
      {"PK\x03\x04", 4, "a zip or npz archive (unpack it first)"},
      {"\xfd"
       "7zXZ",
       5, "compressed with xz (unpack it first; gzip and bzip2 are read directly)"},
      {"\x28\xb5\x2f\xfd", 4, "compressed with zstd (unpack it first; gzip and bzip2 are read directly)"},
      {"\x1f\x9d", 2, "compressed with compress (unpack it first; gzip and bzip2 are read directly)"},
      {"PAR1", 4, "a Parquet file (save it as CSV or NPY first)"},
      {"\xff\xfe", 2, "UTF-16 text (save it as UTF-8)"},
      {"\xfe\xff", 2, "UTF-16 text (save it as UTF-8)"},
  };
  for (size_t k = 0; k < sizeof known / sizeof *known; k++)
    if (length >= known[k].length && memcmp(head, known[k].magic, known[k].length) == 0)
      return hs_fail(HS_BAD_DATA, path, NULL, "is %s", known[k].advice);
  size_t name = strlen(path);
  bool promised = (name > 4 && strcasecmp(path + name - 4, ".npy") == 0) || strstr(path, "-ubyte") != NULL;
  if (!promised && memchr(head, 0, length) == NULL) return HS_OK;
  return hs_fail(HS_BAD_DATA, path, NULL,
                 "wrong magic number %02x%02x%02x%02x: neither text nor IDX (00 00 TYPE DIMENSIONS) nor NPY "
                 "(\\x93NUMPY)",
                 head[0], length > 1 ? head[1] : 0u, length > 2 ? head[2] : 0u, length > 3 ? head[3] : 0u);
}

static bool is_idx(const unsigned char *head, size_t length)
{
  return length >= 4 && head[0] == 0 && head[1] == 0 && head[2] >= 0x08 && head[2] <= 0x0E && head[3] >= 1 &&
         head[3] <= 8;
}

static hs_status_t detect_text(hs_format_t *format, const char *path)
{
  hs_lines_t *lines;
  hs_status_t status = hs_lines_open(&lines, path);
  int64_t all_pairs = 0, pairs = 0;
  bool libsvm = true;
  for (int k = 0; status == HS_OK && libsvm && k < SAMPLE; k++) {
    char *text;
    size_t length;
    status = hs_lines_next(lines, &text, &length);
    if (status != HS_OK || text == NULL) break;
    /* the first line decides when a later one is faulty */
    bool accepted = hs_libsvm_accepts(text, length, &pairs);
    libsvm = accepted || all_pairs > 0;
    all_pairs += pairs;
  }
  hs_lines_close(&lines);
  *format = libsvm && all_pairs > 0 ? HS_FORMAT_LIBSVM : HS_FORMAT_CSV;
  return status;
}

hs_status_t hs_format_detect(hs_format_t *format, int *dimensions, const char *path)
{
  unsigned char head[HEAD];
  size_t length = 0;
  *dimensions = 0;
  hs_bytes_t *bytes;
  hs_status_t status = hs_bytes_open(&bytes, path);
  if (status == HS_OK) status = hs_bytes_read(bytes, head, sizeof head, &length);
  hs_bytes_close(&bytes);
  if (status != HS_OK) return status;
  if (length == 0) return hs_fail(HS_BAD_DATA, path, NULL, "zero rows: the file is empty");
  if (length >= 6 && memcmp(head, "\x93NUMPY", 6) == 0) {
    *format = HS_FORMAT_NPY;
    return HS_OK;
  }
  if (is_idx(head, length)) {
    *format = HS_FORMAT_IDX;
    *dimensions = head[3];
    return HS_OK;
  }
  status = refuse_foreign(path, head, length);
  return status == HS_OK ? detect_text(format, path) : status;
}
