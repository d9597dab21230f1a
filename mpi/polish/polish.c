#include "mpi/polish/polish.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/polish/curvature.h"
#include "mpi/polish/dual.h"
#include "mpi/polish/newton.h"

/* sigma at the start: so many times the mean norm of a group over beta. From zero, so many times the length of the
 * step along the gradient that is best for the loss. */
#define START 10
#define START_FROM_ZERO 100

/* The center moves when the inner residual is below this multiple of the outer one; sigma then grows by the factor,
 * where few steps were needed. u+ carries the rounding of z, which grows with sigma, and its gradients show it: sigma
 * grows while the center moves by more than CLEAR times this rounding, and shrinks when it moves by less than DIM
 * times. */
#define THETA 0.2
#define GROWTH 10
#define FEW_STEPS 3
#define CLEAR 1e6
#define DIM 1e4

/* Newton steps of one center after which sigma is taken to be too large. */
#define MANY_STEPS 20

/* Line search: share of the slope wanted; shortest step; how often in a row sigma may be cut down instead. */
#define ARMIJO 1e-4
#define SHORTEST 1e-7
#define CUT 100
#define MOST_CUTS 3

/* Rounding of objectives: below it one is not better than another. */
#define ROUNDING 1e-14

/* An inner residual whose square is this share of the objective or less no longer counts: rounding keeps it from
 * falling any further. */
#define NEGLIGIBLE 1e-14

/* Steps without a better gap, after which there will be none. */
#define PATIENCE 30

/* Numbers that are added up with those of the dual. */
enum { SUM_STOP, SUM_COMPUTE, SUM_COMM, SUMS };

typedef struct polisher {
  const hs_problem_t *problem;
  const hs_polish_options_t *options;
  hs_dual_t dual;
  hs_curvature_t curvature;
  hs_newton_t newton;
  double *g, *step; /* rows x C: p - a; the step of p */
  double *x, *best; /* P x C x d: the step of the weights; the best weights */
  hs_certificate_t certificate;
  double start; /* objective that may not be exceeded */
  hs_history_row_t row;
  hs_traffic_t traffic;
  double begin;
  double best_gap;
  int64_t steps, best_step; /* so far, and at the best gap */
  int since, cuts;          /* steps since the center moved; cuts of sigma in a row */
  int requests;
  double sums[SUMS];
  bool improved;
} polisher_t;

const char *hs_polish_end_name(hs_polish_end_t end)
{
  static const char *const names[] = {"converged", "steps", "seconds", "signal", "stalled", "trouble"};
  return names[end];
}

/* Collective. */
static hs_status_t create(polisher_t *polisher)
{
  const hs_problem_t *problem = polisher->problem;
  size_t entries = (size_t)(problem->rows * problem->outputs);
  polisher->g = hs_alloc(entries, sizeof(double), "polish");
  polisher->step = hs_alloc(entries, sizeof(double), "polish");
  polisher->x = hs_alloc((size_t)problem->weights, sizeof(double), "polish");
  polisher->best = hs_alloc((size_t)problem->weights, sizeof(double), "polish");
  bool good = polisher->g != NULL && polisher->step != NULL && polisher->x != NULL && polisher->best != NULL;
  hs_status_t status =
      hs_curvature_create(&polisher->curvature, problem->loss, problem->rows, problem->outputs);
  status = hs_agree(problem->comm, good ? status : HS_NO_MEMORY);
  if (status == HS_OK) status = hs_dual_create(&polisher->dual, problem);
  if (status == HS_OK) status = hs_newton_create(&polisher->newton, problem);
  return status;
}

static void release(polisher_t *polisher)
{
  hs_free(polisher->g);
  hs_free(polisher->step);
  hs_free(polisher->x);
  hs_free(polisher->best);
  hs_dual_free(&polisher->dual);
  hs_curvature_free(&polisher->curvature);
  hs_newton_free(&polisher->newton);
}

static double dot(int64_t length, const double *x, const double *y)
{
  double sum = 0;
  for (int64_t e = 0; e < length; e++) sum += x[e] * y[e];
  return sum;
}

/* ---- the start ---- */

