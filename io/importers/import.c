#include "io/importers/import.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/importers/scatter.h"

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static hs_status_t scan(hs_import_t *import)
{
  hs_task_t task = import->options->task != HS_TASK_AUTO ? import->options->task : import->like.task;
  hs_status_t status = HS_OK;
  for (int k = 0; status == HS_OK && k < import->source_count; k++) {
    import->sources[k].numbers_only = task == HS_TASK_REGRESSION;
    status = import->sources[k].kind->scan(&import->sources[k]);
  }
  return status;
}

static hs_status_t make_order(hs_import_t *import)
{
  int64_t rows = import->sources[0].rows;
  int64_t test = (int64_t)llround((double)rows * import->options->split);
  if (import->options->split > 0.0 && (test == 0 || test == rows))
    return hs_fail(HS_BAD_USAGE, NULL, "split", "%g of %lld rows leaves one part empty",
                   import->options->split, (long long)rows);
  return hs_order_make(&import->order, rows, test, import->options->shuffle);
}

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static hs_table_form_t form_of(const hs_import_t *import, const hs_row_source_t *source, int64_t rows)
{
  const hs_import_options_t *o = import->options;
  const hs_row_source_t *train = &import->sources[0];
  hs_table_form_t form = {.rows = rows, .features = train->features, .targets = train->targets};
  form.classes = import->task == HS_TASK_CLASSIFICATION;
  form.precision = import->format == HS_FORMAT_IDX && !o->precision_given ? HS_SINGLE : o->precision;
  form.deflate = o->deflate;
  if (import->task != HS_TASK_AUTO) form.task = form.classes ? "classification" : "regression";
  form.source = base_name(source->path);
  form.unit = train->common_unit ? "common" : NULL;
  form.class_texts = import->classes.texts;
  form.class_count = import->classes.count;
  form.names = import->names != NULL ? import->names : train->names;
  form.target_names = train->target_names;
  return form;
}

static hs_status_t open_outputs(hs_import_t *import)
{
  bool pair = import->source_count == 2;
  int64_t test = pair ? import->sources[1].rows : import->order.rows[1];
  import->forms[0] = form_of(import, &import->sources[0], import->order.rows[0]);
  import->forms[1] = form_of(import, &import->sources[pair ? 1 : 0], test);
  hs_status_t status = HS_OK;
  for (int k = 0; status == HS_OK && k < 2 && import->forms[k].rows > 0; k++)
    status = hs_table_create(&import->writers[k], import->paths[k], &import->forms[k]);
  return status;
}

/* Room for one row on its way from source to file. */
typedef struct {
  double *features;
  hs_cell_t *cells;
  void *targets; /* int64_t or double, 8 bytes each */
} row_t;

static void free_row(row_t *row)
{
  hs_free(row->features);
  hs_free(row->cells);
  hs_free(row->targets);
}

static hs_status_t make_row(row_t *row, const hs_row_source_t *source)
{
  row->features = hs_alloc((size_t)source->features, sizeof *row->features, "row");
  row->cells = hs_alloc((size_t)source->targets, sizeof *row->cells, "row");
  row->targets = hs_alloc((size_t)source->targets, sizeof(double), "row");
  return row->features != NULL && row->cells != NULL && row->targets != NULL ? HS_OK : HS_NO_MEMORY;
}

/* NaN fails the comparison, as it should. */
static hs_status_t check_features(const hs_row_source_t *source, const double *features,
                                  hs_precision_t precision)
{
  const double limit = precision == HS_SINGLE ? (double)FLT_MAX : DBL_MAX;
  int bad = 0;
  for (int64_t k = 0; k < source->features; k++) bad |= !(fabs(features[k]) <= limit);
  if (!bad) return HS_OK;
  int64_t k = 0;
  while (fabs(features[k]) <= limit) k++;
  char where[200];
  source->kind->locate(source, k, where, sizeof where);
  return hs_fail(HS_BAD_DATA, source->path, where, "%g %s", features[k],
                 isfinite(features[k]) ? "is beyond single precision (precision=double holds it)"
                                       : "is not a finite number");
}

static hs_status_t changed(const hs_row_source_t *source)
{
  return hs_fail(HS_BAD_DATA, source->path, NULL, "changed while it was read");
}

