/* path_kind.c: which x-update a path uses. A set-up that does not pay for one solve may do so for fifty, and a start
 * close to the solution needs few iterations more of the kinds that converge slowly than of the others. */
#include <math.h>

#include "mpi/comm/agree.h"
#include "mpi/path/path_run.h"
#include "mpi/x_update/choose.h"

/* Iterations of a point that starts from the one before, from those of a solve from zero to 1e-6: many blocks have to
 * agree anew. Measured on magic04: 20 of 40 with blocks of rows, 11 of 24 with one. */
#define WARM_FIXED 4.0
#define WARM_SHARE 0.25
#define WARM_SHARE_BLOCKS 0.4

static double seconds(const hs_x_estimate_t *estimates, hs_x_kind_t kind, int points)
{
  double share = kind == HS_X_BLOCK_KERNEL ? WARM_SHARE_BLOCKS : WARM_SHARE;
  const hs_x_estimate_t *of = &estimates[kind];
  return of->setup + points * (WARM_FIXED + share * of->iterations) * of->iteration;
}

/* Like hs_x_choose: from the costs on one rank, among those whose iterates do not depend on the number of ranks. */
static hs_x_kind_t soonest(const hs_path_run_t *run, const hs_x_estimate_t *here)
{
  static const hs_x_kind_t kinds[] = {HS_X_GLOBAL_KERNEL, HS_X_GLOBAL_GRAM};
  const hs_problem_t *problem = &run->setup.problem;
  hs_x_shape_t shape = {.rows = problem->shard->partition.rows,
                        .blocks = problem->shard->partition.blocks,
                        .d = problem->d,
                        .gates = problem->gates,
                        .outputs = problem->outputs,
                        .precision = problem->shard->precision,
                        .squared = problem->loss.kind == HS_SQUARED};
  hs_x_estimate_t alone[HS_X_KINDS];
  hs_x_estimate(&shape, 1, INFINITY, alone);
  hs_x_kind_t best = HS_X_BLOCK_KERNEL;
  for (int i = 0; i < 2; i++)
    if (here[kinds[i]].possible && seconds(alone, kinds[i], run->points) < seconds(alone, best, run->points))
      best = kinds[i];
  return best;
}

hs_status_t hs_path_choose_kind(hs_path_run_t *run, hs_x_estimate_t *estimates)
{
  hs_x_kind_t kind;
  hs_status_t status = HS_OK;
  bool automatic = run->options.x_update == HS_X_AUTO;
  if (automatic && hs_checkpoint_found(run->outputs.checkpoint))
    status = hs_path_stored_kind(run, &run->options.x_update);
  if (status == HS_OK) status = hs_solve_choose(&run->setup.problem, &run->options, &kind, estimates);
  if (status != HS_OK) return status;
  automatic = run->options.x_update == HS_X_AUTO && !run->options.blocks_given;
  if (automatic) kind = soonest(run, estimates);
  /* On one rank they are the same iteration, one of them with less work. */
  if (automatic && kind == HS_X_GLOBAL_GRAM && hs_ranks(run->comm) == 1) kind = HS_X_BLOCK_GRAM;
  run->options.x_update = kind;
  return HS_OK;
}