/* Mean norm of the groups of u that are on, over beta, as rank 0 finds it; 0 when none is. Collective. */
static double typical_sigma(const hs_problem_t *problem, const double *u)
{
  int64_t size = (int64_t)problem->d * (problem->groups == HS_PER_OUTPUT ? 1 : problem->outputs), on = 0;
  for (int64_t first = 0; first < problem->weights; first += size) on += dot(size, u + first, u + first) > 0;
  double sigma = on > 0 ? hs_problem_norm(problem, u) / (double)on / problem->beta : 0;
  HS_MPI(MPI_Bcast(&sigma, 1, MPI_DOUBLE, 0, problem->comm));
  return sigma;
}

/* |s|^2 / (l |A s|^2) with s = A'w, l the bound of the curvature. Collective. */
static double gradient_sigma(polisher_t *polisher)
{
  const hs_problem_t *problem = polisher->problem;
  hs_masked_forward_exact(problem->op, polisher->dual.s, polisher->step);
  double bend = dot(polisher->dual.entries, polisher->step, polisher->step);
  hs_sum(problem->comm, &bend, 1, &polisher->traffic);
  return dot(problem->weights, polisher->dual.s, polisher->dual.s) /
         (bend * hs_loss_curvature(problem->loss));
}

/* Take u as center and its predictions as p, and find its objective. False when something is not finite. Collective. */
static bool begin(polisher_t *polisher, const double *u)
{
  const hs_problem_t *problem = polisher->problem;
  hs_dual_t *dual = &polisher->dual;
  size_t bytes = (size_t)problem->weights * sizeof(double);
  memcpy(dual->center, u, bytes);
  memcpy(polisher->best, u, bytes);
  hs_masked_forward_exact(problem->op, u, dual->p);
  double loss = hs_loss_value(problem->loss, problem->rows, problem->outputs, dual->p, problem->Y);
  hs_sum(problem->comm, &loss, 1, &polisher->traffic);
  double primal = loss + problem->beta * hs_problem_norm(problem, u);
  if (!isfinite(primal)) return false;
  if (primal < polisher->certificate.primal) {
    polisher->certificate.primal = primal;
    polisher->certificate.loss = loss;
  }
  polisher->start = polisher->certificate.primal;
  double typical = typical_sigma(problem, u);
  dual->sigma = typical > 0 ? START * typical : 1;
  if (!hs_dual_move(dual, NULL, 0, &polisher->traffic)) return false;
  if (typical > 0) return true;
  dual->sigma = START_FROM_ZERO * gradient_sigma(polisher);
  return isfinite(dual->sigma) && hs_dual_map(dual);
}

/* ---- a step ---- */

/* Bounds, residuals and the history row of the point in hand; the best bounds are kept. Of weights that are equally
 * good up to rounding the later ones are taken: their gradients are the better ones. Collective. */
static void assess(polisher_t *polisher)
{
  const hs_problem_t *problem = polisher->problem;
  hs_dual_t *dual = &polisher->dual;
  hs_certificate_t *best = &polisher->certificate;
  double *sums = polisher->sums, elapsed = MPI_Wtime() - polisher->begin;
  sums[SUM_STOP] = (polisher->requests & HS_STOP) != 0;
  sums[SUM_COMPUTE] = elapsed - polisher->traffic.seconds;
  sums[SUM_COMM] = polisher->traffic.seconds;
  hs_dual_assess(dual, sums, SUMS, &polisher->traffic);
  double limit = fmin(polisher->start, best->primal + ROUNDING * fabs(best->primal));
  if (dual->bounds.primal < best->primal || (polisher->improved && dual->bounds.primal <= limit)) {
    best->primal = dual->bounds.primal;
    best->loss = dual->bounds.loss;
    memcpy(polisher->best, dual->map.u, (size_t)problem->weights * sizeof(double));
    polisher->improved = true;
  }
  best->dual = fmax(best->dual, dual->bounds.dual);
}

