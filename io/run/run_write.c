#include <math.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/run/run_about.h"
#include "io/run/run_file.h"
#include "io/run/run_history.h"
#include "io/run/run_image.h"
#include "io/run/run_layout.h"
#include "io/run/run_model.h"
#include "io/run/run_network.h"
#include "io/run/run_path.h"
#include "io/run/run_rounds.h"

#define ROWS 1024          /* that wait for HDF5 together */
#define USUAL_SECONDS 0.5  /* between two flushes */
#define RISK_SECONDS 1.0   /* of rows that a kill may cost, unless a flush takes longer */
#define PER_COST 20        /* seconds of work for each second of flushing */
#define SLOW_SECONDS 0.2   /* between two rows: each is flushed */
#define CHEAP_SECONDS 0.05 /* a flush that follows any small change */

struct hs_run {
  char *path; /* as the caller says it, for messages */
  hs_run_image_t image;
  hid_t status;
  hs_run_history_t history;
  bool open;      /* the data sets of the history are */
  bool changed;   /* since the last flush */
  bool broken;    /* HDF5 has failed: what it holds is not written over the whole file on the disk */
  int64_t stored; /* rows handed to HDF5 */
  int64_t waiting;
  int64_t last;             /* iteration of the last row; 0: none */
  int64_t rows;             /* of the facts, 0: not told */
  double appended, flushed; /* when, in seconds of the monotonic clock; -inf: never */
  double cost;              /* seconds of the last flush */
  double spent;             /* seconds of all flushes */
  hs_history_row_t buffer[ROWS];
};

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- changes in memory ---- */

/* A change begins. False when an earlier one has failed: the file in memory is not to be trusted. */
static bool begin(const hs_run_t *run, bool *told_before)
{
  *told_before = hs_error_message()[0] != '\0';
  if (run->broken) hs_fail(HS_NO_MEMORY, run->path, NULL, "an earlier change to it has failed in memory");
  return !run->broken;
}

/* A change ends with a status of HDF5. A message from before it is a cause, and stays. */
static hs_status_t end(hs_run_t *run, const char *what, bool told_before, hs_status_t status)
{
  run->changed = true;
  if (status == HS_OK) return HS_OK;
  run->broken = true;
  if (status != HS_IO) return status;
  if (!told_before) hs_error_clear();
  return hs_fail(HS_NO_MEMORY, run->path, what, "HDF5 cannot hold it in memory");
}

static hs_status_t store_rows(hs_run_t *run)
{
  if (run->waiting == 0) return HS_OK;
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = hs_run_history_put(&run->history, run->stored, run->waiting, run->buffer);
  status = end(run, "history", told_before, status);
  if (status != HS_OK) return status;
  run->stored += run->waiting;
  run->waiting = 0;
  return HS_OK;
}

/* ---- to the disk ---- */

static hs_status_t flush(hs_run_t *run, bool durable)
{
  double start = now();
  hs_status_t status = store_rows(run);
  if (status == HS_OK && run->broken) status = HS_NO_MEMORY;
  if (status == HS_OK) status = hs_run_image_save(&run->image, durable);
  if (status == HS_OK) run->changed = false;
  if (status == HS_NO_MEMORY) run->broken = true;
  run->flushed = now();
  run->cost = run->flushed - start;
  run->spent += run->cost;
  return status;
}

/* Seconds until the next flush. A long file, or a slow disk, is written less often. */
static double interval(const hs_run_t *run)
{
  double bearable = fmax(USUAL_SECONDS, PER_COST * run->cost);
  return fmin(bearable, fmax(RISK_SECONDS - run->cost, run->cost));
}

/* After small changes, which come in groups: at once where that costs nothing, else with the next flush. */
static hs_status_t flush_soon(hs_run_t *run)
{
  bool due = run->cost < CHEAP_SECONDS || now() - run->flushed >= PER_COST * run->cost;
  return due ? flush(run, false) : HS_OK;
}

