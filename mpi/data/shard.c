#include "mpi/data/shard.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/data/fingerprint.h"
#include "mpi/data/scaling.h"

#define SLAB_BYTES ((int64_t)8 << 20) /* read and converted at a time */

hs_status_t hs_source_open(hs_source_t *source, MPI_Comm comm, const char *path, const char *features,
                           const char *targets)
{
  *source = (hs_source_t){.comm = comm, .path = path};
  hs_status_t status = hs_agree(comm, hs_data_open(&source->file, path, features, targets, &source->info));
  if (status != HS_OK) hs_source_close(source);
  return status;
}

void hs_source_generate(hs_source_t *source, MPI_Comm comm, const hs_synthetic_t *synthetic, int64_t n,
                        bool sign)
{
  *source = (hs_source_t){.comm = comm, .path = "generated data", .synthetic = synthetic, .sign = sign};
  source->info = (hs_data_info_t){.rows = n,
                                  .features = hs_synthetic_features(synthetic),
                                  .has_targets = true,
                                  .target_columns = 1,
                                  .targets_are_classes = sign};
}

hs_status_t hs_source_choose(hs_source_t *source, double share, int64_t seed, hs_source_rows_t rows)
{
  source->chosen = rows;
  source->hold_out = (hs_hold_out_t){.rows = source->info.rows, .share = share, .seed = seed};
  int64_t held_out = hs_hold_out_count(&source->hold_out);
  if (held_out == 0)
    return hs_fail(HS_BAD_DATA, source->path, NULL,
                   "has %" PRId64 " rows: none can be held out of them (a larger path.hold_out than %g, or a "
                   "file of its own: data.validation)",
                   source->info.rows, share);
  source->info.rows = rows == HS_ROWS_HELD_OUT ? held_out : source->info.rows - held_out;
  return HS_OK;
}

/* Rows of a file, in 8-byte elements whatever their type. */
typedef hs_status_t read_t(hs_data_file_t *file, int64_t first, int64_t count, void *rows);

static hs_status_t read_features_of(hs_data_file_t *file, int64_t first, int64_t count, void *rows)
{
  return hs_data_read_features(file, first, count, rows);
}

static hs_status_t read_targets_of(hs_data_file_t *file, int64_t first, int64_t count, void *rows)
{
  return hs_data_read_targets(file, first, count, rows);
}

static hs_status_t read_labels_of(hs_data_file_t *file, int64_t first, int64_t count, void *rows)
{
  return hs_data_read_labels(file, first, count, rows);
}

static int64_t row_of_file(const hs_source_t *source, int64_t row)
{
  return source->chosen == HS_ROWS_HELD_OUT ? hs_hold_out_row(&source->hold_out, row)
                                            : hs_hold_out_training_row(&source->hold_out, row);
}

/* The stretch of the file that holds the rows, slab by slab, and from it the rows that are meant. */
static hs_status_t read_chosen(const hs_source_t *source, read_t *read, int64_t width, int64_t first,
                               int64_t count, void *rows)
{
  if (count == 0) return HS_OK;
  int64_t next = row_of_file(source, first), last = row_of_file(source, first + count - 1), done = 0;
  int64_t step = hs_min64(hs_max64(1, SLAB_BYTES / (8 * width)), last - next + 1);
  char *slab = hs_alloc((size_t)(step * width), 8, "rows being read"), *to = rows;
  hs_status_t status = slab != NULL ? HS_OK : HS_NO_MEMORY;
  while (status == HS_OK && done < count) {
    int64_t from = next, here = hs_min64(step, last - from + 1);
    status = read(source->file, from, here, slab);
    while (status == HS_OK && done < count && next < from + here) {
      memcpy(to + done * width * 8, slab + (next - from) * width * 8, (size_t)width * 8);
      done += 1;
      if (done < count) next = row_of_file(source, first + done);
    }
  }
  hs_free(slab);
  return status;
}

static hs_status_t read_rows(const hs_source_t *source, read_t *read, int64_t width, int64_t first,
                             int64_t count, void *rows)
{
  if (source->chosen == HS_ROWS_ALL) return read(source->file, first, count, rows);
  return read_chosen(source, read, width, first, count, rows);
}

static hs_status_t source_features(const hs_source_t *source, int64_t first, int64_t count, double *X)
{
  if (source->synthetic == NULL)
    return read_rows(source, read_features_of, source->info.features, first, count, X);
  hs_synthetic_rows(source->synthetic, first, count, X, NULL);
  return HS_OK;
}

static hs_status_t source_targets(const hs_source_t *source, int64_t first, int64_t count, double *Y)
{
  if (source->synthetic == NULL)
    return read_rows(source, read_targets_of, source->info.target_columns, first, count, Y);
  hs_synthetic_rows(source->synthetic, first, count, NULL, Y);
  return HS_OK;
}

