#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/run/run_file.h"
#include "io/run/run_layout.h"
#include "io/run/run_model.h"

#define CHUNK 1024        /* entries of a history data set stored together */
#define FLUSH_SECONDS 0.5 /* a kill loses no more than this */
#define HISTORY_CHUNKS ((int64_t)(CHUNK * sizeof(hs_history_row_t)))
#define MARGIN 16384 /* bytes of names, attributes and indices beside the numbers of one call */

struct hs_run {
  char *path;
  int descriptor; /* of the same file, to reserve room; -1: not open */
  hid_t file, status;
  hid_t set[HS_HISTORY_FIELDS]; /* -1: not open */
  int64_t written;              /* rows handed to HDF5 */
  int64_t pending;              /* rows in the buffer */
  int64_t rows;                 /* of the facts, 0: not told */
  double flushed;               /* when, in seconds of the monotonic clock */
  hs_history_row_t buffer[CHUNK];
};

/* Room on the disk for some more bytes. HDF5 goes on after a failed write and leaves a file that nobody can
 * read; a disk that is full must be noticed before it is asked to write. */
static hs_status_t reserve(hs_run_t *run, int64_t bytes)
{
  hsize_t end;
  struct stat on_disk;
  if (H5Fget_filesize(run->file, &end) < 0 || fstat(run->descriptor, &on_disk) != 0) return HS_IO;
  off_t missing = (off_t)end + (off_t)bytes + MARGIN - on_disk.st_size;
  if (missing <= 0) return HS_OK;
  errno = posix_fallocate(run->descriptor, on_disk.st_size, missing);
  return errno == 0 ? HS_OK : HS_IO;
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* A public function begins with errno = 0 and ends here: the message names the run file and, when the system
 * gave one, the reason. A message from before the call is a cause, and stays. */
static hs_status_t conclude(const char *path, const char *what, bool told_before, hs_status_t status)
{
  if (status != HS_IO || told_before) return status;
  hs_error_clear();
  return hs_fail(HS_IO, path, what, "cannot be written: %s",
                 errno != 0 ? strerror(errno) : "HDF5 reports a failure (disk full?)");
}

static bool told(void)
{
  errno = 0;
  return hs_error_message()[0] != '\0';
}

static const char *or_empty(const char *text)
{
  return text != NULL ? text : "";
}

static hs_status_t write_provenance(hid_t set, const hs_provenance_t *from)
{
  unsigned major, minor, release;
  char library[64] = "";
  if (H5get_libversion(&major, &minor, &release) >= 0)
    snprintf(library, sizeof library, "%u.%u.%u", major, minor, release);
  const struct {
    const char *name, *text;
  } texts[] = {{"version", from->version}, {"commit", from->commit},
               {"hosts", from->hosts},     {"mpi", from->mpi},
               {"blas", from->blas},       {"hdf5", from->hdf5 != NULL ? from->hdf5 : library}};
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof texts / sizeof *texts && status == HS_OK; i++)
    status = hs_h5_write_text(set, texts[i].name, or_empty(texts[i].text));
  if (status == HS_OK) status = hs_h5_write_int(set, "ranks", from->ranks);
  if (status == HS_OK) status = hs_h5_write_int(set, "threads", from->threads);
  return status;
}

static hs_status_t write_config(hid_t file, const char *yaml, const hs_provenance_t *provenance)
{
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  hid_t set = H5Dcreate2(file, "config", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &yaml) >= 0;
  hs_status_t status = good ? write_provenance(set, provenance) : HS_IO;
  if (set >= 0 && H5Dclose(set) < 0) status = HS_IO;
  H5Sclose(space);
  H5Tclose(type);
  return status;
}

static hs_status_t create_history(hs_run_t *run)
{
  hid_t group = H5Gcreate2(run->file, "history", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hsize_t none = 0, endless = H5S_UNLIMITED, chunk = CHUNK;
  hid_t space = H5Screate_simple(1, &none, &endless), layout = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(layout, 1, &chunk);
  hs_status_t status = HS_OK;
  for (int f = 0; f < HS_HISTORY_FIELDS; f++) {
    run->set[f] = H5Dcreate2(group, hs_history_fields[f].name, hs_history_type(f), space, H5P_DEFAULT, layout,
                             H5P_DEFAULT);
    if (run->set[f] < 0) status = HS_IO;
  }
  H5Pclose(layout);
  H5Sclose(space);
  H5Gclose(group);
  return status;
}

/* The oldest format that holds attributes over 64 kB (names of many classes). Newer ones mark the file as
 * open for writing, and a killed run would leave it unreadable. No locks: shared file systems often lack
 * them. */
static hid_t file_access(void)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_file_locking(access, false, true);
  return access;
}