hs_status_t hs_run_flush(hs_run_t *run)
{
  return run->changed ? flush(run, false) : HS_OK;
}

/* ---- life ---- */

static void release(hs_run_t *run)
{
  if (run->open) hs_run_history_close(&run->history);
  if (run->status >= 0) H5Gclose(run->status);
  hs_run_image_close(&run->image);
  hs_free(run->path);
  hs_free(run);
}

static hs_run_t *blank(const char *path)
{
  hs_run_t *run = hs_alloc(1, sizeof *run, "run file");
  if (run == NULL) return NULL;
  run->image.file = run->status = -1;
  run->appended = run->flushed = -INFINITY;
  run->path = hs_alloc(strlen(path) + 1, 1, "name of the run file");
  if (run->path != NULL) {
    memcpy(run->path, path, strlen(path) + 1);
    return run;
  }
  release(run);
  return NULL;
}

static hs_status_t make_contents(hs_run_t *run, const char *yaml, const hs_provenance_t *provenance)
{
  bool told_before;
  begin(run, &told_before);
  hs_status_t status = hs_run_put_config(run->image.file, yaml, provenance);
  if (status == HS_OK) {
    run->open = true;
    status = hs_run_history_create(&run->history, run->image.file);
  }
  if (status == HS_OK) {
    run->status = H5Gcreate2(run->image.file, "status", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    status = run->status >= 0 ? hs_h5_write_text(run->status, "stop", "running") : HS_IO;
  }
  return end(run, NULL, told_before, status);
}

hs_status_t hs_run_create(hs_run_t **out, const char *path, const char *config_yaml,
                          const hs_provenance_t *provenance)
{
  *out = NULL;
  hs_h5_quiet();
  hs_run_t *run = blank(path);
  if (run == NULL) return HS_NO_MEMORY;
  hid_t properties = hs_run_history_file_properties();
  hs_status_t status = hs_run_image_create(&run->image, path, properties);
  H5Pclose(properties);
  if (status == HS_OK) status = make_contents(run, config_yaml, provenance);
  if (status == HS_OK) status = flush(run, false);
  if (status == HS_OK)
    *out = run;
  else
    release(run);
  return status;
}

/* The objects that stay open, and where the history ends. */
static hs_status_t take_up(hs_run_t *run)
{
  hs_history_row_t *history;
  hs_status_t status = hs_run_history_get(run->image.file, run->path, &run->stored, &history);
  if (status != HS_OK) return status;
  if (run->stored > 0) run->last = history[run->stored - 1].iteration;
  hs_free(history);
  run->open = true;
  status = hs_run_history_open(&run->history, run->image.file);
  if (status == HS_OK) status = hs_run_history_put(&run->history, run->stored, 0, run->buffer);
  run->status = H5Gopen2(run->image.file, "status", H5P_DEFAULT);
  if (status != HS_OK || run->status < 0)
    return hs_fail(HS_BAD_DATA, run->path, NULL, "cannot be added to (it is not as halfspace writes it)");
  hs_h5_read_int(run->status, "rows", &run->rows);
  hs_h5_read_double(run->status, "run_file_seconds", &run->spent);
  return HS_OK;
}

hs_status_t hs_run_open(hs_run_t **out, const char *path)
{
  *out = NULL;
  hs_run_t *run = blank(path);
  if (run == NULL) return HS_NO_MEMORY;
  hs_status_t status = hs_run_image_load(&run->image, path);
  if (status == HS_OK) status = take_up(run);
  if (status == HS_OK)
    *out = run;
  else
    release(run);
  return status;
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

/* ---- contents ---- */

hs_status_t hs_run_append(hs_run_t *run, const hs_history_row_t *row)
{
  if (run->last == row->iteration && run->stored + run->waiting > 0) {
    if (run->waiting > 0)
      run->waiting -= 1;
    else
      run->stored -= 1;
  }
  hs_status_t status = run->waiting == ROWS ? store_rows(run) : HS_OK;
  if (status != HS_OK) return status;
  run->buffer[run->waiting++] = *row;
  run->last = row->iteration;
  run->changed = true;
  double time = now(), since_flush = time - run->flushed;
  bool slow = time - run->appended > SLOW_SECONDS && since_flush >= PER_COST * run->cost;
  run->appended = time;
  return slow || since_flush >= interval(run) ? flush(run, false) : HS_OK;
}

hs_status_t hs_run_write_facts(hs_run_t *run, const hs_run_facts_t *facts)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  run->rows = facts->rows;
  hs_status_t status = end(run, "status", told_before, hs_run_put_facts(run->status, facts));
  return status == HS_OK ? flush_soon(run) : status;
}

hs_status_t hs_run_write_times(hs_run_t *run, const hs_run_times_t *times)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_run_times_t known = *times;
  known.run_file_seconds = run->spent;
  hs_status_t status = end(run, "status", told_before, hs_run_put_times(run->status, &known));
  return status == HS_OK ? flush_soon(run) : status;
}

