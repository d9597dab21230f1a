#include "io/importers/row_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/importers/number.h"

hs_cell_t hs_cell_of_text(const char *text, size_t length)
{
  hs_cell_t cell = {text, length, false, 0.0};
  cell.is_number = hs_number_parse(text, length, &cell.number);
  return cell;
}

void hs_row_source_quote(const char *text, size_t length, char *quoted, size_t size)
{
  size_t kept = length < 40 ? length : 40;
  /* do not cut a UTF-8 letter in two */
  while (kept > 0 && kept < length && ((unsigned char)text[kept] & 0xC0) == 0x80) kept--;
  if (kept + 4 > size) kept = size - 4;
  for (size_t k = 0; k < kept; k++) quoted[k] = (unsigned char)text[k] < 32 || text[k] == 127 ? '?' : text[k];
  strcpy(quoted + kept, kept < length ? "..." : "");
}

static hs_status_t bad_target(const hs_row_source_t *source, int64_t k, const hs_cell_t *cell)
{
  char where[200], text[48];
  source->kind->locate(source, -1 - k, where, sizeof where);
  hs_row_source_quote(cell->text, cell->length, text, sizeof text);
  if (hs_number_is_missing(cell->text, cell->length))
    return hs_fail(
        HS_BAD_DATA, source->path, where,
        "\"%s\" as label is a missing or infinite value (remove the row, or label= names another column)",
        text);
  if (cell->is_number)
    return hs_fail(HS_BAD_DATA, source->path, where, "\"%s\" is beyond the range of numbers", text);
  return hs_fail(HS_BAD_DATA, source->path, where,
                 "\"%s\" is not a number, which regression needs (task=classification takes texts)", text);
}

hs_status_t hs_row_source_count_targets(hs_row_source_t *source, const hs_cell_t *targets, int64_t place)
{
  for (int64_t k = 0; k < source->targets; k++) {
    const hs_cell_t *cell = &targets[k];
    bool good = cell->is_number ? isfinite(cell->number)
                                : !source->numbers_only && !hs_number_is_missing(cell->text, cell->length);
    if (!good) return bad_target(source, k, cell);
  }
  return source->targets == 1 && !source->numbers_only ? hs_labels_add(&source->labels, targets, place)
                                                       : HS_OK;
}

char **hs_names_new(int64_t count)
{
  return hs_alloc((size_t)count, sizeof(char *), "names");
}

void hs_names_free(char ***names, int64_t count)
{
  for (int64_t k = 0; *names != NULL && k < count; k++) hs_free((*names)[k]);
  hs_free(*names);
  *names = NULL;
}

bool hs_names_set(char **names, int64_t k, const char *text, size_t length)
{
  names[k] = hs_alloc(length + 1, 1, "names");
  if (names[k] != NULL) memcpy(names[k], text, length);
  return names[k] != NULL;
}

void hs_row_source_close(hs_row_source_t *source)
{
  if (source->kind != NULL) source->kind->free(source);
  hs_names_free(&source->names, source->features);
  hs_names_free(&source->target_names, source->targets);
  hs_labels_free(&source->labels);
  source->kind = NULL;
}
