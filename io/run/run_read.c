#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/run/run_about.h"
#include "io/run/run_file.h"
#include "io/run/run_history.h"
#include "io/run/run_layout.h"
#include "io/run/run_model.h"

bool hs_run_is_run_file(const char *path)
{
  bool told_before = hs_error_message()[0] != '\0';
  hid_t file = -1;
  bool found = hs_run_open_to_read(path, &file) == HS_OK;
  if (found) H5Fclose(file);
  if (!told_before) hs_error_clear();
  return found;
}

hs_status_t hs_run_read_model(const char *path, hs_model_t *model)
{
  *model = (hs_model_t){0};
  hid_t file;
  hs_status_t status = hs_run_open_to_read(path, &file);
  if (status != HS_OK) return status;
  hid_t group = hs_run_has(file, "model") ? H5Gopen2(file, "model", H5P_DEFAULT) : -1;
  if (group < 0)
    status = hs_fail(HS_BAD_DATA, path, NULL, "holds no model yet (it is written when training stops)");
  else
    status = hs_run_get_model(group, path, model);
  if (group >= 0) H5Gclose(group);
  H5Fclose(file);
  if (status != HS_OK) hs_model_clear(model);
  return status;
}

hs_status_t hs_run_read_history(const char *path, int64_t *rows, hs_history_row_t **history)
{
  *rows = 0;
  *history = NULL;
  hid_t file;
  hs_status_t status = hs_run_open_to_read(path, &file);
  if (status != HS_OK) return status;
  status = hs_run_history_get(file, path, rows, history);
  H5Fclose(file);
  return status;
}

hs_status_t hs_run_read_summary(const char *path, hs_run_summary_t *summary)
{
  *summary = (hs_run_summary_t){0};
  hid_t file;
  hs_status_t status = hs_run_open_to_read(path, &file);
  if (status != HS_OK) return status;
  hs_history_row_t *history = NULL;
  status = hs_run_get_status(file, path, summary);
  if (status == HS_OK) status = hs_run_get_config(file, path, summary);
  if (status == HS_OK) status = hs_run_get_bounds(file, summary);
  if (status == HS_OK) status = hs_run_history_get(file, path, &summary->iterations, &history);
  if (summary->iterations > 0) summary->last = history[summary->iterations - 1];
  summary->has_model = hs_run_has(file, "model");
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
