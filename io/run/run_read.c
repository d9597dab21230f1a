#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "io/hdf5/h5.h"
#include "io/run/run_file.h"
#include "io/run/run_layout.h"
#include "io/run/run_model.h"

static bool has(hid_t group, const char *name)
{
  return H5Lexists(group, name, H5P_DEFAULT) > 0;
}

static bool looks_right(hid_t file)
{
  return has(file, "history") && has(file, "history/iteration") && has(file, "config") && has(file, "status");
}

bool hs_run_is_run_file(const char *path)
{
  bool told_before = hs_error_message()[0] != '\0';
  hid_t file = -1;
  bool found = hs_h5_open(path, &file) == HS_OK && looks_right(file);
  if (file >= 0) H5Fclose(file);
  if (!told_before) hs_error_clear();
  return found;
}

static hs_status_t open_run(const char *path, hid_t *file)
{
  hs_status_t status = hs_h5_open(path, file);
  if (status == HS_OK && !looks_right(*file)) {
    status = hs_fail(HS_BAD_DATA, path, NULL, "is not a run file of halfspace (halfspace train writes one)");
    H5Fclose(*file);
  }
  return status;
}

hs_status_t hs_run_read_model(const char *path, hs_model_t *model)
{
  *model = (hs_model_t){0};
  hid_t file;
  hs_status_t status = open_run(path, &file);
  if (status != HS_OK) return status;
  hid_t group = has(file, "model") ? H5Gopen2(file, "model", H5P_DEFAULT) : -1;
  if (group < 0)
    status = hs_fail(HS_BAD_DATA, path, NULL, "holds no model yet (it is written when training stops)");
  else
    status = hs_run_get_model(group, path, model);
  if (group >= 0) H5Gclose(group);
  H5Fclose(file);
  if (status != HS_OK) hs_model_clear(model);
  return status;
}

static int64_t length_of(hid_t set)
{
  hid_t space = H5Dget_space(set);
  int64_t length = H5Sget_simple_extent_ndims(space) == 1 ? H5Sget_simple_extent_npoints(space) : 0;
  H5Sclose(space);
  return length;
}

/* One field of the first `rows` rows. */
static bool read_column(hid_t set, int field, int64_t rows, hs_history_row_t *history)
{
  hsize_t start = 0, count = (hsize_t)rows;
  hid_t memory = hs_history_column(rows, field), space = H5Dget_space(set);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
              H5Dread(set, hs_history_type(field), memory, space, H5P_DEFAULT, history) >= 0;
  H5Sclose(space);
  H5Sclose(memory);
  return good;
}

static hs_status_t read_history(hid_t group, const char *path, int64_t *rows, hs_history_row_t **history)
{
  hid_t set[HS_HISTORY_FIELDS];
  hs_status_t status = HS_OK;
  /* A writer that was stopped between two data sets leaves some longer than others: whole rows count. */
  int64_t shortest = INT64_MAX;
  for (int f = 0; f < HS_HISTORY_FIELDS; f++) {
    set[f] = H5Dopen2(group, hs_history_fields[f].name, H5P_DEFAULT);
    if (set[f] >= 0)
      shortest = hs_min64(shortest, length_of(set[f]));
    else
      status = hs_fail(HS_BAD_DATA, path, hs_history_fields[f].name, "this part of the history is missing");
  }
  if (status == HS_OK) *history = hs_alloc((size_t)shortest, sizeof **history, "history");
  if (status == HS_OK && *history == NULL) status = HS_NO_MEMORY;
  for (int f = 0; f < HS_HISTORY_FIELDS && status == HS_OK && shortest > 0; f++)
    if (!read_column(set[f], f, shortest, *history))
      status = hs_fail(HS_BAD_DATA, path, hs_history_fields[f].name, "cannot be read (the file is damaged)");
  for (int f = 0; f < HS_HISTORY_FIELDS; f++)
    if (set[f] >= 0) H5Dclose(set[f]);
  if (status != HS_OK) return status;
  /* Iterations count from 1: a zero at the end is room that was made and not filled. */
  while (shortest > 0 && (*history)[shortest - 1].iteration == 0) shortest--;
  *rows = shortest;
  return HS_OK;
}