static hs_status_t source_labels(const hs_source_t *source, int64_t first, int64_t count, int64_t *labels)
{
  if (source->synthetic == NULL) return read_rows(source, read_labels_of, 1, first, count, labels);
  for (int64_t k = 0; k < count; k++) {
    double y;
    hs_synthetic_rows(source->synthetic, first + k, 1, NULL, &y);
    labels[k] = y >= 0 ? 1 : 0;
  }
  return HS_OK;
}

void hs_source_close(hs_source_t *source)
{
  hs_data_close(&source->file);
}

int hs_shard_outputs(hs_loss_kind_t loss, int classes, int target_columns)
{
  if (classes == 0) return target_columns;
  return classes == 2 && loss != HS_SOFTMAX ? 1 : classes;
}

hs_scaling_t hs_shard_scaling(hs_scaling_t scaling, const hs_data_info_t *info)
{
  if (scaling != HS_SCALING_AUTO) return scaling;
  return info->common_unit ? HS_SCALING_COMMON : HS_SCALING_ZSCORE;
}

static int64_t slab_rows(const hs_shard_t *shard)
{
  return hs_max64(1, SLAB_BYTES / (8 * (int64_t)shard->features));
}

static hs_status_t measure(hs_shard_t *shard, const hs_source_t *source, hs_moments_t *moments, double *slab)
{
  int64_t step = slab_rows(shard);
  for (int64_t k = 0; k < shard->rows; k += step) {
    int64_t count = hs_min64(step, shard->rows - k);
    hs_status_t status = source_features(source, shard->row0 + k, count, slab);
    if (status != HS_OK) return status;
    hs_moments_add(moments, count, slab);
  }
  return HS_OK;
}

/* Scale count rows of raw features into X from row k on. */
static void place(hs_shard_t *shard, int64_t k, int64_t count, const double *slab)
{
  int features = shard->features, d = shard->d;
  for (int64_t i = 0; i < count; i++) {
    const double *raw = slab + i * features;
    if (shard->precision == HS_SINGLE) {
      float *x = (float *)shard->X + (k + i) * d;
      for (int j = 0; j < features; j++) x[j] = (float)((raw[j] - shard->shift[j]) / shard->scale[j]);
      if (shard->bias) x[features] = 1.0f;
    } else {
      double *x = (double *)shard->X + (k + i) * d;
      for (int j = 0; j < features; j++) x[j] = (raw[j] - shard->shift[j]) / shard->scale[j];
      if (shard->bias) x[features] = 1.0;
    }
  }
}

static hs_status_t read_features(hs_shard_t *shard, const hs_source_t *source, double *slab)
{
  int64_t step = slab_rows(shard);
  for (int64_t k = 0; k < shard->rows; k += step) {
    int64_t count = hs_min64(step, shard->rows - k);
    hs_status_t status = source_features(source, shard->row0 + k, count, slab);
    if (status != HS_OK) return status;
    place(shard, k, count, slab);
    shard->features_print += hs_fingerprint_rows(slab, count, 8 * (int64_t)shard->features, shard->row0 + k);
  }
  return HS_OK;
}

/* The features are read twice when statistics are wanted: scaled values then do not depend on the order in
 * which the statistics became known, and are the same bits in training and prediction. Collective. */
static hs_status_t load_features(hs_shard_t *shard, const hs_source_t *source,
                                 const hs_shard_options_t *options)
{
  hs_scaling_t scaling = hs_shard_scaling(options->scaling, &source->info);
  double *slab = hs_alloc((size_t)(slab_rows(shard) * shard->features), sizeof(double), "rows being read");
  hs_moments_t moments = {0};
  bool wanted = options->shift == NULL && scaling != HS_SCALING_NONE;
  hs_status_t status = slab != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK && wanted) status = hs_moments_create(&moments, shard->features);
  if (status == HS_OK && wanted) status = measure(shard, source, &moments, slab);
  status = hs_agree(source->comm, status);
  if (status == HS_OK) {
    for (int j = 0; j < shard->features; j++) {
      shard->shift[j] = options->shift != NULL ? options->shift[j] : 0.0;
      shard->scale[j] = options->shift != NULL ? options->scale[j] : 1.0;
    }
    if (wanted) {
      hs_moments_merge(source->comm, &moments);
      hs_scaling_make(scaling, &moments, shard->shift, shard->scale);
    }
    status = hs_agree(source->comm, read_features(shard, source, slab));
    hs_fingerprint_sum(source->comm, &shard->features_print);
  }
  hs_moments_free(&moments);
  hs_free(slab);
  return status;
}

static void encode_labels(hs_shard_t *shard, hs_loss_kind_t loss)
{
  int C = shard->outputs;
  double off = loss == HS_LOGISTIC || loss == HS_SQUARED_HINGE ? -1.0 : 0.0;
  for (int64_t k = 0; k < shard->rows; k++) {
    if (C == 1) {
      shard->Y[k] = shard->labels[k] == 1 ? 1.0 : -1.0;
      continue;
    }
    for (int c = 0; c < C; c++) shard->Y[k * C + c] = shard->labels[k] == c ? 1.0 : off;
  }
}

