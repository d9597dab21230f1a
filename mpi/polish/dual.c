#include "mpi/polish/dual.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

enum { SUM_LOSS, SUM_DUAL, SUM_INNER, OWN_SUMS };

hs_status_t hs_dual_create(hs_dual_t *dual, const hs_problem_t *problem)
{
  *dual = (hs_dual_t){.problem = problem, .entries = problem->rows * problem->outputs};
  hs_status_t status = hs_prox_map_create(&dual->map, problem);
  struct {
    double **vector;
    int64_t length;
  } wanted[] = {{&dual->p, dual->entries},         {&dual->w, dual->entries},
                {&dual->a, dual->entries},         {&dual->scratch, dual->entries},
                {&dual->center, problem->weights}, {&dual->s, problem->weights + OWN_SUMS},
                {&dual->z, problem->weights}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == HS_OK; i++) {
    *wanted[i].vector = hs_alloc((size_t)wanted[i].length, sizeof(double), "polish");
    if (*wanted[i].vector == NULL) status = HS_NO_MEMORY;
  }
  return hs_agree(problem->comm, status);
}

void hs_dual_free(hs_dual_t *dual)
{
  double *vectors[] = {dual->p, dual->w, dual->a, dual->scratch, dual->center, dual->s, dual->z};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) hs_free(vectors[i]);
  hs_prox_map_free(&dual->map);
  *dual = (hs_dual_t){0};
}

static double dot(int64_t length, const double *x, const double *y)
{
  double sum = 0;
  for (int64_t e = 0; e < length; e++) sum += x[e] * y[e];
  return sum;
}

/* out = -grad L(p) */
static void residual(const hs_dual_t *dual, const double *p, double *out)
{
  const hs_problem_t *problem = dual->problem;
  hs_loss_gradient(problem->loss, problem->rows, problem->outputs, p, problem->Y, out);
  for (int64_t e = 0; e < dual->entries; e++) out[e] = -out[e];
}

bool hs_dual_map(hs_dual_t *dual)
{
  const hs_problem_t *problem = dual->problem;
  for (int64_t e = 0; e < problem->weights; e++) dual->z[e] = dual->center[e] + dual->sigma * dual->s[e];
  bool good = hs_prox_map_set(&dual->map, dual->z, dual->sigma * problem->beta) == HS_OK;
  int64_t print = good ? hs_prox_map_print(&dual->map) : -1, votes[2] = {print, -print};
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, votes, 2, MPI_INT64_T, MPI_MIN, problem->comm));
  return votes[0] >= 0 && votes[0] == -votes[1];
}

bool hs_dual_move(hs_dual_t *dual, const double *step, double length, hs_traffic_t *traffic)
{
  const hs_problem_t *problem = dual->problem;
  double *p = dual->scratch, *sums = dual->s + problem->weights;
  for (int64_t e = 0; e < dual->entries; e++) p[e] = dual->p[e] + (step != NULL ? length * step[e] : 0);
  residual(dual, p, dual->w);
  hs_masked_adjoint_exact(problem->op, dual->w, dual->s);
  /* Fenchel's equality: L*(-w) = <-w, p> - L(p). */
  sums[0] = hs_loss_value(problem->loss, problem->rows, problem->outputs, p, problem->Y) +
            dot(dual->entries, dual->w, p);
  hs_dual_ray_t ray = {0};
  if (hs_loss_dual_is_quadratic(problem->loss))
    ray = hs_loss_dual_ray(problem->loss, problem->rows, problem->outputs, dual->w, problem->Y);
  sums[1] = ray.linear;
  sums[2] = ray.square;
  hs_sum(problem->comm, dual->s, problem->weights + OWN_SUMS, traffic);
  dual->value = sums[0];
  dual->linear = sums[1];
  dual->square = sums[2];
  return hs_dual_map(dual);
}

double hs_dual_objective(const hs_dual_t *dual)
{
  return dual->map.square / (2 * dual->sigma) - dual->value;
}

/* <w(a) - w(p), p - a>: not negative, as the loss is convex. */
static double distance(hs_dual_t *dual)
{
  double sum = 0;
  residual(dual, dual->a, dual->scratch);
  for (int64_t e = 0; e < dual->entries; e++)
    sum += (dual->scratch[e] - dual->w[e]) * (dual->p[e] - dual->a[e]);
  return sum;
}

/* Norms of weights, and with them all that is decided on, may differ in the last bits where processors do: rank 0
 * speaks for all. Collective. */
static void agree_on_bounds(hs_dual_t *dual)
{
  double said[] = {dual->bounds.primal, dual->bounds.dual, dual->inner, dual->outer};
  HS_MPI(MPI_Bcast(said, 4, MPI_DOUBLE, 0, dual->problem->comm));
  dual->bounds.primal = said[0];
  dual->bounds.dual = said[1];
  dual->inner = said[2];
  dual->outer = said[3];
}

void hs_dual_assess(hs_dual_t *dual, double *sums, int count, hs_traffic_t *traffic)
{
  const hs_problem_t *problem = dual->problem;
  double all[OWN_SUMS + HS_DUAL_SUMS] = {0}, scale = hs_certificate_scale(problem, dual->s), change = 0;
  bool quadratic = hs_loss_dual_is_quadratic(problem->loss);
  hs_masked_forward_exact(problem->op, dual->map.u, dual->a);
  all[SUM_LOSS] = hs_loss_value(problem->loss, problem->rows, problem->outputs, dual->a, problem->Y);
  if (!quadratic)
    all[SUM_DUAL] = hs_loss_dual_value(problem->loss, problem->rows, problem->outputs, dual->w,
                                       fmin(1, scale), problem->Y);
  all[SUM_INNER] = distance(dual);
  memcpy(all + OWN_SUMS, sums, (size_t)count * sizeof *sums);
  hs_sum(problem->comm, all, OWN_SUMS + count, traffic);
  memcpy(sums, all + OWN_SUMS, (size_t)count * sizeof *sums);
  for (int64_t e = 0; e < problem->weights; e++)
    change += (dual->map.u[e] - dual->center[e]) * (dual->map.u[e] - dual->center[e]);
  /* The norm of u+ as it is stored; that of the map is off by rounding at the size of z. */
  dual->bounds.loss = all[SUM_LOSS];
  dual->bounds.primal = all[SUM_LOSS] + problem->beta * hs_problem_norm(problem, dual->map.u);
  dual->bounds.dual =
      quadratic ? hs_certificate_quadratic(problem, dual->linear, dual->square, scale) : all[SUM_DUAL];
  dual->inner = sqrt(fmax(0, all[SUM_INNER]));
  dual->outer = sqrt(change / dual->sigma);
  agree_on_bounds(dual);
}
