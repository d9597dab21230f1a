#include "mpi/polish/newton.h"

#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "mpi/comm/agree.h"

/* Conjugate gradients stop at this |residual| / |y|, or after so many products. */
#define ACCURACY 0.1
#define MOST_PRODUCTS 500

/* Sums that travel with each product: has a signal come, has the deadline passed? */
enum { SUM_SIGNAL, SUM_LATE, SUMS };

/* Products that a system is expected to take before one has been seen. */
#define FIRST_GUESS 50

/* A flop of a masked product takes this many times as long as one of a matrix product. */
#define MASKED_COST 3

/* A matrix of this many flops is made without a comparison. */
#define CHEAP 3e8

hs_status_t hs_newton_create(hs_newton_t *newton, const hs_problem_t *problem)
{
  *newton = (hs_newton_t){.problem = problem, .expected = FIRST_GUESS};
  hs_status_t status = hs_dense_create(&newton->dense, problem);
  newton->marked = hs_alloc((size_t)problem->gates, sizeof *newton->marked, "list of gates");
  if (newton->marked == NULL) status = HS_NO_MEMORY;
  struct {
    double **vector;
    int64_t length;
  } wanted[] = {{&newton->rows, problem->rows * problem->outputs},
                {&newton->full, problem->weights},
                {&newton->y, problem->weights + SUMS},
                {&newton->r, problem->weights},
                {&newton->q, problem->weights},
                {&newton->v, problem->weights + SUMS}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == HS_OK; i++) {
    *wanted[i].vector = hs_alloc((size_t)wanted[i].length, sizeof(double), "Newton steps");
    if (*wanted[i].vector == NULL) status = HS_NO_MEMORY;
  }
  return hs_agree(problem->comm, status);
}

void hs_newton_free(hs_newton_t *newton)
{
  double *vectors[] = {newton->rows, newton->full, newton->y, newton->r, newton->q, newton->v};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) hs_free(vectors[i]);
  hs_free(newton->marked);
  hs_dense_free(&newton->dense);
  *newton = (hs_newton_t){0};
}

static double dot(int64_t length, const double *x, const double *y)
{
  double sum = 0;
  for (int64_t e = 0; e < length; e++) sum += x[e] * y[e];
  return sum;
}

/* compact = T A' rows, summed over ranks; compact has room for the sums behind. Collective. */
static void adjoint(hs_newton_t *newton, const hs_prox_map_t *map, double *compact, hs_traffic_t *traffic)
{
  const hs_problem_t *problem = newton->problem;
  double *sums = compact + map->length;
  bool first = hs_rank(problem->comm) == 0;
  hs_masked_adjoint_exact(problem->op, newton->rows, newton->full);
  hs_prox_map_gather(map, newton->full, compact);
  sums[SUM_SIGNAL] = hs_interrupted();
  sums[SUM_LATE] = first && newton->deadline > 0 && MPI_Wtime() > newton->deadline;
  hs_sum(problem->comm, compact, map->length + SUMS, traffic);
  newton->stopped = sums[SUM_SIGNAL] > 0;
  newton->late = sums[SUM_LATE] > 0;
  hs_prox_map_root(map, compact);
}

/* v = (I + sigma T A'HA T) q. Collective. */
static void multiply(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                     double sigma, hs_traffic_t *traffic)
{
  memcpy(newton->v, newton->q, (size_t)map->length * sizeof(double));
  hs_prox_map_root(map, newton->v);
  memset(newton->full, 0, (size_t)newton->problem->weights * sizeof(double));
  hs_prox_map_scatter(map, newton->v, newton->full);
  hs_masked_forward_exact(newton->problem->op, newton->full, newton->rows);
  hs_curvature_apply(curvature, newton->rows, newton->rows);
  adjoint(newton, map, newton->v, traffic);
  for (int64_t e = 0; e < map->length; e++) newton->v[e] = newton->q[e] + sigma * newton->v[e];
}

