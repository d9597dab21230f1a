#include "mpi/admm/solve.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "block/block_inverse.h"
#include "mpi/admm/anderson.h"
#include "mpi/admm/certificate.h"
#include "mpi/admm/iterate.h"
#include "mpi/admm/penalty.h"
#include "mpi/comm/agree.h"

/* Anderson's memory is cleared where the residual exceeds the smallest one by this factor. */
#define RESIDUAL_GROWTH 2.0

/* Iterations between two exact certificates that did not confirm convergence (single precision). */
#define EXACT_PAUSE 10

/* A norm that equals the threshold up to rounding counts as equal: at beta_max the solution is zero, not a
 * speck of rounding. */
#define THRESHOLD_SLACK 1e-14

/* The sums of the second reduction; Anderson's follow. */
enum { SUM_LOSS, SUM_VR, SUM_VV, SUM_DUAL, SUM_STOP, SUM_TIME, SUM_COMPUTE, SUM_COMM, SUM_ANDERSON };

typedef struct solver {
  const hs_problem_t *problem;
  const hs_solve_options_t *options;
  hs_iterate_t x;
  hs_block_inverse_t *inverse;
  hs_anderson_t *anderson;
  hs_penalty_t penalty;
  hs_certificate_t best;
  double *best_w; /* residual of the best dual bound; single precision only */
  double *sums;
  int64_t entries; /* rows x C on this rank */
  double begin;    /* MPI_Wtime at the start */
  hs_traffic_t traffic;
  double residual;     /* |f|^2 of the last accepted step */
  bool accelerated;    /* the current point came from Anderson */
  bool stop_wanted;    /* by the observer on this rank */
  int64_t exact_after; /* no exact certificate before this iteration */
  int factorings;
  int64_t active;
  double scale; /* of w, into the dual feasible set */
  double dual_linear, dual_square;
} solver_t;

const char *hs_stop_name(hs_stop_t stop)
{
  static const char *const names[] = {"converged", "iterations", "seconds", "signal"};
  return names[stop];
}

static hs_status_t allocate(solver_t *solver)
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

static void release(solver_t *solver)
{
  hs_iterate_free(&solver->x);
  hs_block_inverse_free(&solver->inverse);
  hs_anderson_free(&solver->anderson);
  hs_free(solver->best_w);
  hs_free(solver->sums);
}

/* Blocks are factored anew for the current rho; old Anderson steps belong to another map. Collective. */
static hs_status_t factor(solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  hs_penalty_set_curvature(&solver->penalty, problem, solver->inverse, solver->x.p, solver->x.curvature);
  hs_status_t status = hs_block_inverse_factor(solver->inverse, solver->penalty.rho, solver->x.curvature);
  hs_anderson_reset(solver->anderson, problem->outputs, solver->x.curvature);
  solver->residual = INFINITY;
  solver->factorings += 1;
  return hs_agree(problem->comm, status);
}

/* w = -grad L(p);  s = A' w;  and the scale that makes w dual feasible. Collective. */
static void gradient(solver_t *solver)
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
static double consensus(solver_t *solver)
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
static void update_rows(solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  int C = solver->problem->outputs;
  hs_masked_forward(solver->problem->op, x->z1, x->a1);
  for (int64_t k = 0; k < solver->entries; k++) x->r[k] = x->p[k] - 2 * x->a1[k] + x->a[k];
  hs_block_inverse_apply(solver->inverse, x->r, x->v);
  for (int64_t k = 0; k < solver->entries; k++) x->p1[k] = x->p[k] - x->v[k] / x->curvature[k / C];
}

/* Everything that ranks have to add up after a step, in one small reduction. Collective. */
static void add_up(solver_t *solver)
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
  sums[SUM_STOP] = solver->stop_wanted ? 1 : 0;
  int rank = hs_rank(problem->comm);
  sums[SUM_TIME] =
      rank == 0 && solver->options->max_seconds > 0 && elapsed > solver->options->max_seconds ? 1 : 0;
  sums[SUM_COMPUTE] = elapsed - solver->traffic.seconds;
  sums[SUM_COMM] = solver->traffic.seconds;
  hs_anderson_take(solver->anderson, x->z, x->p, x->z1, x->p1, x->a1, sums + SUM_ANDERSON);
  hs_sum(problem->comm, sums, SUM_ANDERSON + hs_anderson_sums(solver->anderson), &solver->traffic);
}

