#include "cli/application.h"

#include <string.h>

#include "base/memory.h"
#include "io/run/run_file.h"
#include "mpi/comm/agree.h"

/* Those of another version may not parse: the defaults then do. */
hs_status_t hs_application_settings(const char *run_path, hs_settings_t *settings)
{
  hs_run_summary_t summary;
  hs_status_t status = hs_run_read_summary(run_path, &summary);
  if (status != HS_OK) return status;
  hs_settings_default(settings);
  if (hs_settings_parse(settings, run_path, summary.config) != HS_OK) {
    hs_error_clear();
    hs_settings_default(settings);
  }
  hs_run_summary_clear(&summary);
  return HS_OK;
}

/* Collective. */
static hs_status_t open_source(hs_application_t *application, const char *run_path, const char *data_path,
                               const char *features, const char *targets, bool with_targets)
{
  hs_settings_t *settings = hs_alloc(1, sizeof *settings, "settings of the run");
  hs_status_t status = settings != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) status = hs_application_settings(run_path, settings);
  status = hs_agree(application->comm, status);
  if (status == HS_OK) {
    if (features == NULL) features = settings->data.features;
    if (targets == NULL) targets = settings->data.targets;
    status = hs_source_open(&application->source, application->comm, data_path, features,
                            with_targets ? targets : NULL);
  }
  hs_free(settings);
  return status;
}

/* Collective, though all ranks see the same. */
static hs_status_t load(hs_application_t *application, const char *data_path)
{
  const hs_model_t *model = &application->model;
  const hs_data_info_t *info = &application->source.info;
  if (info->features != model->features)
    return hs_fail(HS_BAD_DATA, data_path, NULL,
                   "has %d features, the model was trained on %d (the same features in the same order)",
                   info->features, model->features);
  hs_classes_t classes = {model->classes, model->class_values, model->class_names};
  hs_shard_options_t options = {.bias = model->bias,
                                .precision = model->precision,
                                .loss = model->loss.kind,
                                .scaling = HS_SCALING_NONE,
                                .shift = model->shift,
                                .scale = model->scale,
                                .classes = model->classes > 0 ? &classes : NULL,
                                .classification = model->classes > 0};
  hs_partition_t partition =
      hs_partition_make(info->rows, 1, hs_rank(application->comm), hs_ranks(application->comm));
  hs_status_t status = hs_shard_load(&application->shard, &application->source, &partition, &options);
  if (status == HS_OK && info->has_targets && application->shard->outputs != model->outputs)
    status = hs_fail(HS_BAD_DATA, data_path, NULL,
                     "has %d target columns, the model predicts %d (the same targets in the same order)",
                     application->shard->outputs, model->outputs);
  return status;
}

hs_status_t hs_application_open(hs_application_t *application, MPI_Comm comm, const char *run_path,
                                const char *data_path, const char *features, const char *targets,
                                bool with_targets)
{
  *application = (hs_application_t){.comm = comm};
  hs_status_t status = hs_agree(comm, hs_run_read_model(run_path, &application->model));
  if (status == HS_OK)
    status = open_source(application, run_path, data_path, features, targets, with_targets);
  if (status == HS_OK) status = load(application, data_path);
  if (status != HS_OK) hs_application_close(application);
  return status;
}

void hs_application_close(hs_application_t *application)
{
  hs_shard_free(&application->shard);
  hs_source_close(&application->source);
  hs_model_clear(&application->model);
}

const char *hs_kind_name(hs_kind_t kind)
{
  return kind == HS_KIND_RELU ? "relu" : "gated";
}

bool hs_application_has(const hs_application_t *application, hs_kind_t kind)
{
  return kind != HS_KIND_RELU || application->model.neurons > 0;
}

hs_status_t hs_application_score(const hs_application_t *application, hs_kind_t kind, double *scores)
{
  const hs_shard_t *shard = application->shard;
  return (kind == HS_KIND_RELU ? hs_model_relu_scores : hs_model_gated_scores)(&application->model,
                                                                               shard->rows, shard->X, scores);
}

hs_status_t hs_application_penalty(const hs_application_t *application, hs_kind_t kind, double *penalty)
{
  if (kind != HS_KIND_RELU) return hs_model_gated_penalty(&application->model, penalty);
  *penalty = hs_model_relu_penalty(&application->model);
  return HS_OK;
}
