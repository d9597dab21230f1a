#include "io/run/run_about.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/run/run_layout.h"

static const char *or_empty(const char *text)
{
  return text != NULL ? text : "";
}

/* The text of an attribute, or a copy of "" where it has none; NULL only when memory is short. */
static char *text_or_empty(hid_t object, const char *name)
{
  char *text = NULL;
  if (hs_h5_read_text(object, name, &text)) return text;
  return hs_alloc(1, 1, name);
}

static hs_status_t remove_attribute(hid_t object, const char *name)
{
  return H5Aexists(object, name) <= 0 || H5Adelete(object, name) >= 0 ? HS_OK : HS_IO;
}

/* ---- settings and provenance ---- */

static hs_status_t put_provenance(hid_t set, const hs_provenance_t *from)
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

hs_status_t hs_run_put_config(hid_t file, const char *yaml, const hs_provenance_t *provenance)
{
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  hid_t set = H5Dcreate2(file, "config", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &yaml) >= 0;
  hs_status_t status = good ? put_provenance(set, provenance) : HS_IO;
  if (set >= 0 && H5Dclose(set) < 0) status = HS_IO;
  H5Sclose(space);
  H5Tclose(type);
  return status;
}

static hs_status_t get_config_text(hid_t set, const char *path, char **config)
{
  hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  bool good = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0 &&
              H5Sget_simple_extent_npoints(space) == 1;
  char *raw = NULL;
  good = good && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &raw) >= 0;
  size_t length = raw != NULL ? strlen(raw) : 0;
  *config = hs_alloc(length + 1, 1, "settings of the run");
  if (*config != NULL && raw != NULL) memcpy(*config, raw, length);
  if (good) H5Dvlen_reclaim(type, space, H5P_DEFAULT, &raw);
  H5Sclose(space);
  H5Tclose(type);
  if (!good) return hs_fail(HS_BAD_DATA, path, "config", "is not one text (the file is damaged)");
  return *config != NULL ? HS_OK : HS_NO_MEMORY;
}

hs_status_t hs_run_get_config(hid_t file, const char *path, hs_run_summary_t *summary)
{
  hid_t set = H5Dopen2(file, "config", H5P_DEFAULT);
  if (set < 0) return hs_fail(HS_BAD_DATA, path, "config", "is not a data set (the file is damaged)");
  hs_provenance_t *to = &summary->provenance;
  hs_status_t status = get_config_text(set, path, &summary->config);
  to->version = text_or_empty(set, "version");
  to->commit = text_or_empty(set, "commit");
  to->hosts = text_or_empty(set, "hosts");
  to->mpi = text_or_empty(set, "mpi");
  to->blas = text_or_empty(set, "blas");
  to->hdf5 = text_or_empty(set, "hdf5");
  hs_h5_read_int(set, "ranks", &to->ranks);
  hs_h5_read_int(set, "threads", &to->threads);
  H5Dclose(set);
  if (status == HS_OK && (to->version == NULL || to->commit == NULL || to->hosts == NULL || to->mpi == NULL ||
                          to->blas == NULL || to->hdf5 == NULL))
    status = HS_NO_MEMORY;
  return status;
}

/* ---- status ---- */

hs_status_t hs_run_put_facts(hid_t status, const hs_run_facts_t *facts)
{
  hs_status_t done = hs_h5_write_int(status, "rows", facts->rows);
  if (done == HS_OK) done = hs_h5_write_int(status, "gates", facts->gates);
  if (done == HS_OK) done = hs_h5_write_double(status, "beta", facts->beta);
  if (done == HS_OK) done = hs_h5_write_double(status, "beta_max", facts->beta_max);
  return done;
}

/* A number that is not finite is not known. */
static hs_status_t put_real(hid_t object, const char *name, double value)
{
  return isfinite(value) ? hs_h5_write_double(object, name, value) : remove_attribute(object, name);
}