static hs_status_t set_targets(const hs_import_t *import, const hs_row_source_t *source, row_t *row)
{
  if (import->task != HS_TASK_CLASSIFICATION) {
    for (int64_t k = 0; k < source->targets; k++) ((double *)row->targets)[k] = row->cells[k].number;
    return HS_OK;
  }
  if (source->targets == 0) return HS_OK;
  const hs_label_t *label = hs_labels_find(&source->labels, row->cells[0].text, row->cells[0].length);
  if (label == NULL) return changed(source);
  *(int64_t *)row->targets = label->class_index;
  return HS_OK;
}

static hs_status_t copy_rows(const hs_import_t *import, hs_row_source_t *source, hs_scatter_t *scatter)
{
  row_t row = {0};
  hs_status_t status = make_row(&row, source);
  if (status == HS_OK) status = source->kind->rewind(source);
  int64_t rows = 0;
  while (status == HS_OK) {
    bool end;
    status = source->kind->next(source, row.features, row.cells, &end);
    if (status != HS_OK || end) break;
    if (rows++ == source->rows) status = changed(source);
    if (status == HS_OK) status = check_features(source, row.features, import->forms[0].precision);
    if (status == HS_OK) status = set_targets(import, source, &row);
    if (status == HS_OK) status = hs_scatter_put(scatter, row.features, row.targets);
  }
  if (status == HS_OK && rows < source->rows) status = changed(source);
  if (status == HS_OK) status = hs_scatter_finish(scatter);
  free_row(&row);
  return status;
}

/* Pass 2. A test input of its own keeps its order. */
static hs_status_t write_parts(hs_import_t *import)
{
  const double memory = import->options->memory * 1e6;
  bool pair = import->source_count == 2;
  hs_table_writer_t *writers[2] = {import->writers[0], pair ? NULL : import->writers[1]};
  hs_scatter_t *scatter;
  hs_status_t status = hs_scatter_create(&scatter, writers, import->forms, &import->order,
                                         import->options->shuffle != 0, memory, import->paths[0]);
  if (status == HS_OK) status = copy_rows(import, &import->sources[0], scatter);
  hs_scatter_free(&scatter);
  if (status != HS_OK || !pair) return status;
  hs_table_writer_t *test_writers[2] = {import->writers[1], NULL};
  hs_order_t kept = {.rows = {import->sources[1].rows, 0}};
  status =
      hs_scatter_create(&scatter, test_writers, &import->forms[1], &kept, false, memory, import->paths[0]);
  if (status == HS_OK) status = copy_rows(import, &import->sources[1], scatter);
  hs_scatter_free(&scatter);
  return status;
}

/* Both files are whole before either gets its name. */
static hs_status_t complete(hs_import_t *import)
{
  hs_status_t status = HS_OK;
  for (int k = 0; status == HS_OK && k < 2; k++)
    if (import->writers[k] != NULL) status = hs_table_close(import->writers[k]);
  for (int k = 0; status == HS_OK && k < 2; k++)
    if (import->writers[k] != NULL) status = hs_table_commit(import->writers[k]);
  return status;
}

static hs_status_t run(hs_import_t *import)
{
  const char *like = import->options->like;
  hs_status_t status = hs_import_arrange(import);
  if (status == HS_OK && like != NULL) status = hs_like_read(&import->like, like);
  if (status == HS_OK) status = scan(import);
  if (status == HS_OK) status = hs_import_decide(import);
  if (status == HS_OK) status = hs_import_read_names(import);
  if (status == HS_OK) status = make_order(import);
  if (status == HS_OK) status = open_outputs(import);
  if (status == HS_OK) status = write_parts(import);
  return status == HS_OK ? complete(import) : status;
}

static void release(hs_import_t *import)
{
  hs_table_free(&import->writers[0]);
  hs_table_free(&import->writers[1]);
  hs_order_free(&import->order);
  hs_names_free(&import->names, import->sources[0].features);
  hs_class_list_free(&import->classes);
  hs_row_source_close(&import->sources[1]);
  hs_row_source_close(&import->sources[0]);
  hs_like_free(&import->like);
}

hs_status_t hs_import_run(const hs_import_options_t *options)
{
  double start = now();
  hs_import_t *import = hs_alloc(1, sizeof *import, "import");
  if (import == NULL) return HS_NO_MEMORY;
  import->options = options;
  hs_h5_quiet();
  hs_status_t status = run(import);
  import->seconds = now() - start;
  if (status == HS_OK) hs_import_report(import);
  release(import);
  hs_free(import);
  return status;
}
