#include "mpi/polish/polish.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/polish/newton.h"

typedef struct polisher {
  const hs_problem_t *problem;
  const hs_polish_options_t *options;
  int64_t entries;
  double *p, *w, *a, *step, *trial; /* rows x C */
  double *u, *s, *z, *x, *best;     /* P x C x d; s has room behind */
  hs_prox_map_t map;
  hs_curvature_t curvature;
  hs_newton_t newton;
  hs_traffic_t traffic;
  hs_certificate_t certificate;
  double begin, sigma;
  double value, linear, square; /* D(w), and the sums of its ray */
  double inner, outer;
  int64_t steps;
  int since; /* steps since center */
  bool improved;
} polisher_t;

const char *hs_polish_end_name(hs_polish_end_t end)
{
  static const char *const names[] = {"converged", "steps", "seconds", "signal", "stalled", "trouble"};
  return names[end];
}

static hs_status_t allocate(polisher_t *polisher, const hs_masks_t *masks)
{
  const hs_problem_t *problem = polisher->problem;
  polisher->entries = problem->rows * problem->outputs;
  struct {
    double **vector;
    int64_t length;
  } wanted[] = {{&polisher->p, polisher->entries},    {&polisher->w, polisher->entries},
                {&polisher->a, polisher->entries},    {&polisher->step, polisher->entries},
                {&polisher->trial, polisher->entries}, {&polisher->u, problem->weights},
                {&polisher->s, problem->weights + 3}, {&polisher->z, problem->weights},
                {&polisher->x, problem->weights},     {&polisher->best, problem->weights}};
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == HS_OK; i++) {
    *wanted[i].vector = hs_alloc((size_t)wanted[i].length, sizeof(double), "polish");
    if (*wanted[i].vector == NULL) status = HS_NO_MEMORY;
  }
  if (status == HS_OK) status = hs_prox_map_create(&polisher->map, problem);
  if (status == HS_OK)
    status = hs_curvature_create(&polisher->curvature, problem->loss, problem->rows, problem->outputs);
  status = hs_agree(problem->comm, status);
  return status == HS_OK ? hs_newton_create(&polisher->newton, problem, masks) : status;
}

static void release(polisher_t *polisher)
{
  double *vectors[] = {polisher->p, polisher->w, polisher->a, polisher->step, polisher->trial,
                       polisher->u, polisher->s, polisher->z, polisher->x,    polisher->best};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) hs_free(vectors[i]);
  hs_prox_map_free(&polisher->map);
  hs_curvature_free(&polisher->curvature);
  hs_newton_free(&polisher->newton);
}

static double dot(int64_t length, const double *x, const double *y)
{
  double sum = 0;
  for (int64_t e = 0; e < length; e++) sum += x[e] * y[e];
  return sum;
}

/* w, s, D(w) at predictions p. */
static void evaluate(polisher_t *polisher, const double *p)
{
  const hs_problem_t *problem = polisher->problem;
  double *w = polisher->w, *s = polisher->s;
  hs_loss_gradient(problem->loss, problem->rows, problem->outputs, p, problem->Y, w);
  for (int64_t e = 0; e < polisher->entries; e++) w[e] = -w[e];
  hs_masked_adjoint_exact(problem->op, w, s);
  hs_dual_ray_t ray = {0};
  if (hs_loss_dual_is_quadratic(problem->loss))
    ray = hs_loss_dual_ray(problem->loss, problem->rows, problem->outputs, w, problem->Y);
  double *extra = s + problem->weights;
  extra[0] = hs_loss_value(problem->loss, problem->rows, problem->outputs, p, problem->Y) +
             dot(polisher->entries, w, p);
  extra[1] = ray.linear;
  extra[2] = ray.square;
  hs_sum(problem->comm, s, problem->weights + 3, &polisher->traffic);
  polisher->value = extra[0];
  polisher->linear = extra[1];
  polisher->square = extra[2];
}

static hs_status_t take_map(polisher_t *polisher)
{
  for (int64_t e = 0; e < polisher->problem->weights; e++)
    polisher->z[e] = polisher->u[e] + polisher->sigma * polisher->s[e];
  return hs_agree(polisher->problem->comm,
                  hs_prox_map_set(&polisher->map, polisher->z, polisher->sigma * polisher->problem->beta));
}

