#include "mpi/admm/solve.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/admm/solver.h"
#include "mpi/comm/agree.h"

/* Anderson's memory is cleared where the residual exceeds the smallest one by this factor. */
#define RESIDUAL_GROWTH 2.0

/* Iterations between two exact certificates that did not confirm convergence (single precision). */
#define EXACT_PAUSE 10

/* A norm that equals the threshold up to rounding counts as equal: at beta_max the solution is zero, not a
 * speck of rounding. */
#define THRESHOLD_SLACK 1e-14

/* The sums of the second reduction; Anderson's follow. */
enum {
  SUM_LOSS,
  SUM_VR,
  SUM_VV,
  SUM_DUAL,
  SUM_STOP,
  SUM_CHECKPOINT,
  SUM_TIME,
  SUM_COMPUTE,
  SUM_COMM,
  SUM_ANDERSON
};

const char *hs_stop_name(hs_stop_t stop)
{
  static const char *const names[] = {"converged", "iterations", "seconds", "signal"};
  return names[stop];
}

static hs_status_t allocate(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  const hs_partition_t *partition = &problem->shard->partition;
  solver->entries = problem->rows * problem->outputs;
  hs_status_t status = hs_iterate_create(&solver->x, problem->weights, problem->rows, problem->outputs);
  if (status == HS_OK)
    status =
        hs_anderson_create(&solver->anderson, solver->options->anderson, problem->weights, solver->entries);
  if (status == HS_OK) {
    solver->sums =
        hs_alloc((size_t)(SUM_ANDERSON + hs_anderson_sums(solver->anderson)), sizeof(double), "sums");
    if (solver->sums == NULL) status = HS_NO_MEMORY;
  }
  if (status == HS_OK && problem->shard->precision == HS_SINGLE) {
    solver->best_w = hs_alloc((size_t)solver->entries, sizeof(double), "residual");
    if (solver->best_w == NULL) status = HS_NO_MEMORY;
  }
  if (status != HS_OK) return status;
  int64_t block0 = hs_partition_first_block(partition, partition->rank);
  int64_t blocks = hs_partition_first_block(partition, partition->rank + 1) - block0;
  int64_t *first = hs_alloc((size_t)blocks + 1, sizeof *first, "block rows");
  if (first == NULL) return HS_NO_MEMORY;
  for (int64_t b = 0; b <= blocks; b++)
    first[b] = hs_partition_block_row(partition, block0 + b) - problem->shard->row0;
  status = hs_block_inverse_create(&solver->inverse, problem->op, problem->outputs, blocks, first);
  hs_free(first);
  return status;
}

void hs_solver_free(hs_solver_t **out)
{
  hs_solver_t *solver = *out;
  *out = NULL;
  if (solver == NULL) return;
  hs_iterate_free(&solver->x);
  hs_block_inverse_free(&solver->inverse);
  hs_anderson_free(&solver->anderson);
  hs_free(solver->best_w);
  hs_free(solver->sums);
  hs_free(solver);
}

/* Blocks are factored anew for the current rho; old Anderson steps belong to another map. Collective. */
static hs_status_t factor(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  hs_penalty_set_curvature(&solver->penalty, problem, solver->inverse, solver->x.p, solver->x.curvature);
  hs_status_t status = hs_block_inverse_factor(solver->inverse, solver->penalty.rho, solver->x.curvature);
  hs_anderson_reset(solver->anderson, problem->outputs, solver->x.curvature);
  solver->residual = INFINITY;
  solver->factorings += 1;
  solver->factor_next = false;
  return hs_agree(problem->comm, status);
}