/* Keep the lowest objective with its weights and the highest bound. Not collective: replicated. */
static void keep_best(solver_t *solver, double norms)
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

static hs_history_row_t make_row(const solver_t *solver, int64_t iteration)
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
static bool out_of_budget(const solver_t *solver, int64_t iteration, hs_stop_t *stop)
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

/* Products in single precision: what is reported at the end is recomputed in double, and bounds that double
 * does not confirm end no run. A budget counts whether they are confirmed or not. Collective. */
static bool finished(solver_t *solver, int64_t iteration, hs_stop_t *stop)
{
  double tolerance = solver->options->tolerance;
  bool out = out_of_budget(solver, iteration, stop);
  bool met = hs_certificate_relative_gap(&solver->best) <= tolerance;
  if (!met && !out) return false;
  if (solver->problem->shard->precision == HS_SINGLE) {
    if (!out && iteration < solver->exact_after) return false;
    hs_certificate_exact(solver->problem, solver->x.best_z, solver->best_w, solver->x.r, solver->x.s,
                         &solver->best, &solver->traffic);
    met = hs_certificate_relative_gap(&solver->best) <= tolerance;
    solver->exact_after = iteration + EXACT_PAUSE;
    if (!met && !out) return false;
  }
  if (met) *stop = HS_STOP_CONVERGED;
  return true;
}

/* The next point: accelerated, or the plain step (already at hand, so nothing is wasted) where the residual has
 * grown beyond the smallest one since the memory was cleared. Replicated. */
static void advance(solver_t *solver)
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

/* Start: p = 0 = A z. Collective. */
static hs_status_t start(solver_t *solver)
{
  const hs_problem_t *problem = solver->problem;
  solver->best = (hs_certificate_t){.primal = INFINITY, .dual = -INFINITY};
  hs_status_t status = hs_agree(problem->comm, allocate(solver));
  if (status != HS_OK) return status;
  hs_penalty_start(&solver->penalty, problem, solver->options->rho);
  return factor(solver);
}

static hs_status_t iterate(solver_t *solver, hs_observer_t *observer, void *context, hs_solution_t *solution)
{
  for (int64_t iteration = 1;; iteration++) {
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
    bool done = finished(solver, iteration, &solution->stop);
    solution->last = make_row(solver, iteration);
    if (observer != NULL) solver->stop_wanted = observer(context, &solution->last) || solver->stop_wanted;
    if (done) return HS_OK;
    if (hs_penalty_adapt(&solver->penalty, solver->problem, &solution->last)) {
      memcpy(solver->x.z, solver->x.z1, (size_t)solver->problem->weights * sizeof(double));
      memcpy(solver->x.p, solver->x.p1, (size_t)solver->entries * sizeof(double));
      memcpy(solver->x.a, solver->x.a1, (size_t)solver->entries * sizeof(double));
      hs_status_t status = factor(solver);
      if (status != HS_OK) return status;
    } else {
      advance(solver);
    }
  }
}

hs_status_t hs_solve(const hs_problem_t *problem, const hs_solve_options_t *options, hs_observer_t *observer,
                     void *context, hs_solution_t *solution)
{
  *solution = (hs_solution_t){0};
  solver_t solver = {.problem = problem, .options = options, .begin = MPI_Wtime()};
  hs_status_t status = start(&solver);
  double setup = MPI_Wtime() - solver.begin;
  if (status == HS_OK) status = iterate(&solver, observer, context, solution);
  if (status == HS_OK) {
    HS_MPI(MPI_Allreduce(&setup, &solution->setup_seconds, 1, MPI_DOUBLE, MPI_MAX, problem->comm));
    solution->loss = solver.best.loss;
    solution->factorings = solver.factorings;
    solution->u = solver.x.best_z;
    solver.x.best_z = NULL;
  }
  release(&solver);
  return status;
}

void hs_solution_free(hs_solution_t *solution)
{
  hs_free(solution->u);
  *solution = (hs_solution_t){0};
}
