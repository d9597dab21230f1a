#include "mpi/admm/solve.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/admm/solver.h"
#include "mpi/comm/agree.h"

/* Anderson's memory is cleared where the residual exceeds the smallest one by this factor. */
#define RESIDUAL_GROWTH 2.0

/* Iterations between two exact certificates that did not confirm convergence (single precision). */
#define EXACT_PAUSE 10

/* Newton steps (finish.h) begin when the groups have been the same for so many iterations, below this relative gap;
 * each has to bring the gap down by this factor, or fails; and after so many failures in a row they are taken back. */
#define TRIAL_STEADY 3
#define TRIAL_GAP 0.1
#define TRIAL_FALL 0.3
#define TRIAL_FAILURES 2
#define TRIAL_WAIT 3
#define TRIAL_PAUSE 4.0 /* iterations until the next attempt, for each that a failed one has cost */

/* Where the gap has not fallen by this share in so many iterations, acceleration is left off for so many, then for
 * twice as many, and so on. Seen where rows and weights are few: their differences are dependent. */
#define STALL_FALL 0.9
#define STALL_ITERATIONS 50
#define PLAIN_ITERATIONS 50

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
  solver->entries = problem->rows * problem->outputs;
  hs_status_t status = hs_iterate_create(&solver->x, problem->weights, problem->rows, problem->outputs);
  if (status == HS_OK)
    status =
        hs_anderson_create(&solver->anderson, solver->options->anderson, problem->weights, solver->entries);
  if (status == HS_OK) status = hs_active_set_create(&solver->active_set, problem);
  if (status == HS_OK) {
    solver->sums =
        hs_alloc((size_t)(SUM_ANDERSON + hs_anderson_sums(solver->anderson)), sizeof(double), "sums");
    if (solver->sums == NULL) status = HS_NO_MEMORY;
  }
  if (status == HS_OK && solver->inexact) {
    solver->best_w = hs_alloc((size_t)solver->entries, sizeof(double), "residual");
    if (solver->best_w == NULL) status = HS_NO_MEMORY;
  }
  return status;
}

void hs_solver_free(hs_solver_t **out)
{
  hs_solver_t *solver = *out;
  *out = NULL;
  if (solver == NULL) return;
  hs_iterate_free(&solver->x);
  hs_x_update_free(&solver->update);
  hs_reduction_free(&solver->reduction);
  hs_anderson_free(&solver->anderson);
  hs_active_set_free(&solver->active_set);
  hs_finish_free(&solver->finish);
  hs_free(solver->trial.z);
  hs_free(solver->trial.p);
  hs_free(solver->trial.a);
  hs_free(solver->best_w);
  hs_free(solver->sums);
  hs_free(solver);
}

/* Blocks are factored anew for the current rho; old Anderson steps belong to another map. Collective. */
static hs_status_t factor(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  hs_penalty_set_curvature(&solver->penalty, problem, solver->update, solver->x.p, solver->x.curvature);
  hs_status_t status = hs_x_update_factor(solver->update, solver->penalty.rho, solver->x.curvature);
  hs_anderson_reset(solver->anderson, problem->outputs, solver->x.curvature);
  solver->residual = INFINITY;
  solver->factorings += 1;
  solver->factor_next = false;
  return status;
}

/* w = -grad L(p);  s = A' w, but for gates that cannot matter;  and the scale that makes w dual feasible.
 * Collective. */