static void tell(polisher_t *polisher)
{
  const hs_polish_options_t *options = polisher->options;
  const hs_certificate_t *best = &polisher->certificate;
  double ranks = hs_ranks(polisher->problem->comm),
         blocks = (double)polisher->problem->shard->partition.blocks;
  polisher->row = (hs_history_row_t){
      .iteration = options->last.iteration + polisher->steps,
      .primal = best->primal,
      .dual = best->dual,
      .gap = best->primal - best->dual,
      .relative_gap = hs_certificate_relative_gap(best),
      .rho = 1 / (blocks * polisher->dual.sigma),
      .primal_residual = polisher->dual.outer,
      .dual_residual = polisher->dual.inner,
      .active_groups = polisher->dual.map.count,
      .seconds = options->last.seconds + MPI_Wtime() - polisher->begin,
      .compute_seconds = options->last.compute_seconds + polisher->sums[SUM_COMPUTE] / ranks,
      .comm_seconds = options->last.comm_seconds + polisher->sums[SUM_COMM] / ranks,
      .comm_bytes = options->last.comm_bytes + polisher->traffic.bytes};
  if (polisher->steps > 0 && options->observer != NULL)
    polisher->requests |= options->observer(options->context, &polisher->row);
}

/* The step of p towards A (u+ + x), x the solution of the Newton system. *slope: of phi along it. HS_NUMERICAL when the
 * system could not be solved, HS_INTERRUPTED when there was no time. Collective. */
static hs_status_t find_step(polisher_t *polisher, double *slope)
{
  const hs_problem_t *problem = polisher->problem;
  hs_dual_t *dual = &polisher->dual;
  double *g = polisher->g, *step = polisher->step, norms;
  for (int64_t e = 0; e < dual->entries; e++) g[e] = dual->p[e] - dual->a[e];
  hs_curvature_set(&polisher->curvature, dual->p, problem->Y);
  int status = (int)hs_newton_solve(&polisher->newton, &dual->map, &polisher->curvature, dual->sigma, g,
                                    polisher->x, &norms, &polisher->traffic);
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &status, 1, MPI_INT, MPI_MAX, problem->comm));
  if (status != HS_OK) return (hs_status_t)status;
  hs_masked_forward_exact(problem->op, polisher->x, step);
  for (int64_t e = 0; e < dual->entries; e++) step[e] -= g[e];
  /* With t = g - A x = -step, the slope -g'Ht is -(t'Ht + sigma |y|^2) for the solution y of the system: nothing
   * cancels in this form. */
  hs_curvature_apply(&polisher->curvature, step, g);
  double bend = dot(dual->entries, g, step);
  hs_sum(problem->comm, &bend, 1, &polisher->traffic);
  *slope = -bend - norms;
  return HS_OK;
}

/* p += length * step with a length that makes phi small enough. Where the decrease is below the rounding of phi, any
 * full step will do. False when there is no such length; the point is then as before. Collective. */
static bool search(polisher_t *polisher, double slope)
{
  hs_dual_t *dual = &polisher->dual;
  double before = hs_dual_objective(dual), rounding = ROUNDING * (fabs(dual->value) + fabs(before));
  for (double length = 1; length >= SHORTEST; length /= 2) {
    if (!hs_dual_move(dual, polisher->step, length, &polisher->traffic)) continue;
    int good = hs_dual_objective(dual) <= before + ARMIJO * length * slope + rounding;
    HS_MPI(MPI_Bcast(&good, 1, MPI_INT, 0, polisher->problem->comm));
    if (!good) continue;
    for (int64_t e = 0; e < dual->entries; e++) dual->p[e] += length * polisher->step[e];
    return true;
  }
  return hs_dual_move(dual, NULL, 0, &polisher->traffic) && false;
}

/* ---- centers and sigma ---- */

/* u+ becomes the center. Collective. */
static bool move_center(polisher_t *polisher)
{
  const hs_problem_t *problem = polisher->problem;
  hs_dual_t *dual = &polisher->dual;
  double noise = DBL_EPSILON * dual->sigma * problem->beta * sqrt((double)dual->map.count);
  double change = dual->outer * sqrt(dual->sigma);
  memcpy(dual->center, dual->map.u, (size_t)problem->weights * sizeof(double));
  if (polisher->since <= FEW_STEPS && change > CLEAR * GROWTH * noise)
    dual->sigma *= GROWTH;
  else if (change < DIM * noise)
    dual->sigma /= GROWTH;
  polisher->since = 0;
  if (!hs_dual_map(dual)) return false;
  hs_masked_forward_exact(problem->op, dual->map.u, dual->a);
  return true;
}