/* w = -grad L(p);  s = A' w;  and the scale that makes w dual feasible. Collective. */
static void gradient(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  hs_iterate_t *x = &solver->x;
  hs_loss_gradient(problem->loss, problem->rows, problem->outputs, x->p, problem->Y, x->w);
  for (int64_t k = 0; k < solver->entries; k++) x->w[k] = -x->w[k];
  hs_masked_adjoint(problem->op, x->w, x->s);
  hs_dual_ray_t ray = {0};
  if (hs_loss_dual_is_quadratic(problem->loss))
    ray = hs_loss_dual_ray(problem->loss, problem->rows, problem->outputs, x->w, problem->Y);
  x->s[problem->weights] = ray.linear;
  x->s[problem->weights + 1] = ray.square;
  hs_sum(problem->comm, x->s, problem->weights + 2, &solver->traffic);
  solver->dual_linear = x->s[problem->weights];
  solver->dual_square = x->s[problem->weights + 1];
  solver->scale = hs_certificate_scale(problem, x->s);
}

/* z+ = prox_{beta/(N rho)}( z + s/(N rho) ); returns the summed norms. Not collective: replicated. */
static double consensus(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  hs_iterate_t *x = &solver->x;
  double step = 1.0 / hs_penalty_metric(&solver->penalty), norms = 0;
  double threshold = problem->beta * step * (1 + THRESHOLD_SLACK);
  int64_t size = (int64_t)problem->d * problem->outputs;
  solver->active = 0;
  for (int i = 0; i < problem->gates; i++) {
    double *block = x->z1 + i * size;
    for (int64_t e = 0; e < size; e++) block[e] = x->z[i * size + e] + step * x->s[i * size + e];
    int active = 0;
    norms += hs_group_prox(problem->groups, problem->d, problem->outputs, block, threshold, &active,
                           problem->group_work);
    solver->active += active;
  }
  return norms;
}

/* v = M ( p - A (2 z+ - z) );  p+ = p - v / lambda. Not collective. */
static void update_rows(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  int C = solver->problem->outputs;
  hs_masked_forward(solver->problem->op, x->z1, x->a1);
  for (int64_t k = 0; k < solver->entries; k++) x->r[k] = x->p[k] - 2 * x->a1[k] + x->a[k];
  hs_block_inverse_apply(solver->inverse, x->r, x->v);
  for (int64_t k = 0; k < solver->entries; k++) x->p1[k] = x->p[k] - x->v[k] / x->curvature[k / C];
}

static bool checkpoint_is_due(const hs_solver_t *solver)
{
  double every = solver->options->checkpoint_seconds;
  return solver->options->checkpoint != NULL && every > 0 && MPI_Wtime() - solver->saved_at >= every;
}

/* Everything that ranks have to add up after a step, in one small reduction. Collective. */
static void add_up(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  hs_iterate_t *x = &solver->x;
  double *sums = solver->sums, elapsed = MPI_Wtime() - solver->begin;
  int C = problem->outputs;
  memset(sums, 0, SUM_ANDERSON * sizeof *sums);
  sums[SUM_LOSS] = hs_loss_value(problem->loss, problem->rows, C, x->a1, problem->Y);
  for (int64_t k = 0; k < solver->entries; k++) {
    sums[SUM_VR] += x->v[k] * x->r[k];
    sums[SUM_VV] += x->v[k] * x->v[k] / x->curvature[k / C];
  }
  if (!hs_loss_dual_is_quadratic(problem->loss))
    sums[SUM_DUAL] =
        hs_loss_dual_value(problem->loss, problem->rows, C, x->w, fmin(1, solver->scale), problem->Y);
  bool first = hs_rank(problem->comm) == 0;
  sums[SUM_STOP] = (solver->requests & HS_STOP) != 0;
  sums[SUM_CHECKPOINT] = (solver->requests & HS_CHECKPOINT) != 0 || (first && checkpoint_is_due(solver));
  sums[SUM_TIME] = first && solver->options->max_seconds > 0 && elapsed > solver->options->max_seconds;
  sums[SUM_COMPUTE] = elapsed - solver->traffic.seconds;
  sums[SUM_COMM] = solver->traffic.seconds;
  hs_anderson_take(solver->anderson, x->z, x->p, x->z1, x->p1, x->a1, sums + SUM_ANDERSON);
  hs_sum(problem->comm, sums, SUM_ANDERSON + hs_anderson_sums(solver->anderson), &solver->traffic);
}

