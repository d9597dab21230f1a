/* decide.c: task, classes and features after the scan. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/size.h"
#include "io/importers/import.h"
#include "io/importers/lines.h"

#define MOST_AUTO_CLASSES 100 /* more whole numbers than these are a quantity */

/* From so many different numbers on, a text among them that is at most one in so many is a slip, not a class. */
#define STRAY_NUMBERS 20
#define STRAY_SHARE 20

/* Texts are classes, and so are whole numbers with few values. The labels of an IDX file are classes by
 * custom, also when there are few rows. */
static bool looks_like_classes(const hs_labels_t *labels, const hs_class_list_t *classes, int64_t rows,
                               hs_format_t format)
{
  if (!labels->all_numbers) return true;
  if (!labels->all_integers || labels->overflow) return false;
  if (format == HS_FORMAT_IDX) rows = INT64_MAX;
  return classes->count == 2 || (classes->count <= MOST_AUTO_CLASSES && classes->count <= rows / 2);
}

static hs_status_t too_many(const hs_row_source_t *source)
{
  return hs_fail(HS_BAD_DATA, source->path, source->label_about,
                 "more than %d different labels are no classes (%slabel= names another column)",
                 HS_LABELS_LIMIT, source->labels.all_numbers ? "task=regression, or " : "");
}

/* "line 300, label": where a label was first seen. */
static void say_where(const hs_import_t *import, const hs_label_t *label, char *where, size_t size)
{
  bool lines = import->format == HS_FORMAT_CSV || import->format == HS_FORMAT_LIBSVM;
  snprintf(where, size, "%s %lld, label", lines ? "line" : "row", (long long)label->place);
}

/* A text among numbers would turn a quantity into thousands of classes. */
static hs_status_t check_strays(const hs_import_t *import, const hs_row_source_t *source)
{
  const hs_labels_t *labels = &source->labels;
  const hs_label_t *stray = NULL;
  int64_t numbers = 0;
  for (int64_t k = labels->count - 1; k >= 0; k--) {
    numbers += labels->entries[k].is_number;
    if (!labels->entries[k].is_number) stray = &labels->entries[k];
  }
  int64_t texts = labels->count - numbers;
  if (stray == NULL || numbers < STRAY_NUMBERS || texts * STRAY_SHARE > labels->count) return HS_OK;
  char where[80], text[48];
  say_where(import, stray, where, sizeof where);
  hs_row_source_quote(stray->text, strlen(stray->text), text, sizeof text);
  return hs_fail(
      HS_BAD_DATA, source->path, where,
      "\"%s\" is no number, unlike the others (correct it, or task=classification if they are classes)",
      text);
}

static hs_status_t decide_task(hs_import_t *import)
{
  const hs_row_source_t *source = &import->sources[0];
  hs_task_t wanted = import->options->task;
  if (wanted == HS_TASK_AUTO) wanted = import->like.task;
  import->task = wanted;
  if (source->targets == 0) return HS_OK;
  if (source->targets > 1) {
    import->task = HS_TASK_REGRESSION;
    if (wanted != HS_TASK_CLASSIFICATION) return HS_OK;
    return hs_fail(HS_BAD_USAGE, source->path, "task", "classification needs one label column, not %lld",
                   (long long)source->targets);
  }
  if (wanted == HS_TASK_REGRESSION) return HS_OK;
  hs_status_t status = wanted == HS_TASK_AUTO ? check_strays(import, source) : HS_OK;
  if (status != HS_OK) return status;
  if (source->labels.overflow && (wanted == HS_TASK_CLASSIFICATION || !source->labels.all_numbers))
    return too_many(source);
  status = hs_class_list_from_labels(&import->classes, &source->labels);
  if (status != HS_OK || wanted == HS_TASK_CLASSIFICATION) return status;
  bool classes = looks_like_classes(&source->labels, &import->classes, source->rows, import->format);
  import->task = classes ? HS_TASK_CLASSIFICATION : HS_TASK_REGRESSION;
  if (!classes) hs_class_list_free(&import->classes);
  return HS_OK;
}

static hs_status_t stranger_error(const hs_import_t *import, const hs_row_source_t *source,
                                  const hs_label_t *label, const char *where_from)
{
  char where[80], text[48];
  say_where(import, label, where, sizeof where);
  hs_row_source_quote(label->text, strlen(label->text), text, sizeof text);
  return hs_fail(HS_BAD_DATA, source->path, where, "\"%s\" is not among the %lld classes of %s", text,
                 (long long)import->classes.count, where_from);
}

