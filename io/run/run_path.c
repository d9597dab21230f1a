#include "io/run/run_path.h"

#include <assert.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/run/run_layout.h"

static_assert(sizeof(hs_path_point_t) == 8 * HS_PATH_POINT_FIELDS, "a field of 8 bytes for each data set");

static const struct {
  const char *name;
  bool integer;
} fields[HS_PATH_POINT_FIELDS] = {
    {"beta", false},
    {"beta_relative", false},
    {"primal", false},
    {"dual", false},
    {"relative_gap", false},
    {"first_iteration", true},
    {"iterations", true},
    {"factorings", true},
    {"active_groups", true},
    {"seconds", false},
    {"train_loss", false},
    {"validation_loss", false},
    {"validation_score", false},
    {"validation_error", false},
};

static hid_t type_of(int field)
{
  return fields[field].integer ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
}

/* Selects one field of an array of points in memory; the caller closes it. */
static hid_t column_of(int64_t count, int field)
{
  hsize_t extent[2] = {(hsize_t)count, HS_PATH_POINT_FIELDS};
  hsize_t start[2] = {0, (hsize_t)field}, some[2] = {(hsize_t)count, 1};
  hid_t space = H5Screate_simple(2, extent, NULL);
  if (space >= 0) H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, some, NULL);
  return space;
}

/* ---- writing ---- */

static hs_status_t put_field(hid_t group, int field, const hs_run_path_t *path)
{
  hsize_t extent = (hsize_t)path->count;
  hid_t space = H5Screate_simple(1, &extent, NULL), memory = column_of(path->count, field);
  hid_t set =
      H5Dcreate2(group, fields[field].name, type_of(field), space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = set >= 0 && H5Dwrite(set, type_of(field), memory, space, H5P_DEFAULT, path->point) >= 0;
  if (set >= 0) H5Dclose(set);
  H5Sclose(memory);
  H5Sclose(space);
  return good ? HS_OK : HS_IO;
}

static hs_status_t put_attributes(hid_t group, const hs_run_path_t *path)
{
  const struct {
    const char *name;
    int64_t value;
  } integers[] = {{"wanted", path->wanted},
                  {"chosen", path->chosen},
                  {"best", path->best},
                  {"one_error", path->one_error},
                  {"validation_rows", path->validation_rows}};
  const struct {
    const char *name, *value;
  } texts[] = {{"choose", path->choose}, {"score", path->score}, {"validation", path->validation}};
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof integers / sizeof *integers && status == HS_OK; i++)
    status = hs_h5_write_int(group, integers[i].name, integers[i].value);
  for (size_t i = 0; i < sizeof texts / sizeof *texts && status == HS_OK; i++)
    status = hs_h5_write_text(group, texts[i].name, texts[i].value);
  return status;
}

/* Blocks are d x C in the file, C x d in memory. */
static hs_status_t put_values(hid_t group, const hs_run_path_weights_t *weights)
{
  int64_t blocks = weights->first[weights->count], d = weights->d, C = weights->outputs;
  double *turned = hs_alloc((size_t)(blocks * d * C), sizeof *turned, "weights of the path");
  if (turned == NULL) return HS_NO_MEMORY;
  for (int64_t b = 0; b < blocks; b++)
    for (int64_t c = 0; c < C; c++)
      for (int64_t j = 0; j < d; j++) turned[(b * d + j) * C + c] = weights->values[(b * C + c) * d + j];
  int64_t shape[3] = {blocks, d, C};
  hs_status_t status = hs_h5_write_array(group, "values", 3, shape, turned);
  hs_free(turned);
  return status;
}