/* Keep the lowest objective with its weights and the highest bound. Not collective: replicated. */
static void keep_best(hs_solver_t *solver, double norms)
{
  const hs_problem_t *problem = solver->problem;
  hs_iterate_t *x = &solver->x;
  double loss = solver->sums[SUM_LOSS], primal = loss + problem->beta * norms;
  if (primal < solver->best.primal || isnan(primal)) {
    solver->best.primal = primal;
    solver->best.loss = loss;
    memcpy(x->best_z, x->z1, (size_t)problem->weights * sizeof(double));
  }
  double dual = solver->sums[SUM_DUAL];
  if (hs_loss_dual_is_quadratic(problem->loss))
    dual = hs_certificate_quadratic(problem, solver->dual_linear, solver->dual_square, solver->scale);
  if (dual > solver->best.dual) {
    solver->best.dual = dual;
    if (solver->best_w != NULL) memcpy(solver->best_w, x->w, (size_t)solver->entries * sizeof(double));
  }
}

static hs_history_row_t make_row(const hs_solver_t *solver, int64_t iteration)
{
  const double *sums = solver->sums;
  double ranks = hs_ranks(solver->problem->comm), gap = solver->best.primal - solver->best.dual;
  double change = hs_anderson_change(solver->anderson);
  return (hs_history_row_t){.iteration = iteration,
                            .primal = solver->best.primal,
                            .dual = solver->best.dual,
                            .gap = gap,
                            .relative_gap = hs_certificate_relative_gap(&solver->best),
                            .rho = solver->penalty.rho,
                            .primal_residual = sqrt(hs_penalty_metric(&solver->penalty) * change),
                            .dual_residual = sqrt(fmax(0, sums[SUM_VR] - sums[SUM_VV])),
                            .active_groups = solver->active,
                            .seconds = MPI_Wtime() - solver->begin,
                            .compute_seconds = sums[SUM_COMPUTE] / ranks,
                            .comm_seconds = sums[SUM_COMM] / ranks,
                            .comm_bytes = solver->traffic.bytes};
}

/* Is a budget used up, or has somebody asked to stop? From reduced values alone, so that all ranks decide
 * alike. */
static bool out_of_budget(const hs_solver_t *solver, int64_t iteration, hs_stop_t *stop)
{
  if (solver->sums[SUM_STOP] > 0)
    *stop = HS_STOP_SIGNAL;
  else if (solver->sums[SUM_TIME] > 0)
    *stop = HS_STOP_SECONDS;
  else if (iteration >= solver->options->max_iterations)
    *stop = HS_STOP_ITERATIONS;
  else
    return false;
  return true;
}

/* Recompute the bounds in double, where the products are in single precision. Collective. */
static void confirm(hs_solver_t *solver)
{
  if (solver->problem->shard->precision != HS_SINGLE) return;
  hs_certificate_exact(solver->problem, solver->x.best_z, solver->best_w, solver->x.r, solver->x.s,
                       &solver->best, &solver->traffic);
}

static bool goal_is_met(const hs_solver_t *solver)
{
  return hs_certificate_relative_gap(&solver->best) <= solver->options->tolerance;
}

/* Is the goal met? In single precision bounds that double does not confirm end no run. Collective. */
static bool converged(hs_solver_t *solver, int64_t iteration)
{
  if (!goal_is_met(solver)) return false;
  if (solver->problem->shard->precision != HS_SINGLE) return true;
  if (iteration < solver->exact_after) return false;
  confirm(solver);
  solver->exact_after = iteration + EXACT_PAUSE;
  return goal_is_met(solver);
}

/* The next point: accelerated, or the plain step (already at hand, so nothing is wasted) where the residual has
 * grown beyond the smallest one since the memory was cleared. Replicated. */
