#include "io/checkpoint/checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"
#include "io/hdf5/h5.h"

#define FORMAT 1
#define PIECE ((int64_t)1 << 30) /* bytes of one transfer */

static hid_t type_of(hs_stored_type_t type)
{
  return type == HS_STORED_DOUBLE ? H5T_NATIVE_DOUBLE
                                  : (type == HS_STORED_FLOAT ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT64);
}

int64_t hs_stored_bytes(const hs_stored_array_t *array)
{
  return array->rows * array->columns * (array->type == HS_STORED_FLOAT ? 4 : 8);
}

static hs_status_t cannot(const char *path, const char *what)
{
  return hs_fail(HS_IO, path, NULL, "%s: %s", what, errno != 0 ? strerror(errno) : "HDF5 reports a failure");
}

/* ---- making ---- */

/* Contiguous, with its place taken at once and nothing written to it. Returns the place, -1 on failure. */
static int64_t place_array(hid_t parent, const char *name, hs_stored_kind_t kind, hid_t type, int64_t rows,
                           int64_t columns)
{
  hsize_t shape[2] = {(hsize_t)rows, (hsize_t)columns};
  hid_t space = H5Screate_simple(2, shape, NULL), how = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(how, H5D_FILL_TIME_NEVER);
  hid_t set = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
  int64_t offset = -1;
  if (set >= 0) {
    haddr_t address = rows * columns > 0 ? H5Dget_offset(set) : 0;
    if (address != HADDR_UNDEF) offset = (int64_t)address;
    if (hs_h5_write_int(set, "kind", kind) != HS_OK) offset = -1;
    if (H5Dclose(set) < 0) offset = -1;
  }
  H5Pclose(how);
  H5Sclose(space);
  return offset;
}

static hs_status_t write_facts(hid_t file, const hs_checkpoint_facts_t *facts)
{
  const struct {
    const char *name, *text;
  } texts[] = {{"settings", facts->settings},
               {"version", facts->version},
               {"commit", facts->commit},
               {"stop", facts->stop}};
  const struct {
    const char *name;
    int64_t value;
  } counts[] = {{"format", FORMAT},          {"iteration", facts->iteration}, {"rows", facts->rows},
                {"blocks", facts->blocks},   {"writers", facts->writers},     {"features", facts->features},
                {"targets", facts->targets}, {"gates", facts->gates}};
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof texts / sizeof *texts && status == HS_OK; i++)
    status = hs_h5_write_text(file, texts[i].name, texts[i].text);
  for (size_t i = 0; i < sizeof counts / sizeof *counts && status == HS_OK; i++)
    status = hs_h5_write_int(file, counts[i].name, counts[i].value);
  return status == HS_OK ? hs_h5_write_double(file, "relative_gap", facts->relative_gap) : status;
}

