#include "io/importers/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "io/importers/number.h"

#define CSV (1u << HS_FORMAT_CSV)
#define LIBSVM (1u << HS_FORMAT_LIBSVM)
#define IDX (1u << HS_FORMAT_IDX)
#define NPY (1u << HS_FORMAT_NPY)
#define EVERY (CSV | LIBSVM | IDX | NPY)

typedef hs_status_t (*set_t)(hs_import_options_t *options, const char *key, const char *value);

typedef struct {
  const char *key, *standard, *meaning;
  unsigned formats; /* where it means something */
  set_t set;
} row_t;

static hs_status_t wrong(const char *key, const char *value, const char *right)
{
  return hs_fail(HS_BAD_USAGE, NULL, key, "\"%.100s\" is not possible (%s)", value, right);
}

/* The position of value in a list of words, or -1. */
static int choose(const char *value, const char *const *words, int count)
{
  for (int k = 0; k < count; k++)
    if (strcasecmp(value, words[k]) == 0) return k;
  return -1;
}

static bool whole_number(const char *value, uint64_t *number)
{
  size_t length = strlen(value);
  if (length == 0 || length > 18 || strspn(value, "0123456789") != length) return false;
  *number = strtoull(value, NULL, 10);
  return true;
}

static hs_status_t set_format(hs_import_options_t *o, const char *key, const char *value)
{
  static const char *const words[] = {"auto", "csv", "libsvm", "idx", "npy", "tsv", "svmlight"};
  int k = choose(value, words, 7);
  if (k < 0) return wrong(key, value, "auto, csv, libsvm, idx or npy");
  o->format = k == 5 ? HS_FORMAT_CSV : k == 6 ? HS_FORMAT_LIBSVM : (hs_format_t)k;
  return HS_OK;
}

static hs_status_t set_header(hs_import_options_t *o, const char *key, const char *value)
{
  static const char *const words[] = {"auto", "true", "false"};
  int k = choose(value, words, 3);
  if (k < 0) return wrong(key, value, "auto, true or false");
  o->header = (hs_header_t)k;
  return HS_OK;
}

static hs_status_t set_task(hs_import_options_t *o, const char *key, const char *value)
{
  static const char *const words[] = {"auto", "classification", "regression"};
  int k = choose(value, words, 3);
  if (k < 0) return wrong(key, value, "auto, classification or regression");
  o->task = (hs_task_t)k;
  return HS_OK;
}

static hs_status_t set_precision(hs_import_options_t *o, const char *key, const char *value)
{
  static const char *const words[] = {"single", "double"};
  int k = choose(value, words, 2);
  if (k < 0) return wrong(key, value, "double or single");
  o->precision = k == 0 ? HS_SINGLE : HS_DOUBLE;
  o->precision_given = true;
  return HS_OK;
}

static hs_status_t set_text(const char **text, const char *key, const char *value)
{
  if (*value == '\0') return wrong(key, value, "something must follow the =");
  *text = value;
  return HS_OK;
}

static hs_status_t set_label(hs_import_options_t *o, const char *key, const char *value)
{
  return set_text(&o->label, key, value);
}

static hs_status_t set_drop(hs_import_options_t *o, const char *key, const char *value)
{
  return set_text(&o->drop, key, value);
}

static hs_status_t set_onehot(hs_import_options_t *o, const char *key, const char *value)
{
  return set_text(&o->onehot, key, value);
}

static hs_status_t set_names(hs_import_options_t *o, const char *key, const char *value)
{
  return set_text(&o->names, key, value);
}

static hs_status_t set_like(hs_import_options_t *o, const char *key, const char *value)
{
  return set_text(&o->like, key, value);
}

static hs_status_t set_split(hs_import_options_t *o, const char *key, const char *value)
{
  if (!hs_number_parse(value, strlen(value), &o->split) || !(o->split >= 0.0 && o->split < 1.0))
    return wrong(key, value, "a fraction of the rows, 0.2 for instance");
  return HS_OK;
}