/* Collective. */
static hs_status_t load_labels(hs_shard_t *shard, const hs_source_t *source,
                               const hs_shard_options_t *options)
{
  shard->labels = hs_alloc((size_t)shard->rows, sizeof(int64_t), "labels");
  hs_status_t status = shard->labels != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) status = source_labels(source, shard->row0, shard->rows, shard->labels);
  if (status == HS_OK)
    shard->targets_print = hs_fingerprint_rows(shard->labels, shard->rows, sizeof(int64_t), shard->row0);
  status = hs_agree(source->comm, status);
  if (status != HS_OK) return status;
  if (options->classes != NULL)
    status = hs_agree(source->comm, hs_classes_copy(&shard->classes, options->classes));
  else
    status = hs_classes_find(&shard->classes, source->comm, source->path, &source->info, shard->row0,
                             shard->rows, shard->labels);
  if (status != HS_OK) return status;
  return hs_agree(source->comm, hs_classes_index(&shard->classes, source->path, &source->info, shard->row0,
                                                 shard->rows, shard->labels));
}

/* Collective. */
static hs_status_t load_targets(hs_shard_t *shard, const hs_source_t *source,
                                const hs_shard_options_t *options)
{
  const hs_data_info_t *info = &source->info;
  bool classes = info->targets_are_classes;
  hs_status_t status = HS_OK;
  if (options->shift != NULL && classes != options->classification)
    return hs_fail(HS_BAD_DATA, source->path, NULL,
                   "holds %s, the model was trained for %s (targets of the same kind)",
                   classes ? "integer class labels" : "float regression targets",
                   options->classification ? "classes" : "regression");
  hs_loss_t loss = {.kind = options->loss};
  if (!classes && hs_loss_needs_classes(loss))
    return hs_fail(HS_BAD_DATA, source->path, NULL,
                   "the %s loss needs classes (integer targets; floats are regression: use squared or huber)",
                   hs_loss_name(options->loss));
  if (classes) status = load_labels(shard, source, options);
  if (status != HS_OK) return status;
  shard->outputs = hs_shard_outputs(options->loss, shard->classes.count, info->target_columns);
  int64_t count = shard->rows * shard->outputs;
  shard->Y = hs_alloc((size_t)count, sizeof(double), "targets");
  status = shard->Y != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK && classes) encode_labels(shard, options->loss);
  if (status == HS_OK && !classes) {
    status = source_targets(source, shard->row0, shard->rows, shard->Y);
    shard->targets_print =
        hs_fingerprint_rows(shard->Y, shard->rows, 8 * (int64_t)shard->outputs, shard->row0);
  }
  hs_fingerprint_sum(source->comm, &shard->targets_print);
  return hs_agree(source->comm, status);
}

static hs_status_t allocate(hs_shard_t *shard)
{
  shard->X =
      hs_alloc((size_t)shard->rows * (size_t)shard->d, hs_precision_bytes(shard->precision), "features");
  shard->shift = hs_alloc((size_t)shard->features, sizeof(double), "shift");
  shard->scale = hs_alloc((size_t)shard->features, sizeof(double), "scale");
  return shard->X != NULL && shard->shift != NULL && shard->scale != NULL ? HS_OK : HS_NO_MEMORY;
}

hs_status_t hs_shard_load(hs_shard_t **out, const hs_source_t *source, const hs_partition_t *partition,
                          const hs_shard_options_t *options)
{
  *out = NULL;
  hs_shard_t *shard = hs_alloc(1, sizeof *shard, "shard");
  hs_status_t status = hs_agree(source->comm, shard != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    shard->partition = *partition;
    shard->row0 = hs_partition_first_row(partition, partition->rank);
    shard->rows = hs_partition_first_row(partition, partition->rank + 1) - shard->row0;
    shard->features = source->info.features;
    shard->bias = options->bias;
    shard->d = shard->features + (options->bias ? 1 : 0);
    shard->precision = options->precision;
    status = hs_agree(source->comm, allocate(shard));
  }
  if (status == HS_OK) status = load_features(shard, source, options);
  if (status == HS_OK && source->info.has_targets) status = load_targets(shard, source, options);
  if (status != HS_OK) hs_shard_free(&shard);
  *out = shard;
  return status;
}

void hs_shard_free(hs_shard_t **out)
{
  hs_shard_t *shard = *out;
  *out = NULL;
  if (shard == NULL) return;
  hs_classes_free(&shard->classes);
  hs_free(shard->X);
  hs_free(shard->Y);
  hs_free(shard->labels);
  hs_free(shard->shift);
  hs_free(shard->scale);
  hs_free(shard);
}