static void gradient(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  hs_iterate_t *x = &solver->x;
  hs_loss_gradient(problem->loss, problem->rows, problem->outputs, x->p, problem->Y, x->w);
  for (int64_t k = 0; k < solver->entries; k++) x->w[k] = -x->w[k];
  hs_dual_ray_t ray = {0};
  if (hs_loss_dual_is_quadratic(problem->loss))
    ray = hs_loss_dual_ray(problem->loss, problem->rows, problem->outputs, x->w, problem->Y);
  x->s[problem->weights] = ray.linear;
  x->s[problem->weights + 1] = ray.square;
  double norm = hs_active_set_gradient(solver->active_set, x->z, x->w, x->s, 2, &solver->traffic);
  solver->dual_linear = x->s[problem->weights];
  solver->dual_square = x->s[problem->weights + 1];
  solver->scale = norm > 0 ? problem->beta / norm : INFINITY;
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
  solver->change = 0;
  for (int i = 0; i < problem->gates; i++) {
    double *block = x->z1 + i * size;
    for (int64_t e = 0; e < size; e++) block[e] = x->z[i * size + e] + step * x->s[i * size + e];
    int active = 0;
    norms += hs_group_prox(problem->groups, problem->d, problem->outputs, block, threshold, &active,
                           problem->group_work);
    for (int64_t e = 0; e < size; e++)
      solver->change += (block[e] - x->z[i * size + e]) * (block[e] - x->z[i * size + e]);
    solver->active += active;
  }
  return norms;
}