hs_status_t hs_run_write_method(hs_run_t *run, const hs_run_method_t *method)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = end(run, "status", told_before, hs_run_put_method(run->status, method));
  return status == HS_OK ? flush_soon(run) : status;
}

hs_status_t hs_run_write_polish(hs_run_t *run, const hs_run_polish_t *polish)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = end(run, "status", told_before, hs_run_put_polish(run->status, polish));
  return status == HS_OK ? flush_soon(run) : status;
}

hs_status_t hs_run_write_bound(hs_run_t *run, const char *name, double value, const char *kind,
                               const char *about)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = hs_run_put_bound(run->image.file, name, value, kind, about);
  status = end(run, "bounds", told_before, status);
  return status == HS_OK ? flush_soon(run) : status;
}

/* The earlier one first: its room in the file is used again. */
static hs_status_t replace_model(hid_t file, const hs_model_t *model)
{
  if (hs_run_has(file, "model") && H5Ldelete(file, "model", H5P_DEFAULT) < 0) return HS_IO;
  hid_t group = H5Gcreate2(file, "model", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hs_status_t status = hs_run_put_model(group, model);
  H5Gclose(group);
  return status;
}

hs_status_t hs_run_write_model(hs_run_t *run, const hs_model_t *model)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = end(run, "model", told_before, replace_model(run->image.file, model));
  return status == HS_OK ? flush(run, false) : status;
}

hs_status_t hs_run_write_path(hs_run_t *run, const hs_run_path_t *path, const hs_run_path_weights_t *weights,
                              bool last)
{
  bool told_before, due = now() - run->flushed >= interval(run);
  if (!last && !due) return HS_OK;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = end(run, "path", told_before, hs_run_put_path(run->image.file, path, weights));
  return status == HS_OK && due ? flush(run, false) : status;
}

hs_status_t hs_run_write_network(hs_run_t *run, const hs_network_record_t *record)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = end(run, "network", told_before, hs_run_put_network(run->image.file, record));
  return status == HS_OK ? flush_soon(run) : status;
}

hs_status_t hs_run_write_rounds(hs_run_t *run, const hs_run_rounds_t *rounds)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = end(run, "gate_rounds", told_before, hs_run_put_rounds(run->image.file, rounds));
  return status == HS_OK ? flush_soon(run) : status;
}

hs_status_t hs_run_finish(hs_run_t *run, const char *stop, double loss)
{
  bool told_before;
  if (!begin(run, &told_before)) return HS_NO_MEMORY;
  hs_status_t status = hs_run_put_end(run->status, stop, loss, run->rows);
  if (status == HS_OK) status = hs_h5_write_double(run->status, "run_file_seconds", run->spent);
  status = end(run, "status", told_before, status);
  return status == HS_OK ? flush(run, true) : status;
}
