#include "mpi/bench/fista.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "mpi/admm/certificate.h"
#include "mpi/comm/agree.h"

/* Power iteration ends when its estimate moves by less than this; the margin covers what is still missing. */
#define POWER_CHANGE 1e-4
#define POWER_ITERATIONS 200
#define LIPSCHITZ_MARGIN 1.02

/* Iterations between two exact certificates that did not confirm convergence (single precision). */
#define EXACT_PAUSE 10

enum { SUM_LOSS, SUM_DUAL, SUM_STOP, SUM_TIME, SUM_COMPUTE, SUM_COMM, SUMS };

typedef struct fista {
  const hs_problem_t *problem;
  const hs_solve_options_t *options;
  double *z, *z1, *y, *best_z; /* weights: last and next iterate, extrapolated point, lowest objective */
  double *a, *a1, *q, *w;      /* rows x C: A z, A z1, A y, -grad L(q) */
  double *s;                   /* A' w, and two sums behind it */
  double *best_w;              /* residual of the best dual bound; single precision only */
  int64_t entries;             /* rows x C on this rank */
  double lipschitz, t;
  hs_certificate_t best;
  double scale; /* of w, into the dual feasible set */
  double dual_linear, dual_square;
  double step_square; /* |z1 - y|^2 */
  int64_t active, exact_after;
  bool stop_wanted;
  double sums[SUMS];
  double begin;
  hs_traffic_t traffic;
} fista_t;

static hs_status_t allocate(fista_t *fista)
{
  const hs_problem_t *problem = fista->problem;
  int64_t weights = problem->weights, entries = problem->rows * problem->outputs;
  bool single = problem->shard->precision == HS_SINGLE;
  struct {
    double **vector;
    int64_t length;
  } wanted[] = {{&fista->z, weights},     {&fista->z1, weights},
                {&fista->y, weights},     {&fista->best_z, weights},
                {&fista->s, weights + 2}, {&fista->a, entries},
                {&fista->a1, entries},    {&fista->q, entries},
                {&fista->w, entries},     {&fista->best_w, single ? entries : 0}};
  fista->entries = entries;
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    *wanted[i].vector = hs_alloc((size_t)wanted[i].length, sizeof(double), "FISTA");
    if (*wanted[i].vector == NULL) return HS_NO_MEMORY;
  }
  return HS_OK;
}

static void release(fista_t *fista)
{
  double *vectors[] = {fista->z, fista->z1, fista->y, fista->best_z, fista->s,
                       fista->a, fista->a1, fista->q, fista->w,      fista->best_w};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) hs_free(vectors[i]);
}

/* |A|^2 by power iteration on A'A, from below; a random start meets the leading eigenvector. Collective. */
static double largest_eigenvalue(fista_t *fista)
{
  const hs_problem_t *problem = fista->problem;
  int64_t weights = problem->weights;
  double *v = fista->y, estimate = 0;
  for (int64_t e = 0; e < weights; e++) v[e] = hs_random_normal(0, HS_STREAM_POWER, (uint64_t)e);
  for (int iteration = 0; iteration < POWER_ITERATIONS; iteration++) {
    double square = 0, before = estimate;
    for (int64_t e = 0; e < weights; e++) square += v[e] * v[e];
    for (int64_t e = 0; e < weights; e++) v[e] /= sqrt(square);
    hs_masked_forward(problem->op, v, fista->q);
    hs_masked_adjoint(problem->op, fista->q, fista->s);
    hs_sum(problem->comm, fista->s, weights, &fista->traffic);
    estimate = 0;
    for (int64_t e = 0; e < weights; e++) estimate += v[e] * fista->s[e];
    memcpy(v, fista->s, (size_t)weights * sizeof *v);
    if (!(estimate - before > POWER_CHANGE * estimate)) break;
  }
  return estimate;
}

/* Start: z = y = 0 = q. Collective. */
static hs_status_t start(fista_t *fista)
{
  const hs_problem_t *problem = fista->problem;
  hs_status_t status = hs_agree(problem->comm, allocate(fista));
  if (status != HS_OK) return status;
  fista->lipschitz = LIPSCHITZ_MARGIN * hs_loss_curvature(problem->loss) * largest_eigenvalue(fista);
  if (!isfinite(fista->lipschitz) || fista->lipschitz <= 0)
    return hs_fail(HS_NUMERICAL, NULL, "FISTA", "the norm of the operator is %g", fista->lipschitz);
  memset(fista->y, 0, (size_t)problem->weights * sizeof(double));
  memset(fista->q, 0, (size_t)fista->entries * sizeof(double));
  fista->best = (hs_certificate_t){.primal = INFINITY, .dual = -INFINITY};
  fista->t = 1;
  return HS_OK;
}

