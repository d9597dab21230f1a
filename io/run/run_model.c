#include "io/run/run_model.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"

/* blocks matrices of rows x columns, each transposed:  to[b][j][i] = from[b][i][j].
 * Weights are blocks of C x d in memory and d x C in the file; W1 is m x d in memory and d x m in the file.
 */
static double *transposed(int64_t blocks, int64_t rows, int64_t columns, const double *from)
{
  double *to = hs_alloc((size_t)blocks, (size_t)(rows * columns) * sizeof *to, "weights");
  if (to == NULL) return NULL;
  for (int64_t b = 0; b < blocks; b++)
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j++)
        to[(b * columns + j) * rows + i] = from[(b * rows + i) * columns + j];
  return to;
}

static hs_status_t put_transposed(hid_t group, const char *name, int rank, const int64_t *shape,
                                  int64_t blocks, int64_t rows, int64_t columns, const double *values)
{
  double *turned = transposed(blocks, rows, columns, values);
  if (turned == NULL) return HS_NO_MEMORY;
  hs_status_t status = hs_h5_write_array(group, name, rank, shape, turned);
  hs_free(turned);
  return status;
}

static hs_status_t put_relu(hid_t group, const hs_model_t *model)
{
  hid_t relu = H5Gcreate2(group, "relu", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (relu < 0) return HS_IO;
  int64_t m = model->neurons, first[2] = {model->d, m}, second[2] = {m, model->outputs};
  hs_status_t status = put_transposed(relu, "W1", 2, first, 1, m, model->d, model->W1);
  if (status == HS_OK) status = hs_h5_write_array(relu, "W2", 2, second, model->W2);
  H5Gclose(relu);
  return status;
}

static hs_status_t put_integers(hid_t group, const char *name, int count, const int64_t *values)
{
  hsize_t extent = (hsize_t)count;
  hid_t space = H5Screate_simple(1, &extent, NULL);
  hid_t attribute = H5Acreate2(group, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
  bool good = attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT64, values) >= 0;
  if (attribute >= 0) good = H5Aclose(attribute) >= 0 && good;
  H5Sclose(space);
  return good ? HS_OK : HS_IO;
}

static hs_status_t put_attributes(hid_t group, const hs_model_t *model)
{
  const struct {
    const char *name, *text;
  } texts[] = {{"loss", hs_loss_name(model->loss.kind)},
               {"groups", hs_groups_name(model->groups)},
               {"precision", model->precision == HS_SINGLE ? "single" : "double"},
               {"task", model->classes > 0 ? "classification" : "regression"}};
  const struct {
    const char *name;
    int64_t value;
  } integers[] = {{"bias", model->bias}, {"features", model->features}, {"outputs", model->outputs}};
  const struct {
    const char *name;
    double value;
  } reals[] = {{"beta", model->beta},
               {"beta_max", model->beta_max},
               {"objective", model->objective},
               {"huber_width", model->loss.huber_width}};
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof texts / sizeof *texts && status == HS_OK; i++)
    status = hs_h5_write_text(group, texts[i].name, texts[i].text);
  for (size_t i = 0; i < sizeof integers / sizeof *integers && status == HS_OK; i++)
    status = hs_h5_write_int(group, integers[i].name, integers[i].value);
  for (size_t i = 0; i < sizeof reals / sizeof *reals && status == HS_OK; i++)
    status = hs_h5_write_double(group, reals[i].name, reals[i].value);
  if (status == HS_OK && model->classes > 0)
    status = hs_h5_write_texts(group, "classes", model->classes, model->class_names);
  if (status == HS_OK && model->classes > 0)
    status = put_integers(group, "class_values", model->classes, model->class_values);
  return status;
}

hs_status_t hs_run_put_model(hid_t group, const hs_model_t *model)
{
  int64_t gates[2] = {model->gates, model->d}, columns = model->features;
  int64_t weights[3] = {model->gates, model->d, model->outputs};
  hs_status_t status = put_attributes(group, model);
  if (status == HS_OK) status = hs_h5_write_array(group, "gates", 2, gates, model->G);
  if (status == HS_OK)
    status =
        put_transposed(group, "weights", 3, weights, model->gates, model->outputs, model->d, model->weights);
  if (status == HS_OK) status = hs_h5_write_array(group, "shift", 1, &columns, model->shift);
  if (status == HS_OK) status = hs_h5_write_array(group, "scale", 1, &columns, model->scale);
  if (status == HS_OK && model->neurons > 0) status = put_relu(group, model);
  return status;
}

static int find_precision(const char *name)
{
  if (strcmp(name, "single") == 0) return HS_SINGLE;
  return strcmp(name, "double") == 0 ? HS_DOUBLE : -1;
}

/* The number that `find` gives to the text of an attribute; -1 without such an attribute. */
static int get_choice(hid_t group, const char *name, int (*find)(const char *name))
{
  char *text = NULL;
  if (!hs_h5_read_text(group, name, &text)) return -1;
  int found = find(text);
  hs_free(text);
  return found;
}

static hs_status_t damaged(const char *path, const char *what)
{
  return hs_fail(HS_BAD_DATA, path, what, "missing or not as halfspace writes it (train again)");
}

