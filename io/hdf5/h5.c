#include "io/hdf5/h5.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

void hs_h5_quiet(void)
{
  /* At exit the library would flush a file on a full disk again, and crash over it. All files are closed by
   * then. Counts only before the library is first used. */
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

hs_status_t hs_h5_open(const char *path, hid_t *file)
{
  hs_h5_quiet();
  if (access(path, R_OK) != 0)
    return hs_fail(HS_BAD_DATA, path, NULL, "cannot be read: %s (give the path of an HDF5 file)",
                   strerror(errno));
  /* No locks: shared file systems often lack them, and we only read. */
  hid_t access_list = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(access_list, false, true);
  *file = H5Fopen(path, H5F_ACC_RDONLY, access_list);
  H5Pclose(access_list);
  if (*file < 0)
    return hs_fail(HS_BAD_DATA, path, NULL,
                   "is not an HDF5 file, or is truncated (halfspace import makes one from CSV, "
                   "LIBSVM, IDX or NPY)");
  return HS_OK;
}

/* Delete what stands under this name, then create a fresh attribute. */
static hid_t create_attribute(hid_t object, const char *name, hid_t type, hid_t space)
{
  if (H5Aexists(object, name) > 0) H5Adelete(object, name);
  return H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
}

static hs_status_t write_attribute(hid_t object, const char *name, hid_t type, hid_t space, const void *value)
{
  hid_t attribute = create_attribute(object, name, type, space);
  bool good = attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
  if (attribute >= 0) good = H5Aclose(attribute) >= 0 && good;
  return good ? HS_OK : hs_fail(HS_IO, NULL, name, "attribute cannot be written (disk full?)");
}

static hid_t text_type(void)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

hs_status_t hs_h5_write_text(hid_t object, const char *name, const char *value)
{
  hid_t type = text_type(), space = H5Screate(H5S_SCALAR);
  hs_status_t status = write_attribute(object, name, type, space, &value);
  H5Sclose(space);
  H5Tclose(type);
  return status;
}

hs_status_t hs_h5_write_texts(hid_t object, const char *name, int count, char *const *values)
{
  hsize_t extent = (hsize_t)count;
  hid_t type = text_type(), space = H5Screate_simple(1, &extent, NULL);
  hs_status_t status = write_attribute(object, name, type, space, values);
  H5Sclose(space);
  H5Tclose(type);
  return status;
}

hs_status_t hs_h5_write_int(hid_t object, const char *name, int64_t value)
{
  hid_t space = H5Screate(H5S_SCALAR);
  hs_status_t status = write_attribute(object, name, H5T_NATIVE_INT64, space, &value);
  H5Sclose(space);
  return status;
}

hs_status_t hs_h5_write_double(hid_t object, const char *name, double value)
{
  hid_t space = H5Screate(H5S_SCALAR);
  hs_status_t status = write_attribute(object, name, H5T_NATIVE_DOUBLE, space, &value);
  H5Sclose(space);
  return status;
}

/* Open an attribute if it exists and is of the class; the number of its elements in *count. */
static hid_t open_attribute(hid_t object, const char *name, H5T_class_t wanted, hssize_t *count)
{
  if (H5Aexists(object, name) <= 0) return -1;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute < 0) return -1;
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  H5T_class_t found = H5Tget_class(type);
  *count = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  H5Tclose(type);
  bool numbers = wanted != H5T_STRING && (found == H5T_INTEGER || found == H5T_FLOAT);
  if ((found == wanted || numbers) && *count > 0) return attribute;
  H5Aclose(attribute);
  return -1;
}

bool hs_h5_read_int(hid_t object, const char *name, int64_t *value)
{
  hssize_t count;
  hid_t attribute = open_attribute(object, name, H5T_INTEGER, &count);
  if (attribute < 0) return false;
  bool good = count == 1 && H5Aread(attribute, H5T_NATIVE_INT64, value) >= 0;
  H5Aclose(attribute);
  return good;
}

bool hs_h5_read_double(hid_t object, const char *name, double *value)
{
  hssize_t count;
  hid_t attribute = open_attribute(object, name, H5T_FLOAT, &count);
  if (attribute < 0) return false;
  bool good = count == 1 && H5Aread(attribute, H5T_NATIVE_DOUBLE, value) >= 0;
  H5Aclose(attribute);
  return good;
}

static char *copy_text(const char *text, size_t length)
{
  char *copy = hs_alloc(length + 1, 1, "text attribute");
  if (copy != NULL) memcpy(copy, text, length);
  return copy;
}

