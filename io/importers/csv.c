/* csv.c: delimited text as a source of rows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/importers/csv_columns.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/csv_reader.h"
#include "io/importers/number.h"
#include "io/importers/row_source.h"

typedef struct {
  hs_csv_dialect_t dialect;
  hs_csv_reader_t reader;
  hs_columns_t columns;
  hs_cell_t *cells; /* [targets], owned */
} csv_t;

static void locate_column(const csv_t *csv, int64_t column, char *where, size_t size)
{
  char name[100];
  hs_columns_describe(&csv->columns, column, name, sizeof name);
  snprintf(where, size, "line %lld, %s", (long long)csv->reader.line, name);
}

static void csv_locate(const hs_row_source_t *source, int64_t feature, char *where, size_t size)
{
  const csv_t *csv = source->state;
  locate_column(csv, hs_columns_find(&csv->columns, feature), where, size);
}

/* How the user names this column in drop= and onehot=. */
static void key_of_column(const csv_t *csv, int64_t column, char *key, size_t size)
{
  const char *name = csv->columns.at[column].name;
  if (name != NULL && *name != '\0' && strchr(name, ',') == NULL)
    snprintf(key, size, "%.60s", name);
  else
    snprintf(key, size, "%lld", (long long)column + 1);
}

static hs_status_t bad_field(const hs_row_source_t *source, int64_t column, hs_field_t field)
{
  const csv_t *csv = source->state;
  char where[200], text[48], key[64];
  locate_column(csv, column, where, sizeof where);
  hs_row_source_quote(field.text, field.length, text, sizeof text);
  key_of_column(csv, column, key, sizeof key);
  double value;
  if (hs_number_is_missing(field.text, field.length))
    return hs_fail(HS_BAD_DATA, source->path, where,
                   "\"%s\" is a missing or infinite value (fill it in, remove the row, or drop=%s leaves the "
                   "column out)",
                   text, key);
  if (hs_number_parse(field.text, field.length, &value))
    return hs_fail(HS_BAD_DATA, source->path, where, "\"%s\" is beyond the range of numbers", text);
  if (hs_csv_has_decimal_comma(field))
    return hs_fail(HS_BAD_DATA, source->path, where, "\"%s\" has a decimal comma (write a point)", text);
  const char *hint = csv->reader.line == 1 && !csv->dialect.header ? "; header=true if these are names" : "";
  return hs_fail(
      HS_BAD_DATA, source->path, where,
      "\"%s\" is not a number (drop=%s leaves the column out, onehot=%s makes 0/1 features of it%s)", text,
      key, key, hint);
}

static hs_status_t take_names(csv_t *csv)
{
  for (int64_t k = 0; k < csv->columns.count; k++) {
    char *name = hs_alloc(csv->reader.fields[k].length + 1, 1, "names");
    if (name == NULL) return HS_NO_MEMORY;
    memcpy(name, csv->reader.fields[k].text, csv->reader.fields[k].length);
    csv->columns.at[k].name = name;
  }
  return HS_OK;
}

/* The columns of a test input are those of its train input, by position. */
static hs_status_t take_roles(hs_row_source_t *source, csv_t *csv, const csv_t *model)
{
  if (csv->columns.count != model->columns.count)
    return hs_fail(HS_BAD_DATA, source->path, NULL, "%lld columns, but %s has %lld",
                   (long long)csv->columns.count, source->model->path, (long long)model->columns.count);
  for (int64_t k = 0; k < csv->columns.count; k++) {
    hs_column_t *mine = &csv->columns.at[k];
    const hs_column_t *theirs = &model->columns.at[k];
    if (mine->name != NULL && theirs->name != NULL && strcmp(mine->name, theirs->name) != 0)
      return hs_fail(HS_BAD_DATA, source->path, NULL,
                     "column %lld is named \"%.60s\", but \"%.60s\" in %s (the columns must agree)",
                     (long long)k + 1, mine->name, theirs->name, source->model->path);
    mine->role = theirs->role;
    mine->slot = theirs->slot;
  }
  csv->columns.targets = model->columns.targets;
  return HS_OK;
}

/* Width, names and roles from the first record; the reader then stands before the first row. */
static hs_status_t read_form(hs_row_source_t *source, csv_t *csv)
{
  hs_status_t status = hs_csv_detect(&csv->dialect, source->path, source->options->header);
  if (status == HS_OK) status = hs_csv_open(&csv->reader, source->path, csv->dialect.separator);
  if (status == HS_OK) status = hs_csv_next(&csv->reader);
  if (status != HS_OK) return status;
  if (csv->reader.count == 0) return hs_fail(HS_BAD_DATA, source->path, NULL, "zero rows");
  status = hs_columns_begin(&csv->columns, csv->reader.count);
  if (status == HS_OK && csv->dialect.header) status = take_names(csv);
  if (status != HS_OK) return status;
  return source->model != NULL ? take_roles(source, csv, source->model->state)
                               : hs_columns_assign(&csv->columns, source->options, source->path, "last");
}

