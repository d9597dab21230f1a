#include "io/importers/csv_reader.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define LONGEST_RECORD ((size_t)1 << 24) /* a quoted field beyond 16 MB of lines was never closed */

hs_status_t hs_csv_open(hs_csv_reader_t *reader, const char *path, char separator)
{
  *reader = (hs_csv_reader_t){.separator = separator};
  return hs_lines_open(&reader->lines, path);
}

hs_status_t hs_csv_rewind(hs_csv_reader_t *reader)
{
  reader->count = 0;
  return hs_lines_rewind(reader->lines);
}

void hs_csv_close(hs_csv_reader_t *reader)
{
  hs_lines_close(&reader->lines);
  hs_free(reader->fields);
  hs_free(reader->joined);
  *reader = (hs_csv_reader_t){0};
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t';
}

static hs_status_t add_field(hs_csv_reader_t *r, char *from, char *to)
{
  if (r->count == r->capacity) {
    int64_t capacity = r->capacity == 0 ? 64 : 2 * r->capacity;
    hs_field_t *fields = hs_alloc((size_t)capacity, sizeof *fields, "fields");
    if (fields == NULL) return HS_NO_MEMORY;
    if (r->count > 0) memcpy(fields, r->fields, (size_t)r->count * sizeof *fields);
    hs_free(r->fields);
    r->fields = fields;
    r->capacity = capacity;
  }
  r->fields[r->count++] = (hs_field_t){from, (size_t)(to - from)};
  return HS_OK;
}

/* The closing quote of the field that opens at *at == '"', or NULL. */
static char *closing_quote(char *at, const char *end)
{
  for (char *c = at + 1; c < end; c++) {
    if (*c != '"') continue;
    if (c + 1 == end || c[1] != '"') return c;
    c++;
  }
  return NULL;
}

/* "" becomes " in place; returns the new end. */
static char *unescape(char *from, char *to)
{
  char *put = from;
  for (char *c = from; c < to; c++) {
    *put++ = *c;
    if (*c == '"') c++;
  }
  return put;
}

static hs_status_t complain(const hs_csv_reader_t *r, const char *what)
{
  char where[64];
  snprintf(where, sizeof where, "line %lld, column %lld", (long long)r->line, (long long)r->count + 1);
  return hs_fail(HS_BAD_DATA, hs_lines_path(r->lines), where, "%s", what);
}

/* Is every quote that opens a field closed on this text? Escapes are left alone, so that the text can be
 * joined with the next line and tried again. */
static bool quotes_closed(const hs_csv_reader_t *r, char *at, const char *end)
{
  bool start = true;
  for (; at < end; at++) {
    bool separator = r->separator == ' ' ? is_blank(*at) : *at == r->separator;
    if (start && *at == '"') {
      if ((at = closing_quote(at, end)) == NULL) return false;
      start = false;
    } else if (!is_blank(*at) || separator) {
      start = separator;
    }
  }
  return true;
}

static hs_status_t split(hs_csv_reader_t *r, char *at, char *end)
{
  const char separator = r->separator;
  const bool runs = separator == ' ';
  r->count = 0;
  for (;;) {
    while (at < end && is_blank(*at) && *at != separator) at++;
    while (runs && at < end && is_blank(*at)) at++;
    if (runs && at == end) return HS_OK;
    char *from = at, *to;
    if (at < end && *at == '"') {
      char *close = closing_quote(at, end);
      if (close == NULL) return complain(r, "a quote is opened and never closed");
      from = at + 1;
      to = unescape(from, close);
      at = close + 1;
      while (at < end && is_blank(*at) && *at != separator && !runs) at++;
      if (at < end && !(runs ? is_blank(*at) : *at == separator))
        return complain(r, "text follows the closing quote of a field");
    } else {
      while (at < end && *at != separator && !(runs && *at == '\t')) at++;
      to = at;
      while (to > from && is_blank(to[-1])) to--;
    }
    hs_status_t status = add_field(r, from, to);
    if (status != HS_OK || at == end) return status;
    at++;
  }
}

static hs_status_t append_line(hs_csv_reader_t *r, size_t *length, const char *text, size_t more)
{
  size_t need = *length + more + 1;
  if (need > r->joined_capacity) {
    char *larger = hs_alloc(2 * need, 1, "record");
    if (larger == NULL) return HS_NO_MEMORY;
    if (*length > 0) memcpy(larger, r->joined, *length);
    hs_free(r->joined);
    r->joined = larger;
    r->joined_capacity = 2 * need;
  }
  memcpy(r->joined + *length, text, more);
  *length += more;
  return HS_OK;
}

/* A quote stays open at the end of the line: the record goes on. */
static hs_status_t join_lines(hs_csv_reader_t *r, char **text, size_t *length)
{
  size_t total = 0;
  hs_status_t status = append_line(r, &total, *text, *length);
  bool open = true;
  while (status == HS_OK && open) {
    char *next = NULL;
    size_t more = 0;
    if (total < LONGEST_RECORD) status = hs_lines_next(r->lines, &next, &more);
    if (status == HS_OK && next == NULL) {
      r->count = 0;
      char where[40];
      snprintf(where, sizeof where, "line %lld", (long long)r->line);
      return hs_fail(HS_BAD_DATA, hs_lines_path(r->lines), where, "a quote is opened and never closed");
    }
    if (status == HS_OK) status = append_line(r, &total, "\n", 1);
    if (status == HS_OK) status = append_line(r, &total, next, more);
    /* only a line with a quote can close one */
    if (status == HS_OK && memchr(next, '"', more) != NULL)
      open = !quotes_closed(r, r->joined, r->joined + total);
  }
  *text = r->joined;
  *length = total;
  return status;
}

static bool is_blank_line(const char *text, size_t length, char separator)
{
  for (size_t k = 0; k < length; k++)
    if (!is_blank(text[k]) || (text[k] == '\t' && separator == '\t')) return false;
  return true;
}

hs_status_t hs_csv_next(hs_csv_reader_t *r)
{
  char *text;
  size_t length;
  r->count = 0;
  do {
    hs_status_t status = hs_lines_next(r->lines, &text, &length);
    if (status != HS_OK || text == NULL) return status;
  } while (is_blank_line(text, length, r->separator));
  r->line = hs_lines_number(r->lines);
  if (memchr(text, '"', length) != NULL && !quotes_closed(r, text, text + length)) {
    hs_status_t status = join_lines(r, &text, &length);
    if (status != HS_OK) return status;
  }
  return split(r, text, text + length);
}