static hs_status_t read_history_of(hid_t file, const char *path, int64_t *rows, hs_history_row_t **history)
{
  *rows = 0;
  *history = NULL;
  hid_t group = H5Gopen2(file, "history", H5P_DEFAULT);
  if (group < 0) return hs_fail(HS_BAD_DATA, path, "history", "is not a group (the file is damaged)");
  hs_status_t status = read_history(group, path, rows, history);
  H5Gclose(group);
  if (status != HS_OK) {
    hs_free(*history);
    *history = NULL;
  }
  return status;
}

hs_status_t hs_run_read_history(const char *path, int64_t *rows, hs_history_row_t **history)
{
  *rows = 0;
  *history = NULL;
  hid_t file;
  hs_status_t status = open_run(path, &file);
  if (status != HS_OK) return status;
  status = read_history_of(file, path, rows, history);
  H5Fclose(file);
  return status;
}

/* The text of an attribute, or a copy of "" where it has none; NULL only when memory is short. */
static char *text_or_empty(hid_t object, const char *name)
{
  char *text = NULL;
  if (hs_h5_read_text(object, name, &text)) return text;
  return hs_alloc(1, 1, name);
}

static hs_status_t read_config_text(hid_t set, const char *path, char **config)
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

static hs_status_t read_config(hid_t file, const char *path, hs_run_summary_t *summary)
{
  hid_t set = H5Dopen2(file, "config", H5P_DEFAULT);
  if (set < 0) return hs_fail(HS_BAD_DATA, path, "config", "is not a data set (the file is damaged)");
  hs_provenance_t *to = &summary->provenance;
  hs_status_t status = read_config_text(set, path, &summary->config);
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

static hs_status_t read_status(hid_t file, const char *path, hs_run_summary_t *summary)
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
  H5Gclose(group);
  return summary->stop != NULL ? HS_OK : HS_NO_MEMORY;
}

static hs_status_t read_bound(hid_t bounds, hsize_t index, hs_run_bound_t *bound)
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

static hs_status_t read_bounds(hid_t file, hs_run_summary_t *summary)
{
  if (!has(file, "bounds")) return HS_OK;
  hid_t bounds = H5Gopen2(file, "bounds", H5P_DEFAULT);
  H5G_info_t content = {0};
  if (bounds >= 0) H5Gget_info(bounds, &content);
  summary->bound = hs_alloc((size_t)content.nlinks, sizeof *summary->bound, "bounds");
  hs_status_t status = summary->bound != NULL ? HS_OK : HS_NO_MEMORY;
  for (hsize_t i = 0; i < content.nlinks && status == HS_OK; i++) {
    summary->bounds = (int)i + 1;
    status = read_bound(bounds, i, &summary->bound[i]);
  }
  if (bounds >= 0) H5Gclose(bounds);
  return status;
}

hs_status_t hs_run_read_summary(const char *path, hs_run_summary_t *summary)
{
  *summary = (hs_run_summary_t){0};
  hid_t file;
  hs_status_t status = open_run(path, &file);
  if (status != HS_OK) return status;
  hs_history_row_t *history = NULL;
  status = read_status(file, path, summary);
  if (status == HS_OK) status = read_config(file, path, summary);
  if (status == HS_OK) status = read_bounds(file, summary);
  if (status == HS_OK) status = read_history_of(file, path, &summary->iterations, &history);
  if (summary->iterations > 0) summary->last = history[summary->iterations - 1];
  summary->has_model = has(file, "model");
  hs_free(history);
  H5Fclose(file);
  if (status != HS_OK) hs_run_summary_clear(summary);
  return status;
}

void hs_run_summary_clear(hs_run_summary_t *summary)
{
  for (int i = 0; i < summary->bounds; i++) {
    hs_free(summary->bound[i].name);
    hs_free(summary->bound[i].kind);
    hs_free(summary->bound[i].about);
  }
  hs_free(summary->bound);
  hs_provenance_t *from = &summary->provenance;
  hs_free(from->version);
  hs_free(from->commit);
  hs_free(from->hosts);
  hs_free(from->mpi);
  hs_free(from->blas);
  hs_free(from->hdf5);
  hs_free(summary->config);
  hs_free(summary->stop);
  *summary = (hs_run_summary_t){0};
}
