#include "io/importers/csv_dialect.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "io/importers/csv_reader.h"
#include "io/importers/number.h"

#define SAMPLE 100 /* records */

/* How well a separator does on the first records. */
typedef struct {
  int64_t records, split; /* records with two fields or more */
  int64_t alike;          /* of them, with as many fields as the first */
  int64_t numbers;        /* fields that are numbers */
} score_t;

bool hs_csv_has_decimal_comma(hs_field_t field)
{
  const char *comma = memchr(field.text, ',', field.length);
  if (comma == NULL) return false;
  size_t before = (size_t)(comma - field.text), after = field.length - before - 1;
  double value;
  return after > 0 && hs_number_parse(comma + 1, after, &value) &&
         (before == 0 || hs_number_parse(field.text, before, &value));
}

/* A field with a comma exists only where another separator divides them. */
static bool is_number(hs_field_t field)
{
  double value;
  return hs_number_parse(field.text, field.length, &value) || hs_csv_has_decimal_comma(field);
}

static hs_status_t judge(const char *path, char separator, score_t *score)
{
  hs_csv_reader_t reader;
  *score = (score_t){0};
  hs_status_t status = hs_csv_open(&reader, path, separator);
  int64_t width = 0;
  while (status == HS_OK && score->records < SAMPLE) {
    status = hs_csv_next(&reader);
    if (status != HS_OK || reader.count == 0) break;
    if (score->records++ == 0) width = reader.count;
    score->split += reader.count > 1;
    score->alike += reader.count > 1 && reader.count == width;
    for (int64_t k = 0; k < reader.count; k++) score->numbers += is_number(reader.fields[k]);
  }
  hs_csv_close(&reader);
  return status;
}

static bool better(const score_t *a, const score_t *b)
{
  if (a->numbers != b->numbers) return a->numbers > b->numbers;
  return a->alike > b->alike;
}

static hs_status_t find_separator(char *separator, const char *path)
{
  static const char candidates[] = {',', '\t', ';'};
  score_t best = {0};
  hs_status_t first_failure = HS_OK;
  *separator = ' ';
  for (int k = 0; k < 3; k++) {
    score_t score;
    hs_status_t status = judge(path, candidates[k], &score);
    if (status != HS_OK) {
      /* a quote that makes no sense with this separator may with another */
      if (first_failure == HS_OK) first_failure = status;
      continue;
    }
    if (2 * score.split <= score.records) continue;
    if (*separator == ' ' || better(&score, &best)) {
      best = score;
      *separator = candidates[k];
    }
  }
  if (*separator != ' ') {
    hs_error_clear();
    return HS_OK;
  }
  return first_failure;
}

/* Does the k-th field (from 0) only count the columns, as names of data frames do? */
static bool counts_columns(hs_field_t field, int64_t k)
{
  double value;
  return hs_number_parse(field.text, field.length, &value) &&
         (value == (double)k || value == (double)(k + 1));
}

static bool may_be_name(hs_field_t field, int64_t k)
{
  if (is_number(field)) return counts_columns(field, k);
  /* an index column often has no name */
  return (field.length == 0 && k == 0) || !hs_number_is_missing(field.text, field.length);
}

/* The first record against the second. `named` [width] says where the first holds a text. */
static bool second_agrees(const hs_csv_reader_t *second, const bool *named, int64_t width)
{
  for (int64_t k = 0; k < second->count && k < width; k++)
    if (named[k] && is_number(second->fields[k])) return true;
  return second->count == 0; /* names alone, no rows: still a header */
}

static hs_status_t find_header(bool *header, const char *path, char separator)
{
  *header = false;
  hs_csv_reader_t reader;
  hs_status_t status = hs_csv_open(&reader, path, separator);
  if (status == HS_OK) status = hs_csv_next(&reader);
  int64_t width = reader.count;
  bool possible = status == HS_OK && width > 0, *named = NULL;
  if (possible && (named = hs_alloc((size_t)width, sizeof *named, "header")) == NULL) status = HS_NO_MEMORY;
  for (int64_t k = 0; named != NULL && k < width; k++) {
    possible = possible && may_be_name(reader.fields[k], k);
    named[k] = !is_number(reader.fields[k]);
  }
  if (status == HS_OK && possible) {
    status = hs_csv_next(&reader);
    *header = status == HS_OK && second_agrees(&reader, named, width);
  }
  hs_free(named);
  hs_csv_close(&reader);
  return status;
}

hs_status_t hs_csv_detect(hs_csv_dialect_t *dialect, const char *path, hs_header_t header)
{
  dialect->header = header == HS_HEADER_YES;
  hs_status_t status = find_separator(&dialect->separator, path);
  if (status == HS_OK && header == HS_HEADER_AUTO)
    status = find_header(&dialect->header, path, dialect->separator);
  return status;
}

const char *hs_csv_separator_name(char separator)
{
  return separator == ',' ? "comma" : separator == '\t' ? "tab" : separator == ';' ? "semicolon" : "blanks";
}
