#include "mpi/train/network_stage.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "mpi/comm/agree.h"

/* In the place of what the model has. */
static hs_status_t put_neurons(hs_model_t *model, const hs_neurons_t *neurons)
{
  size_t first = (size_t)neurons->count * (size_t)neurons->d;
  size_t second = (size_t)neurons->count * (size_t)neurons->outputs;
  double *W1 = hs_alloc(first, sizeof *W1, "first layer"), *W2 = hs_alloc(second, sizeof *W2, "second layer");
  if (W1 == NULL || W2 == NULL) {
    hs_free(W1);
    hs_free(W2);
    return HS_NO_MEMORY;
  }
  if (neurons->count > 0) {
    memcpy(W1, neurons->W1, first * sizeof *W1);
    memcpy(W2, neurons->W2, second * sizeof *W2);
  }
  hs_free(model->W1);
  hs_free(model->W2);
  model->W1 = W1;
  model->W2 = W2;
  model->neurons = neurons->count;
  return HS_OK;
}

hs_status_t hs_network_stage(const hs_setup_t *setup, hs_model_t *model, double gates_lower,
                             hs_network_result_t *result)
{
  hs_relu_problem_t problem = {
      .comm = setup->comm, .shard = setup->shard, .loss = setup->problem.loss, .beta = setup->problem.beta};
  hs_network_options_t options = hs_network_options(setup->settings);
  hs_status_t status = hs_train_network(&problem, model, &options, result);
  if (status != HS_OK) return status;
  result->bracket.gates_lower = gates_lower;
  result->bracket.gates = setup->problem.gates;
  status = hs_agree(setup->comm, put_neurons(model, &result->neurons));
  if (status != HS_OK) hs_network_result_free(result);
  return status;
}

void hs_network_stage_print(const hs_network_result_t *result)
{
  const hs_network_record_t *record = &result->record;
  if (record->rounds > 0) hs_log("columns : %s after %d rounds", record->ended, record->rounds);
  hs_log("network : %d ReLU neurons, objective %.9g = loss %.9g + weight decay %.9g; local methods %.2f s, "
         "columns %.2f s, "
         "bounds %.2f s",
         result->neurons.count, result->value.objective, result->value.loss,
         result->value.objective - result->value.loss, result->local_seconds, result->columns_seconds,
         result->bounds_seconds);
  hs_bracket_print(&result->bracket);
}