static double merit(const polisher_t *polisher)
{
  return -polisher->value + polisher->map.square / (2 * polisher->sigma);
}

/* a = A u+, bounds, residuals */
static void assess(polisher_t *polisher)
{
  const hs_problem_t *problem = polisher->problem;
  double sums[3] = {0};
  hs_masked_forward_exact(problem->op, polisher->map.u, polisher->a);
  sums[0] = hs_loss_value(problem->loss, problem->rows, problem->outputs, polisher->a, problem->Y);
  double scale = hs_certificate_scale(problem, polisher->s);
  if (!hs_loss_dual_is_quadratic(problem->loss))
    sums[1] = hs_loss_dual_value(problem->loss, problem->rows, problem->outputs, polisher->w, fmin(1, scale),
                                 problem->Y);
  hs_loss_gradient(problem->loss, problem->rows, problem->outputs, polisher->a, problem->Y, polisher->trial);
  for (int64_t e = 0; e < polisher->entries; e++)
    sums[2] -= (polisher->w[e] + polisher->trial[e]) * (polisher->p[e] - polisher->a[e]);
  hs_sum(problem->comm, sums, 3, &polisher->traffic);
  double dual = sums[1];
  if (hs_loss_dual_is_quadratic(problem->loss))
    dual = hs_certificate_quadratic(problem, polisher->linear, polisher->square, scale);
  double primal = sums[0] + problem->beta * hs_problem_norm(problem, polisher->map.u);
  polisher->inner = sqrt(fmax(0, sums[2]));
  double change = 0;
  for (int64_t e = 0; e < problem->weights; e++)
    change += (polisher->map.u[e] - polisher->u[e]) * (polisher->map.u[e] - polisher->u[e]);
  polisher->outer = sqrt(change / polisher->sigma);
  if (getenv("HS_POLISH_DEBUG"))
    printf("  step %3d primal %.15g dual %.15g gap %.3e inner %.3e outer %.3e sigma %.2e on %d dense %d prods %d\n",
           (int)polisher->steps, primal, dual, (primal - dual) / primal, polisher->inner, polisher->outer,
           polisher->sigma, polisher->map.count, (int)polisher->newton.dense, (int)polisher->newton.products);
  if (primal < polisher->certificate.primal) {
    polisher->certificate.primal = primal;
    polisher->certificate.loss = sums[0];
    memcpy(polisher->best, polisher->map.u, (size_t)problem->weights * sizeof(double));
    polisher->improved = true;
  }
  polisher->certificate.dual = fmax(polisher->certificate.dual, dual);
}

static hs_status_t newton_step(polisher_t *polisher, bool *full)
{
  const hs_problem_t *problem = polisher->problem;
  double *g = polisher->trial, inner;
  for (int64_t e = 0; e < polisher->entries; e++) g[e] = polisher->p[e] - polisher->a[e];
  hs_curvature_set(&polisher->curvature, polisher->p, problem->Y);
  double accuracy = getenv("HS_CG") ? atof(getenv("HS_CG")) : 1e-4;
  hs_status_t status =
      hs_newton_solve(&polisher->newton, &polisher->map, &polisher->curvature, polisher->sigma, g, accuracy,
                      polisher->x, &inner, &polisher->traffic);
  status = hs_agree(problem->comm, status);
  if (status != HS_OK) return status;
  hs_masked_forward_exact(problem->op, polisher->x, polisher->step);
  for (int64_t e = 0; e < polisher->entries; e++) polisher->step[e] += polisher->a[e] - polisher->p[e];
  hs_curvature_apply(&polisher->curvature, polisher->step, g);
  double slope = dot(polisher->entries, g, polisher->step);
  hs_sum(problem->comm, &slope, 1, &polisher->traffic);
  slope = -inner - slope;
  double start = merit(polisher), noise = 1e-14 * (fabs(polisher->value) + fabs(start)), length = 1;
  for (int trial = 0;; trial++, length /= 2) {
    for (int64_t e = 0; e < polisher->entries; e++)
      polisher->trial[e] = polisher->p[e] + length * polisher->step[e];
    evaluate(polisher, polisher->trial);
    status = take_map(polisher);
    if (status != HS_OK) return status;
    if (getenv("HS_POLISH_DEBUG") && trial > 0) printf("     length %g: %.6e slope %.3e\n", length, merit(polisher) - start, slope);
    if (merit(polisher) <= start + 1e-4 * length * slope + noise) break;
    if (trial == 30) return HS_NUMERICAL;
  }
  *full = length == 1;
  memcpy(polisher->p, polisher->trial, (size_t)polisher->entries * sizeof(double));
  polisher->steps++;
  return HS_OK;
}

