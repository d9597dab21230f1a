#include "io/importers/table_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"
#include "io/hdf5/h5.h"

#define CHUNK ((int64_t)1 << 20)  /* bytes */
#define WIDEST ((int64_t)1 << 22) /* columns of a chunk: HDF5 wants chunks below 4 GiB */

struct hs_table_writer {
  const char *path;              /* borrowed */
  const hs_table_form_t *form;   /* borrowed */
  char *part;                    /* path.part */
  hid_t file, features, targets; /* -1: not open */
  bool made, committed;
};

int64_t hs_table_feature_bytes(const hs_table_form_t *form)
{
  return form->features * (int64_t)hs_precision_bytes(form->precision);
}

int64_t hs_table_target_bytes(const hs_table_form_t *form)
{
  return form->targets * (int64_t)sizeof(double);
}

static int64_t rows_of_chunk(int64_t rows, int64_t row_bytes)
{
  return hs_max64(1, hs_min64(rows, CHUNK / row_bytes));
}

int64_t hs_table_chunk_rows(const hs_table_form_t *form)
{
  return rows_of_chunk(form->rows, hs_table_feature_bytes(form));
}

static hid_t memory_type(const hs_table_form_t *form, bool targets)
{
  if (targets) return form->classes ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
  return form->precision == HS_SINGLE ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
}

static hid_t file_type(const hs_table_form_t *form, bool targets)
{
  if (targets) return form->classes ? H5T_STD_I64LE : H5T_IEEE_F64LE;
  return form->precision == HS_SINGLE ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
}

/* errno is the closest that HDF5 comes to a reason, and only when the operating system refused something. */
static hs_status_t io_failure(const hs_table_writer_t *w, const char *what)
{
  int reason = errno;
  return hs_fail(HS_IO, w->path, NULL, "%s%s%s (the file is left as it was)", what, reason != 0 ? ": " : "",
                 reason != 0 ? strerror(reason) : "");
}

static hid_t create_set(hs_table_writer_t *w, const char *name, int64_t columns, bool targets)
{
  const hs_table_form_t *form = w->form;
  int rank = targets && columns == 1 ? 1 : 2;
  int64_t width = hs_min64(columns, WIDEST);
  int64_t row_bytes = targets ? hs_table_target_bytes(form) : hs_table_feature_bytes(form);
  hsize_t size[2] = {(hsize_t)form->rows, (hsize_t)columns};
  hsize_t chunk[2] = {(hsize_t)rows_of_chunk(form->rows, row_bytes), (hsize_t)width};
  hid_t space = H5Screate_simple(rank, size, NULL), plan = H5Pcreate(H5P_DATASET_CREATE);
  bool good = space >= 0 && plan >= 0 && H5Pset_chunk(plan, rank, chunk) >= 0 &&
              H5Pset_fill_time(plan, H5D_FILL_TIME_NEVER) >= 0;
  if (good && form->deflate > 0)
    good = H5Pset_shuffle(plan) >= 0 && H5Pset_deflate(plan, (unsigned)form->deflate) >= 0;
  hid_t set =
      good ? H5Dcreate2(w->file, name, file_type(form, targets), space, H5P_DEFAULT, plan, H5P_DEFAULT) : -1;
  if (plan >= 0) H5Pclose(plan);
  if (space >= 0) H5Sclose(space);
  return set;
}

static hs_status_t write_text(hid_t object, const char *name, const char *text)
{
  return text != NULL ? hs_h5_write_text(object, name, text) : HS_OK;
}

static hs_status_t write_list(hid_t object, const char *name, int64_t count, char *const *texts)
{
  if (texts == NULL || count == 0) return HS_OK;
  int narrow = 0;
  hs_status_t status = hs_to_int(count, &narrow, name);
  return status == HS_OK ? hs_h5_write_texts(object, name, narrow, texts) : status;
}

static hs_status_t write_attributes(const hs_table_writer_t *w)
{
  const hs_table_form_t *form = w->form;
  hs_status_t status = write_text(w->file, "task", form->task);
  if (status == HS_OK) status = write_text(w->file, "source", form->source);
  if (status == HS_OK) status = write_list(w->file, "classes", form->class_count, form->class_texts);
  if (status == HS_OK) status = write_list(w->file, "names", form->features, form->names);
  if (status == HS_OK) status = write_list(w->file, "target_names", form->targets, form->target_names);
  return status == HS_OK ? write_text(w->features, "unit", form->unit) : status;
}

static hs_status_t open_file(hs_table_writer_t *w)
{
  /* ask the system first: it says why, HDF5 does not */
  int probe = open(w->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (probe < 0) return hs_fail(HS_IO, w->part, NULL, "cannot be written: %s", strerror(errno));
  close(probe);
  w->made = true;
  /* attributes beyond 64 KiB, thousands of names, need the file format of HDF5 1.8 */
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access >= 0) H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  errno = 0;
  w->file = H5Fcreate(w->part, H5F_ACC_TRUNC, H5P_DEFAULT, access >= 0 ? access : H5P_DEFAULT);
  if (access >= 0) H5Pclose(access);
  return w->file >= 0 ? HS_OK : io_failure(w, "cannot be made");
}