/* v = M ( p - A (2 z+ - z) );  p+ = p - v / lambda. Not collective. */
static void update_rows(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  int C = solver->problem->outputs;
  hs_problem_forward(solver->problem, x->z1, x->a1);
  for (int64_t k = 0; k < solver->entries; k++) x->r[k] = x->p[k] - 2 * x->a1[k] + x->a[k];
  hs_x_update_apply(solver->update, x->r, x->v, &solver->traffic);
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
  if (solver->trial.on)
    memset(sums + SUM_ANDERSON, 0, (size_t)hs_anderson_sums(solver->anderson) * sizeof *sums);
  else
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
  return (hs_history_row_t){.iteration = iteration,
                            .primal = solver->best.primal,
                            .dual = solver->best.dual,
                            .gap = gap,
                            .relative_gap = hs_certificate_relative_gap(&solver->best),
                            .rho = solver->penalty.rho,
                            .primal_residual = sqrt(hs_penalty_metric(&solver->penalty) * solver->change),
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

/* Recompute the bounds in double from the data, where the iteration has neither. Collective. */
static hs_status_t confirm(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  if (!solver->inexact) return HS_OK;
  if (solver->reduction != NULL)
    return hs_reduction_confirm(solver->reduction, x->best_z, solver->best_w, &solver->best,
                                &solver->traffic);
  hs_certificate_exact(solver->problem, x->best_z, solver->best_w, x->r, x->s, &solver->best,
                       &solver->traffic);
  return HS_OK;
}

static bool goal_is_met(const hs_solver_t *solver)
{
  return hs_certificate_relative_gap(&solver->best) <= solver->options->tolerance;
}

/* Is the goal met? Bounds that are not confirmed end no run. Collective. */
static hs_status_t converged(hs_solver_t *solver, int64_t iteration, bool *done)
{
  *done = goal_is_met(solver);
  if (!*done || !solver->inexact) return HS_OK;
  *done = false;
  if (iteration < solver->exact_after) return HS_OK;
  hs_status_t status = confirm(solver);
  solver->exact_after = iteration + EXACT_PAUSE;
  *done = goal_is_met(solver);
  return status;
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

static void copy_point(const hs_solver_t *solver, const double *z, const double *p, const double *a,
                       double *to_z, double *to_p, double *to_a)
{
  memcpy(to_z, z, (size_t)solver->problem->weights * sizeof(double));
  memcpy(to_p, p, (size_t)solver->entries * sizeof(double));
  memcpy(to_a, a, (size_t)solver->entries * sizeof(double));
}

/* Newton's point from z+, with p = A z: the residual of the next iteration is the true one. Collective. */
static hs_status_t newton(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  bool moved;
  solver->trial.spent += hs_finish_cost(solver->finish, x->z1);
  copy_point(solver, x->z1, x->a1, x->a1, x->z, x->p, x->a);
  hs_status_t status = hs_finish_step(solver->finish, x->z, &moved, &solver->traffic);
  if (status != HS_OK || !moved) return status;
  hs_problem_forward(solver->problem, x->z, x->a);
  memcpy(x->p, x->a, (size_t)solver->entries * sizeof(double));
  return HS_OK;
}

/* Back to where the iteration would have gone on. */
static void give_up(hs_solver_t *solver)
{
  hs_attempt_t *trial = &solver->trial;
  hs_iterate_t *x = &solver->x;
  copy_point(solver, trial->z, trial->p, trial->a, x->z, x->p, x->a);
  trial->on = false;
  trial->wait = hs_max64(2 * trial->wait, (int64_t)ceil(TRIAL_PAUSE * trial->spent));
  trial->ready = solver->row.iteration + trial->wait;
  trial->same = 0;
  trial->wanted = TRIAL_STEADY;
}

/* The point was one of Newton's: on from it, or back. One failure is forgiven, since the step of the iteration that
 * found it out has just corrected the groups. Collective. */
static hs_status_t judge(hs_solver_t *solver)
{
  hs_attempt_t *trial = &solver->trial;
  double gap = hs_certificate_relative_gap(&solver->best);
  bool better = gap <= TRIAL_FALL * trial->gap;
  trial->fails = better ? 0 : trial->fails + 1;
  if (better) trial->gap = gap;
  if (trial->fails >= TRIAL_FAILURES || !isfinite(hs_finish_cost(solver->finish, solver->x.z1))) {
    give_up(solver);
    return HS_OK;
  }
  return newton(solver);
}

/* Have the groups settled, and does it pay? Replicated. */
static bool trial_is_due(hs_solver_t *solver)
{
  hs_attempt_t *trial = &solver->trial;
  if (solver->finish == NULL) return false;
  int64_t pattern = hs_finish_pattern(solver->finish, solver->x.z1);
  trial->same = pattern == trial->pattern ? trial->same + 1 : 1;
  trial->pattern = pattern;
  return trial->same >= trial->wanted && solver->row.iteration >= trial->ready &&
         hs_certificate_relative_gap(&solver->best) < TRIAL_GAP &&
         isfinite(hs_finish_cost(solver->finish, solver->x.z1));
}

hs_status_t hs_solver_trial_room(hs_solver_t *solver)
{
  hs_attempt_t *trial = &solver->trial;
  size_t weights = (size_t)solver->problem->weights, entries = (size_t)solver->entries;
  if (trial->z != NULL) return HS_OK;
  trial->z = hs_alloc(weights, sizeof(double), "Newton steps");
  trial->p = hs_alloc(entries, sizeof(double), "Newton steps");
  trial->a = hs_alloc(entries, sizeof(double), "Newton steps");
  return trial->z != NULL && trial->p != NULL && trial->a != NULL ? HS_OK : HS_NO_MEMORY;
}

/* Collective. */
static hs_status_t begin_trial(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  hs_attempt_t *trial = &solver->trial;
  hs_status_t status = hs_agree(solver->problem->comm, hs_solver_trial_room(solver));
  if (status != HS_OK) return status;
  copy_point(solver, x->z, x->p, x->a, trial->z, trial->p, trial->a);
  trial->on = true;
  trial->gap = hs_certificate_relative_gap(&solver->best);
  trial->fails = 0;
  trial->spent = 0;
  return newton(solver);
}

/* Has acceleration to pause? *restart: it begins now. Replicated. */
static bool is_plain(hs_solver_t *solver, bool *restart)
{
  int64_t iteration = solver->row.iteration;
  double gap = hs_certificate_relative_gap(&solver->best);
  if (gap < STALL_FALL * solver->progress_gap) {
    solver->progress_gap = gap;
    solver->progress_at = iteration;
  }
  *restart = iteration >= solver->plain_until && iteration - solver->progress_at >= STALL_ITERATIONS;
  if (*restart) {
    solver->plain_until = iteration + solver->plain_length;
    solver->plain_length *= 2;
    solver->progress_at = solver->plain_until;
    hs_anderson_reset(solver->anderson, solver->problem->outputs, solver->x.curvature);
    solver->residual = INFINITY;
  }
  return iteration < solver->plain_until;
}

/* To the next point: the plain step where the map changes with it, else the accelerated one, or one of Newton's.
 * Collective. */
static hs_status_t advance(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  if (solver->trial.on) return judge(solver);
  solver->factor_next = hs_penalty_adapt(&solver->penalty, solver->problem, &solver->row);
  bool restart, due = trial_is_due(solver), plain = is_plain(solver, &restart);
  if (restart) {
    /* A curved loss may have been led to where it is flat: back to the best weights. */
    memcpy(x->z, x->best_z, (size_t)solver->problem->weights * sizeof(double));
    hs_problem_forward(solver->problem, x->z, x->a);
    memcpy(x->p, x->a, (size_t)solver->entries * sizeof(double));
    return HS_OK;
  }
  if (solver->factor_next || plain)
    copy_point(solver, x->z1, x->p1, x->a1, x->z, x->p, x->a);
  else
    accelerate(solver);
  return due && !solver->factor_next ? begin_trial(solver) : HS_OK;
}

/* The blocks as they were when the checkpoint was written: for the penalty and the curvatures then. Where the rows
 * are cut into other blocks now (more ranks than blocks), the map is another: N rho stays, the memory goes.
 * Collective. */
static hs_status_t factor_again(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  double blocks = hs_x_update_blocks(solver->update), before = solver->penalty.blocks;
  if (before != blocks) {
    solver->penalty.rho *= before / blocks;
    solver->penalty.start *= before / blocks;
    solver->penalty.blocks = blocks;
    hs_anderson_reset(solver->anderson, problem->outputs, solver->x.curvature);
    solver->residual = INFINITY;
  }
  hs_anderson_set_curvature(solver->anderson, problem->outputs, solver->x.curvature);
  return hs_x_update_factor(solver->update, solver->penalty.rho, solver->x.curvature);
}

/* ---- the iteration ---- */

/* Share of the memory of a machine that factors may take. */
#define MEMORY_SHARE 0.5

static bool goes_on(const hs_solve_options_t *options)
{
  return options->start == NULL && options->checkpoint != NULL && hs_checkpoint_found(options->checkpoint);
}

static hs_x_shape_t shape_of(const hs_problem_t *problem)
{
  const hs_partition_t *partition = &problem->shard->partition;
  return (hs_x_shape_t){.rows = partition->rows,
                        .blocks = partition->blocks,
                        .d = problem->d,
                        .gates = problem->gates,
                        .outputs = problem->outputs,
                        .precision = problem->shard->precision,
                        .squared = problem->loss.kind == HS_SQUARED};
}

hs_status_t hs_solve_choose(const hs_problem_t *problem, const hs_solve_options_t *options, hs_x_kind_t *kind,
                            hs_x_estimate_t *estimates)
{
  MPI_Comm comm = problem->comm;
  hs_x_shape_t shape = shape_of(problem);
  double memory = MEMORY_SHARE * hs_machine_bytes() / hs_ranks_on_node(comm);
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPI_DOUBLE, MPI_MIN, comm));
  hs_x_estimate(&shape, hs_ranks(comm), memory, estimates);
  *kind = options->x_update;
  if (*kind != HS_X_AUTO) return HS_OK;
  if (goes_on(options)) return hs_solver_stored_kind(options->checkpoint, comm, kind);
  *kind = options->blocks_given ? HS_X_BLOCK_KERNEL : hs_x_choose(&shape, hs_ranks(comm), memory);
  return HS_OK;
}

/* The x-update, and with it the rows that are iterated on. Collective. */
static hs_status_t choose(hs_solver_t *solver)
{
  const hs_problem_t *given = solver->given;
  hs_checkpoint_t *checkpoint = solver->options->checkpoint;
  hs_x_estimate_t estimates[HS_X_KINDS];
  hs_status_t status = hs_solve_choose(given, solver->options, &solver->kind, estimates);
  hs_x_shape_t shape = shape_of(given);
  hs_x_estimate(&shape, 1, INFINITY, estimates);
  solver->iteration_seconds = estimates[solver->kind].iteration;
  bool gram = solver->kind == HS_X_BLOCK_GRAM || solver->kind == HS_X_GLOBAL_GRAM;
  if (status == HS_OK && gram && given->loss.kind == HS_SQUARED) {
    status = hs_reduction_create(&solver->reduction, given, solver->kind == HS_X_GLOBAL_GRAM);
    if (status != HS_OK) return status;
    solver->problem = &solver->reduction->problem;
    if (checkpoint != NULL) hs_checkpoint_cut(checkpoint, solver->reduction->first_row);
  }
  solver->inexact = given->shard->precision == HS_SINGLE || solver->reduction != NULL;
  return status;
}

/* What Newton steps and the penalty of one block need of c = A'Y. Collective. */
static hs_status_t use_gradient(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  hs_iterate_t *x = &solver->x;
  hs_traffic_t traffic = {0}; /* no part of an iteration's */
  if (problem->loss.kind != HS_SQUARED) return HS_OK;
  hs_problem_adjoint(problem, problem->Y, x->s);
  hs_sum(problem->comm, x->s, problem->weights, &traffic);
  hs_status_t status = HS_OK;
  if (!solver->options->no_newton)
    status = hs_finish_create(&solver->finish, problem, solver->given, x->s, solver->iteration_seconds);
  status = hs_agree(problem->comm, status);
  if (status != HS_OK || solver->penalty.blocks > 1) return status;
  /* T / beta = sqrt(P) |A s|^2 / |s|^3 */
  double square = 0, length = 0;
  hs_problem_forward(problem, x->s, x->r);
  for (int64_t k = 0; k < solver->entries; k++) square += x->r[k] * x->r[k];
  for (int64_t e = 0; e < problem->weights; e++) length += x->s[e] * x->s[e];
  hs_sum(problem->comm, &square, 1, &traffic);
  if (length > 0 && square > 0) solver->penalty.tangent = sqrt(problem->gates) * square / pow(length, 1.5);
  return HS_OK;
}

/* p = A z, so that the first w is the residual of the given weights, which are the best so far. Collective. */
static void begin_at(hs_solver_t *solver, const double *weights)
{
  const hs_problem_t *problem = solver->problem;
  hs_iterate_t *x = &solver->x;
  memcpy(x->z, weights, (size_t)problem->weights * sizeof(double));
  memcpy(x->best_z, weights, (size_t)problem->weights * sizeof(double));
  hs_problem_forward(problem, x->z, x->a);
  memcpy(x->p, x->a, (size_t)solver->entries * sizeof(double));
  double loss = hs_loss_value(problem->loss, problem->rows, problem->outputs, x->a, problem->Y);
  hs_sum(problem->comm, &loss, 1, &solver->traffic);
  solver->best.loss = loss;
  solver->best.primal = loss + problem->beta * hs_problem_norm(problem, weights);
}

/* Start: p = 0 = A z, at given weights, or where the checkpoint left off. Collective. */
static hs_status_t start(hs_solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  solver->best = (hs_certificate_t){.primal = INFINITY, .dual = -INFINITY};
  solver->saved_at = solver->begin;
  hs_status_t status = hs_agree(problem->comm, allocate(solver));
  if (status == HS_OK) status = hs_x_update_create(&solver->update, problem, solver->kind);
  if (status != HS_OK) return status;
  hs_penalty_start(&solver->penalty, hs_x_update_blocks(solver->update), solver->options->rho);
  solver->trial.wait = TRIAL_WAIT;
  solver->trial.wanted = TRIAL_STEADY;
  solver->progress_gap = INFINITY;
  solver->plain_length = PLAIN_ITERATIONS;
  status = use_gradient(solver);
  if (status != HS_OK) return status;
  if (solver->options->start != NULL) begin_at(solver, solver->options->start);
  if (!goes_on(solver->options)) return factor(solver);
  status = hs_solver_restore(solver);
  if (status != HS_OK) return status;
  return solver->factor_next ? factor(solver) : factor_again(solver);
}

/* What is reported at a budget is recomputed in double, after the checkpoint: a run that goes on knows nothing of it.
 * Collective. */
static hs_status_t report_exactly(hs_solver_t *solver, hs_observer_t *observer, void *context,
                                  hs_stop_t *stop)
{
  hs_status_t status = confirm(solver);
  if (!solver->inexact || status != HS_OK) return status;
  if (goal_is_met(solver)) *stop = HS_STOP_CONVERGED;
  solver->row.primal = solver->best.primal;
  solver->row.dual = solver->best.dual;
  solver->row.gap = solver->best.primal - solver->best.dual;
  solver->row.relative_gap = hs_certificate_relative_gap(&solver->best);
  if (observer != NULL) observer(context, &solver->row);
  return HS_OK;
}

/* A run that had stopped at a budget which is still used up. From the checkpoint alone, hence alike on all ranks. */
static bool nothing_left(const hs_solver_t *solver, hs_stop_t *stop)
{
  const hs_solve_options_t *options = solver->options;
  *stop = solver->row.iteration >= options->max_iterations ? HS_STOP_ITERATIONS : HS_STOP_SECONDS;
  return goal_is_met(solver) || solver->row.iteration >= options->max_iterations ||
         (options->max_seconds > 0 && solver->row.seconds >= options->max_seconds);
}

/* At the goal: a checkpoint as after any other iteration, which a run with the same goal finds met, and one with a tighter
 * goal goes on from. Collective. */
static hs_status_t save_converged(hs_solver_t *solver)
{
  if (!solver->options->keep_converged || solver->options->checkpoint == NULL) return HS_OK;
  hs_status_t status = advance(solver);
  return status == HS_OK ? hs_solver_save(solver, "running") : status;
}

static hs_status_t iterate(hs_solver_t *solver, hs_observer_t *observer, void *context, hs_stop_t *stop)
{
  hs_status_t status = HS_OK;
  if (solver->row.iteration > 0 && nothing_left(solver, stop))
    return report_exactly(solver, observer, context, stop);
  if (solver->factor_next) status = factor(solver);
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
    bool done;
    status = converged(solver, iteration, &done);
    if (status != HS_OK) return status;
    solver->row = make_row(solver, iteration);
    if (observer != NULL) solver->requests |= observer(context, &solver->row);
    if (done) {
      *stop = HS_STOP_CONVERGED;
      return save_converged(solver);
    }
    status = advance(solver);
    if (status != HS_OK) return status;
    if (out_of_budget(solver, iteration, stop)) {
      status = hs_solver_save(solver, hs_stop_name(*stop));
      if (status == HS_OK) status = report_exactly(solver, observer, context, stop);
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
    solver->given = solver->problem = problem;
    solver->options = options;
    solver->begin = MPI_Wtime();
    status = choose(solver);
  }
  if (status == HS_OK) status = start(solver);
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
  solution->x_update = solver->kind;
  return HS_OK;
}

void hs_solver_continue(hs_solver_t *solver)
{
  if (solver->reduction != NULL) solver->reduction->problem.beta = solver->given->beta;
  if (hs_penalty_follow(&solver->penalty, solver->given->beta)) solver->factor_next = true;
  solver->progress_gap = INFINITY;
  solver->progress_at = solver->plain_until = 0;
  solver->plain_length = PLAIN_ITERATIONS;
  hs_attempt_t *trial = &solver->trial; /* if it is on: on from Newton's point */
  trial->on = false;
  trial->fails = 0;
  trial->pattern = trial->same = trial->ready = 0;
  trial->wait = TRIAL_WAIT;
  trial->wanted = 1; /* the groups of a neighbouring beta are nearly right */
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