static hs_status_t place_all(hid_t file, int64_t writers, hs_checkpoint_frame_t *frame)
{
  hid_t state = H5Gcreate2(file, "state", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hid_t check = H5Gcreate2(file, "check", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = state >= 0 && check >= 0;
  for (int i = 0; i < frame->count && good; i++) {
    hs_stored_array_t *array = &frame->array[i];
    array->offset =
        place_array(state, array->name, array->kind, type_of(array->type), array->rows, array->columns);
    good = array->offset >= 0;
  }
  if (good) {
    frame->hashes = place_array(check, "hashes", HS_STORED_ROOT, H5T_NATIVE_INT64, writers, frame->count);
    frame->first_row = place_array(check, "first_row", HS_STORED_ROOT, H5T_NATIVE_INT64, 1, writers + 1);
    good = frame->hashes >= 0 && frame->first_row >= 0;
  }
  if (state >= 0) H5Gclose(state);
  if (check >= 0) H5Gclose(check);
  return good ? HS_OK : HS_IO;
}

static hs_status_t make_frame(const char *path, const hs_checkpoint_facts_t *facts,
                              hs_checkpoint_frame_t *frame)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_file_locking(access, false, true);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (file < 0) return HS_IO;
  hs_status_t status = write_facts(file, facts);
  if (status == HS_OK) status = place_all(file, facts->writers, frame);
  if (H5Fclose(file) < 0) status = HS_IO;
  return status;
}

/* The length that HDF5 gave the file is a hole so far: take real room for it. File systems that cannot are left to
 * show a full disk later, when the arrays are written. */
static hs_status_t take_room(const char *path, int64_t *bytes)
{
  struct stat on_disk;
  int descriptor = open(path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return HS_IO;
  bool good = fstat(descriptor, &on_disk) == 0;
  *bytes = good ? on_disk.st_size : 0;
  if (good && on_disk.st_size > 0 && fallocate(descriptor, 0, 0, on_disk.st_size) != 0)
    good = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
  int reason = errno;
  if (close(descriptor) != 0) good = false;
  if (!good) errno = reason;
  return good ? HS_OK : HS_IO;
}

/* HDF5 does not pass on why it cannot make a file; the system does. It also goes on, and later crashes, after a
 * write that failed: the frame is small, and room for it is asked for first. */
static hs_status_t probe(const char *path)
{
  enum { FRAME_ROOM = 256 * 1024 };
  int descriptor = open(path, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return HS_IO;
  static const char zeros[FRAME_ROOM];
  hs_status_t status = hs_checkpoint_put(descriptor, path, 0, FRAME_ROOM, zeros);
  int reason = errno;
  if (close(descriptor) != 0 && status == HS_OK)
    status = HS_IO;
  else
    errno = reason;
  return status;
}

hs_status_t hs_checkpoint_frame_create(const char *path, const hs_checkpoint_facts_t *facts,
                                       hs_checkpoint_frame_t *frame)
{
  hs_h5_quiet();
  errno = 0;
  hs_status_t status = probe(path);
  if (status == HS_OK) status = make_frame(path, facts, frame);
  if (status == HS_OK) status = take_room(path, &frame->bytes);
  if (status != HS_OK) {
    cannot(path, "the checkpoint cannot be written");
    unlink(path);
  }
  return status;
}

/* ---- reading ---- */

static hs_status_t damaged(const char *path, const char *what)
{
  return hs_fail(
      HS_BAD_DATA, path, what,
      "the checkpoint is damaged (remove it to start from the beginning, or put a whole copy back)");
}

static hs_status_t read_facts(hid_t file, const char *path, hs_checkpoint_facts_t *facts)
{
  int64_t format = 0;
  if (!hs_h5_read_int(file, "format", &format))
    return hs_fail(HS_BAD_DATA, path, NULL,
                   "is not a checkpoint of halfspace (give another output.checkpoint)");
  if (format != FORMAT)
    return hs_fail(
        HS_BAD_DATA, path, NULL,
        "has format %lld, this version writes and reads %d (use the version that wrote it, or remove it)",
        (long long)format, FORMAT);
  bool good =
      hs_h5_read_text(file, "settings", &facts->settings) &&
      hs_h5_read_text(file, "version", &facts->version) && hs_h5_read_text(file, "commit", &facts->commit) &&
      hs_h5_read_text(file, "stop", &facts->stop) && hs_h5_read_int(file, "iteration", &facts->iteration) &&
      hs_h5_read_int(file, "rows", &facts->rows) && hs_h5_read_int(file, "blocks", &facts->blocks) &&
      hs_h5_read_int(file, "writers", &facts->writers) &&
      hs_h5_read_int(file, "features", &facts->features) &&
      hs_h5_read_int(file, "targets", &facts->targets) && hs_h5_read_int(file, "gates", &facts->gates) &&
      hs_h5_read_double(file, "relative_gap", &facts->relative_gap);
  return good && facts->writers > 0 ? HS_OK : damaged(path, "attributes");
}

static bool find_place(hid_t parent, const char *name, hs_stored_array_t *array)
{
  hid_t set = H5Dopen2(parent, name, H5P_DEFAULT);
  if (set < 0) return false;
  hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  hsize_t shape[2] = {0, 0};
  int64_t kind = -1;
  bool good = hs_h5_read_int(set, "kind", &kind) && kind >= HS_STORED_SAME && kind <= HS_STORED_ROOT &&
              H5Sget_simple_extent_ndims(space) == 2 && H5Sget_simple_extent_dims(space, shape, NULL) == 2;
  array->kind = (hs_stored_kind_t)kind;
  array->rows = (int64_t)shape[0];
  array->columns = (int64_t)shape[1];
  array->type = H5Tget_class(type) == H5T_INTEGER
                    ? HS_STORED_INT64
                    : (H5Tget_size(type) == sizeof(float) ? HS_STORED_FLOAT : HS_STORED_DOUBLE);
  snprintf(array->name, sizeof array->name, "%s", name);
  haddr_t address = array->rows * array->columns > 0 ? H5Dget_offset(set) : 0;
  array->offset = (int64_t)address;
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(set);
  return good && address != HADDR_UNDEF;
}

/* Arrays in the order in which they were made, which is that of their places. */
static bool read_places(hid_t file, hs_checkpoint_frame_t *frame)
{
  hid_t state = H5Gopen2(file, "state", H5P_DEFAULT), check = H5Gopen2(file, "check", H5P_DEFAULT);
  H5G_info_t info = {0};
  bool good =
      state >= 0 && check >= 0 && H5Gget_info(state, &info) >= 0 && info.nlinks <= HS_CHECKPOINT_ARRAYS;
  frame->count = good ? (int)info.nlinks : 0;
  for (int i = 0; i < frame->count && good; i++) {
    char name[HS_CHECKPOINT_NAME];
    ssize_t length = H5Lget_name_by_idx(state, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, name, sizeof name,
                                        H5P_DEFAULT);
    good = length > 0 && length < (ssize_t)sizeof name && find_place(state, name, &frame->array[i]);
  }
  hs_stored_array_t place;
  good = good && find_place(check, "hashes", &place);
  frame->hashes = place.offset;
  good = good && find_place(check, "first_row", &place);
  frame->first_row = place.offset;
  if (state >= 0) H5Gclose(state);
  if (check >= 0) H5Gclose(check);
  return good;
}

/* Does everything that the frame speaks of lie inside the file? */
static bool fits(const hs_checkpoint_frame_t *frame, int64_t writers)
{
  bool good = frame->hashes + 8 * writers * frame->count <= frame->bytes &&
              frame->first_row + 8 * (writers + 1) <= frame->bytes;
  for (int i = 0; i < frame->count; i++)
    good = good && frame->array[i].offset + hs_stored_bytes(&frame->array[i]) <= frame->bytes;
  return good;
}

hs_status_t hs_checkpoint_frame_read(const char *path, hs_checkpoint_facts_t *facts,
                                     hs_checkpoint_frame_t *frame)
{
  *facts = (hs_checkpoint_facts_t){0};
  *frame = (hs_checkpoint_frame_t){0};
  hs_h5_quiet();
  struct stat on_disk;
  errno = 0;
  if (stat(path, &on_disk) != 0 || access(path, R_OK) != 0)
    return cannot(path, "the checkpoint cannot be read");
  frame->bytes = on_disk.st_size;
  hid_t how = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(how, false, true);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, how);
  H5Pclose(how);
  if (file < 0) return damaged(path, NULL);
  hs_status_t status = read_facts(file, path, facts);
  if (status == HS_OK && !(read_places(file, frame) && fits(frame, facts->writers)))
    status = damaged(path, "arrays");
  H5Fclose(file);
  if (status != HS_OK) hs_checkpoint_facts_clear(facts);
  return status;
}

void hs_checkpoint_facts_clear(hs_checkpoint_facts_t *facts)
{
  hs_free(facts->settings);
  hs_free(facts->version);
  hs_free(facts->commit);
  hs_free(facts->stop);
  *facts = (hs_checkpoint_facts_t){0};
}

/* ---- bytes ---- */

hs_status_t hs_checkpoint_put(int descriptor, const char *path, int64_t offset, int64_t bytes,
                              const void *values)
{
  for (int64_t done = 0; done < bytes;) {
    ssize_t now = pwrite(descriptor, (const char *)values + done, (size_t)hs_min64(PIECE, bytes - done),
                         (off_t)(offset + done));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return cannot(path, "the checkpoint cannot be written");
    done += now;
  }
  return HS_OK;
}

hs_status_t hs_checkpoint_get(int descriptor, const char *path, int64_t offset, int64_t bytes, void *values)
{
  for (int64_t done = 0; done < bytes;) {
    ssize_t now = pread(descriptor, (char *)values + done, (size_t)hs_min64(PIECE, bytes - done),
                        (off_t)(offset + done));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return cannot(path, "the checkpoint cannot be read");
    if (now == 0) return damaged(path, NULL);
    done += now;
  }
  return HS_OK;
}

/* The folder that holds path; "." for a bare name. */
static int open_folder(const char *path)
{
  const char *slash = strrchr(path, '/');
  if (slash == NULL) return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  size_t length = slash == path ? 1 : (size_t)(slash - path);
  char *folder = hs_alloc(length + 1, 1, "name of a folder");
  if (folder == NULL) return -1;
  memcpy(folder, path, length);
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  hs_free(folder);
  return descriptor;
}

hs_status_t hs_checkpoint_commit(const char *temporary, const char *path)
{
  errno = 0;
  int descriptor = open(temporary, O_RDWR | O_CLOEXEC);
  bool good = descriptor >= 0 && fsync(descriptor) == 0;
  if (descriptor >= 0 && close(descriptor) != 0) good = false;
  good = good && rename(temporary, path) == 0;
  int folder = good ? open_folder(path) : -1;
  /* Some file systems cannot sync a folder; the rename itself has happened. */
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
  return good ? HS_OK : cannot(path, "the checkpoint cannot be written");
}