static hs_status_t rewind_rows(csv_t *csv)
{
  hs_status_t status = hs_csv_rewind(&csv->reader);
  if (status == HS_OK && csv->dialect.header) status = hs_csv_next(&csv->reader);
  return status;
}

static hs_status_t next_record(hs_row_source_t *source, csv_t *csv, bool *end)
{
  hs_status_t status = hs_csv_next(&csv->reader);
  *end = csv->reader.count == 0;
  if (status != HS_OK || *end || csv->reader.count == csv->columns.count) return status;
  return hs_fail(HS_BAD_DATA, source->path, NULL, "line %lld has %lld fields, the lines before have %lld",
                 (long long)csv->reader.line, (long long)csv->reader.count, (long long)csv->columns.count);
}

static hs_status_t count_categories(hs_row_source_t *source, csv_t *csv)
{
  for (int64_t k = 0; k < csv->columns.count; k++) {
    hs_column_t *column = &csv->columns.at[k];
    if (column->role != HS_ROLE_ONEHOT) continue;
    hs_field_t field = csv->reader.fields[k];
    if (field.length == 0) return bad_field(source, k, field);
    hs_cell_t cell = hs_cell_of_text(field.text, field.length);
    hs_status_t status = hs_labels_add(&column->values, &cell, csv->reader.line);
    if (status != HS_OK) return status;
    if (!column->values.overflow) continue;
    char where[200];
    locate_column(csv, k, where, sizeof where);
    return hs_fail(HS_BAD_DATA, source->path, where, "more than %d different values for onehot",
                   HS_LABELS_LIMIT);
  }
  return HS_OK;
}

static void take_targets(csv_t *csv)
{
  for (int64_t k = 0; k < csv->columns.count; k++)
    if (csv->columns.at[k].role == HS_ROLE_TARGET)
      csv->cells[csv->columns.at[k].slot] =
          hs_cell_of_text(csv->reader.fields[k].text, csv->reader.fields[k].length);
}

/* The values of a one-hot column in an earlier import: features named COLUMN=VALUE. */
static hs_status_t categories_like(const hs_row_source_t *source, hs_column_t *column)
{
  const hs_like_t *like = source->like;
  char **texts = hs_names_new(like->features);
  if (texts == NULL) return HS_NO_MEMORY;
  size_t length = column->name != NULL ? strlen(column->name) : 0;
  int64_t count = 0;
  for (int64_t k = 0; length > 0 && like->names != NULL && k < like->features; k++)
    if (strncmp(like->names[k], column->name, length) == 0 && like->names[k][length] == '=')
      texts[count++] = like->names[k] + length + 1;
  hs_status_t status =
      count > 0 ? hs_class_list_from_texts(&column->categories, texts, count)
                : hs_fail(HS_BAD_DATA, like->path, "like", "has no features named \"%.80s=...\" for onehot",
                          column->name != NULL ? column->name : "");
  hs_free(texts);
  return status;
}

static hs_status_t copy_categories(const hs_row_source_t *source, int64_t k, hs_column_t *column)
{
  const csv_t *model = source->model->state;
  const hs_class_list_t *theirs = &model->columns.at[k].categories;
  return hs_class_list_from_texts(&column->categories, theirs->texts, theirs->count);
}

static hs_status_t settle_categories(hs_row_source_t *source, csv_t *csv)
{
  for (int64_t k = 0; k < csv->columns.count; k++) {
    hs_column_t *column = &csv->columns.at[k];
    if (column->role != HS_ROLE_ONEHOT) continue;
    hs_status_t status = source->model != NULL ? copy_categories(source, k, column)
                         : source->like != NULL
                             ? categories_like(source, column)
                             : hs_class_list_from_labels(&column->categories, &column->values);
    if (status != HS_OK) return status;
    const hs_label_t *stranger = hs_labels_match(&column->values, &column->categories);
    if (stranger == NULL) continue;
    char where[200], name[100], text[48];
    hs_columns_describe(&csv->columns, k, name, sizeof name);
    snprintf(where, sizeof where, "line %lld, %s", (long long)stranger->place, name);
    hs_row_source_quote(stranger->text, strlen(stranger->text), text, sizeof text);
    return hs_fail(HS_BAD_DATA, source->path, where, "\"%s\" does not occur in %s", text,
                   source->model != NULL ? source->model->path : source->like->path);
  }
  return HS_OK;
}

