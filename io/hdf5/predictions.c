#include "io/hdf5/predictions.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"

struct hs_predictions {
  char *path, *part;
  hid_t file, scores, classes, probabilities; /* -1: not open */
};

/* What the system says of the last failure. */
static hs_status_t failed(const hs_predictions_t *file)
{
  return hs_fail(HS_IO, file->path, NULL, "cannot be written: %s",
                 errno != 0 ? strerror(errno) : "HDF5 reports a failure (disk full?)");
}

static hs_status_t open_part(hs_predictions_t *file, const char *run, const char *data)
{
  errno = 0;
  /* HDF5 does not pass on why a file cannot be made; the system does. */
  int probe = open(file->part, O_CREAT | O_WRONLY | O_TRUNC, 0666);
  if (probe < 0) return failed(file);
  close(probe);
  /* V18: attributes over 64 kB, names of many classes for instance. */
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_file_locking(access, false, true);
  file->file = H5Fcreate(file->part, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (file->file < 0) return failed(file);
  hs_status_t status = hs_h5_write_text(file->file, "content", "predictions");
  if (status == HS_OK) status = hs_h5_write_text(file->file, "run", run);
  return status == HS_OK ? hs_h5_write_text(file->file, "data", data) : status;
}

hs_status_t hs_predictions_create(hs_predictions_t **out, const char *path, const char *run, const char *data)
{
  hs_h5_quiet();
  *out = NULL;
  hs_predictions_t *file = hs_alloc(1, sizeof *file, "predictions");
  if (file == NULL) return HS_NO_MEMORY;
  file->file = file->scores = file->classes = file->probabilities = -1;
  size_t length = strlen(path);
  file->path = hs_alloc(length + 1, 1, "file name");
  file->part = hs_alloc(length + 8, 1, "file name");
  hs_status_t status = file->path != NULL && file->part != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    memcpy(file->path, path, length + 1);
    snprintf(file->part, length + 8, "%s.part", path);
    status = open_part(file, run, data);
  }
  if (status != HS_OK)
    hs_predictions_close(&file, false);
  else
    *out = file;
  return status;
}

static hid_t create_set(hid_t group, const char *name, hid_t type, int rank, int64_t rows, int columns)
{
  hsize_t extent[2] = {(hsize_t)rows, (hsize_t)columns};
  hid_t space = H5Screate_simple(rank, extent, NULL);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Sclose(space);
  return set;
}

/* Closing a data set writes what HDF5 held back: it can fail as any write can. */
static bool close_sets(hs_predictions_t *file)
{
  hid_t *sets[] = {&file->scores, &file->classes, &file->probabilities};
  bool good = true;
  for (int i = 0; i < 3; i++) {
    if (*sets[i] >= 0) good = H5Dclose(*sets[i]) >= 0 && good;
    *sets[i] = -1;
  }
  return good;
}

hs_status_t hs_predictions_begin(hs_predictions_t *file, const char *model, int64_t rows, int outputs,
                                 int classes, char *const *names, int probabilities)
{
  errno = 0;
  if (!close_sets(file)) return failed(file);
  hid_t group = H5Gcreate2(file->file, model, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return failed(file);
  file->scores = create_set(group, "scores", H5T_NATIVE_DOUBLE, 2, rows, outputs);
  bool good = file->scores >= 0;
  if (classes > 0) {
    file->classes = create_set(group, "classes", H5T_NATIVE_INT64, 1, rows, 1);
    good = good && file->classes >= 0 && hs_h5_write_texts(file->classes, "names", classes, names) == HS_OK;
  }
  if (probabilities > 0) {
    file->probabilities = create_set(group, "probabilities", H5T_NATIVE_DOUBLE, 2, rows, probabilities);
    good = good && file->probabilities >= 0;
  }
  H5Gclose(group);
  return good ? HS_OK : failed(file);
}

static bool write_rows(hid_t set, int64_t first, int64_t count, hid_t type, const void *values)
{
  if (values == NULL || count == 0) return true;
  hid_t space = H5Dget_space(set);
  hsize_t extent[2] = {1, 1}, start[2] = {(hsize_t)first, 0};
  int rank = H5Sget_simple_extent_dims(space, extent, NULL);
  hsize_t block[2] = {(hsize_t)count, extent[1]};
  hid_t memory = H5Screate_simple(rank, block, NULL);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL) >= 0 &&
              H5Dwrite(set, type, memory, space, H5P_DEFAULT, values) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return good;
}

hs_status_t hs_predictions_write(hs_predictions_t *file, int64_t first, int64_t count, const double *scores,
                                 const int64_t *labels, const double *probabilities)
{
  errno = 0;
  bool good = write_rows(file->scores, first, count, H5T_NATIVE_DOUBLE, scores) &&
              write_rows(file->classes, first, count, H5T_NATIVE_INT64, labels) &&
              write_rows(file->probabilities, first, count, H5T_NATIVE_DOUBLE, probabilities);
  return good ? HS_OK : failed(file);
}

hs_status_t hs_predictions_close(hs_predictions_t **out, bool keep)
{
  hs_predictions_t *file = *out;
  *out = NULL;
  if (file == NULL) return HS_OK;
  errno = 0;
  bool good = close_sets(file);
  if (file->file >= 0) good = H5Fclose(file->file) >= 0 && good;
  good = good && (!keep || rename(file->part, file->path) == 0);
  hs_status_t status = good || !keep ? HS_OK : failed(file);
  if (file->part != NULL && (!keep || !good)) unlink(file->part);
  hs_free(file->path);
  hs_free(file->part);
  hs_free(file);
  return status;
}
