#include "mpi/train/make_model.h"

#include <string.h>

#include "base/memory.h"

static bool is_zero(const double *values, int64_t count)
{
  for (int64_t e = 0; e < count; e++)
    if (values[e] != 0) return false;
  return true;
}

hs_status_t hs_make_model(hs_model_t *model, const hs_setup_t *setup, const double *u, double objective)
{
  const hs_shard_t *shard = setup->shard;
  const hs_problem_t *problem = &setup->problem;
  int64_t size = (int64_t)problem->d * problem->outputs;
  *model = (hs_model_t){.features = shard->features,
                        .d = shard->d,
                        .outputs = shard->outputs,
                        .bias = shard->bias,
                        .precision = shard->precision,
                        .loss = problem->loss,
                        .groups = problem->groups,
                        .beta = problem->beta,
                        .beta_max = problem->beta_max,
                        .objective = objective};
  model->shift = hs_alloc((size_t)shard->features, sizeof(double), "model");
  model->scale = hs_alloc((size_t)shard->features, sizeof(double), "model");
  model->G = hs_alloc((size_t)problem->gates * (size_t)problem->d, sizeof(double), "model");
  model->weights = hs_alloc((size_t)problem->weights, sizeof(double), "model");
  if (model->shift == NULL || model->scale == NULL || model->G == NULL || model->weights == NULL)
    return HS_NO_MEMORY;
  memcpy(model->shift, shard->shift, (size_t)shard->features * sizeof(double));
  memcpy(model->scale, shard->scale, (size_t)shard->features * sizeof(double));
  for (int i = 0; i < problem->gates; i++) {
    const double *block = u + i * size;
    if (is_zero(block, size)) continue;
    memcpy(model->G + (int64_t)model->gates * problem->d, setup->gates.G + (int64_t)i * problem->d,
           (size_t)problem->d * sizeof(double));
    memcpy(model->weights + model->gates * size, block, (size_t)size * sizeof(double));
    model->gates += 1;
  }
  hs_classes_t classes;
  hs_status_t status = hs_classes_copy(&classes, &shard->classes);
  model->classes = classes.count;
  model->class_values = classes.values;
  model->class_names = classes.names;
  return status;
}