/* Ask for the disk space of the data sets before HDF5 writes: a full disk is then found early, and not by
 * HDF5, which cannot close a file whose last bytes have no place. Where a file system cannot reserve, HDF5
 * has to find out. */
static hs_status_t reserve_space(const hs_table_writer_t *w)
{
  const hs_table_form_t *form = w->form;
  int64_t bytes = form->rows * (hs_table_feature_bytes(form) + hs_table_target_bytes(form));
  if (form->deflate > 0) return HS_OK;
  int file = open(w->part, O_WRONLY | O_CLOEXEC);
  int reason = file < 0 || fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) == 0 ? 0 : errno;
  if (file >= 0) close(file);
  if (reason != ENOSPC && reason != EDQUOT && reason != EFBIG) return HS_OK;
  return hs_fail(HS_IO, w->path, NULL, "no place for its %.1f MB: %s (the file is left as it was)",
                 (double)bytes / 1e6, strerror(reason));
}

hs_status_t hs_table_create(hs_table_writer_t **out, const char *path, const hs_table_form_t *form)
{
  *out = NULL;
  hs_table_writer_t *w = hs_alloc(1, sizeof *w, "writer");
  if (w == NULL) return HS_NO_MEMORY;
  *w = (hs_table_writer_t){.path = path, .form = form, .file = -1, .features = -1, .targets = -1};
  size_t length = strlen(path) + sizeof ".part";
  w->part = hs_alloc(length, 1, "writer");
  hs_status_t status = w->part != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    snprintf(w->part, length, "%s.part", path);
    status = open_file(w);
  }
  if (status == HS_OK) status = reserve_space(w);
  if (status == HS_OK) {
    errno = 0;
    w->features = create_set(w, "features", form->features, false);
    if (form->targets > 0) w->targets = create_set(w, "targets", form->targets, true);
    if (w->features < 0 || (form->targets > 0 && w->targets < 0))
      status = io_failure(w, "cannot hold the data sets");
  }
  if (status == HS_OK) status = write_attributes(w);
  if (status != HS_OK) hs_table_free(&w);
  *out = w;
  return status;
}

static bool write_rows(hid_t set, hid_t type, int64_t first, int64_t count, int64_t columns, const void *data)
{
  hid_t space = H5Dget_space(set);
  if (space < 0) return false;
  hsize_t start[2] = {(hsize_t)first, 0}, size[2] = {(hsize_t)count, (hsize_t)columns};
  int rank = H5Sget_simple_extent_ndims(space);
  hid_t memory = H5Screate_simple(rank, size, NULL);
  bool good = memory >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) >= 0 &&
              H5Dwrite(set, type, memory, space, H5P_DEFAULT, data) >= 0;
  if (memory >= 0) H5Sclose(memory);
  H5Sclose(space);
  return good;
}

hs_status_t hs_table_write(hs_table_writer_t *w, int64_t first, int64_t count, const void *features,
                           const void *targets)
{
  errno = 0;
  bool good = write_rows(w->features, memory_type(w->form, false), first, count, w->form->features, features);
  if (good && w->form->targets > 0)
    good = write_rows(w->targets, memory_type(w->form, true), first, count, w->form->targets, targets);
  return good ? HS_OK : io_failure(w, "cannot be written");
}

static bool close_ids(hs_table_writer_t *w)
{
  bool good = true;
  if (w->targets >= 0) good = H5Dclose(w->targets) >= 0 && good;
  if (w->features >= 0) good = H5Dclose(w->features) >= 0 && good;
  if (w->file >= 0) good = H5Fclose(w->file) >= 0 && good;
  w->targets = w->features = w->file = -1;
  return good;
}

hs_status_t hs_table_close(hs_table_writer_t *w)
{
  errno = 0;
  if (!close_ids(w)) return io_failure(w, "cannot be completed");
  int file = open(w->part, O_RDONLY | O_CLOEXEC);
  if (file < 0) return io_failure(w, "cannot be completed");
  bool good = fsync(file) == 0 || errno == EINVAL; /* some file systems have no fsync */
  if (!good) io_failure(w, "cannot be flushed to the disk");
  close(file);
  return good ? HS_OK : HS_IO;
}

hs_status_t hs_table_commit(hs_table_writer_t *w)
{
  errno = 0;
  if (rename(w->part, w->path) != 0) return io_failure(w, "cannot be given its name");
  w->committed = true;
  return HS_OK;
}

void hs_table_free(hs_table_writer_t **writer)
{
  hs_table_writer_t *w = *writer;
  *writer = NULL;
  if (w == NULL) return;
  close_ids(w);
  if (w->made && !w->committed) unlink(w->part);
  hs_free(w->part);
  hs_free(w);
}
