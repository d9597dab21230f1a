#include "mpi/polish/newton.h"

#include <cblas.h>
#include <math.h>
#include <string.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
                    const int *ldb, int *info);

/* Largest system that is factored. */
#define DENSE_LIMIT 4000

/* Most conjugate gradient iterations for one step. */
#define MOST_PRODUCTS 500

hs_status_t hs_newton_create(hs_newton_t *newton, const hs_problem_t *problem, const hs_masks_t *masks)
{
  *newton = (hs_newton_t){.problem = problem};
  hs_status_t status = hs_gram_create(&newton->gram, problem, masks);
  int64_t weights = problem->weights;
  struct {
    double **vector;
    int64_t length;
  } wanted[] = {
      {&newton->rows, problem->rows * problem->outputs},
      {&newton->full, weights},
      {&newton->rhs, weights},
      {&newton->y, weights},
      {&newton->r, weights},
      {&newton->q, weights},
      {&newton->v, weights},
      {&newton->m, weights},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == HS_OK; i++) {
    *wanted[i].vector = hs_alloc((size_t)wanted[i].length, sizeof(double), "Newton steps");
    if (*wanted[i].vector == NULL) status = HS_NO_MEMORY;
  }
  newton->marked = hs_alloc((size_t)problem->gates, sizeof *newton->marked, "list of gates");
  if (newton->marked == NULL) status = HS_NO_MEMORY;
  return hs_agree(problem->comm, status);
}

void hs_newton_free(hs_newton_t *newton)
{
  double *vectors[] = {newton->matrix, newton->rows, newton->full, newton->rhs, newton->y,
                       newton->r,      newton->q,    newton->v,    newton->m};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) hs_free(vectors[i]);
  hs_free(newton->marked);
  hs_gram_free(&newton->gram);
  *newton = (hs_newton_t){0};
}

/* compact = A' (rows), summed over ranks, on the units of the map. Collective. */
static void adjoint(hs_newton_t *newton, const hs_prox_map_t *map, const double *rows, double *compact,
                    hs_traffic_t *traffic)
{
  hs_masked_adjoint_exact(newton->problem->op, rows, newton->full);
  hs_prox_map_gather(map, newton->full, compact);
  hs_sum(newton->problem->comm, compact, map->length, traffic);
}

/* ---- dense ---- */

/* Copy sigma G into the columns of the system that belong to output e of unit b, rows of output c of unit a. */
static void copy_block(const hs_newton_t *newton, const double *G, double sigma, int place_a, int place_b,
                       int64_t order, double *to)
{
  int64_t d = newton->problem->d, N = newton->gram.side;
  for (int64_t l = 0; l < d; l++)
    for (int64_t k = 0; k < d; k++)
      to[l * order + k] = sigma * G[(place_b * d + l) * N + place_a * d + k];
}

/* matrix = sigma A_S'HA_S, both triangles. */
static void assemble(hs_newton_t *newton, const hs_prox_map_t *map, double sigma)
{
  int64_t d = newton->problem->d, order = map->length, column = 0;
  memset(newton->matrix, 0, (size_t)(order * order) * sizeof(double));
  for (int b = 0; b < map->count; b++)
    for (int e = 0; e < map->units[b].outputs; e++, column += d) {
      int64_t row = 0;
      for (int a = 0; a < map->count; a++)
        for (int c = 0; c < map->units[a].outputs; c++, row += d) {
          const hs_unit_t *at = &map->units[a], *bt = &map->units[b];
          const double *G = hs_gram_block(&newton->gram, at->output + c, bt->output + e);
          if (G == NULL) continue;
          copy_block(newton, G, sigma, newton->gram.place[at->gate], newton->gram.place[bt->gate], order,
                     newton->matrix + column * order + row);
        }
    }
}

static void transpose(int64_t order, double *matrix)
{
  for (int64_t j = 0; j < order; j++)
    for (int64_t i = 0; i < j; i++) {
      double kept = matrix[j * order + i];
      matrix[j * order + i] = matrix[i * order + j];
      matrix[i * order + j] = kept;
    }
}

/* matrix = I + T matrix T. */
static void surround(hs_newton_t *newton, const hs_prox_map_t *map)
{
  int64_t order = map->length;
  for (int side = 0; side < 2; side++) {
    for (int64_t column = 0; column < order; column++)
      hs_prox_map_root(map, newton->matrix + column * order);
    transpose(order, newton->matrix);
  }
  for (int64_t e = 0; e < order; e++) newton->matrix[e * order + e] += 1;
}