static bool get_integer(hid_t group, const char *name, int least, int *value)
{
  int64_t wide;
  if (!hs_h5_read_int(group, name, &wide) || wide < least || wide > INT_MAX - 1) return false;
  *value = (int)wide;
  return true;
}

static hs_status_t get_classes(hid_t group, const char *path, hs_model_t *model)
{
  if (H5Aexists(group, "classes") <= 0) return HS_OK;
  if (!hs_h5_read_texts(group, "classes", &model->classes, &model->class_names))
    return damaged(path, "model: classes");
  model->class_values = hs_alloc((size_t)model->classes, sizeof(int64_t), "class labels");
  if (model->class_values == NULL) return HS_NO_MEMORY;
  hid_t attribute = H5Aopen(group, "class_values", H5P_DEFAULT);
  if (attribute < 0) return damaged(path, "model: class_values");
  hid_t space = H5Aget_space(attribute);
  bool good = H5Sget_simple_extent_npoints(space) == model->classes &&
              H5Aread(attribute, H5T_NATIVE_INT64, model->class_values) >= 0;
  H5Sclose(space);
  H5Aclose(attribute);
  return good ? HS_OK : damaged(path, "model: class_values");
}

static hs_status_t get_attributes(hid_t group, const char *path, hs_model_t *model)
{
  int loss = get_choice(group, "loss", hs_loss_find), kind = get_choice(group, "groups", hs_groups_find);
  int precision = get_choice(group, "precision", find_precision), bias;
  if (loss < 0) return damaged(path, "model: loss");
  if (kind < 0) return damaged(path, "model: groups");
  if (precision < 0) return damaged(path, "model: precision");
  model->loss.kind = (hs_loss_kind_t)loss;
  model->groups = (hs_groups_t)kind;
  model->precision = (hs_precision_t)precision;
  if (!get_integer(group, "features", 1, &model->features)) return damaged(path, "model: features");
  if (!get_integer(group, "outputs", 1, &model->outputs)) return damaged(path, "model: outputs");
  if (!get_integer(group, "bias", 0, &bias) || bias > 1) return damaged(path, "model: bias");
  model->bias = bias == 1;
  model->d = model->features + bias;
  if (!hs_h5_read_double(group, "beta", &model->beta) || !isfinite(model->beta))
    return damaged(path, "model: beta");
  hs_h5_read_double(group, "beta_max", &model->beta_max);
  hs_h5_read_double(group, "objective", &model->objective);
  hs_h5_read_double(group, "huber_width", &model->loss.huber_width);
  return get_classes(group, path, model);
}

/* A data set whose extents must be those given; -1 stands for any extent up to INT_MAX and receives it. */
static hs_status_t get_array(hid_t group, const char *path, const char *name, int64_t shape[3],
                             double **values)
{
  int64_t found[3];
  hs_status_t status = hs_h5_read_array(group, path, name, found, values);
  for (int i = 0; i < 3 && status == HS_OK; i++) {
    if (shape[i] < 0 && found[i] <= INT_MAX) shape[i] = found[i];
    if (found[i] != shape[i])
      status = hs_fail(HS_BAD_DATA, path, name, "dimension %d is %" PRId64 " (%" PRId64 " expected)", i,
                       found[i], shape[i]);
  }
  return status;
}

static hs_status_t get_transposed(hid_t group, const char *path, const char *name, int64_t shape[3],
                                  bool matrix, double **values)
{
  double *turned = NULL;
  hs_status_t status = get_array(group, path, name, shape, &turned);
  if (status == HS_OK)
    *values =
        matrix ? transposed(1, shape[0], shape[1], turned) : transposed(shape[0], shape[1], shape[2], turned);
  if (status == HS_OK && *values == NULL) status = HS_NO_MEMORY;
  hs_free(turned);
  return status;
}

static hs_status_t get_relu(hid_t group, const char *path, hs_model_t *model)
{
  if (H5Lexists(group, "relu", H5P_DEFAULT) <= 0) return HS_OK;
  hid_t relu = H5Gopen2(group, "relu", H5P_DEFAULT);
  if (relu < 0) return damaged(path, "model/relu");
  int64_t first[3] = {model->d, -1, 1};
  hs_status_t status = get_transposed(relu, path, "W1", first, true, &model->W1);
  int64_t second[3] = {first[1], model->outputs, 1};
  if (status == HS_OK) status = get_array(relu, path, "W2", second, &model->W2);
  if (status == HS_OK) model->neurons = (int)first[1];
  H5Gclose(relu);
  return status;
}

hs_status_t hs_run_get_model(hid_t group, const char *path, hs_model_t *model)
{
  hs_status_t status = get_attributes(group, path, model);
  int64_t features[3] = {model->features, 1, 1}, gates[3] = {-1, model->d, 1};
  if (status == HS_OK) status = get_array(group, path, "shift", features, &model->shift);
  if (status == HS_OK) status = get_array(group, path, "scale", features, &model->scale);
  if (status == HS_OK) status = get_array(group, path, "gates", gates, &model->G);
  int64_t weights[3] = {gates[0], model->d, model->outputs};
  if (status == HS_OK) status = get_transposed(group, path, "weights", weights, false, &model->weights);
  if (status == HS_OK) model->gates = (int)gates[0];
  return status == HS_OK ? get_relu(group, path, model) : status;
}