static hs_status_t polish(polisher_t *polisher, const double *u)
{
  const hs_problem_t *problem = polisher->problem;
  memcpy(polisher->u, u, (size_t)problem->weights * sizeof(double));
  memcpy(polisher->best, u, (size_t)problem->weights * sizeof(double));
  hs_masked_forward_exact(problem->op, u, polisher->p);
  polisher->certificate.loss =
      hs_loss_value(problem->loss, problem->rows, problem->outputs, polisher->p, problem->Y);
  hs_sum(problem->comm, &polisher->certificate.loss, 1, &polisher->traffic);
  polisher->certificate.primal = polisher->certificate.loss + problem->beta * hs_problem_norm(problem, u);
  evaluate(polisher, polisher->p);
  int on = 0;
  double norm = hs_problem_norm(problem, u);
  int64_t size = (int64_t)problem->d * problem->outputs;
  for (int i = 0; i < problem->gates; i++) on += dot(size, u + i * size, u + i * size) > 0;
  double factor = getenv("HS_S0") ? atof(getenv("HS_S0")) : 10;
  if (on > 0)
    polisher->sigma = factor * norm / on / problem->beta;
  else {
    hs_masked_forward_exact(problem->op, polisher->s, polisher->a);
    double bend = hs_loss_curvature(problem->loss) * dot(polisher->entries, polisher->a, polisher->a);
    hs_sum(problem->comm, &bend, 1, &polisher->traffic);
    polisher->sigma = 10 * factor * dot(problem->weights, polisher->s, polisher->s) / bend;
  }
  double theta = getenv("HS_THETA") ? atof(getenv("HS_THETA")) : 0.3;
  double grow = getenv("HS_GROW") ? atof(getenv("HS_GROW")) : 10;
  hs_status_t status = take_map(polisher);
  double before = INFINITY;
  bool full = false;
  while (status == HS_OK) {
    assess(polisher);
    if (hs_certificate_relative_gap(&polisher->certificate) <= polisher->options->tolerance) break;
    if (polisher->steps >= polisher->options->max_steps) break;
    if (polisher->inner <= theta * polisher->outer || (full && polisher->inner > 0.9 * before && polisher->inner * polisher->inner < 1e-13 * polisher->certificate.primal)) {
      memcpy(polisher->u, polisher->map.u, (size_t)problem->weights * sizeof(double));
      if (polisher->since <= 3) polisher->sigma *= grow;
      status = take_map(polisher);
      hs_masked_forward_exact(problem->op, polisher->map.u, polisher->a);
      polisher->since = 0;
    }
    before = polisher->inner;
    if (status == HS_OK) status = newton_step(polisher, &full);
    polisher->since++;
  }
  return status;
}

hs_status_t hs_polish(const hs_problem_t *problem, const hs_masks_t *masks, const hs_polish_options_t *options,
                      double *u, hs_certificate_t *certificate, hs_polish_report_t *report)
{
  polisher_t polisher = {.problem = problem, .options = options, .begin = MPI_Wtime()};
  polisher.certificate = *certificate;
  *report = (hs_polish_report_t){.end = HS_POLISH_CONVERGED};
  hs_status_t status = allocate(&polisher, masks);
  if (status == HS_OK) status = polish(&polisher, u);
  report->steps = polisher.steps;
  report->seconds = MPI_Wtime() - polisher.begin;
  report->factorings = polisher.newton.factorings;
  report->products = polisher.newton.products;
  if (polisher.best != NULL) memcpy(u, polisher.best, (size_t)problem->weights * sizeof(double));
  *certificate = polisher.certificate;
  if (status != HS_OK) report->end = HS_POLISH_TROUBLE;
  release(&polisher);
  return HS_OK;
}
