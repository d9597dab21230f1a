#include "mpi/bench/trial.h"

#include <math.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/admm/block_count.h"
#include "mpi/comm/agree.h"

#define NOISE 0.1
#define SEED 1
#define MOST_SECONDS 120.0 /* of one solve; what is not reached by then is told as not reached */
#define MOST_ITERATIONS 5000
#define ANDERSON 10
#define SLAB 4096 /* rows that are generated at a time */

/* Relative gaps of a reference objective, and what it may take. */
#define OPTIMUM_DOUBLE 1e-10
#define OPTIMUM_SINGLE 1e-8
#define OPTIMUM_ITERATIONS 1000
#define OPTIMUM_PAUSE 100 /* iterations without a smaller gap, after which there is none to be expected */

/* Targets of several outputs, in place of the generated one: output c > 0 is relu(x_(c-1)) - relu(x_c). */
static hs_status_t add_outputs(hs_trial_t *trial)
{
  const hs_trial_plan_t *plan = trial->plan;
  hs_shard_t *shard = trial->shard;
  int C = plan->outputs, d = plan->d;
  double *Y = hs_alloc((size_t)shard->rows * (size_t)C, sizeof *Y, "targets");
  double *X = hs_alloc((size_t)SLAB * (size_t)d, sizeof *X, "rows");
  hs_status_t status = Y != NULL && X != NULL ? HS_OK : HS_NO_MEMORY;
  for (int64_t k0 = 0; status == HS_OK && k0 < shard->rows; k0 += SLAB) {
    int64_t count = hs_min64(SLAB, shard->rows - k0);
    hs_synthetic_rows(trial->synthetic, shard->row0 + k0, count, X, NULL);
    for (int64_t k = 0; k < count; k++) {
      double *y = Y + (k0 + k) * C;
      y[0] = shard->Y[k0 + k];
      for (int c = 1; c < C; c++) y[c] = fmax(0, X[k * d + (c - 1) % d]) - fmax(0, X[k * d + c % d]);
    }
  }
  hs_free(X);
  if (status == HS_OK) {
    hs_free(shard->Y);
    shard->Y = Y;
    shard->outputs = C;
  } else {
    hs_free(Y);
  }
  return status;
}