/* w = -grad L(q);  s = A' w;  and the scale that makes w dual feasible. Collective. */
static void gradient(fista_t *fista)
{
  const hs_problem_t *problem = fista->problem;
  double *w = fista->w, *s = fista->s;
  hs_loss_gradient(problem->loss, problem->rows, problem->outputs, fista->q, problem->Y, w);
  for (int64_t k = 0; k < fista->entries; k++) w[k] = -w[k];
  hs_masked_adjoint(problem->op, w, s);
  hs_dual_ray_t ray = {0};
  if (hs_loss_dual_is_quadratic(problem->loss))
    ray = hs_loss_dual_ray(problem->loss, problem->rows, problem->outputs, w, problem->Y);
  s[problem->weights] = ray.linear;
  s[problem->weights + 1] = ray.square;
  hs_sum(problem->comm, s, problem->weights + 2, &fista->traffic);
  fista->dual_linear = s[problem->weights];
  fista->dual_square = s[problem->weights + 1];
  fista->scale = hs_certificate_scale(problem, s);
}

/* z+ = prox_{beta/l}( y + s/l ) and a+ = A z+; returns the summed norms. Not collective. */
static double proximal_step(fista_t *fista)
{
  const hs_problem_t *problem = fista->problem;
  double step = 1 / fista->lipschitz, norms = 0;
  int64_t size = (int64_t)problem->d * problem->outputs;
  fista->active = 0;
  for (int64_t e = 0; e < problem->weights; e++) fista->z1[e] = fista->y[e] + step * fista->s[e];
  for (int i = 0; i < problem->gates; i++) {
    int active = 0;
    norms += hs_group_prox(problem->groups, problem->d, problem->outputs, fista->z1 + i * size,
                           problem->beta * step, &active, problem->group_work);
    fista->active += active;
  }
  hs_masked_forward(problem->op, fista->z1, fista->a1);
  return norms;
}

/* Everything that ranks have to add up after a step. Collective. */
static void add_up(fista_t *fista)
{
  const hs_problem_t *problem = fista->problem;
  double *sums = fista->sums, elapsed = MPI_Wtime() - fista->begin, limit = fista->options->max_seconds;
  int C = problem->outputs;
  memset(sums, 0, sizeof fista->sums);
  sums[SUM_LOSS] = hs_loss_value(problem->loss, problem->rows, C, fista->a1, problem->Y);
  if (!hs_loss_dual_is_quadratic(problem->loss))
    sums[SUM_DUAL] =
        hs_loss_dual_value(problem->loss, problem->rows, C, fista->w, fmin(1, fista->scale), problem->Y);
  sums[SUM_STOP] = fista->stop_wanted ? 1 : 0;
  sums[SUM_TIME] = hs_rank(problem->comm) == 0 && limit > 0 && elapsed > limit ? 1 : 0;
  sums[SUM_COMPUTE] = elapsed - fista->traffic.seconds;
  sums[SUM_COMM] = fista->traffic.seconds;
  hs_sum(problem->comm, sums, SUMS, &fista->traffic);
}

/* Keep the lowest objective with its weights and the highest bound. Replicated. */
static void keep_best(fista_t *fista, double norms)
{
  const hs_problem_t *problem = fista->problem;
  double primal = fista->sums[SUM_LOSS] + problem->beta * norms;
  if (primal < fista->best.primal || isnan(primal)) {
    fista->best.primal = primal;
    fista->best.loss = fista->sums[SUM_LOSS];
    memcpy(fista->best_z, fista->z1, (size_t)problem->weights * sizeof(double));
  }
  double dual = fista->sums[SUM_DUAL];
  if (hs_loss_dual_is_quadratic(problem->loss))
    dual = hs_certificate_quadratic(problem, fista->dual_linear, fista->dual_square, fista->scale);
  if (!(dual > fista->best.dual)) return;
  fista->best.dual = dual;
  if (problem->shard->precision == HS_SINGLE)
    memcpy(fista->best_w, fista->w, (size_t)fista->entries * sizeof(double));
}