static bool read_variable_texts(hid_t attribute, hid_t type, size_t count, char **values)
{
  char **raw = hs_alloc(count, sizeof *raw, "text attribute");
  if (raw == NULL) return false;
  bool good = H5Aread(attribute, type, raw) >= 0;
  for (size_t i = 0; good && i < count; i++) {
    values[i] = copy_text(raw[i] != NULL ? raw[i] : "", raw[i] != NULL ? strlen(raw[i]) : 0);
    good = values[i] != NULL;
  }
  hid_t space = H5Aget_space(attribute);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
  H5Sclose(space);
  hs_free(raw);
  return good;
}

static bool read_fixed_texts(hid_t attribute, hid_t type, size_t count, char **values)
{
  size_t width = H5Tget_size(type);
  char *raw = hs_alloc(count, width, "text attribute");
  if (raw == NULL) return false;
  bool good = H5Aread(attribute, type, raw) >= 0;
  for (size_t i = 0; good && i < count; i++) {
    values[i] = copy_text(raw + i * width, strnlen(raw + i * width, width));
    good = values[i] != NULL;
  }
  hs_free(raw);
  return good;
}

bool hs_h5_read_texts(hid_t object, const char *name, int *count, char ***values)
{
  hssize_t points;
  hid_t attribute = open_attribute(object, name, H5T_STRING, &points);
  if (attribute < 0) return false;
  *values = hs_alloc((size_t)points, sizeof **values, name);
  *count = (int)points;
  hid_t type = H5Aget_type(attribute);
  bool good = *values != NULL;
  if (good)
    good = H5Tis_variable_str(type) > 0 ? read_variable_texts(attribute, type, (size_t)points, *values)
                                        : read_fixed_texts(attribute, type, (size_t)points, *values);
  H5Tclose(type);
  H5Aclose(attribute);
  if (!good) {
    hs_h5_free_texts(*count, *values);
    *values = NULL;
    *count = 0;
  }
  return good;
}

bool hs_h5_read_text(hid_t object, const char *name, char **value)
{
  int count;
  char **values;
  if (!hs_h5_read_texts(object, name, &count, &values)) return false;
  *value = values[0];
  values[0] = NULL;
  hs_h5_free_texts(count, values);
  return true;
}

void hs_h5_free_texts(int count, char **values)
{
  for (int i = 0; values != NULL && i < count; i++) hs_free(values[i]);
  hs_free(values);
}

static hs_status_t write_array(hid_t parent, const char *name, int rank, const int64_t *shape, hid_t type,
                               const void *values)
{
  hsize_t extent[3] = {1, 1, 1};
  for (int i = 0; i < rank; i++) extent[i] = (hsize_t)shape[i];
  hid_t space = H5Screate_simple(rank, extent, NULL);
  hid_t set = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  if (set >= 0) good = H5Dclose(set) >= 0 && good;
  H5Sclose(space);
  return good ? HS_OK : hs_fail(HS_IO, NULL, name, "data set cannot be written (disk full?)");
}

hs_status_t hs_h5_write_array(hid_t parent, const char *name, int rank, const int64_t *shape,
                              const double *values)
{
  return write_array(parent, name, rank, shape, H5T_NATIVE_DOUBLE, values);
}

hs_status_t hs_h5_write_array_int(hid_t parent, const char *name, int rank, const int64_t *shape,
                                  const int64_t *values)
{
  return write_array(parent, name, rank, shape, H5T_NATIVE_INT64, values);
}

hs_status_t hs_h5_read_array(hid_t parent, const char *path, const char *name, int64_t shape[3],
                             double **values)
{
  *values = NULL;
  hid_t set = H5Lexists(parent, name, H5P_DEFAULT) > 0 ? H5Dopen2(parent, name, H5P_DEFAULT) : -1;
  if (set < 0) return hs_fail(HS_BAD_DATA, path, name, "this data set is missing");
  hid_t space = H5Dget_space(set);
  hsize_t extent[H5S_MAX_RANK] = {0};
  int rank = H5Sget_simple_extent_dims(space, extent, NULL);
  H5Sclose(space);
  hs_status_t status =
      rank >= 1 && rank <= 3 ? HS_OK : hs_fail(HS_BAD_DATA, path, name, "has %d dimensions (1 to 3)", rank);
  size_t count = 1;
  for (int i = 0; i < 3; i++) {
    shape[i] = i < rank ? (int64_t)extent[i] : 1;
    count *= (size_t)shape[i];
  }
  if (status == HS_OK) *values = hs_alloc(count, sizeof(double), name);
  if (status == HS_OK && *values == NULL) status = HS_NO_MEMORY;
  if (status == HS_OK && count > 0 &&
      H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) < 0)
    status = hs_fail(HS_BAD_DATA, path, name, "cannot be read as numbers");
  H5Dclose(set);
  if (status != HS_OK) {
    hs_free(*values);
    *values = NULL;
  }
  return status;
}
