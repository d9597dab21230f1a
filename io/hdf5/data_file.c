#include "io/hdf5/data_file.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"

struct hs_data_file {
  char *path;
  char *features_name, *targets_name;
  hid_t file, features, targets; /* -1: not open */
  hs_data_info_t info;
};

static char *copy_name(const char *name)
{
  char *copy = hs_alloc(strlen(name) + 1, 1, "file name");
  if (copy != NULL) memcpy(copy, name, strlen(name) + 1);
  return copy;
}

/* The names of the data sets of a file, for the message that one is missing. */
static herr_t collect_name(hid_t group, const char *name, const H5L_info_t *link, void *list)
{
  (void)group;
  (void)link;
  char *text = list;
  size_t used = strlen(text);
  if (used + strlen(name) + 3 < 200) snprintf(text + used, 200 - used, "%s%s", used > 0 ? ", " : "", name);
  return 0;
}

static hs_status_t open_set(const hs_data_file_t *file, const char *name, const char *setting, hid_t *set)
{
  *set = H5Dopen2(file->file, name, H5P_DEFAULT);
  if (*set >= 0) return HS_OK;
  char names[200] = "";
  H5Literate(file->file, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, collect_name, names);
  return hs_fail(HS_BAD_DATA, file->path, NULL,
                 "no data set '%s' (the file holds: %s; set %s to one of them)", name,
                 names[0] != '\0' ? names : "nothing", setting);
}

/* Extents of a data set of integers or floats with 1..most dimensions. */
static hs_status_t shape_of(const hs_data_file_t *file, hid_t set, const char *name, int least, int most,
                            hsize_t extent[2], H5T_class_t *kind, size_t *bytes)
{
  hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  int rank = H5Sget_simple_extent_ndims(space);
  extent[0] = extent[1] = 1;
  if (rank >= least && rank <= most) H5Sget_simple_extent_dims(space, extent, NULL);
  *kind = H5Tget_class(type);
  if (*kind == H5T_ENUM) *kind = H5T_INTEGER; /* h5py stores booleans as an enumeration */
  *bytes = H5Tget_size(type);
  H5Tclose(type);
  H5Sclose(space);
  if (rank < least || rank > most)
    return hs_fail(HS_BAD_DATA, file->path, name, "has %d dimensions (%s)", rank,
                   least == most ? "rows x columns" : "rows, or rows x columns");
  if (*kind != H5T_INTEGER && *kind != H5T_FLOAT)
    return hs_fail(HS_BAD_DATA, file->path, name, "does not hold numbers (integers or floats)");
  return HS_OK;
}

static hs_status_t open_features(hs_data_file_t *file)
{
  hs_status_t status = open_set(file, file->features_name, "data.features", &file->features);
  hsize_t extent[2];
  H5T_class_t kind;
  size_t bytes;
  if (status == HS_OK)
    status = shape_of(file, file->features, file->features_name, 2, 2, extent, &kind, &bytes);
  if (status != HS_OK) return status;
  file->info.rows = (int64_t)extent[0];
  if (extent[0] == 0 || extent[1] == 0 || extent[1] > 100000000)
    return hs_fail(HS_BAD_DATA, file->path, file->features_name,
                   "has %llu rows and %llu columns (at least 1 of each)", (unsigned long long)extent[0],
                   (unsigned long long)extent[1]);
  file->info.features = (int)extent[1];
  char *unit = NULL;
  file->info.common_unit = kind == H5T_INTEGER && bytes == 1;
  if (hs_h5_read_text(file->features, "unit", &unit)) file->info.common_unit = strcmp(unit, "common") == 0;
  hs_free(unit);
  return HS_OK;
}

static hs_status_t open_targets(hs_data_file_t *file)
{
  hs_status_t status = open_set(file, file->targets_name, "data.targets", &file->targets);
  hsize_t extent[2];
  H5T_class_t kind;
  size_t bytes;
  if (status == HS_OK)
    status = shape_of(file, file->targets, file->targets_name, 1, 2, extent, &kind, &bytes);
  if (status != HS_OK) return status;
  if ((int64_t)extent[0] != file->info.rows)
    return hs_fail(HS_BAD_DATA, file->path, file->targets_name,
                   "has %llu rows, the features have %lld (the same number)", (unsigned long long)extent[0],
                   (long long)file->info.rows);
  if (extent[1] == 0 || extent[1] > 1000000)
    return hs_fail(HS_BAD_DATA, file->path, file->targets_name, "has %llu columns (1 to 1000000)",
                   (unsigned long long)extent[1]);
  file->info.has_targets = true;
  file->info.target_columns = (int)extent[1];
  /* Several integer columns are numbers to fit; one is a class label unless the file says otherwise. */
  file->info.targets_are_classes = kind == H5T_INTEGER && extent[1] == 1;
  char *task = NULL;
  if (hs_h5_read_text(file->file, "task", &task) && strcmp(task, "regression") == 0)
    file->info.targets_are_classes = false;
  hs_free(task);
  if (file->info.targets_are_classes)
    hs_h5_read_texts(file->file, "classes", &file->info.class_names_count, &file->info.class_names);
  return HS_OK;
}