/* The squared length of x, as rank 0 has it: where processors differ, T may differ in its last bits. Collective. */
static double common_square(const hs_newton_t *newton, int64_t length, const double *x)
{
  double square = dot(length, x, x);
  HS_MPI(MPI_Bcast(&square, 1, MPI_DOUBLE, 0, newton->problem->comm));
  return square;
}

/* y = (I + sigma T A'HA T)^-1 y by conjugate gradients. Collective. */
static hs_status_t iterate(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                           double sigma, hs_traffic_t *traffic)
{
  int64_t length = map->length;
  size_t bytes = (size_t)length * sizeof(double);
  double *y = newton->y, *r = newton->r, *q = newton->q, *v = newton->v;
  double rr = common_square(newton, length, y), yy = 0;
  int count = 0;
  memcpy(r, y, bytes);
  memcpy(q, y, bytes);
  memset(y, 0, bytes);
  while (rr > ACCURACY * ACCURACY * yy && count++ < MOST_PRODUCTS) {
    multiply(newton, map, curvature, sigma, traffic);
    if (newton->stopped || newton->late) return HS_INTERRUPTED;
    double step = rr / dot(length, q, v), before = rr;
    for (int64_t e = 0; e < length; e++) y[e] += step * q[e];
    for (int64_t e = 0; e < length; e++) r[e] -= step * v[e];
    rr = common_square(newton, length, r);
    yy = common_square(newton, length, y);
    if (!isfinite(rr)) return HS_NUMERICAL;
    for (int64_t e = 0; e < length; e++) q[e] = r[e] + rr / before * q[e];
  }
  newton->products += count;
  newton->expected = count;
  return HS_OK;
}

static void mark_gates(hs_newton_t *newton, const hs_prox_map_t *map)
{
  memset(newton->marked, 0, (size_t)newton->problem->gates * sizeof *newton->marked);
  for (int t = 0; t < map->count; t++) newton->marked[map->units[t].gate] = true;
}

/* Is a matrix cheaper than the products that conjugate gradients will take? */
static bool wants_matrix(const hs_newton_t *newton, const hs_prox_map_t *map)
{
  const hs_problem_t *problem = newton->problem;
  double rows = (double)problem->shard->partition.rows / hs_ranks(problem->comm), flops;
  double product = 2 * rows * (double)(problem->weights + map->length) * MASKED_COST;
  if (!hs_dense_fits(&newton->dense, map, newton->marked, &flops)) return false;
  return flops <= fmax(CHEAP, newton->expected * product);
}

/* y = (I + sigma T A'HA T)^-1 y. Collective. */
static hs_status_t solve(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                         double sigma, hs_traffic_t *traffic)
{
  if (wants_matrix(newton, map)) {
    hs_status_t status =
        hs_dense_solve(&newton->dense, map, newton->marked, curvature, sigma, newton->y, traffic);
    newton->factorings += status == HS_OK;
    if (status != HS_NO_MEMORY) return status;
    hs_error_clear();
  }
  return iterate(newton, map, curvature, sigma, traffic);
}

hs_status_t hs_newton_solve(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                            double sigma, const double *g, double *x, double *norms, hs_traffic_t *traffic)
{
  memset(x, 0, (size_t)newton->problem->weights * sizeof *x);
  *norms = 0;
  if (map->count == 0) return HS_OK;
  mark_gates(newton, map);
  hs_curvature_apply(curvature, g, newton->rows);
  adjoint(newton, map, newton->y, traffic);
  hs_status_t status = solve(newton, map, curvature, sigma, traffic);
  if (status != HS_OK) return status;
  *norms = sigma * dot(map->length, newton->y, newton->y);
  hs_prox_map_root(map, newton->y);
  for (int64_t e = 0; e < map->length; e++) newton->y[e] *= sigma;
  hs_prox_map_scatter(map, newton->y, x);
  return HS_OK;
}