static hs_status_t enlarge(hs_newton_t *newton, int64_t wanted)
{
  if (wanted <= newton->room) return HS_OK;
  hs_free(newton->matrix);
  newton->room = 0;
  newton->matrix = hs_alloc((size_t)wanted, sizeof(double), "Newton system");
  if (newton->matrix == NULL) return HS_NO_MEMORY;
  newton->room = wanted;
  return HS_OK;
}

/* y from the right-hand side in y. */
static hs_status_t solve_dense(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                               double sigma, hs_traffic_t *traffic)
{
  int order = (int)map->length, one = 1, info = 0;
  hs_status_t status = hs_gram_make(&newton->gram, newton->marked, curvature, false, traffic);
  if (status == HS_OK) status = hs_agree(newton->problem->comm, enlarge(newton, map->length * map->length));
  if (status != HS_OK) return status;
  assemble(newton, map, sigma);
  surround(newton, map);
  dpotrf_("L", &order, newton->matrix, &order, &info);
  newton->factorings += 1;
  if (info != 0) return HS_NUMERICAL;
  dpotrs_("L", &order, &one, newton->matrix, &order, newton->y, &order, &info);
  return HS_OK;
}

/* ---- conjugate gradients ---- */

/* v = (I + sigma T A'HA T) q. Collective. */
static void multiply(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature, double sigma,
                     hs_traffic_t *traffic)
{
  memcpy(newton->v, newton->q, (size_t)map->length * sizeof(double));
  hs_prox_map_root(map, newton->v);
  memset(newton->full, 0, (size_t)newton->problem->weights * sizeof(double));
  hs_prox_map_scatter(map, newton->v, newton->full);
  hs_masked_forward_exact(newton->problem->op, newton->full, newton->rows);
  hs_curvature_apply(curvature, newton->rows, newton->rows);
  adjoint(newton, map, newton->rows, newton->v, traffic);
  hs_prox_map_root(map, newton->v);
  for (int64_t e = 0; e < map->length; e++) newton->v[e] = newton->q[e] + sigma * newton->v[e];
  newton->products += 1;
}


static double *GR; static double *HD;
static hs_status_t precondition_make(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                                     double sigma, hs_traffic_t *traffic)
{
  const hs_problem_t *pr = newton->problem;
  int64_t E = pr->rows * pr->outputs, S = map->count, d = pr->d;
  double *AZ = hs_alloc((size_t)(E * S), 8, "AZ"), *V = hs_alloc((size_t)E, 8, "V");
  free(GR); GR = calloc((size_t)(S * S), 8);
  free(HD); HD = calloc((size_t)(S), 8);
  for (int64_t t = 0; t < S; t++) {
    memset(newton->full, 0, (size_t)pr->weights * 8);
    int64_t len = d * map->units[t].outputs;
    memcpy(newton->full + map->units[t].offset, map->direction + map->units[t].offset, (size_t)len * 8);
    hs_masked_forward_exact(pr->op, newton->full, AZ + t * E);
  }
  for (int64_t t = 0; t < S; t++) {
    hs_curvature_apply(curvature, AZ + t * E, V);
    for (int64_t q = 0; q < S; q++) { double x = 0; for (int64_t e = 0; e < E; e++) x += V[e] * AZ[q * E + e]; GR[t * S + q] = x; }
  }
  hs_sum(pr->comm, GR, S * S, traffic);
  for (int64_t t = 0; t < S * S; t++) GR[t] *= sigma;
  for (int64_t t = 0; t < S; t++) GR[t * S + t] += 1;
  hs_free(AZ); hs_free(V);
  int order = (int)S, info = 0;
  dpotrf_("L", &order, GR, &order, &info);
  return info == 0 ? HS_OK : HS_NUMERICAL;
}