static void describe(hs_row_source_t *source, const csv_t *csv)
{
  snprintf(source->about, sizeof source->about, "CSV (%s, %s%s)",
           hs_csv_separator_name(csv->dialect.separator), csv->dialect.header ? "header" : "no header",
           hs_lines_packing(csv->reader.lines));
  if (csv->columns.targets == 0) snprintf(source->label_about, sizeof source->label_about, "none");
  if (csv->columns.targets == 1)
    hs_columns_describe(&csv->columns, hs_columns_find(&csv->columns, -1), source->label_about,
                        sizeof source->label_about);
  if (csv->columns.targets > 1)
    snprintf(source->label_about, sizeof source->label_about, "%lld columns",
             (long long)csv->columns.targets);
}

static hs_status_t finish_scan(hs_row_source_t *source, csv_t *csv)
{
  hs_status_t status = settle_categories(source, csv);
  if (status != HS_OK) return status;
  int64_t features = hs_columns_number(&csv->columns);
  if (features == 0)
    return hs_fail(HS_BAD_DATA, source->path, NULL,
                   "no column is left as a feature (%lld in the file; label=none keeps the last one)",
                   (long long)csv->columns.count);
  char **names, **target_names;
  status = hs_columns_names(&csv->columns, features, &names, &target_names);
  source->features = features;
  source->names = names;
  source->target_names = target_names;
  describe(source, csv);
  return status;
}

static hs_status_t csv_scan(hs_row_source_t *source)
{
  csv_t *csv = source->state;
  hs_status_t status = read_form(source, csv);
  if (status != HS_OK) return status;
  source->targets = csv->columns.targets;
  if (source->targets > 1) source->numbers_only = true;
  csv->cells = hs_alloc((size_t)source->targets, sizeof *csv->cells, "targets");
  if (csv->cells == NULL) return HS_NO_MEMORY;
  for (int64_t k = 0; k < csv->columns.count; k++) hs_labels_begin(&csv->columns.at[k].values);
  status = rewind_rows(csv);
  while (status == HS_OK) {
    bool end;
    status = next_record(source, csv, &end);
    if (status != HS_OK || end) break;
    source->rows++;
    take_targets(csv);
    status = hs_row_source_count_targets(source, csv->cells, csv->reader.line);
    if (status == HS_OK) status = count_categories(source, csv);
  }
  return status == HS_OK ? finish_scan(source, csv) : status;
}

static hs_status_t csv_rewind(hs_row_source_t *source)
{
  return rewind_rows(source->state);
}

static hs_status_t csv_next(hs_row_source_t *source, double *features, hs_cell_t *targets, bool *end)
{
  csv_t *csv = source->state;
  hs_status_t status = next_record(source, csv, end);
  if (status != HS_OK || *end) return status;
  const hs_column_t *column = csv->columns.at;
  for (int64_t k = 0; k < csv->columns.count; k++, column++) {
    hs_field_t field = csv->reader.fields[k];
    if (column->role == HS_ROLE_FEATURE) {
      double value;
      if (!hs_number_parse(field.text, field.length, &value) || !isfinite(value))
        return bad_field(source, k, field);
      features[column->slot] = value;
    } else if (column->role == HS_ROLE_TARGET) {
      targets[column->slot] = hs_cell_of_text(field.text, field.length);
    } else if (column->role == HS_ROLE_ONEHOT) {
      const hs_label_t *label = hs_labels_find(&column->values, field.text, field.length);
      memset(features + column->slot, 0, (size_t)column->categories.count * sizeof *features);
      if (label != NULL) features[column->slot + label->class_index] = 1.0;
    }
  }
  return HS_OK;
}

static void csv_free(hs_row_source_t *source)
{
  csv_t *csv = source->state;
  if (csv == NULL) return;
  hs_csv_close(&csv->reader);
  hs_columns_free(&csv->columns);
  hs_free(csv->cells);
  hs_free(csv);
  source->state = NULL;
}

hs_status_t hs_row_source_open_csv(hs_row_source_t *source)
{
  static const hs_row_source_kind_t kind = {csv_scan, csv_rewind, csv_next, csv_locate, csv_free};
  source->kind = &kind;
  source->state = hs_alloc(1, sizeof(csv_t), "CSV");
  return source->state != NULL ? HS_OK : HS_NO_MEMORY;
}