/* The next y, with momentum or restarted. Replicated. */
static void extrapolate(fista_t *fista)
{
  int64_t weights = fista->problem->weights;
  double turn = 0, next = (1 + sqrt(1 + 4 * fista->t * fista->t)) / 2, momentum = (fista->t - 1) / next;
  fista->step_square = 0;
  for (int64_t e = 0; e < weights; e++) {
    double step = fista->z1[e] - fista->y[e];
    fista->step_square += step * step;
    turn -= step * (fista->z1[e] - fista->z[e]);
  }
  if (turn > 0) next = 1, momentum = 0;
  for (int64_t e = 0; e < weights; e++) fista->y[e] = fista->z1[e] + momentum * (fista->z1[e] - fista->z[e]);
  for (int64_t k = 0; k < fista->entries; k++)
    fista->q[k] = fista->a1[k] + momentum * (fista->a1[k] - fista->a[k]);
  fista->t = next;
  double *z = fista->z, *a = fista->a;
  fista->z = fista->z1;
  fista->z1 = z;
  fista->a = fista->a1;
  fista->a1 = a;
}

static hs_history_row_t make_row(const fista_t *fista, int64_t iteration)
{
  double ranks = hs_ranks(fista->problem->comm);
  return (hs_history_row_t){.iteration = iteration,
                            .primal = fista->best.primal,
                            .dual = fista->best.dual,
                            .gap = fista->best.primal - fista->best.dual,
                            .relative_gap = hs_certificate_relative_gap(&fista->best),
                            .rho = fista->lipschitz,
                            .primal_residual = sqrt(fista->lipschitz * fista->step_square),
                            .active_groups = fista->active,
                            .seconds = MPI_Wtime() - fista->begin,
                            .compute_seconds = fista->sums[SUM_COMPUTE] / ranks,
                            .comm_seconds = fista->sums[SUM_COMM] / ranks,
                            .comm_bytes = fista->traffic.bytes};
}

/* Decided from reduced values alone, so that all ranks decide alike. Collective. */
static bool finished(fista_t *fista, int64_t iteration, hs_stop_t *stop)
{
  const hs_solve_options_t *options = fista->options;
  if (hs_certificate_relative_gap(&fista->best) <= options->tolerance)
    *stop = HS_STOP_CONVERGED;
  else if (fista->sums[SUM_STOP] > 0)
    *stop = HS_STOP_SIGNAL;
  else if (fista->sums[SUM_TIME] > 0)
    *stop = HS_STOP_SECONDS;
  else if (iteration >= options->max_iterations)
    *stop = HS_STOP_ITERATIONS;
  else
    return false;
  if (fista->problem->shard->precision == HS_DOUBLE) return true;
  /* Products were single: what is reported at the end is recomputed in double. a1 and s are scratch here. */
  if (*stop == HS_STOP_CONVERGED && iteration < fista->exact_after) return false;
  hs_certificate_t exact;
  hs_certificate_exact(fista->problem, fista->best_z, fista->best_w, fista->a1, fista->s, &exact,
                       &fista->traffic);
  if (*stop == HS_STOP_CONVERGED && hs_certificate_relative_gap(&exact) > options->tolerance) {
    fista->exact_after = iteration + EXACT_PAUSE;
    *stop = HS_STOP_ITERATIONS;
    if (iteration < options->max_iterations) return false;
  }
  fista->best = exact;
  return true;
}

/* Collective. */
static hs_status_t iterate(fista_t *fista, hs_observer_t *observer, void *context, hs_solution_t *solution)
{
  for (int64_t iteration = 1;; iteration++) {
    gradient(fista);
    double norms = proximal_step(fista);
    add_up(fista);
    keep_best(fista, norms);
    if (!isfinite(fista->best.primal))
      return hs_fail(HS_NUMERICAL, NULL, "FISTA", "the objective is not finite in iteration %lld",
                     (long long)iteration);
    extrapolate(fista);
    bool done = finished(fista, iteration, &solution->stop);
    solution->last = make_row(fista, iteration);
    if (observer != NULL) fista->stop_wanted = observer(context, &solution->last) || fista->stop_wanted;
    if (done) return HS_OK;
  }
}

hs_status_t hs_fista(const hs_problem_t *problem, const hs_solve_options_t *options, hs_observer_t *observer,
                     void *context, hs_solution_t *solution)
{
  *solution = (hs_solution_t){0};
  fista_t fista = {.problem = problem, .options = options, .begin = MPI_Wtime()};
  hs_status_t status = start(&fista);
  double setup = MPI_Wtime() - fista.begin;
  if (status == HS_OK) status = iterate(&fista, observer, context, solution);
  if (status == HS_OK) {
    HS_MPI(MPI_Allreduce(&setup, &solution->setup_seconds, 1, MPI_DOUBLE, MPI_MAX, problem->comm));
    solution->loss = fista.best.loss;
    solution->u = fista.best_z;
    fista.best_z = NULL;
  }
  release(&fista);
  return status;
}