static hs_status_t put_weights(hid_t parent, const hs_run_path_weights_t *weights)
{
  hid_t group = H5Gcreate2(parent, "weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  int64_t gates[2] = {weights->gates, weights->d}, count = weights->count, ends = count + 1;
  int64_t blocks = weights->first[count];
  hs_status_t status = hs_h5_write_array(group, "gates", 2, gates, weights->G);
  if (status == HS_OK) status = hs_h5_write_array_int(group, "point", 1, &count, weights->point);
  if (status == HS_OK) status = hs_h5_write_array_int(group, "first", 1, &ends, weights->first);
  if (status == HS_OK) status = hs_h5_write_array_int(group, "gate", 1, &blocks, weights->gate);
  if (status == HS_OK) status = put_values(group, weights);
  H5Gclose(group);
  return status;
}

hs_status_t hs_run_put_path(hid_t file, const hs_run_path_t *path, const hs_run_path_weights_t *weights)
{
  if (hs_run_has(file, "path") && H5Ldelete(file, "path", H5P_DEFAULT) < 0) return HS_IO;
  hid_t group = H5Gcreate2(file, "path", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hs_status_t status = put_attributes(group, path);
  for (int f = 0; f < HS_PATH_POINT_FIELDS && status == HS_OK; f++) status = put_field(group, f, path);
  if (status == HS_OK && weights != NULL) status = put_weights(group, weights);
  H5Gclose(group);
  return status;
}

/* ---- reading ---- */

static hs_status_t damaged(const char *file, const char *what)
{
  return hs_fail(HS_BAD_DATA, file, "path", "%s is missing or has another length (the file is damaged)",
                 what);
}

static hs_status_t get_field(hid_t group, const char *file, int field, hs_run_path_t *path)
{
  hid_t set = hs_run_has(group, fields[field].name) ? H5Dopen2(group, fields[field].name, H5P_DEFAULT) : -1;
  if (set < 0) return damaged(file, fields[field].name);
  hid_t space = H5Dget_space(set), memory = column_of(path->count, field);
  bool good = H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_npoints(space) == path->count &&
              H5Dread(set, type_of(field), memory, space, H5P_DEFAULT, path->point) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(set);
  return good ? HS_OK : damaged(file, fields[field].name);
}

static hs_status_t get_attributes(hid_t group, const char *file, hs_run_path_t *path)
{
  struct {
    const char *name;
    int64_t *value;
  } integers[] = {{"wanted", &path->wanted},
                  {"chosen", &path->chosen},
                  {"best", &path->best},
                  {"one_error", &path->one_error},
                  {"validation_rows", &path->validation_rows}};
  struct {
    const char *name;
    char **value;
  } texts[] = {{"choose", &path->choose}, {"score", &path->score}, {"validation", &path->validation}};
  for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
    if (!hs_h5_read_int(group, integers[i].name, integers[i].value)) return damaged(file, integers[i].name);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (!hs_h5_read_text(group, texts[i].name, texts[i].value)) return damaged(file, texts[i].name);
  int64_t index[] = {path->chosen, path->best, path->one_error};
  for (int i = 0; i < 3; i++)
    if (index[i] < -1 || index[i] >= path->count) return damaged(file, "the chosen point");
  return HS_OK;
}

static int64_t length_of(hid_t group)
{
  hid_t set = hs_run_has(group, "beta") ? H5Dopen2(group, "beta", H5P_DEFAULT) : -1;
  if (set < 0) return 0;
  hid_t space = H5Dget_space(set);
  int64_t length = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  H5Dclose(set);
  return length;
}

static hs_status_t get_path(hid_t file, const char *name, hs_run_path_t *path)
{
  hid_t group = H5Gopen2(file, "path", H5P_DEFAULT);
  if (group < 0) return damaged(name, "the group");
  path->count = length_of(group);
  path->point = hs_alloc((size_t)path->count, sizeof *path->point, "points of the path");
  hs_status_t status = path->point != NULL ? get_attributes(group, name, path) : HS_NO_MEMORY;
  for (int f = 0; f < HS_PATH_POINT_FIELDS && status == HS_OK; f++) status = get_field(group, name, f, path);
  H5Gclose(group);
  return status;
}

hs_status_t hs_run_read_path(const char *name, hs_run_path_t *path)
{
  *path = (hs_run_path_t){.chosen = -1, .best = -1, .one_error = -1};
  hid_t file;
  hs_status_t status = hs_run_open_to_read(name, &file);
  if (status != HS_OK) return status;
  if (hs_run_has(file, "path")) status = get_path(file, name, path);
  H5Fclose(file);
  if (status != HS_OK) hs_run_path_clear(path);
  return status;
}

void hs_run_path_clear(hs_run_path_t *path)
{
  hs_free(path->point);
  hs_free(path->choose);
  hs_free(path->score);
  hs_free(path->validation);
  *path = (hs_run_path_t){.chosen = -1, .best = -1, .one_error = -1};
}