static void accelerate(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  double metric = hs_penalty_metric(&solver->penalty);
  double residual = sqrt(hs_anderson_residual(solver->anderson, solver->sums + SUM_ANDERSON, metric));
  if (residual > RESIDUAL_GROWTH * solver->residual) {
    hs_anderson_reset(solver->anderson, solver->problem->outputs, x->curvature);
    solver->residual = residual;
  }
  solver->residual = fmin(solver->residual, residual);
  hs_anderson_combine(solver->anderson, solver->sums + SUM_ANDERSON, metric, x->z1, x->p1, x->a1, x->z, x->p,
                      x->a);
}

/* To the next point: the plain step where the map changes with it, else the accelerated one. Replicated. */
static void advance(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  solver->factor_next = hs_penalty_adapt(&solver->penalty, solver->problem, &solver->row);
  if (!solver->factor_next) {
    accelerate(solver);
    return;
  }
  memcpy(x->z, x->z1, (size_t)solver->problem->weights * sizeof(double));
  memcpy(x->p, x->p1, (size_t)solver->entries * sizeof(double));
  memcpy(x->a, x->a1, (size_t)solver->entries * sizeof(double));
}

/* The blocks as they were when the checkpoint was written: for the penalty and the curvatures then. Where the rows
 * are cut into other blocks now (more ranks than blocks), the map is another: N rho stays, the memory goes.
 * Collective. */
static hs_status_t factor_again(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  double blocks = (double)problem->shard->partition.blocks, before = solver->penalty.blocks;
  if (before != blocks) {
    solver->penalty.rho *= before / blocks;
    solver->penalty.start *= before / blocks;
    solver->penalty.blocks = blocks;
    hs_anderson_reset(solver->anderson, problem->outputs, solver->x.curvature);
    solver->residual = INFINITY;
  }
  hs_anderson_set_curvature(solver->anderson, problem->outputs, solver->x.curvature);
  return hs_agree(problem->comm,
                  hs_block_inverse_factor(solver->inverse, solver->penalty.rho, solver->x.curvature));
}

/* ---- the iteration ---- */

/* Start: p = 0 = A z, or where the checkpoint left off. Collective. */
static hs_status_t start(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  solver->best = (hs_certificate_t){.primal = INFINITY, .dual = -INFINITY};
  solver->saved_at = solver->begin;
  hs_status_t status = hs_agree(problem->comm, allocate(solver));
  if (status != HS_OK) return status;
  hs_penalty_start(&solver->penalty, problem, solver->options->rho);
  if (solver->options->checkpoint == NULL || !hs_checkpoint_found(solver->options->checkpoint))
    return factor(solver);
  status = hs_solver_restore(solver);
  if (status != HS_OK) return status;
  return solver->factor_next ? factor(solver) : factor_again(solver);
}

/* What is reported at a budget is recomputed in double, after the checkpoint: a run that goes on knows nothing of it.
 * Collective. */
static void report_exactly(hs_solver_t *solver, hs_observer_t *observer, void *context, hs_stop_t *stop)
{
  if (solver->problem->shard->precision != HS_SINGLE) return;
  confirm(solver);
  if (goal_is_met(solver)) *stop = HS_STOP_CONVERGED;
  solver->row.primal = solver->best.primal;
  solver->row.dual = solver->best.dual;
  solver->row.gap = solver->best.primal - solver->best.dual;
  solver->row.relative_gap = hs_certificate_relative_gap(&solver->best);
  if (observer != NULL) observer(context, &solver->row);
}

/* A run that had stopped at a budget which is still used up. From the checkpoint alone, hence alike on all ranks. */
static bool nothing_left(const hs_solver_t *solver, hs_stop_t *stop)
{
  const hs_solve_options_t *options = solver->options;
  *stop = solver->row.iteration >= options->max_iterations ? HS_STOP_ITERATIONS : HS_STOP_SECONDS;
  return solver->row.iteration >= options->max_iterations ||
         (options->max_seconds > 0 && solver->row.seconds >= options->max_seconds);
}