/* Classes come from `like`, else from the first input; every label must then have one. */
static hs_status_t match_classes(hs_import_t *import)
{
  if (import->task != HS_TASK_CLASSIFICATION || import->sources[0].targets == 0) return HS_OK;
  const char *where_from = import->sources[0].path;
  if (import->like.classes.count > 0) {
    where_from = import->like.path;
    hs_class_list_free(&import->classes);
    hs_status_t status =
        hs_class_list_from_texts(&import->classes, import->like.classes.texts, import->like.classes.count);
    if (status != HS_OK) return status;
  }
  for (int k = 0; k < import->source_count; k++) {
    if (import->sources[k].labels.overflow) return too_many(&import->sources[k]);
    const hs_label_t *stranger = hs_labels_match(&import->sources[k].labels, &import->classes);
    if (stranger != NULL) return stranger_error(import, &import->sources[k], stranger, where_from);
  }
  return HS_OK;
}

static hs_status_t agree_on_features(hs_import_t *import)
{
  hs_row_source_t *train = &import->sources[0], *test = &import->sources[1];
  if (import->source_count == 2 && import->format == HS_FORMAT_LIBSVM)
    train->features = test->features = hs_max64(train->features, test->features);
  if (import->source_count == 2 && train->features != test->features)
    return hs_fail(HS_BAD_DATA, test->path, NULL, "%lld features, but %s has %lld", (long long)test->features,
                   train->path, (long long)train->features);
  if (import->source_count == 2 && train->targets != test->targets)
    return hs_fail(HS_BAD_DATA, test->path, NULL, "%lld targets a row, but %s has %lld",
                   (long long)test->targets, train->path, (long long)train->targets);
  if (import->options->like == NULL) return HS_OK;
  if (train->features != import->like.features)
    return hs_fail(HS_BAD_DATA, train->path, NULL, "%lld features, but %s has %lld",
                   (long long)train->features, import->like.path, (long long)import->like.features);
  if (import->options->names != NULL || train->names == NULL || import->like.names == NULL) return HS_OK;
  for (int64_t k = 0; k < train->features; k++)
    if (strcmp(train->names[k], import->like.names[k]) != 0)
      return hs_fail(
          HS_BAD_DATA, train->path, NULL,
          "feature %lld is named \"%.60s\", but \"%.60s\" in %s (bring the columns in one order, or "
          "names= replaces the names)",
          (long long)k + 1, train->names[k], import->like.names[k], import->like.path);
  return HS_OK;
}

hs_status_t hs_import_decide(hs_import_t *import)
{
  for (int k = 0; k < import->source_count; k++)
    if (import->sources[k].rows == 0) return hs_fail(HS_BAD_DATA, import->sources[k].path, NULL, "zero rows");
  hs_status_t status = agree_on_features(import);
  if (status == HS_OK) status = decide_task(import);
  return status == HS_OK ? match_classes(import) : status;
}

/* One name of a list or file; *count says how many were seen, also beyond the features. */
static hs_status_t take_name(hs_import_t *import, int64_t *count, const char *text, size_t length)
{
  while (length > 0 && (*text == ' ' || *text == '\t')) text++, length--;
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) length--;
  int64_t k = (*count)++;
  if (k >= import->sources[0].features) return HS_OK;
  return hs_names_set(import->names, k, text, length) ? HS_OK : HS_NO_MEMORY;
}

static hs_status_t names_from_file(hs_import_t *import, int64_t *count)
{
  hs_lines_t *lines;
  hs_status_t status = hs_lines_open(&lines, import->options->names);
  while (status == HS_OK) {
    char *text;
    size_t length;
    status = hs_lines_next(lines, &text, &length);
    if (status != HS_OK || text == NULL) break;
    if (length > 0) status = take_name(import, count, text, length);
  }
  hs_lines_close(&lines);
  return status;
}

static hs_status_t names_from_list(hs_import_t *import, int64_t *count)
{
  hs_status_t status = HS_OK;
  for (const char *at = import->options->names; status == HS_OK; at++) {
    size_t length = strcspn(at, ",");
    status = take_name(import, count, at, length);
    at += length;
    if (*at == '\0') break;
  }
  return status;
}

hs_status_t hs_import_read_names(hs_import_t *import)
{
  const char *names = import->options->names;
  if (names == NULL) return HS_OK;
  int64_t features = import->sources[0].features, count = 0;
  import->names = hs_names_new(features);
  if (import->names == NULL) return HS_NO_MEMORY;
  struct stat about;
  bool file = stat(names, &about) == 0 && S_ISREG(about.st_mode);
  hs_status_t status = file ? names_from_file(import, &count) : names_from_list(import, &count);
  if (status != HS_OK || count == features) return status;
  return hs_fail(HS_BAD_USAGE, NULL, "names", "%lld names%s%.200s for %lld features", (long long)count,
                 file ? " in " : "", file ? names : "", (long long)features);
}