hs_status_t hs_data_open(hs_data_file_t **out, const char *path, const char *features, const char *targets,
                         hs_data_info_t *info)
{
  *out = NULL;
  hs_data_file_t *file = hs_alloc(1, sizeof *file, "data file");
  if (file == NULL) return HS_NO_MEMORY;
  file->file = file->features = file->targets = -1;
  file->path = copy_name(path);
  file->features_name = copy_name(features);
  if (targets != NULL) file->targets_name = copy_name(targets);
  bool named =
      file->path != NULL && file->features_name != NULL && (targets == NULL || file->targets_name != NULL);
  hs_status_t status = named ? hs_h5_open(path, &file->file) : HS_NO_MEMORY;
  if (status == HS_OK) status = open_features(file);
  if (status == HS_OK && targets != NULL) status = open_targets(file);
  if (status != HS_OK) {
    hs_data_close(&file);
    return status;
  }
  *info = file->info;
  *out = file;
  return HS_OK;
}

void hs_data_close(hs_data_file_t **out)
{
  hs_data_file_t *file = *out;
  *out = NULL;
  if (file == NULL) return;
  hs_h5_free_texts(file->info.class_names_count, file->info.class_names);
  if (file->targets >= 0) H5Dclose(file->targets);
  if (file->features >= 0) H5Dclose(file->features);
  if (file->file >= 0) H5Fclose(file->file);
  hs_free(file->path);
  hs_free(file->features_name);
  hs_free(file->targets_name);
  hs_free(file);
}

static hs_status_t read_rows(const hs_data_file_t *file, hid_t set, const char *name, int64_t first,
                             int64_t count, hid_t type, void *values)
{
  if (count == 0) return HS_OK;
  hid_t space = H5Dget_space(set);
  hsize_t extent[2] = {1, 1};
  int rank = H5Sget_simple_extent_dims(space, extent, NULL);
  hsize_t start[2] = {(hsize_t)first, 0}, block[2] = {(hsize_t)count, extent[1]};
  hid_t memory = H5Screate_simple(rank, block, NULL);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL) >= 0 &&
              H5Dread(set, type, memory, space, H5P_DEFAULT, values) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  if (good) return HS_OK;
  return hs_fail(HS_BAD_DATA, file->path, name,
                 "rows %lld to %lld cannot be read (the file is damaged or truncated)", (long long)first,
                 (long long)(first + count - 1));
}

static hs_status_t check_finite(const hs_data_file_t *file, const char *name, int64_t first, int64_t count,
                                int columns, const double *values)
{
  for (int64_t k = 0; k < count * columns; k++)
    if (!isfinite(values[k]))
      return hs_fail(
          HS_BAD_DATA, file->path, name, "row %lld, column %lld (from 0) is %s (finite numbers only)",
          (long long)(first + k / columns), (long long)(k % columns), isnan(values[k]) ? "NaN" : "infinite");
  return HS_OK;
}

hs_status_t hs_data_read_features(hs_data_file_t *file, int64_t first, int64_t count, double *X)
{
  const char *name = file->features_name;
  hs_status_t status = read_rows(file, file->features, name, first, count, H5T_NATIVE_DOUBLE, X);
  return status == HS_OK ? check_finite(file, name, first, count, file->info.features, X) : status;
}

hs_status_t hs_data_read_targets(hs_data_file_t *file, int64_t first, int64_t count, double *Y)
{
  const char *name = file->targets_name;
  hs_status_t status = read_rows(file, file->targets, name, first, count, H5T_NATIVE_DOUBLE, Y);
  return status == HS_OK ? check_finite(file, name, first, count, file->info.target_columns, Y) : status;
}

hs_status_t hs_data_read_labels(hs_data_file_t *file, int64_t first, int64_t count, int64_t *labels)
{
  return read_rows(file, file->targets, file->targets_name, first, count, H5T_NATIVE_INT64, labels);
}