static const struct {
  const char *name;
  size_t offset;
} seconds_of[] = {{"load_seconds", offsetof(hs_run_times_t, load_seconds)},
                  {"setup_seconds", offsetof(hs_run_times_t, setup_seconds)},
                  {"run_file_seconds", offsetof(hs_run_times_t, run_file_seconds)},
                  {"checkpoint_seconds", offsetof(hs_run_times_t, checkpoint_seconds)}},
  counts_of[] = {{"checkpoints", offsetof(hs_run_times_t, checkpoints)},
                 {"checkpoint_bytes", offsetof(hs_run_times_t, checkpoint_bytes)},
                 {"resumes", offsetof(hs_run_times_t, resumes)},
                 {"peak_bytes", offsetof(hs_run_times_t, peak_bytes)}};
#define SECONDS (sizeof seconds_of / sizeof *seconds_of)
#define COUNTS (sizeof counts_of / sizeof *counts_of)

hs_status_t hs_run_put_times(hid_t status, const hs_run_times_t *times)
{
  hs_status_t done = HS_OK;
  for (size_t k = 0; k < SECONDS && done == HS_OK; k++) {
    double value;
    memcpy(&value, (const char *)times + seconds_of[k].offset, sizeof value);
    done = put_real(status, seconds_of[k].name, value);
  }
  for (size_t k = 0; k < COUNTS && done == HS_OK; k++) {
    int64_t value;
    memcpy(&value, (const char *)times + counts_of[k].offset, sizeof value);
    done = value >= 0 ? hs_h5_write_int(status, counts_of[k].name, value)
                      : remove_attribute(status, counts_of[k].name);
  }
  return done;
}

hs_status_t hs_run_put_method(hid_t status, const hs_run_method_t *method)
{
  hs_status_t done = hs_h5_write_text(status, "x_update", method->x_update);
  if (done == HS_OK) done = hs_h5_write_text(status, "products", method->products);
  if (done == HS_OK) done = hs_h5_write_text(status, "certificate", method->certificate);
  return done;
}

static void get_times(hid_t status, hs_run_times_t *times)
{
  for (size_t k = 0; k < SECONDS; k++) {
    double value = NAN;
    hs_h5_read_double(status, seconds_of[k].name, &value);
    memcpy((char *)times + seconds_of[k].offset, &value, sizeof value);
  }
  for (size_t k = 0; k < COUNTS; k++) {
    int64_t value = -1;
    hs_h5_read_int(status, counts_of[k].name, &value);
    memcpy((char *)times + counts_of[k].offset, &value, sizeof value);
  }
}

hs_status_t hs_run_put_polish(hid_t status, const hs_run_polish_t *polish)
{
  bool over = polish->end != NULL;
  hs_status_t done = polish->from > 0 ? hs_h5_write_int(status, "polish_from", polish->from)
                                      : remove_attribute(status, "polish_from");
  if (done == HS_OK)
    done = over ? hs_h5_write_int(status, "polish_steps", polish->steps)
                : remove_attribute(status, "polish_steps");
  if (done == HS_OK) done = put_real(status, "polish_seconds", over ? polish->seconds : NAN);
  if (done == HS_OK)
    done =
        over ? hs_h5_write_text(status, "polish_end", polish->end) : remove_attribute(status, "polish_end");
  return done;
}

hs_status_t hs_run_put_end(hid_t status, const char *stop, double loss, int64_t rows)
{
  hs_status_t done = hs_h5_write_text(status, "stop", stop);
  if (done == HS_OK) done = put_real(status, "loss", loss);
  if (done == HS_OK) done = put_real(status, "mean_loss", rows > 0 ? loss / (double)rows : NAN);
  return done;
}