static hs_status_t set_shuffle(hs_import_options_t *o, const char *key, const char *value)
{
  if (!whole_number(value, &o->shuffle))
    return wrong(key, value, "a seed, 1, 2, ..., or 0 to keep the order");
  return HS_OK;
}

static hs_status_t set_features(hs_import_options_t *o, const char *key, const char *value)
{
  uint64_t number;
  if (!whole_number(value, &number) || number == 0)
    return wrong(key, value, "the number of features, 1 or more");
  o->features = (int64_t)number;
  return HS_OK;
}

static hs_status_t set_deflate(hs_import_options_t *o, const char *key, const char *value)
{
  uint64_t number;
  if (!whole_number(value, &number) || number > 9) return wrong(key, value, "0, no compression, to 9");
  o->deflate = (int)number;
  return HS_OK;
}

static hs_status_t set_memory(hs_import_options_t *o, const char *key, const char *value)
{
  if (!hs_number_parse(value, strlen(value), &o->memory) || !(o->memory > 0.0 && o->memory < 1e9))
    return wrong(key, value, "megabytes, above 0");
  return HS_OK;
}

static const row_t table[] = {
    {"format", "auto", "auto, csv (also TSV, semicolons, blanks), libsvm, idx or npy", EVERY, set_format},
    {"header", "auto", "auto, true or false: is the first line of a CSV file one of names?", CSV, set_header},
    {"label", "last",
     "the column to predict: name, number from 1, first, last or none; several with commas are "
     "regression targets",
     CSV | LIBSVM | NPY, set_label},
    {"task", "auto", "auto, classification or regression", EVERY, set_task},
    {"drop", "-", "columns to leave out: names or numbers, with commas", CSV | NPY, set_drop},
    {"onehot", "-", "text columns to turn into one 0/1 feature for each value, with commas", CSV, set_onehot},
    {"split", "0", "fraction of the rows that goes to OUTPUT.test.h5", EVERY, set_split},
    {"shuffle", "1", "seed of the order of rows and of the split; 0 keeps the order", EVERY, set_shuffle},
    {"names", "-", "names of the features: with commas, or a file with one a line", EVERY, set_names},
    {"features", "-", "number of features of a LIBSVM file (else the largest index)", LIBSVM, set_features},
    {"like", "-", "an imported file whose features, classes and task this one shares", EVERY, set_like},
    {"precision", "double", "double or single for the features (IDX: single)", EVERY, set_precision},
    {"deflate", "0", "compression of the output, 0 to 9", EVERY, set_deflate},
    {"memory", "256", "megabytes for rows on their way; more rows go through a temporary file", EVERY,
     set_memory},
};
#define ROWS ((int)(sizeof table / sizeof *table))

static const row_t *find_row(const char *key, size_t length)
{
  for (int k = 0; k < ROWS; k++)
    if (strlen(table[k].key) == length && strncmp(table[k].key, key, length) == 0) return &table[k];
  return NULL;
}

static hs_status_t set_key(hs_import_options_t *options, const char *word, unsigned *seen)
{
  size_t length = strcspn(word, "=");
  const row_t *row = find_row(word, length);
  char key[40];
  snprintf(key, sizeof key, "%.*s", (int)(length < 39 ? length : 39), word);
  if (row == NULL) {
    const char *keys[ROWS];
    for (int k = 0; k < ROWS; k++) keys[k] = table[k].key;
    const char *near = hs_nearest(key, keys, ROWS);
    return hs_fail(HS_BAD_USAGE, NULL, key, "unknown key (%s%s; import --help lists all)",
                   near != NULL ? "nearest: " : "none is near", near != NULL ? near : "");
  }
  unsigned bit = 1u << (row - table);
  if ((*seen & bit) != 0) return hs_fail(HS_BAD_USAGE, NULL, key, "given twice");
  *seen |= bit;
  return row->set(options, row->key, word + length + 1);
}

