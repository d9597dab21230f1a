#include "mpi/admm/penalty.h"

#include <math.h>

#include "mpi/comm/reduce.h"

void hs_penalty_start(hs_penalty_t *penalty, const hs_problem_t *problem, hs_block_inverse_t *inverse,
                      double rho)
{
  *penalty = (hs_penalty_t){.rho = rho, .blocks = (double)problem->shard->partition.blocks, .fixed = rho > 0};
  if (penalty->fixed) return;
  /* rho = 1/2 |K_b|_F / sqrt(P d), root mean square over the blocks */
  hs_traffic_t traffic = {0};
  double square = hs_block_inverse_kernel_square(inverse);
  hs_sum(problem->comm, &square, 1, &traffic);
  penalty->rho = 0.5 * sqrt(square / penalty->blocks / problem->gates / problem->d);
}

double hs_penalty_metric(const hs_penalty_t *penalty)
{
  return penalty->blocks * penalty->rho;
}

void hs_penalty_curvature(const hs_penalty_t *penalty, const hs_problem_t *problem, const double *p,
                          double *curvature)
{
  (void)penalty;
  (void)p;
  for (int64_t k = 0; k < problem->rows; k++) curvature[k] = hs_loss_curvature(problem->loss);
}

bool hs_penalty_adapt(hs_penalty_t *penalty, const hs_problem_t *problem, const hs_history_row_t *row)
{
  (void)penalty;
  (void)problem;
  (void)row;
  return false;
}
