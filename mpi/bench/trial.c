#include "mpi/bench/trial.h"

#include <math.h>

#include "mpi/admm/block_count.h"
#include "mpi/comm/agree.h"

#define NOISE 0.1
#define SEED 1
#define MOST_SECONDS 60.0 /* of one solve; what is not reached by then is told as not reached */
#define MOST_ITERATIONS 5000
#define ANDERSON 10

hs_status_t hs_trial_create(hs_trial_t *trial, MPI_Comm comm, const hs_trial_plan_t *plan)
{
  *trial = (hs_trial_t){.plan = plan, .comm = comm};
  hs_status_t status =
      hs_agree(comm, hs_synthetic_create(&trial->synthetic, plan->kind, plan->d, NOISE, SEED));
  if (status != HS_OK) return status;
  hs_source_t source;
  hs_source_generate(&source, comm, trial->synthetic, plan->n, plan->sign);
  int64_t blocks = hs_block_count(plan->n, plan->d, plan->gates, 1, plan->block_rows);
  hs_partition_t partition = hs_partition_make(plan->n, blocks, hs_rank(comm), hs_ranks(comm));
  hs_shard_options_t options = {.precision = plan->precision, .loss = plan->loss, .scaling = plan->scaling};
  status = hs_shard_load(&trial->shard, &source, &partition, &options);
  if (status == HS_OK) status = hs_gate_set_sample(&trial->gates, comm, trial->shard, plan->gates, SEED);
  hs_source_close(&source);
  if (status != HS_OK) hs_trial_free(trial);
  return status;
}

void hs_trial_free(hs_trial_t *trial)
{
  hs_gate_set_free(&trial->gates);
  hs_shard_free(&trial->shard);
  hs_synthetic_free(&trial->synthetic);
}

/* Note the first iteration with a loose gap. */
static int observe(void *context, const hs_history_row_t *row)
{
  hs_outcome_t *outcome = context;
  if (isnan(outcome->loose) && row->relative_gap <= HS_TRIAL_LOOSE) outcome->loose = (double)row->iteration;
  return false;
}

hs_status_t hs_trial_solve(const hs_trial_t *trial, double beta, hs_solve_function_t *solver, int repeats,
                           hs_outcome_t *outcome)
{
  hs_problem_t problem;
  hs_loss_t loss = {.kind = trial->plan->loss};
  hs_status_t status =
      hs_problem_create(&problem, trial->comm, trial->shard, &trial->gates, loss, HS_JOINT, beta, 0);
  if (status != HS_OK) return status;
  hs_solve_options_t options = {.tolerance = trial->plan->tolerance,
                                .max_iterations = MOST_ITERATIONS,
                                .max_seconds = MOST_SECONDS,
                                .anderson = ANDERSON};
  double shortest = INFINITY;
  for (int repeat = 0; repeat < repeats && status == HS_OK; repeat++) {
    hs_solution_t solution;
    *outcome = (hs_outcome_t){.loose = NAN, .tight = NAN};
    HS_MPI(MPI_Barrier(trial->comm));
    status = solver(&problem, &options, observe, outcome, &solution);
    if (status != HS_OK) break;
    if (solution.stop == HS_STOP_CONVERGED) outcome->tight = (double)solution.last.iteration;
    shortest = fmin(shortest, solution.last.seconds);
    outcome->seconds = shortest;
    outcome->setup_seconds = solution.setup_seconds;
    outcome->primal = solution.last.primal;
    outcome->relative_gap = solution.last.relative_gap;
    hs_solution_free(&solution);
  }
  hs_problem_free(&problem);
  return status;
}
