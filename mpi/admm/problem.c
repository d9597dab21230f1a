#include "mpi/admm/problem.h"

#include <math.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/reduce.h"
#include "mpi/gram/reduction.h"

void hs_problem_forward(const hs_problem_t *problem, const double *u, double *a)
{
  if (problem->reduction != NULL)
    hs_reduction_forward(problem->reduction, u, a);
  else
    hs_masked_forward(problem->op, u, a);
}

void hs_problem_adjoint(const hs_problem_t *problem, const double *w, double *s)
{
  if (problem->reduction != NULL)
    hs_reduction_adjoint(problem->reduction, w, s);
  else
    hs_masked_adjoint(problem->op, w, s);
}

double hs_problem_norm(const hs_problem_t *problem, const double *u)
{
  double sum = 0;
  int64_t size = (int64_t)problem->d * problem->outputs;
  for (int i = 0; i < problem->gates; i++)
    sum += hs_group_norm(problem->groups, problem->d, problem->outputs, u + i * size, problem->group_work);
  return sum;
}

double hs_problem_dual_norm(const hs_problem_t *problem, const double *s)
{
  double largest = 0;
  int64_t size = (int64_t)problem->d * problem->outputs;
  for (int i = 0; i < problem->gates; i++) {
    double norm =
        hs_group_dual_norm(problem->groups, problem->d, problem->outputs, s + i * size, problem->group_work);
    largest = norm > largest ? norm : largest;
  }
  return largest;
}

/* Collective. */
static hs_status_t find_beta_max(hs_problem_t *problem)
{
  int64_t count = problem->rows * problem->outputs;
  double *w = hs_alloc((size_t)count, sizeof(double), "residual");
  double *s = hs_alloc((size_t)problem->weights, sizeof(double), "gradient");
  hs_status_t status = hs_agree(problem->comm, w != NULL && s != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    hs_traffic_t traffic = {0};
    hs_loss_gradient(problem->loss, problem->rows, problem->outputs, w, problem->Y, w);
    for (int64_t k = 0; k < count; k++) w[k] = -w[k];
    hs_masked_adjoint(problem->op, w, s);
    hs_sum(problem->comm, s, problem->weights, &traffic);
    problem->beta_max = hs_problem_dual_norm(problem, s);
    if (!isfinite(problem->beta_max))
      status = hs_fail(HS_NUMERICAL, NULL, "beta_max", "is not finite (are the features scaled?)");
    else if (problem->beta_max <= 0)
      status = hs_fail(HS_BAD_DATA, NULL, "beta_max",
                       "is 0: targets or features are all zero, there is nothing to learn");
  }
  hs_free(w);
  hs_free(s);
  return status;
}

hs_status_t hs_problem_create(hs_problem_t *problem, MPI_Comm comm, const hs_shard_t *shard,
                              const hs_gate_set_t *gates, hs_loss_t loss, hs_groups_t groups,
                              double relative_beta, double absolute_beta)
{
  *problem = (hs_problem_t){.comm = comm,
                            .shard = shard,
                            .gates = gates->count,
                            .d = shard->d,
                            .outputs = shard->outputs,
                            .rows = shard->rows,
                            .weights = (int64_t)gates->count * shard->d * shard->outputs,
                            .loss = loss,
                            .groups = groups,
                            .masks = &gates->masks,
                            .Y = shard->Y};
  hs_status_t status = hs_masked_create(&problem->op, shard->precision, shard->rows, shard->d, shard->outputs,
                                        shard->X, &gates->masks);
  if (status == HS_OK) status = hs_group_work_create(&problem->group_work, shard->d, shard->outputs);
  status = hs_agree(comm, status);
  if (status == HS_OK) status = find_beta_max(problem);
  if (status == HS_OK) problem->beta = absolute_beta > 0 ? absolute_beta : relative_beta * problem->beta_max;
  if (status != HS_OK) hs_problem_free(problem);
  return status;
}

void hs_problem_free(hs_problem_t *problem)
{
  hs_masked_free(&problem->op);
  hs_group_work_free(&problem->group_work);
  *problem = (hs_problem_t){0};
}