/* A word with = is a setting, unless a folder stands before the =: ./a=b.csv is a file. */
static bool is_setting(const char *word)
{
  const char *equals = strchr(word, '=');
  return equals != NULL && equals != word && memchr(word, '/', (size_t)(equals - word)) == NULL;
}

static bool ends_in(const char *text, const char *ending)
{
  size_t length = strlen(text), tail = strlen(ending);
  return length > tail && strcasecmp(text + length - tail, ending) == 0;
}

static hs_status_t set_files(hs_import_options_t *options, int count, const char **files)
{
  if (count < 2)
    return hs_fail(HS_BAD_USAGE, NULL, "import",
                   "one or more inputs and an output are needed (import INPUT... OUTPUT.h5 [key=value...])");
  if (count - 1 > HS_IMPORT_MAX_INPUTS)
    return hs_fail(HS_BAD_USAGE, NULL, "import", "%d inputs (at most %d)", count - 1, HS_IMPORT_MAX_INPUTS);
  options->output = files[count - 1];
  if (!ends_in(options->output, ".h5") && !ends_in(options->output, ".hdf5"))
    return hs_fail(HS_BAD_USAGE, options->output, NULL,
                   "the last file is the output and must end in .h5 (import INPUT... OUTPUT.h5)");
  for (int k = 0; k + 1 < count; k++) options->inputs[k] = files[k];
  options->input_count = count - 1;
  return HS_OK;
}

hs_status_t hs_import_options_parse(hs_import_options_t *options, int argc, char **argv)
{
  *options = (hs_import_options_t){.shuffle = 1, .precision = HS_DOUBLE, .memory = 256.0};
  const char *files[HS_IMPORT_MAX_INPUTS + 2];
  int count = 0;
  unsigned seen = 0;
  for (int k = 0; k < argc; k++) {
    if (is_setting(argv[k])) {
      hs_status_t status = set_key(options, argv[k], &seen);
      if (status != HS_OK) return status;
    } else if (argv[k][0] == '-' && argv[k][1] != '\0') {
      return hs_fail(HS_BAD_USAGE, NULL, argv[k], "unknown option (settings are written key=value)");
    } else if (count < HS_IMPORT_MAX_INPUTS + 2) {
      files[count++] = argv[k];
    }
  }
  return set_files(options, count, files);
}

static bool is_given(const hs_import_options_t *o, const char *key)
{
  if (strcmp(key, "header") == 0) return o->header != HS_HEADER_AUTO;
  if (strcmp(key, "label") == 0) return o->label != NULL;
  if (strcmp(key, "drop") == 0) return o->drop != NULL;
  if (strcmp(key, "onehot") == 0) return o->onehot != NULL;
  if (strcmp(key, "features") == 0) return o->features != 0;
  return false;
}

hs_status_t hs_import_options_check_format(const hs_import_options_t *options, hs_format_t format)
{
  for (int k = 0; k < ROWS; k++)
    if ((table[k].formats & 1u << format) == 0 && is_given(options, table[k].key))
      return hs_fail(HS_BAD_USAGE, options->inputs[0], table[k].key, "has no meaning for %s files",
                     hs_format_name(format));
  return HS_OK;
}

const char *hs_format_name(hs_format_t format)
{
  static const char *const names[] = {"auto", "CSV", "LIBSVM", "IDX", "NPY"};
  return names[format];
}

void hs_import_options_help(FILE *stream)
{
  fputs(
      "Inputs: one file; train and test (CSV, LIBSVM), which give OUTPUT.h5 and OUTPUT.test.h5; images and\n"
      "labels (IDX) or features and targets (NPY), or two such pairs, train and test. Plain, .gz or .bz2.\n"
      "The output holds /features, /targets and what is known of them as attributes.\n\n",
      stream);
  fprintf(stream, "  %-10s %-8s %s\n", "key", "default", "meaning");
  for (int k = 0; k < ROWS; k++)
    fprintf(stream, "  %-10s %-8s %s\n", table[k].key, table[k].standard, table[k].meaning);
}
