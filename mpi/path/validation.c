#include "mpi/path/validation.h"

#include "base/memory.h"
#include "mpi/comm/agree.h"

/* Collective. */
static hs_status_t open_rows(hs_validation_t *validation, const hs_setup_t *setup)
{
  const hs_settings_t *settings = setup->settings;
  bool held_out = settings->data.validation[0] == '\0';
  hs_source_t *source = &validation->source;
  hs_status_t status =
      hs_source_open(source, setup->comm, held_out ? settings->data.train : settings->data.validation,
                     settings->data.features, settings->data.targets);
  if (status != HS_OK) return status;
  if (source->info.features != setup->shard->features)
    return hs_fail(HS_BAD_DATA, source->path, NULL, "has %d features, the training data have %d",
                   source->info.features, setup->shard->features);
  return held_out ? hs_source_choose(source, settings->path.hold_out, settings->seed, HS_ROWS_HELD_OUT)
                  : HS_OK;
}

/* Collective. */
static hs_status_t load(hs_validation_t *validation, const hs_setup_t *setup)
{
  const hs_shard_t *training = setup->shard;
  const hs_source_t *source = &validation->source;
  hs_partition_t partition = hs_partition_make(source->info.rows, 1, setup->rank, hs_ranks(setup->comm));
  hs_shard_options_t options = {.bias = training->bias,
                                .precision = training->precision,
                                .loss = setup->problem.loss.kind,
                                .scaling = HS_SCALING_NONE,
                                .shift = training->shift,
                                .scale = training->scale,
                                .classes = training->classes.count > 0 ? &training->classes : NULL,
                                .classification = training->classes.count > 0};
  hs_status_t status = hs_shard_load(&validation->shard, source, &partition, &options);
  if (status == HS_OK && validation->shard->outputs != training->outputs)
    status = hs_fail(HS_BAD_DATA, source->path, NULL, "has %d target columns, the training data have %d",
                     validation->shard->outputs, training->outputs);
  return status;
}

static hs_status_t make_operator(hs_validation_t *validation, const hs_setup_t *setup)
{
  const hs_shard_t *shard = validation->shard;
  const hs_gate_set_t *gates = &setup->gates;
  hs_status_t status = hs_masks_create(&validation->masks, shard->precision, shard->rows, shard->d, shard->X,
                                       gates->count, gates->G);
  if (status == HS_OK)
    status = hs_masked_create(&validation->op, shard->precision, shard->rows, shard->d, shard->outputs,
                              shard->X, &validation->masks);
  if (status != HS_OK) return status;
  validation->scores = hs_alloc((size_t)(shard->rows * shard->outputs), sizeof(double), "scores");
  return validation->scores != NULL ? HS_OK : HS_NO_MEMORY;
}

hs_status_t hs_validation_create(hs_validation_t *validation, const hs_setup_t *setup)
{
  *validation = (hs_validation_t){0};
  hs_status_t status = open_rows(validation, setup);
  if (status == HS_OK) status = load(validation, setup);
  if (status == HS_OK) status = hs_agree(setup->comm, make_operator(validation, setup));
  return status;
}

void hs_validation_free(hs_validation_t *validation)
{
  hs_masked_free(&validation->op);
  hs_masks_free(&validation->masks);
  hs_shard_free(&validation->shard);
  hs_source_close(&validation->source);
  hs_free(validation->scores);
  *validation = (hs_validation_t){0};
}

hs_status_t hs_validation_score(hs_validation_t *validation, const hs_setup_t *setup, const double *u,
                                hs_score_t *score)
{
  hs_masked_forward(validation->op, u, validation->scores);
  return hs_score(setup->comm, validation->shard, setup->problem.loss, validation->scores, score);
}