hs_status_t hs_trial_create(hs_trial_t *trial, MPI_Comm comm, const hs_trial_plan_t *plan)
{
  *trial = (hs_trial_t){.plan = plan, .comm = comm};
  hs_status_t status =
      hs_agree(comm, hs_synthetic_create(&trial->synthetic, plan->kind, plan->d, NOISE, SEED));
  if (status != HS_OK) return status;
  hs_source_t source;
  hs_source_generate(&source, comm, trial->synthetic, plan->n, plan->sign);
  int outputs = plan->outputs > 1 ? plan->outputs : hs_shard_outputs(plan->loss, plan->sign ? 2 : 0, 1);
  int64_t blocks = hs_block_count(plan->n, plan->d, plan->gates, outputs, plan->block_rows);
  hs_partition_t partition = hs_partition_make(plan->n, blocks, hs_rank(comm), hs_ranks(comm));
  hs_shard_options_t options = {.precision = plan->precision, .loss = plan->loss, .scaling = plan->scaling};
  status = hs_shard_load(&trial->shard, &source, &partition, &options);
  if (status == HS_OK && plan->outputs > 1) status = hs_agree(comm, add_outputs(trial));
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

static hs_status_t make_problem(hs_problem_t *problem, const hs_trial_t *trial, double beta)
{
  hs_loss_t loss = {.kind = trial->plan->loss};
  return hs_problem_create(problem, trial->comm, trial->shard, &trial->gates, loss, HS_JOINT, beta, 0);
}

/* ---- a timed solve ---- */

typedef struct watch {
  hs_outcome_t outcome; /* of this run */
  double goal;          /* the objective that is near enough; 0: none */
} watch_t;

/* Note the first iterations with a loose gap and with an objective near the optimum. */
static int observe(void *context, const hs_history_row_t *row)
{
  watch_t *watch = context;
  hs_outcome_t *outcome = &watch->outcome;
  if (isnan(outcome->loose) && row->relative_gap <= HS_TRIAL_LOOSE) outcome->loose = (double)row->iteration;
  if (isnan(outcome->near) && watch->goal > 0 && row->primal <= watch->goal) {
    outcome->near = (double)row->iteration;
    outcome->near_seconds = row->seconds;
  }
  return HS_GO_ON;
}

static hs_status_t solve_once(const hs_problem_t *problem, const hs_trial_t *trial, const hs_trial_run_t *run,
                              hs_outcome_t *outcome)
{
  hs_solve_options_t options = {.tolerance = trial->plan->tolerance,
                                .max_iterations = MOST_ITERATIONS,
                                .max_seconds = MOST_SECONDS,
                                .anderson = ANDERSON,
                                .x_update = run->x_update};
  watch_t watch = {.outcome = {.loose = NAN, .tight = NAN, .near = NAN, .near_seconds = NAN},
                   .goal = run->optimum * (1 + HS_TRIAL_NEAR)};
  hs_solution_t solution;
  HS_MPI(MPI_Barrier(trial->comm));
  hs_status_t status = run->solver(problem, &options, observe, &watch, &solution);
  if (status != HS_OK) return status;
  *outcome = watch.outcome;
  if (solution.stop == HS_STOP_CONVERGED) outcome->tight = (double)solution.last.iteration;
  outcome->seconds = solution.last.seconds;
  outcome->setup_seconds = solution.setup_seconds;
  outcome->factorings = solution.factorings;
  outcome->primal = solution.last.primal;
  outcome->relative_gap = solution.last.relative_gap;
  hs_solution_free(&solution);
  return HS_OK;
}

hs_status_t hs_trial_solve(const hs_trial_t *trial, const hs_trial_run_t *run, hs_outcome_t *outcome)
{
  hs_problem_t problem;
  hs_status_t status = make_problem(&problem, trial, run->beta);
  if (status != HS_OK) return status;
  for (int repeat = 0; repeat < run->repeats && status == HS_OK; repeat++) {
    hs_outcome_t next;
    status = solve_once(&problem, trial, run, &next);
    if (status != HS_OK) break;
    double near = repeat > 0 ? fmin(outcome->near_seconds, next.near_seconds) : next.near_seconds;
    if (repeat == 0 || next.seconds < outcome->seconds) *outcome = next;
    outcome->near_seconds = near;
  }
  hs_problem_free(&problem);
  return status;
}

/* ---- the reference ---- */

typedef struct progress {
  double gap;
  int64_t iteration; /* of the last smaller gap */
} progress_t;

/* Stop where the gap stays: rounding allows no smaller one. */
static int await_progress(void *context, const hs_history_row_t *row)
{
  progress_t *progress = context;
  if (progress->iteration == 0 || row->relative_gap < 0.9 * progress->gap)
    *progress = (progress_t){.gap = row->relative_gap, .iteration = row->iteration};
  return row->iteration - progress->iteration > OPTIMUM_PAUSE ? HS_STOP : HS_GO_ON;
}

hs_status_t hs_trial_optimum(const hs_trial_t *trial, const hs_trial_run_t *run, double *optimum, double *gap)
{
  hs_problem_t problem;
  hs_status_t status = make_problem(&problem, trial, run->beta);
  if (status != HS_OK) return status;
  bool single = trial->plan->precision == HS_SINGLE;
  hs_solve_options_t options = {.tolerance = single ? OPTIMUM_SINGLE : OPTIMUM_DOUBLE,
                                .max_iterations = OPTIMUM_ITERATIONS,
                                .max_seconds = MOST_SECONDS,
                                .anderson = ANDERSON,
                                .x_update = run->x_update};
  progress_t progress = {0};
  hs_solution_t solution;
  status = hs_solve(&problem, &options, await_progress, &progress, &solution);
  if (status == HS_OK) {
    *optimum = solution.last.primal;
    *gap = solution.last.relative_gap;
    hs_solution_free(&solution);
  }
  hs_problem_free(&problem);
  return status;
}

hs_status_t hs_trial_choose(const hs_trial_t *trial, double beta, hs_x_kind_t *kind,
                            hs_x_estimate_t *estimates)
{
  hs_problem_t problem;
  hs_status_t status = make_problem(&problem, trial, beta);
  if (status != HS_OK) return status;
  hs_solve_options_t options = {.x_update = HS_X_AUTO};
  status = hs_solve_choose(&problem, &options, kind, estimates);
  hs_problem_free(&problem);
  return status;
}
