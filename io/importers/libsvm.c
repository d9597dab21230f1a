/* libsvm.c: sparse text rows as a source of dense rows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/importers/libsvm_row.h"
#include "io/importers/lines.h"
#include "io/importers/number.h"
#include "io/importers/row_source.h"

typedef struct {
  hs_lines_t *lines;
  int64_t highest;      /* index seen */
  int64_t limit;        /* index allowed; 0: any */
  const char *limit_of; /* who says so */
  bool labelled;
} libsvm_t;

static void libsvm_locate(const hs_row_source_t *source, int64_t feature, char *where, size_t size)
{
  const libsvm_t *svm = source->state;
  if (feature < 0)
    snprintf(where, size, "line %lld, label", (long long)hs_lines_number(svm->lines));
  else
    snprintf(where, size, "line %lld, index %lld", (long long)hs_lines_number(svm->lines),
             (long long)feature + 1);
}

static hs_status_t bad_line(const hs_row_source_t *source, hs_libsvm_word_t word, const char *what)
{
  const libsvm_t *svm = source->state;
  char where[40], text[48];
  snprintf(where, sizeof where, "line %lld", (long long)hs_lines_number(svm->lines));
  hs_row_source_quote(word.text, word.length, text, sizeof text);
  return hs_fail(HS_BAD_DATA, source->path, where, "\"%s\" %s", text, what);
}

static hs_status_t bad_pair(const hs_row_source_t *source, hs_libsvm_word_t word)
{
  const char *colon = memchr(word.text, ':', word.length);
  if (word.length > 4 && strncmp(word.text, "qid:", 4) == 0)
    return bad_line(source, word, "is for ranking (remove the qid: words)");
  if (colon != NULL) {
    const char *value = colon + 1;
    if (hs_number_is_missing(value, (size_t)(word.text + word.length - value)))
      return bad_line(source, word, "has a missing or infinite value");
  }
  return bad_line(source, word, "is not index:value with a whole index from 1 and a number");
}

static hs_status_t take_pair(const hs_row_source_t *source, hs_libsvm_word_t word, int64_t *last,
                             double *features)
{
  libsvm_t *svm = source->state;
  int64_t index;
  double value;
  if (!hs_libsvm_pair(word, &index, &value)) return bad_pair(source, word);
  if (!isfinite(value)) return bad_line(source, word, "is beyond the range of numbers");
  if (index == 0) return bad_line(source, word, "has index 0 (indices count from 1)");
  if (index <= *last) return bad_line(source, word, "does not ascend (indices of a row must)");
  if (svm->limit > 0 && index > svm->limit) {
    char what[200];
    snprintf(what, sizeof what, "is above the %lld features of %.120s", (long long)svm->limit, svm->limit_of);
    return bad_line(source, word, what);
  }
  *last = index;
  if (features != NULL) features[index - 1] = value;
  return HS_OK;
}

static hs_status_t take_label(const hs_row_source_t *source, hs_libsvm_row_t *row, hs_cell_t *target)
{
  const libsvm_t *svm = source->state;
  hs_libsvm_row_t before = *row;
  hs_libsvm_word_t word;
  hs_libsvm_word(row, &word);
  bool pair = memchr(word.text, ':', word.length) != NULL;
  if (!svm->labelled) {
    if (pair) *row = before;
    return HS_OK;
  }
  if (pair) return bad_line(source, word, "stands where the label should (label=none if there are none)");
  if (memchr(word.text, ',', word.length) != NULL)
    return bad_line(source, word, "lists several labels (one for each row is possible)");
  *target = hs_cell_of_text(word.text, word.length);
  return HS_OK;
}

/* The next row that is not blank; features may be NULL, else they are all set. */
static hs_status_t read_row(const hs_row_source_t *source, double *features, hs_cell_t *target, bool *end)
{
  libsvm_t *svm = source->state;
  hs_libsvm_row_t row;
  hs_libsvm_word_t word;
  char *line;
  size_t length;
  do {
    hs_status_t status = hs_lines_next(svm->lines, &line, &length);
    *end = line == NULL;
    if (status != HS_OK || *end) return status;
    row = hs_libsvm_begin(line, length);
  } while (!hs_libsvm_word(&row, &word));
  row = hs_libsvm_begin(line, length);
  hs_status_t status = take_label(source, &row, target);
  if (features != NULL) memset(features, 0, (size_t)source->features * sizeof *features);
  int64_t last = 0;
  while (status == HS_OK && hs_libsvm_word(&row, &word)) status = take_pair(source, word, &last, features);
  if (last > svm->highest) svm->highest = last;
  return status;
}

static void set_limit(const hs_row_source_t *source, libsvm_t *svm)
{
  if (source->like != NULL) {
    svm->limit = source->like->features;
    svm->limit_of = source->like->path;
  }
  if (source->options->features > 0) {
    svm->limit = source->options->features;
    svm->limit_of = "features= on the command line";
  }
}

static hs_status_t check_label_key(const hs_row_source_t *source, bool *labelled)
{
  const char *label = source->options->label;
  *labelled = label == NULL || strcmp(label, "none") != 0;
  if (label == NULL || !*labelled || strcmp(label, "first") == 0 || strcmp(label, "1") == 0) return HS_OK;
  return hs_fail(HS_BAD_USAGE, source->path, "label",
                 "\"%.80s\" is not possible (the first word of a LIBSVM row is the label: first or none)",
                 label);
}

static hs_status_t libsvm_scan(hs_row_source_t *source)
{
  libsvm_t *svm = source->state;
  hs_status_t status = check_label_key(source, &svm->labelled);
  if (status == HS_OK) status = hs_lines_open(&svm->lines, source->path);
  source->targets = svm->labelled ? 1 : 0;
  set_limit(source, svm);
  while (status == HS_OK) {
    bool end;
    hs_cell_t target = {0};
    status = read_row(source, NULL, &target, &end);
    if (status != HS_OK || end) break;
    source->rows++;
    status = hs_row_source_count_targets(source, &target, hs_lines_number(svm->lines));
  }
  if (status != HS_OK) return status;
  source->features = svm->limit > 0 ? svm->limit : svm->highest;
  snprintf(source->about, sizeof source->about, "LIBSVM (largest index %lld%s)", (long long)svm->highest,
           hs_lines_packing(svm->lines));
  snprintf(source->label_about, sizeof source->label_about, svm->labelled ? "first word of the row" : "none");
  if (source->rows > 0 && source->features == 0)
    return hs_fail(HS_BAD_DATA, source->path, NULL, "no features: no row has an index:value");
  return HS_OK;
}

static hs_status_t libsvm_rewind(hs_row_source_t *source)
{
  libsvm_t *svm = source->state;
  return hs_lines_rewind(svm->lines);
}

static hs_status_t libsvm_next(hs_row_source_t *source, double *features, hs_cell_t *targets, bool *end)
{
  return read_row(source, features, targets, end);
}

static void libsvm_free(hs_row_source_t *source)
{
  libsvm_t *svm = source->state;
  if (svm == NULL) return;
  hs_lines_close(&svm->lines);
  hs_free(svm);
  source->state = NULL;
}

hs_status_t hs_row_source_open_libsvm(hs_row_source_t *source)
{
  static const hs_row_source_kind_t kind = {libsvm_scan, libsvm_rewind, libsvm_next, libsvm_locate,
                                            libsvm_free};
  source->kind = &kind;
  source->state = hs_alloc(1, sizeof(libsvm_t), "LIBSVM");
  return source->state != NULL ? HS_OK : HS_NO_MEMORY;
}