static hs_status_t iterate(hs_solver_t *solver, hs_observer_t *observer, void *context, hs_stop_t *stop)
{
  hs_status_t status = HS_OK;
  if (solver->row.iteration > 0 && nothing_left(solver, stop)) {
    report_exactly(solver, observer, context, stop);
    return HS_OK;
  }
  for (int64_t iteration = solver->row.iteration + 1; status == HS_OK; iteration++) {
    gradient(solver);
    double norms = consensus(solver);
    update_rows(solver);
    add_up(solver);
    keep_best(solver, norms);
    if (!isfinite(solver->best.primal))
      return hs_fail(
          HS_NUMERICAL, NULL, "solve",
          "the objective is not finite in iteration %lld (check the scaling of features and targets)",
          (long long)iteration);
    bool done = converged(solver, iteration);
    solver->row = make_row(solver, iteration);
    if (observer != NULL) solver->requests |= observer(context, &solver->row);
    if (done) {
      *stop = HS_STOP_CONVERGED;
      return HS_OK;
    }
    advance(solver);
    if (out_of_budget(solver, iteration, stop)) {
      status = hs_solver_save(solver, hs_stop_name(*stop));
      if (status == HS_OK) report_exactly(solver, observer, context, stop);
      return status;
    }
    if (solver->sums[SUM_CHECKPOINT] > 0) {
      status = hs_solver_save(solver, "running");
      solver->requests &= ~HS_CHECKPOINT;
    }
    if (status == HS_OK && solver->factor_next) status = factor(solver);
  }
  return status;
}

hs_status_t hs_solver_create(hs_solver_t **out, const hs_problem_t *problem,
                             const hs_solve_options_t *options)
{
  hs_solver_t *solver = *out = hs_alloc(1, sizeof *solver, "solver");
  hs_status_t status = hs_agree(problem->comm, solver != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    solver->problem = problem;
    solver->options = options;
    solver->begin = MPI_Wtime();
    status = start(solver);
  }
  if (status != HS_OK) {
    hs_solver_free(out);
    return status;
  }
  double setup = MPI_Wtime() - solver->begin - solver->row.seconds;
  HS_MPI(MPI_Allreduce(&setup, &solver->setup_seconds, 1, MPI_DOUBLE, MPI_MAX, problem->comm));
  return HS_OK;
}

hs_status_t hs_solver_run(hs_solver_t *solver, hs_observer_t *observer, void *context,
                          hs_solution_t *solution)
{
  *solution = (hs_solution_t){.setup_seconds = solver->setup_seconds, .resumed_at = solver->row.iteration};
  hs_status_t status = iterate(solver, observer, context, &solution->stop);
  if (status != HS_OK) return status;
  solution->last = solver->row;
  solution->loss = solver->best.loss;
  solution->factorings = solver->factorings;
  return HS_OK;
}

void hs_solver_continue(hs_solver_t *solver)
{
  solver->best = (hs_certificate_t){.primal = INFINITY, .dual = -INFINITY};
  solver->row = (hs_history_row_t){0};
  solver->traffic = (hs_traffic_t){0};
  solver->begin = MPI_Wtime();
  solver->setup_seconds = 0;
  solver->residual = INFINITY;
  solver->exact_after = 0;
  solver->factorings = 0;
  solver->requests = 0;
  hs_anderson_reset(solver->anderson, solver->problem->outputs, solver->x.curvature);
}

hs_status_t hs_solve(const hs_problem_t *problem, const hs_solve_options_t *options, hs_observer_t *observer,
                     void *context, hs_solution_t *solution)
{
  hs_solver_t *solver;
  *solution = (hs_solution_t){0};
  hs_status_t status = hs_solver_create(&solver, problem, options);
  if (status == HS_OK) status = hs_solver_run(solver, observer, context, solution);
  if (status == HS_OK) {
    solution->u = solver->x.best_z;
    solver->x.best_z = NULL;
  } else {
    *solution = (hs_solution_t){0};
  }
  hs_solver_free(&solver);
  return status;
}

void hs_solution_free(hs_solution_t *solution)
{
  hs_free(solution->u);
  *solution = (hs_solution_t){0};
}