static hs_status_t create_skeleton(hs_run_t *run, const char *temporary, const char *yaml,
                                   const hs_provenance_t *provenance)
{
  /* HDF5 does not pass on why a file cannot be made; the system does. */
  run->descriptor = open(temporary, O_CREAT | O_RDWR | O_TRUNC, 0666);
  if (run->descriptor < 0) return HS_IO;
  hid_t access = file_access();
  run->file = H5Fcreate(temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (run->file < 0) return HS_IO;
  hs_status_t status = write_config(run->file, yaml, provenance);
  if (status == HS_OK) status = create_history(run);
  if (status != HS_OK) return status;
  run->status = H5Gcreate2(run->file, "status", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (run->status < 0) return HS_IO;
  status = hs_h5_write_text(run->status, "stop", "running");
  return status == HS_OK ? reserve(run, HISTORY_CHUNKS) : status;
}

static void release(hs_run_t *run)
{
  for (int f = 0; f < HS_HISTORY_FIELDS; f++)
    if (run->set[f] >= 0) H5Dclose(run->set[f]);
  if (run->status >= 0) H5Gclose(run->status);
  if (run->file >= 0) H5Fclose(run->file);
  if (run->descriptor >= 0) close(run->descriptor);
  hs_free(run->path);
  hs_free(run);
}

static hs_run_t *blank(const char *path)
{
  hs_run_t *run = hs_alloc(1, sizeof *run, "run file");
  if (run == NULL) return NULL;
  run->descriptor = -1;
  run->file = run->status = -1;
  for (int f = 0; f < HS_HISTORY_FIELDS; f++) run->set[f] = -1;
  run->path = hs_alloc(strlen(path) + 1, 1, "name of the run file");
  if (run->path != NULL) memcpy(run->path, path, strlen(path) + 1);
  return run;
}

hs_status_t hs_run_create(hs_run_t **out, const char *path, const char *config_yaml,
                          const hs_provenance_t *provenance)
{
  hs_h5_quiet();
  bool told_before = told();
  *out = NULL;
  hs_run_t *run = blank(path);
  size_t size = strlen(path) + 32;
  char *temporary = hs_alloc(size, 1, "name of the run file");
  hs_status_t status = run != NULL && run->path != NULL && temporary != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    snprintf(temporary, size, "%s.new.%ld", path, (long)getpid());
    status = create_skeleton(run, temporary, config_yaml, provenance);
    if (status == HS_OK && H5Fflush(run->file, H5F_SCOPE_GLOBAL) < 0) status = HS_IO;
    if (status == HS_OK && rename(temporary, path) != 0) status = HS_IO;
  }
  status = conclude(path, NULL, told_before, status);
  if (status != HS_OK) {
    if (run != NULL) release(run);
    if (temporary != NULL) unlink(temporary);
    run = NULL;
  }
  hs_free(temporary);
  *out = run;
  return status;
}

static hs_status_t write_pending(hs_run_t *run)
{
  if (run->pending == 0) return HS_OK;
  hsize_t total = (hsize_t)(run->written + run->pending);
  hsize_t start = (hsize_t)run->written, count = (hsize_t)run->pending;
  bool new_chunk = run->written == 0 || (run->written - 1) / CHUNK != ((int64_t)total - 1) / CHUNK;
  if (reserve(run, new_chunk ? HISTORY_CHUNKS : 0) != HS_OK) return HS_IO;
  bool good = true;
  for (int f = 0; f < HS_HISTORY_FIELDS && good; f++) {
    good = H5Dset_extent(run->set[f], &total) >= 0;
    hid_t space = good ? H5Dget_space(run->set[f]) : -1;
    hid_t memory = hs_history_column(run->pending, f);
    good = good && H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
           H5Dwrite(run->set[f], hs_history_type(f), memory, space, H5P_DEFAULT, run->buffer) >= 0;
    if (memory >= 0) H5Sclose(memory);
    if (space >= 0) H5Sclose(space);
  }
  if (!good) return HS_IO;
  run->written += run->pending;
  run->pending = 0;
  return HS_OK;
}

static hs_status_t flush(hs_run_t *run)
{
  hs_status_t status = write_pending(run);
  if (status == HS_OK && H5Fflush(run->file, H5F_SCOPE_GLOBAL) < 0) status = HS_IO;
  run->flushed = now();
  return status;
}

hs_status_t hs_run_flush(hs_run_t *run)
{
  bool told_before = told();
  return conclude(run->path, "history", told_before, flush(run));
}

hs_status_t hs_run_append(hs_run_t *run, const hs_history_row_t *row)
{
  bool told_before = told();
  hs_status_t status = run->pending == CHUNK ? write_pending(run) : HS_OK;
  if (status == HS_OK) {
    run->buffer[run->pending++] = *row;
    if (now() - run->flushed >= FLUSH_SECONDS) status = flush(run);
  }
  return conclude(run->path, "history", told_before, status);
}

hs_status_t hs_run_write_facts(hs_run_t *run, const hs_run_facts_t *facts)
{
  bool told_before = told();
  run->rows = facts->rows;
  hs_status_t status = reserve(run, 0);
  if (status == HS_OK) status = hs_h5_write_int(run->status, "rows", facts->rows);
  if (status == HS_OK) status = hs_h5_write_int(run->status, "gates", facts->gates);
  if (status == HS_OK) status = hs_h5_write_double(run->status, "beta", facts->beta);
  if (status == HS_OK) status = hs_h5_write_double(run->status, "beta_max", facts->beta_max);
  if (status == HS_OK) status = flush(run);
  return conclude(run->path, "status", told_before, status);
}

static hid_t bounds_group(hid_t file)
{
  if (H5Lexists(file, "bounds", H5P_DEFAULT) > 0) return H5Gopen2(file, "bounds", H5P_DEFAULT);
  return H5Gcreate2(file, "bounds", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}

static hs_status_t put_bound(hid_t file, const char *name, double value, const char *kind, const char *about)
{
  hid_t bounds = bounds_group(file);
  if (bounds >= 0 && H5Lexists(bounds, name, H5P_DEFAULT) > 0) H5Ldelete(bounds, name, H5P_DEFAULT);
  hid_t group = bounds >= 0 ? H5Gcreate2(bounds, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) : -1;
  hs_status_t status = group >= 0 ? hs_h5_write_double(group, "value", value) : HS_IO;
  if (status == HS_OK) status = hs_h5_write_text(group, "kind", kind);
  if (status == HS_OK) status = hs_h5_write_text(group, "about", or_empty(about));
  if (group >= 0) H5Gclose(group);
  if (bounds >= 0) H5Gclose(bounds);
  return status;
}

hs_status_t hs_run_write_bound(hs_run_t *run, const char *name, double value, const char *kind,
                               const char *about)
{
  bool told_before = told();
  hs_status_t status = reserve(run, 0);
  if (status == HS_OK) status = put_bound(run->file, name, value, kind, about);
  if (status == HS_OK) status = flush(run);
  return conclude(run->path, "bounds", told_before, status);
}

/* An earlier model goes only when the new one is in the file. */
static hs_status_t replace_model(hid_t file, const hs_model_t *model)
{
  hid_t group = H5Gcreate2(file, "model.new", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hs_status_t status = hs_run_put_model(group, model);
  H5Gclose(group);
  if (status != HS_OK) return status;
  if (H5Lexists(file, "model", H5P_DEFAULT) > 0 && H5Ldelete(file, "model", H5P_DEFAULT) < 0) return HS_IO;
  return H5Lmove(file, "model.new", file, "model", H5P_DEFAULT, H5P_DEFAULT) >= 0 ? HS_OK : HS_IO;
}

hs_status_t hs_run_write_model(hs_run_t *run, const hs_model_t *model)
{
  bool told_before = told();
  hs_status_t status = reserve(run, hs_run_model_bytes(model));
  if (status == HS_OK) status = replace_model(run->file, model);
  if (status == HS_OK) status = flush(run);
  return conclude(run->path, "model", told_before, status);
}

hs_status_t hs_run_finish(hs_run_t *run, const char *stop, double loss)
{
  bool told_before = told();
  hs_status_t status = reserve(run, 0);
  if (status == HS_OK) status = hs_h5_write_text(run->status, "stop", stop);
  if (status == HS_OK && isfinite(loss)) status = hs_h5_write_double(run->status, "loss", loss);
  if (status == HS_OK && isfinite(loss) && run->rows > 0)
    status = hs_h5_write_double(run->status, "mean_loss", loss / (double)run->rows);
  if (status == HS_OK) status = flush(run);
  return conclude(run->path, "status", told_before, status);
}

hs_status_t hs_run_close(hs_run_t **out)
{
  hs_run_t *run = *out;
  *out = NULL;
  if (run == NULL) return HS_OK;
  hs_status_t status = hs_run_flush(run);
  release(run);
  return status;
}
