#include "io/importers/lines.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define FIRST_BUFFER ((size_t)1 << 18)

struct hs_lines {
  hs_bytes_t *bytes;
  char *buffer; /* capacity + 1 bytes: room for a closing zero */
  size_t capacity, at, end, searched;
  bool file_end;
  int64_t number;
};

hs_status_t hs_lines_open(hs_lines_t **out, const char *path)
{
  *out = NULL;
  hs_lines_t *lines = hs_alloc(1, sizeof *lines, "lines");
  if (lines == NULL) return HS_NO_MEMORY;
  hs_status_t status = hs_bytes_open(&lines->bytes, path);
  lines->capacity = FIRST_BUFFER;
  if (status == HS_OK) {
    lines->buffer = hs_alloc(lines->capacity + 1, 1, "line buffer");
    if (lines->buffer == NULL) status = HS_NO_MEMORY;
  }
  if (status != HS_OK) hs_lines_close(&lines);
  *out = lines;
  return status;
}

hs_status_t hs_lines_rewind(hs_lines_t *lines)
{
  lines->at = lines->end = lines->searched = 0;
  lines->file_end = false;
  lines->number = 0;
  return hs_bytes_rewind(lines->bytes);
}

/* Make room behind the unfinished line, by moving it to the front or into a larger buffer, and read on. */
static hs_status_t read_more(hs_lines_t *lines)
{
  size_t kept = lines->end - lines->at;
  if (kept == lines->capacity) {
    char *larger = hs_alloc(2 * lines->capacity + 1, 1, "line buffer");
    if (larger == NULL) return HS_NO_MEMORY;
    memcpy(larger, lines->buffer + lines->at, kept);
    hs_free(lines->buffer);
    lines->buffer = larger;
    lines->capacity *= 2;
  } else {
    memmove(lines->buffer, lines->buffer + lines->at, kept);
  }
  lines->searched -= lines->at;
  lines->at = 0;
  size_t got;
  hs_status_t status = hs_bytes_read(lines->bytes, lines->buffer + kept, lines->capacity - kept, &got);
  lines->file_end = got < lines->capacity - kept;
  lines->end = kept + got;
  return status;
}

static hs_status_t check_text(hs_lines_t *lines, char **text, size_t *length)
{
  char where[40];
  snprintf(where, sizeof where, "line %lld", (long long)lines->number);
  const char *path = hs_bytes_path(lines->bytes);
  if (lines->number == 1 && *length >= 2 &&
      (memcmp(*text, "\xff\xfe", 2) == 0 || memcmp(*text, "\xfe\xff", 2) == 0))
    return hs_fail(HS_BAD_DATA, path, where, "UTF-16 text (save it as UTF-8)");
  if (memchr(*text, 0, *length) != NULL)
    return hs_fail(HS_BAD_DATA, path, where, "holds a zero byte: this is not a text file");
  if (lines->number == 1 && *length >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
    *text += 3;
    *length -= 3;
  }
  return HS_OK;
}

hs_status_t hs_lines_next(hs_lines_t *lines, char **text, size_t *length)
{
  *text = NULL;
  *length = 0;
  char *stop;
  for (;;) {
    stop = memchr(lines->buffer + lines->searched, '\n', lines->end - lines->searched);
    if (stop != NULL || lines->file_end) break;
    lines->searched = lines->end;
    hs_status_t status = read_more(lines);
    if (status != HS_OK) return status;
  }
  if (stop == NULL && lines->at == lines->end) return HS_OK;
  char *start = lines->buffer + lines->at, *end = stop != NULL ? stop : lines->buffer + lines->end;
  lines->at = lines->searched = stop != NULL ? (size_t)(stop - lines->buffer) + 1 : lines->end;
  if (end > start && end[-1] == '\r') end--;
  *end = '\0';
  *text = start;
  *length = (size_t)(end - start);
  lines->number++;
  return check_text(lines, text, length);
}

int64_t hs_lines_number(const hs_lines_t *lines)
{
  return lines->number;
}

const char *hs_lines_path(const hs_lines_t *lines)
{
  return hs_bytes_path(lines->bytes);
}

const char *hs_lines_packing(const hs_lines_t *lines)
{
  return hs_bytes_packing(lines->bytes);
}

void hs_lines_close(hs_lines_t **lines)
{
  if (*lines == NULL) return;
  hs_bytes_close(&(*lines)->bytes);
  hs_free((*lines)->buffer);
  hs_free(*lines);
  *lines = NULL;
}