/* A smaller sigma makes an easier problem. Collective. */
static bool cut(polisher_t *polisher)
{
  hs_dual_t *dual = &polisher->dual;
  polisher->since = 0;
  dual->sigma /= CUT;
  if (!hs_dual_map(dual)) return false;
  hs_masked_forward_exact(polisher->problem->op, dual->map.u, dual->a);
  return true;
}

static bool is_centered(const polisher_t *polisher)
{
  const hs_dual_t *dual = &polisher->dual;
  return dual->inner <= THETA * dual->outer ||
         dual->inner * dual->inner <= NEGLIGIBLE * fabs(polisher->certificate.primal);
}

/* One Newton step, after a move of the center or a cut of sigma where it is time for them. HS_NUMERICAL when nothing
 * helps, HS_INTERRUPTED when there was no time. Collective. */
static hs_status_t advance(polisher_t *polisher)
{
  double slope;
  hs_status_t status;
  if (is_centered(polisher) && !move_center(polisher)) return HS_NUMERICAL;
  if (polisher->since >= MANY_STEPS && !cut(polisher)) return HS_NUMERICAL;
  while ((status = find_step(polisher, &slope)) != HS_OK || !search(polisher, slope)) {
    if (status == HS_INTERRUPTED) return status;
    if (++polisher->cuts > MOST_CUTS || !cut(polisher)) return HS_NUMERICAL;
  }
  polisher->cuts = 0;
  polisher->since += 1;
  polisher->steps += 1;
  return HS_OK;
}

/* ---- the polish ---- */

/* Is it over? From reduced values, so that all ranks decide alike. */
static bool is_over(polisher_t *polisher, hs_polish_end_t *end)
{
  double gap = polisher->row.relative_gap;
  if (gap < polisher->best_gap) {
    polisher->best_gap = gap;
    polisher->best_step = polisher->steps;
  }
  if (gap <= polisher->options->tolerance)
    *end = HS_POLISH_CONVERGED;
  else if (polisher->sums[SUM_STOP] > 0 || polisher->newton.stopped)
    *end = HS_POLISH_STOPPED;
  else if (polisher->newton.late)
    *end = HS_POLISH_SECONDS_USED;
  else if (polisher->steps >= polisher->options->max_steps)
    *end = HS_POLISH_STEPS_USED;
  else if (polisher->steps - polisher->best_step >= PATIENCE)
    *end = HS_POLISH_STALLED;
  else
    return false;
  return true;
}

static hs_status_t polish(polisher_t *polisher, const double *u, hs_polish_end_t *end)
{
  if (!begin(polisher, u))
    return hs_fail(HS_NUMERICAL, NULL, "polish",
                   "the objective at the start, or its gradient, is not finite");
  for (;;) {
    assess(polisher);
    tell(polisher);
    if (is_over(polisher, end)) return HS_OK;
    hs_status_t status = advance(polisher);
    if (status == HS_INTERRUPTED && is_over(polisher, end)) return HS_OK;
    if (status != HS_OK)
      return hs_fail(HS_NUMERICAL, NULL, "polish", "no step lowers the dual objective at sigma = %g",
                     polisher->dual.sigma);
  }
}

hs_status_t hs_polish(const hs_problem_t *problem, const hs_polish_options_t *options, double *u,
                      hs_certificate_t *certificate, hs_polish_report_t *report)
{
  polisher_t polisher = {.problem = problem,
                         .options = options,
                         .certificate = *certificate,
                         .begin = MPI_Wtime(),
                         .best_gap = INFINITY,
                         .row = options->last};
  *report = (hs_polish_report_t){.end = HS_POLISH_TROUBLE};
  hs_status_t status = create(&polisher);
  if (status == HS_OK) {
    if (options->max_seconds > 0) polisher.newton.deadline = polisher.begin + options->max_seconds;
    status = polish(&polisher, u, &report->end);
    if (polisher.improved) memcpy(u, polisher.best, (size_t)problem->weights * sizeof(double));
    *certificate = polisher.certificate;
  }
  if (status != HS_OK) {
    snprintf(report->message, sizeof report->message, "%s", hs_error_message());
    hs_error_clear();
  }
  report->improved = polisher.improved;
  report->last = polisher.row;
  report->steps = polisher.steps;
  report->factorings = polisher.newton.factorings;
  report->products = polisher.newton.products;
  report->seconds = MPI_Wtime() - polisher.begin;
  release(&polisher);
  return HS_OK;
}