hs_status_t hs_run_get_status(hid_t file, const char *path, hs_run_summary_t *summary)
{
  hid_t group = H5Gopen2(file, "status", H5P_DEFAULT);
  if (group < 0) return hs_fail(HS_BAD_DATA, path, "status", "is not a group (the file is damaged)");
  hs_run_facts_t *facts = &summary->facts;
  *facts = (hs_run_facts_t){.rows = -1, .gates = -1, .beta = NAN, .beta_max = NAN};
  summary->loss = NAN;
  summary->stop = text_or_empty(group, "stop");
  hs_h5_read_int(group, "rows", &facts->rows);
  hs_h5_read_int(group, "gates", &facts->gates);
  hs_h5_read_double(group, "beta", &facts->beta);
  hs_h5_read_double(group, "beta_max", &facts->beta_max);
  hs_h5_read_double(group, "loss", &summary->loss);
  summary->polish_from = 0;
  hs_h5_read_int(group, "polish_from", &summary->polish_from);
  get_times(group, &summary->times);
  H5Gclose(group);
  return summary->stop != NULL ? HS_OK : HS_NO_MEMORY;
}

/* ---- bounds ---- */

static hid_t bounds_group(hid_t file)
{
  if (hs_run_has(file, "bounds")) return H5Gopen2(file, "bounds", H5P_DEFAULT);
  return H5Gcreate2(file, "bounds", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}

hs_status_t hs_run_put_bound(hid_t file, const char *name, double value, const char *kind, const char *about)
{
  hid_t bounds = bounds_group(file);
  if (bounds >= 0 && hs_run_has(bounds, name)) H5Ldelete(bounds, name, H5P_DEFAULT);
  hid_t group = bounds >= 0 ? H5Gcreate2(bounds, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) : -1;
  hs_status_t status = group >= 0 ? hs_h5_write_double(group, "value", value) : HS_IO;
  if (status == HS_OK) status = hs_h5_write_text(group, "kind", kind);
  if (status == HS_OK) status = hs_h5_write_text(group, "about", or_empty(about));
  if (group >= 0) H5Gclose(group);
  if (bounds >= 0) H5Gclose(bounds);
  return status;
}

static hs_status_t get_bound(hid_t bounds, hsize_t index, hs_run_bound_t *bound)
{
  ssize_t length = H5Lget_name_by_idx(bounds, ".", H5_INDEX_NAME, H5_ITER_INC, index, NULL, 0, H5P_DEFAULT);
  if (length < 0) return HS_OK;
  bound->value = NAN;
  bound->name = hs_alloc((size_t)length + 1, 1, "name of a bound");
  if (bound->name == NULL) return HS_NO_MEMORY;
  H5Lget_name_by_idx(bounds, ".", H5_INDEX_NAME, H5_ITER_INC, index, bound->name, (size_t)length + 1,
                     H5P_DEFAULT);
  hid_t group = H5Gopen2(bounds, bound->name, H5P_DEFAULT);
  hs_h5_read_double(group, "value", &bound->value);
  bound->kind = text_or_empty(group, "kind");
  bound->about = text_or_empty(group, "about");
  if (group >= 0) H5Gclose(group);
  return bound->kind != NULL && bound->about != NULL ? HS_OK : HS_NO_MEMORY;
}

hs_status_t hs_run_get_bounds(hid_t file, hs_run_summary_t *summary)
{
  if (!hs_run_has(file, "bounds")) return HS_OK;
  hid_t bounds = H5Gopen2(file, "bounds", H5P_DEFAULT);
  H5G_info_t content = {0};
  if (bounds >= 0) H5Gget_info(bounds, &content);
  summary->bound = hs_alloc((size_t)content.nlinks, sizeof *summary->bound, "bounds");
  hs_status_t status = summary->bound != NULL ? HS_OK : HS_NO_MEMORY;
  for (hsize_t i = 0; i < content.nlinks && status == HS_OK; i++) {
    summary->bounds = (int)i + 1;
    status = get_bound(bounds, i, &summary->bound[i]);
  }
  if (bounds >= 0) H5Gclose(bounds);
  return status;
}
