/* arrange.c: which of the inputs is what. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/importers/format.h"
#include "io/importers/import.h"

/* The features file and the labels file (or NULL) of train and test. */
typedef struct {
  const char *features[2], *labels[2];
  int count;
} pairs_t;

static hs_status_t detect_all(hs_import_t *import, int *dimensions)
{
  const hs_import_options_t *o = import->options;
  for (int k = 0; k < o->input_count; k++) {
    hs_format_t format = o->format;
    dimensions[k] = 0;
    /* a given format still has to look into IDX files, to tell images from labels */
    if (format == HS_FORMAT_AUTO || format == HS_FORMAT_IDX) {
      hs_status_t status = hs_format_detect(&format, &dimensions[k], o->inputs[k]);
      if (status != HS_OK) return status;
    }
    if (o->format == HS_FORMAT_IDX && format != HS_FORMAT_IDX)
      return hs_fail(HS_BAD_DATA, o->inputs[k], NULL,
                     "wrong magic number: not an IDX file (it looks like %s)", hs_format_name(format));
    if (k > 0 && format != import->format)
      return hs_fail(HS_BAD_USAGE, o->inputs[k], NULL, "is %s, but %s is %s (inputs of one format)",
                     hs_format_name(format), o->inputs[0], hs_format_name(import->format));
    import->format = format;
  }
  return HS_OK;
}

/* Labels have one dimension, images more; the k-th images belong to the k-th labels. */
static hs_status_t pair_idx(const hs_import_options_t *o, const int *dimensions, pairs_t *pairs)
{
  int images = 0, labels = 0;
  for (int k = 0; k < o->input_count; k++) {
    bool label = dimensions[k] == 1;
    if (label && labels < 2) pairs->labels[labels] = o->inputs[k];
    if (!label && images < 2) pairs->features[images] = o->inputs[k];
    if (label)
      labels++;
    else
      images++;
  }
  pairs->count = images;
  if (images >= 1 && images <= 2 && (labels == images || (labels == 0 && images == 1))) return HS_OK;
  return hs_fail(HS_BAD_USAGE, NULL, "import",
                 "%d IDX files with images and %d with labels (one of each, or two of each: train and test)",
                 images, labels);
}

static hs_status_t pair_npy(const hs_import_options_t *o, pairs_t *pairs)
{
  pairs->count = o->input_count == 4 ? 2 : 1;
  for (int k = 0; k < o->input_count && k < 4; k++) {
    if (k % 2 == 0)
      pairs->features[k / 2] = o->inputs[k];
    else
      pairs->labels[k / 2] = o->inputs[k];
  }
  if (o->input_count != 3) return HS_OK;
  return hs_fail(HS_BAD_USAGE, NULL, "import",
                 "3 NPY files (features; features and targets; or two such pairs, train and test)");
}

static hs_status_t pair_text(const hs_import_options_t *o, pairs_t *pairs)
{
  pairs->count = o->input_count;
  if (o->input_count > 2)
    return hs_fail(HS_BAD_USAGE, NULL, "import", "%d text files (one, or two: train and test)",
                   o->input_count);
  for (int k = 0; k < o->input_count; k++) pairs->features[k] = o->inputs[k];
  return HS_OK;
}

/* OUTPUT.h5 and OUTPUT.test.h5 */
static hs_status_t name_outputs(hs_import_t *import)
{
  const char *output = import->options->output;
  size_t stem = strlen(output);
  stem -= stem > 5 && strcasecmp(output + stem - 5, ".hdf5") == 0 ? 5 : 3;
  if (stem + sizeof ".test.hdf5.part" > HS_IMPORT_PATH)
    return hs_fail(HS_BAD_USAGE, output, NULL, "the name is too long");
  snprintf(import->paths[0], HS_IMPORT_PATH, "%s", output);
  snprintf(import->paths[1], HS_IMPORT_PATH, "%.*s.test%s", (int)stem, output, output + stem);
  return HS_OK;
}

/* Better now than after an hour of reading: is there a folder to write into, and is no input overwritten? */
static hs_status_t check_output(const hs_import_options_t *o, const char *path)
{
  struct stat output, input;
  if (stat(path, &output) == 0) {
    if (S_ISDIR(output.st_mode)) return hs_fail(HS_IO, path, NULL, "is a folder (name a file in it)");
    for (int k = 0; k < o->input_count; k++)
      if (stat(o->inputs[k], &input) == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino)
        return hs_fail(HS_BAD_USAGE, path, NULL, "is input and output at once");
  }
  char part[HS_IMPORT_PATH];
  if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
    return hs_fail(HS_BAD_USAGE, path, NULL, "the name is too long");
  int probe = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (probe < 0) return hs_fail(HS_IO, path, NULL, "cannot be written: %s", strerror(errno));
  close(probe);
  unlink(part);
  return HS_OK;
}

static hs_status_t open_sources(hs_import_t *import, const pairs_t *pairs)
{
  hs_status_t status = HS_OK;
  for (int k = 0; status == HS_OK && k < pairs->count; k++) {
    hs_row_source_t *source = &import->sources[k];
    *source = (hs_row_source_t){.path = pairs->features[k], .options = import->options};
    if (import->options->like != NULL) source->like = &import->like;
    if (k == 1) source->model = &import->sources[0];
    hs_labels_begin(&source->labels);
    if (import->format == HS_FORMAT_CSV)
      status = hs_row_source_open_csv(source);
    else if (import->format == HS_FORMAT_LIBSVM)
      status = hs_row_source_open_libsvm(source);
    else
      status = hs_row_source_open_arrays(source, import->format, pairs->labels[k]);
  }
  return status;
}

hs_status_t hs_import_arrange(hs_import_t *import)
{
  const hs_import_options_t *o = import->options;
  int dimensions[HS_IMPORT_MAX_INPUTS];
  pairs_t pairs = {0};
  hs_status_t status = detect_all(import, dimensions);
  if (status == HS_OK) status = hs_import_options_check_format(o, import->format);
  if (status == HS_OK)
    status = import->format == HS_FORMAT_IDX   ? pair_idx(o, dimensions, &pairs)
             : import->format == HS_FORMAT_NPY ? pair_npy(o, &pairs)
                                               : pair_text(o, &pairs);
  if (status != HS_OK) return status;
  import->source_count = pairs.count;
  if (pairs.count == 2 && o->split > 0.0)
    return hs_fail(HS_BAD_USAGE, NULL, "split", "has no meaning when train and test are both given");
  status = name_outputs(import);
  if (status == HS_OK) status = check_output(o, import->paths[0]);
  if (status == HS_OK && (pairs.count == 2 || o->split > 0.0)) status = check_output(o, import->paths[1]);
  return status == HS_OK ? open_sources(import, &pairs) : status;
}
