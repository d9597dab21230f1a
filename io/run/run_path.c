#include "io/run/run_path.h"

#include <assert.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/hdf5/records.h"
#include "io/run/run_layout.h"

static_assert(sizeof(hs_path_point_t) == 8 * HS_PATH_POINT_FIELDS, "a field of 8 bytes for each data set");

static const hs_record_field_t fields[HS_PATH_POINT_FIELDS] = {
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

/* ---- writing ---- */

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
  if (status == HS_OK)
    status = hs_h5_write_records(group, HS_PATH_POINT_FIELDS, fields, path->count, path->point);
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

static hs_status_t get_path(hid_t file, const char *name, hs_run_path_t *path)
{
  hid_t group = H5Gopen2(file, "path", H5P_DEFAULT);
  if (group < 0) return damaged(name, "the group");
  void *points = NULL;
  hs_status_t status =
      hs_h5_read_records(group, name, "path", HS_PATH_POINT_FIELDS, fields, &path->count, &points);
  path->point = points;
  if (status == HS_OK) status = get_attributes(group, name, path);
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
