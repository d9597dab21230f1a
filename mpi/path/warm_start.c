#include "mpi/path/warm_start.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

#define FALL 2.0 /* of the suited penalty, before the blocks are factored anew */

hs_status_t hs_warm_start_create(hs_warm_start_t *warm, const hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  *warm = (hs_warm_start_t){.weights = problem->weights, .entries = solver->entries, .rows = problem->rows};
  static const char what[] = "start of the next point";
  warm->z = hs_alloc((size_t)warm->weights, sizeof(double), what);
  warm->p = hs_alloc((size_t)warm->entries, sizeof(double), what);
  warm->old_z = hs_alloc((size_t)warm->weights, sizeof(double), what);
  warm->old_p = hs_alloc((size_t)warm->entries, sizeof(double), what);
  warm->curvature = hs_alloc((size_t)warm->rows, sizeof(double), what);
  bool made = warm->z != NULL && warm->p != NULL && warm->old_z != NULL && warm->old_p != NULL &&
              warm->curvature != NULL;
  if (made) memcpy(warm->curvature, solver->x.curvature, (size_t)warm->rows * sizeof(double));
  warm->penalty = solver->penalty;
  return made ? HS_OK : HS_NO_MEMORY;
}

void hs_warm_start_free(hs_warm_start_t *warm)
{
  hs_free(warm->z);
  hs_free(warm->p);
  hs_free(warm->old_z);
  hs_free(warm->old_p);
  hs_free(warm->curvature);
  *warm = (hs_warm_start_t){0};
}

/* start = now + ratio (now - old);  old = now */
static void extrapolate(int64_t count, const double *now, double ratio, double *old, double *start)
{
  for (int64_t k = 0; k < count; k++) {
    start[k] = now[k] + ratio * (now[k] - old[k]);
    old[k] = now[k];
  }
}

static void place(const hs_warm_start_t *warm, hs_solver_t *solver)
{
  memcpy(solver->x.z, warm->z, (size_t)warm->weights * sizeof(double));
  memcpy(solver->x.p, warm->p, (size_t)warm->entries * sizeof(double));
  hs_problem_forward(solver->problem, solver->x.z, solver->x.a);
}

/* The penalty for the next point. One that the solver has found itself while it worked on the last is the better
 * guide. */
static void suit_penalty(hs_warm_start_t *warm, hs_solver_t *solver, double beta, double next)
{
  hs_penalty_t *penalty = &solver->penalty;
  bool follows = penalty->one_block > 0; /* beta by itself, see hs_penalty_follow */
  if (penalty->fixed || follows || solver->problem->loss.kind != HS_SQUARED) return;
  if (warm->points == 0 || penalty->rho != warm->penalty.rho) {
    warm->suited_beta = beta;
    warm->suited_rho = penalty->rho;
  }
  double suited = warm->suited_rho * sqrt(next / warm->suited_beta);
  if (penalty->rho < FALL * suited) return;
  penalty->start *= suited / penalty->rho;
  penalty->rho = suited;
  solver->factor_next = true;
}

/* What was learned of gates that can be passed over is learned anew at each point, so that a path that goes on from a
 * checkpoint has the same bits. */
static hs_status_t forget_gates(hs_solver_t *solver)
{
  hs_active_set_free(&solver->active_set);
  return hs_agree(solver->problem->comm, hs_active_set_create(&solver->active_set, solver->problem));
}

/* Also where a point that ended at its budget of iterations has left a change to be done. Collective. */
static hs_status_t factor_if_changed(hs_solver_t *solver)
{
  if (!solver->factor_next) return HS_OK;
  hs_penalty_set_curvature(&solver->penalty, solver->problem, solver->update, solver->x.p,
                           solver->x.curvature);
  solver->factor_next = false;
  return hs_x_update_factor(solver->update, solver->penalty.rho, solver->x.curvature);
}

hs_status_t hs_warm_start_next(hs_warm_start_t *warm, hs_solver_t *solver, const double *beta, int k)
{
  double ratio = warm->points > 0 ? (beta[k + 1] - beta[k]) / (beta[k] - beta[k - 1]) : 0;
  extrapolate(warm->weights, solver->x.z1, ratio, warm->old_z, warm->z);
  extrapolate(warm->entries, solver->x.p1, ratio, warm->old_p, warm->p);
  place(warm, solver);
  suit_penalty(warm, solver, beta[k], beta[k + 1]);
  warm->factorings = solver->factor_next;
  hs_status_t status = factor_if_changed(solver);
  if (status == HS_OK) status = forget_gates(solver);
  memcpy(warm->curvature, solver->x.curvature, (size_t)warm->rows * sizeof(double));
  warm->penalty = solver->penalty;
  warm->points = warm->points < 2 ? warm->points + 1 : 2;
  return status;
}

hs_status_t hs_warm_start_restore(hs_warm_start_t *warm, hs_solver_t *solver)
{
  double blocks = hs_x_update_blocks(solver->update), change = warm->penalty.blocks / blocks;
  warm->penalty.rho *= change; /* cut into other blocks: N rho stays */
  warm->penalty.start *= change;
  warm->suited_rho *= change;
  warm->penalty.blocks = blocks;
  solver->penalty = warm->penalty;
  memcpy(solver->x.curvature, warm->curvature, (size_t)warm->rows * sizeof(double));
  place(warm, solver);
  return hs_x_update_factor(solver->update, solver->penalty.rho, solver->x.curvature);
}
