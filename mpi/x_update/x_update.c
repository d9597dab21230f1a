#include "mpi/x_update/x_update.h"

#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/x_update/rules.h"

struct hs_x_update {
  const hs_x_rule_t *rule;
  void *data;
  double blocks;
};

static const hs_x_rule_t *choose(const hs_problem_t *problem, hs_x_kind_t kind)
{
  bool gram = kind == HS_X_BLOCK_GRAM || kind == HS_X_GLOBAL_GRAM;
  if (gram && problem->reduction == NULL) return &hs_x_rule_woodbury;
  bool global = kind == HS_X_GLOBAL_KERNEL || kind == HS_X_GLOBAL_GRAM;
  return global ? &hs_x_rule_spread : &hs_x_rule_local;
}

hs_status_t hs_x_update_create(hs_x_update_t **out, const hs_problem_t *problem, hs_x_kind_t kind)
{
  hs_x_update_t *update = *out = hs_alloc(1, sizeof *update, "x-update");
  hs_status_t status = hs_agree(problem->comm, update != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    update->rule = choose(problem, kind);
    status = update->rule->create(&update->data, problem, kind == HS_X_GLOBAL_GRAM, &update->blocks);
  }
  if (status != HS_OK) hs_x_update_free(out);
  return status;
}

void hs_x_update_free(hs_x_update_t **out)
{
  hs_x_update_t *update = *out;
  *out = NULL;
  if (update == NULL) return;
  if (update->rule != NULL) update->rule->free(update->data);
  hs_free(update);
}

double hs_x_update_blocks(const hs_x_update_t *update)
{
  return update->blocks;
}

hs_kernel_size_t hs_x_update_kernel_size(hs_x_update_t *update, const double *curvature)
{
  return update->rule->kernel_size(update->data, curvature);
}

hs_status_t hs_x_update_factor(hs_x_update_t *update, double rho, const double *curvature)
{
  return update->rule->factor(update->data, rho, curvature);
}

void hs_x_update_apply(hs_x_update_t *update, const double *R, double *V, hs_traffic_t *traffic)
{
  update->rule->apply(update->data, R, V, traffic);
}
