#include "mpi/polish/dense.h"

#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
                    double *b, const int *ldb, int *info);

/* Steps that share the matrix of the squared loss. */
#define SHARED_BY 5

#define TRANSPOSE_TILE 32

hs_status_t hs_dense_create(hs_dense_t *dense, const hs_problem_t *problem)
{
  *dense = (hs_dense_t){.problem = problem};
  return hs_gram_create(&dense->gram, problem);
}

void hs_dense_free(hs_dense_t *dense)
{
  hs_gram_free(&dense->gram);
  hs_free(dense->matrix);
  *dense = (hs_dense_t){0};
}

bool hs_dense_fits(const hs_dense_t *dense, const hs_prox_map_t *map, const bool *marked, double *flops)
{
  const hs_problem_t *problem = dense->problem;
  double order = (double)map->length, blocks = hs_gram_blocks(problem), gates = 0;
  for (int i = 0; i < problem->gates; i++) gates += marked[i];
  double side = gates * problem->d, rows = (double)problem->shard->partition.rows / hs_ranks(problem->comm);
  double gram =
      rows * side * side * (problem->loss.kind == HS_SOFTMAX ? 2 * blocks - problem->outputs : blocks);
  if (problem->loss.kind == HS_SQUARED) gram = hs_gram_has(&dense->gram, marked) ? 0 : gram / SHARED_BY;
  *flops = gram + order * order * order / 3;
  return order <= HS_DENSE_LIMIT && side * side * blocks <= (double)HS_DENSE_LIMIT * HS_DENSE_LIMIT;
}

/* A d x d block of G, times sigma, into the matrix. */
static void copy_block(int64_t d, double sigma, const double *G, int64_t side, double *to, int64_t order)
{
  for (int64_t l = 0; l < d; l++)
    for (int64_t k = 0; k < d; k++) to[l * order + k] = sigma * G[l * side + k];
}

/* The columns of unit b, output e. */
static void fill_columns(hs_dense_t *dense, const hs_prox_map_t *map, double sigma, const hs_unit_t *b, int e,
                         double *columns)
{
  const hs_gram_t *gram = &dense->gram;
  int64_t d = dense->problem->d;
  for (int t = 0; t < map->count; t++)
    for (int c = 0; c < map->units[t].outputs; c++, columns += d) {
      const hs_unit_t *a = &map->units[t];
      const double *G = hs_gram_block(gram, a->output + c, b->output + e);
      if (G == NULL) continue;
      int64_t at = (gram->place[b->gate] * gram->side + gram->place[a->gate]) * d;
      copy_block(d, sigma, G + at, gram->side, columns, map->length);
    }
}

/* matrix = sigma A'HA of the units, both triangles. */
static void assemble(hs_dense_t *dense, const hs_prox_map_t *map, double sigma)
{
  double *columns = dense->matrix;
  memset(columns, 0, (size_t)(map->length * map->length) * sizeof(double));
  for (int t = 0; t < map->count; t++)
    for (int e = 0; e < map->units[t].outputs; e++, columns += dense->problem->d * map->length)
      fill_columns(dense, map, sigma, &map->units[t], e, columns);
}

static void transpose(int64_t order, double *matrix)
{
  for (int64_t jj = 0; jj < order; jj += TRANSPOSE_TILE)
    for (int64_t ii = 0; ii <= jj; ii += TRANSPOSE_TILE)
      for (int64_t j = jj; j < order && j < jj + TRANSPOSE_TILE; j++)
        for (int64_t i = ii; i < j && i < ii + TRANSPOSE_TILE; i++) {
          double kept = matrix[j * order + i];
          matrix[j * order + i] = matrix[i * order + j];
          matrix[i * order + j] = kept;
        }
}

/* matrix = I + T matrix T: T matrix, transposed matrix T, and T from the left once more. */
static void surround(hs_dense_t *dense, const hs_prox_map_t *map)
{
  int64_t order = map->length;
  for (int side = 0; side < 2; side++) {
    for (int64_t column = 0; column < order; column++) hs_prox_map_root(map, dense->matrix + column * order);
    transpose(order, dense->matrix);
  }
  for (int64_t e = 0; e < order; e++) dense->matrix[e * order + e] += 1;
}

static hs_status_t enlarge(hs_dense_t *dense, int64_t wanted)
{
  if (wanted <= dense->room) return HS_OK;
  hs_free(dense->matrix);
  dense->room = 0;
  dense->matrix = hs_alloc((size_t)wanted, sizeof(double), "Newton system");
  if (dense->matrix == NULL) return HS_NO_MEMORY;
  dense->room = wanted;
  return HS_OK;
}

hs_status_t hs_dense_solve(hs_dense_t *dense, const hs_prox_map_t *map, const bool *marked,
                           const hs_curvature_t *curvature, double sigma, double *y, hs_traffic_t *traffic)
{
  int order = (int)map->length, one = 1, info = 0, most = HS_DENSE_LIMIT / dense->problem->d;
  hs_status_t status = hs_gram_make(&dense->gram, marked, most, curvature, traffic);
  if (status == HS_OK) status = hs_agree(dense->problem->comm, enlarge(dense, map->length * map->length));
  if (status != HS_OK) return status;
  assemble(dense, map, sigma);
  surround(dense, map);
  dpotrf_("L", &order, dense->matrix, &order, &info);
  if (info == 0) dpotrs_("L", &order, &one, dense->matrix, &order, y, &order, &info);
  return info == 0 ? HS_OK : HS_NUMERICAL;
}