static void precondition(hs_newton_t *newton, const hs_prox_map_t *map, const double *r, double *z)
{
  int64_t d = newton->problem->d;
  int S = map->count, one = 1, info;
  double *al = calloc((size_t)S, 8), *al0 = calloc((size_t)S, 8);
  const double *rr = r;
  for (int t = 0; t < S; t++) { int64_t len = d * map->units[t].outputs; const double *e = map->direction + map->units[t].offset;
    for (int64_t k = 0; k < len; k++) al[t] += e[k] * rr[k]; rr += len; }
  memcpy(al0, al, (size_t)S * 8);
  dpotrs_("L", &S, &one, GR, &S, al, &S, &info);
  rr = r;
  for (int t = 0; t < S; t++) { int64_t len = d * map->units[t].outputs; const double *e = map->direction + map->units[t].offset;
    for (int64_t k = 0; k < len; k++) z[k] = rr[k] + (al[t] - al0[t]) * e[k]; rr += len; z += len; }
  free(al); free(al0);
}

static double dot(int64_t length, const double *x, const double *y)
{
  double sum = 0;
  for (int64_t e = 0; e < length; e++) sum += x[e] * y[e];
  return sum;
}

/* y from the right-hand side in y. Collective. */
static hs_status_t solve_iteratively(hs_newton_t *newton, const hs_prox_map_t *map,
                                     const hs_curvature_t *curvature, double sigma, double accuracy,
                                     hs_traffic_t *traffic)
{
  int64_t length = map->length;
  size_t bytes = (size_t)length * sizeof(double);
  memcpy(newton->r, newton->y, bytes);
  bool pre = getenv("HS_PRE");
  if (pre && precondition_make(newton, map, curvature, sigma, traffic) != HS_OK) return HS_NUMERICAL;
  if (pre)
    precondition(newton, map, newton->r, newton->m);
  else
    memcpy(newton->m, newton->r, bytes);
  memcpy(newton->q, newton->m, bytes);
  memset(newton->y, 0, bytes);
  double rr = dot(length, newton->r, newton->r), rz = dot(length, newton->r, newton->m);
  for (int count = 0; count < MOST_PRODUCTS && rz > accuracy * accuracy * dot(length, newton->y, newton->y); count++) {
    multiply(newton, map, curvature, sigma, traffic);
    double step = rz / dot(length, newton->q, newton->v), before = rz;
    for (int64_t e = 0; e < length; e++) newton->y[e] += step * newton->q[e];
    for (int64_t e = 0; e < length; e++) newton->r[e] -= step * newton->v[e];
    rr = dot(length, newton->r, newton->r);
    if (!isfinite(rr)) return HS_NUMERICAL;
  if (pre)
    precondition(newton, map, newton->r, newton->m);
  else
    memcpy(newton->m, newton->r, bytes);
    rz = dot(length, newton->r, newton->m);
    for (int64_t e = 0; e < length; e++) newton->q[e] = newton->m[e] + rz / before * newton->q[e];
  }
  return HS_OK;
}

static bool fits(const hs_newton_t *newton, const hs_prox_map_t *map, int gates)
{
  double most = (double)DENSE_LIMIT * DENSE_LIMIT;
  if (getenv("HS_NODENSE")) return false;
  return map->length <= DENSE_LIMIT && hs_gram_size(newton->problem, gates) <= 2 * most;
}

hs_status_t hs_newton_solve(hs_newton_t *newton, const hs_prox_map_t *map, const hs_curvature_t *curvature,
                            double sigma, const double *g, double accuracy, double *x, double *inner,
                            hs_traffic_t *traffic)
{
  int64_t length = map->length;
  int gates = 0;
  memset(x, 0, (size_t)newton->problem->weights * sizeof *x);
  *inner = 0;
  if (length == 0) return HS_OK;
  memset(newton->marked, 0, (size_t)newton->problem->gates * sizeof *newton->marked);
  for (int t = 0; t < map->count; t++) {
    gates += !newton->marked[map->units[t].gate];
    newton->marked[map->units[t].gate] = true;
  }
  hs_curvature_apply(curvature, g, newton->rows);
  adjoint(newton, map, newton->rows, newton->rhs, traffic);
  memcpy(newton->y, newton->rhs, (size_t)length * sizeof(double));
  hs_prox_map_root(map, newton->y);
  newton->dense = fits(newton, map, gates);
  hs_status_t status = newton->dense
                           ? solve_dense(newton, map, curvature, sigma, traffic)
                           : solve_iteratively(newton, map, curvature, sigma, accuracy, traffic);
  if (status != HS_OK) return status;
  *inner = sigma * dot(length, newton->y, newton->y);
  hs_prox_map_root(map, newton->y);
  for (int64_t e = 0; e < length; e++) newton->y[e] *= sigma;
  hs_prox_map_scatter(map, newton->y, x);
  return HS_OK;
}
