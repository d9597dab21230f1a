/* array_source.c: IDX and NPY arrays as a source of rows: features, and labels from a second file or from
 * columns of the first. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "io/importers/array.h"
#include "io/importers/csv_columns.h"
#include "io/importers/row_source.h"

#define TEXT 32 /* bytes for a label printed as a number */

typedef struct {
  hs_format_t format;
  const char *second; /* borrowed, or NULL */
  hs_array_t *features, *targets;
  hs_columns_t columns; /* of the first array */
  double *row, *labels; /* one row of each array */
  char *texts;          /* targets x TEXT */
  hs_cell_t *cells;
  int64_t at; /* rows delivered */
} arrays_t;

static void arrays_locate(const hs_row_source_t *source, int64_t feature, char *where, size_t size)
{
  const arrays_t *a = source->state;
  bool own = feature >= 0 || a->targets == NULL;
  long long column = own ? hs_columns_find(&a->columns, feature) + 1 : (long long)-feature;
  snprintf(where, size, "%srow %lld, column %lld", own ? "" : "targets, ", (long long)a->at, column);
}

static hs_status_t open_arrays(hs_row_source_t *source, arrays_t *a)
{
  const char *scratch = source->options->output;
  hs_status_t status = hs_array_open(&a->features, source->path, a->format, scratch);
  if (status != HS_OK || a->second == NULL) return status;
  if ((status = hs_array_open(&a->targets, a->second, a->format, scratch)) != HS_OK) return status;
  long long rows = hs_array_rows(a->features), labels = hs_array_rows(a->targets);
  if (rows == labels) return HS_OK;
  return hs_fail(HS_BAD_DATA, a->second, NULL, "%lld labels for %lld rows in %s (the counts must agree)",
                 labels, rows, source->path);
}

/* Which columns are features. Without a second file an NPY array may hold its targets in columns; then
 * label= must say so, because nothing in the file does. */
static hs_status_t settle_columns(hs_row_source_t *source, arrays_t *a)
{
  hs_status_t status = hs_columns_begin(&a->columns, hs_array_width(a->features));
  if (status != HS_OK) return status;
  if (a->second != NULL && source->options->label != NULL)
    return hs_fail(HS_BAD_USAGE, source->path, "label", "the second file holds the labels (leave label out)");
  return hs_columns_assign(&a->columns, source->options, source->path, "none");
}

static hs_status_t allocate(hs_row_source_t *source, arrays_t *a)
{
  a->row = hs_alloc((size_t)hs_array_width(a->features), sizeof *a->row, "row");
  a->labels = hs_alloc((size_t)source->targets, sizeof *a->labels, "labels");
  a->texts = hs_alloc((size_t)source->targets, TEXT, "labels");
  a->cells = hs_alloc((size_t)source->targets, sizeof *a->cells, "labels");
  return a->row != NULL && a->labels != NULL && a->texts != NULL && a->cells != NULL ? HS_OK : HS_NO_MEMORY;
}

static void take_cells(const hs_row_source_t *source, arrays_t *a, hs_cell_t *cells)
{
  for (int64_t k = 0; k < source->targets; k++) {
    char *text = a->texts + k * TEXT;
    hs_format_double(a->labels[k], text, TEXT);
    cells[k] = (hs_cell_t){text, strlen(text), true, a->labels[k]};
  }
}

/* The row in `row` and `labels`; features are moved to their slots when wanted. */
static hs_status_t read_row(const hs_row_source_t *source, arrays_t *a, bool with_row, double *features)
{
  hs_status_t status = with_row ? hs_array_next(a->features, a->row) : HS_OK;
  if (status == HS_OK && a->targets != NULL) status = hs_array_next(a->targets, a->labels);
  a->at++;
  if (status != HS_OK || !with_row) return status;
  if (features != NULL && source->features == a->columns.count) {
    memcpy(features, a->row, (size_t)source->features * sizeof *features);
    return HS_OK;
  }
  for (int64_t k = 0; k < a->columns.count; k++) {
    const hs_column_t *column = &a->columns.at[k];
    if (column->role == HS_ROLE_TARGET) a->labels[column->slot] = a->row[k];
    if (column->role == HS_ROLE_FEATURE && features != NULL) features[column->slot] = a->row[k];
  }
  return HS_OK;
}

static void describe(hs_row_source_t *source, const arrays_t *a)
{
  char form[120];
  hs_array_describe(a->features, form, sizeof form);
  snprintf(source->about, sizeof source->about, "%s (%s)", hs_format_name(a->format), form);
  if (source->targets == 0)
    snprintf(source->label_about, sizeof source->label_about, "none");
  else if (a->second != NULL)
    snprintf(source->label_about, sizeof source->label_about, "%.150s", a->second);
  else
    hs_columns_describe(&a->columns, hs_columns_find(&a->columns, -1), source->label_about,
                        sizeof source->label_about);
}

static hs_status_t arrays_scan(hs_row_source_t *source)
{
  arrays_t *a = source->state;
  hs_status_t status = open_arrays(source, a);
  if (status == HS_OK) status = settle_columns(source, a);
  if (status != HS_OK) return status;
  source->targets = a->targets != NULL ? hs_array_width(a->targets) : a->columns.targets;
  source->features = hs_columns_number(&a->columns);
  if (source->targets > 1) source->numbers_only = true;
  if (source->features == 0)
    return hs_fail(HS_BAD_DATA, source->path, NULL, "no column is left as a feature");
  const hs_array_form_t *form = hs_array_form(a->features);
  source->common_unit = a->format == HS_FORMAT_IDX && form->dimensions > 2;
  describe(source, a);
  status = allocate(source, a);
  for (source->rows = 0; status == HS_OK && source->rows < hs_array_rows(a->features); source->rows++) {
    if (source->targets == 0) continue;
    status = read_row(source, a, a->targets == NULL, NULL);
    if (status != HS_OK) break;
    take_cells(source, a, a->cells);
    status = hs_row_source_count_targets(source, a->cells, source->rows + 1);
  }
  return status;
}

static hs_status_t arrays_rewind(hs_row_source_t *source)
{
  arrays_t *a = source->state;
  a->at = 0;
  hs_status_t status = hs_array_rewind(a->features);
  return status == HS_OK && a->targets != NULL ? hs_array_rewind(a->targets) : status;
}

static hs_status_t arrays_next(hs_row_source_t *source, double *features, hs_cell_t *targets, bool *end)
{
  arrays_t *a = source->state;
  *end = a->at == source->rows;
  if (*end) return HS_OK;
  hs_status_t status = read_row(source, a, true, features);
  if (status == HS_OK) take_cells(source, a, targets);
  return status;
}

static void arrays_free(hs_row_source_t *source)
{
  arrays_t *a = source->state;
  if (a == NULL) return;
  hs_array_close(&a->features);
  hs_array_close(&a->targets);
  hs_columns_free(&a->columns);
  hs_free(a->row);
  hs_free(a->labels);
  hs_free(a->texts);
  hs_free(a->cells);
  hs_free(a);
  source->state = NULL;
}

hs_status_t hs_row_source_open_arrays(hs_row_source_t *source, hs_format_t format, const char *second)
{
  static const hs_row_source_kind_t kind = {arrays_scan, arrays_rewind, arrays_next, arrays_locate,
                                            arrays_free};
  source->kind = &kind;
  arrays_t *a = hs_alloc(1, sizeof *a, "arrays");
  if (a == NULL) return HS_NO_MEMORY;
  a->format = format;
  a->second = second;
  source->state = a;
  return HS_OK;
}
