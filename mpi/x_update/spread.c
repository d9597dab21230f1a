/* spread.c: one block of all rows: its kernel spread over all ranks, factored by ScaLAPACK and kept in
 * float for solutions (mpi/dense/solver.h): n^2 doubles over all ranks, and half of n^2 floats. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "masked/cross_kernel.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/rows.h"
#include "mpi/dense/solver.h"
#include "mpi/gram/reduction.h"
#include "mpi/x_update/rules.h"

/* A float inverse of the kernel may lack accuracy where 1/lambda is below the rounding of K/rho; the factor itself is
 * double and fails only for kernels that are not finite or far from positive definite. The diagonal is raised then by
 * this share of its largest element. */
#define RAISE 1e-10

typedef struct spread {
  const hs_problem_t *problem; /* borrowed */
  hs_grid_t grid;
  bool has_grid;
  int64_t order;       /* rows over all ranks; of a reduced problem without its last, which has no features */
  int64_t own;         /* of them on this rank */
  hs_rows_t rows;      /* over the ranks */
  hs_spread_t *matrix; /* owned; there while it is made */
  hs_dense_solver_t *solver; /* owned */
  hs_cross_kernel_t *kernel; /* of data only, owned */
  void *X[2];         /* features of the rows and of the columns of this rank's tiles, owned; of data only */
  uint64_t *masks[2]; /* their masks, owned */
  double *lambda;     /* of all rows, owned */
  double last;        /* lambda of the row without features, if it is here */
  double rho, raise;
} spread_t;

/* ---- kernel of the data ---- */

static hs_status_t fetch(spread_t *spread)
{
  const hs_problem_t *problem = spread->problem;
  hs_traffic_t traffic = {0};
  hs_precision_t precision = problem->shard->precision;
  int row = problem->d * (int)hs_precision_bytes(precision);
  int mask = problem->masks->words * (int)sizeof(uint64_t);
  hs_status_t status =
      hs_agree(problem->comm, hs_cross_kernel_create(&spread->kernel, precision, problem->d, problem->gates));
  for (int side = 0; side < 2 && status == HS_OK; side++) {
    int needed = hs_rows_needed(spread->matrix, (hs_side_t)side);
    spread->X[side] = hs_alloc((size_t)needed, (size_t)row, "rows of the kernel");
    spread->masks[side] = hs_alloc((size_t)needed, (size_t)mask, "masks of the kernel");
    bool good = spread->X[side] != NULL && spread->masks[side] != NULL;
    status = hs_agree(problem->comm, good ? HS_OK : HS_NO_MEMORY);
    if (status == HS_OK)
      status = hs_rows_fetch(&spread->rows, spread->matrix, (hs_side_t)side, row, problem->shard->X,
                             spread->X[side], &traffic);
    if (status == HS_OK)
      status = hs_rows_fetch(&spread->rows, spread->matrix, (hs_side_t)side, mask, problem->masks->bits,
                             spread->masks[side], &traffic);
  }
  return status;
}

/* The rows from i0 on that this rank has fetched for one side of its tiles. */
static hs_kernel_rows_t rows_of(const spread_t *spread, hs_side_t side, int64_t i0, int count)
{
  const hs_problem_t *problem = spread->problem;
  size_t element = hs_precision_bytes(problem->shard->precision);
  size_t place = (size_t)hs_rows_place(spread->matrix, side, i0);
  return (hs_kernel_rows_t){.count = count,
                            .X = (const char *)spread->X[side] + place * (size_t)problem->d * element,
                            .masks = spread->masks[side] + place * (size_t)problem->masks->words};
}

static void fill_kernel(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  const spread_t *spread = context;
  hs_cross_kernel(spread->kernel, rows_of(spread, HS_TILE_ROWS, i0, rows),
                  rows_of(spread, HS_TILE_COLUMNS, j0, columns), block, ld);
}

/* The matrix of the kernel, as it is. That of reduced rows lies in the reduction. */
static void fill(spread_t *spread)
{
  const hs_reduction_t *reduction = spread->problem->reduction;
  if (reduction != NULL)
    hs_spread_copy(spread->matrix, reduction->spread);
  else
    hs_spread_fill(spread->matrix, fill_kernel, spread);
}

/* ---- create ---- */

static hs_status_t cut(spread_t *spread)
{
  const hs_problem_t *problem = spread->problem;
  int ranks = hs_ranks(problem->comm);
  int64_t *first = hs_alloc((size_t)ranks + 1, sizeof *first, "rows");
  if (first == NULL) return HS_NO_MEMORY;
  if (problem->reduction != NULL) {
    spread->order = problem->reduction->order;
    for (int r = 0; r <= ranks; r++) first[r] = hs_min64(spread->order, problem->reduction->first_row[r]);
  } else {
    spread->order = problem->shard->partition.rows;
    for (int r = 0; r <= ranks; r++) first[r] = hs_partition_first_row(&problem->shard->partition, r);
  }
  int rank = hs_rank(problem->comm);
  spread->own = first[rank + 1] - first[rank];
  hs_status_t status = hs_rows_create(&spread->rows, problem->comm, first);
  hs_free(first);
  if (status != HS_OK) return status;
  spread->lambda = hs_alloc((size_t)spread->order, sizeof(double), "curvatures");
  return spread->lambda != NULL ? HS_OK : HS_NO_MEMORY;
}

/* Tiles like the reduction's, whose kernel is copied tile by tile. Collective. */
static hs_status_t make_matrix(spread_t *spread)
{
  const hs_reduction_t *reduction = spread->problem->reduction;
  int tile = reduction != NULL ? hs_spread_tile(reduction->spread) : 0;
  return hs_spread_create(&spread->matrix, reduction != NULL ? &reduction->grid : &spread->grid,
                          spread->order, tile);
}

static hs_status_t create(void **data, const hs_problem_t *problem, bool global, double *blocks)
{
  (void)global;
  spread_t *spread = *data = hs_alloc(1, sizeof *spread, "x-update");
  hs_status_t status = spread != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    spread->problem = problem;
    status = cut(spread);
  }
  status = hs_agree(problem->comm, status);
  if (status != HS_OK) return status;
  *blocks = 1;
  if (problem->reduction == NULL) {
    int rows, columns;
    hs_grid_shape(hs_ranks(problem->comm), spread->order, &rows, &columns);
    hs_grid_create(&spread->grid, problem->comm, rows, columns);
    spread->has_grid = true;
  }
  status = make_matrix(spread);
  if (status == HS_OK)
    status = hs_dense_solver_create(&spread->solver, spread->matrix, HS_SINGLE, problem->outputs);
  if (status == HS_OK && problem->reduction == NULL) status = fetch(spread);
  return status;
}

static void release(void *data)
{
  spread_t *spread = data;
  if (spread == NULL) return;
  hs_spread_free(&spread->matrix);
  hs_dense_solver_free(&spread->solver);
  if (spread->has_grid) hs_grid_free(&spread->grid);
  hs_cross_kernel_free(&spread->kernel);
  hs_rows_free(&spread->rows);
  for (int side = 0; side < 2; side++) {
    hs_free(spread->X[side]);
    hs_free(spread->masks[side]);
  }
  hs_free(spread->lambda);
  hs_free(spread);
}

/* ---- work ---- */

static void gather_curvature(spread_t *spread, const double *curvature)
{
  hs_traffic_t traffic = {0};
  hs_rows_gather(&spread->rows, 1, curvature, spread->lambda, &traffic);
  spread->last = spread->problem->rows > spread->own ? curvature[spread->own] : 1;
}

typedef struct measure {
  const spread_t *spread;
  double trace, square;
} measure_t;

static void measure_block(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  measure_t *measure = context;
  const double *lambda = measure->spread->lambda;
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < rows; i++) {
      int64_t row = i0 + i, column = j0 + j;
      double k = block[(size_t)j * (size_t)ld + (size_t)i];
      if (row < column) continue;
      if (row == column) measure->trace += lambda[row] * k;
      measure->square += (row == column ? 1 : 2) * lambda[row] * lambda[column] * k * k;
    }
}

static hs_kernel_size_t kernel_size(void *data, const double *curvature)
{
  spread_t *spread = data;
  measure_t measure = {.spread = spread};
  hs_traffic_t traffic = {0};
  gather_curvature(spread, curvature);
  fill(spread);
  hs_spread_visit(spread->matrix, measure_block, &measure);
  double sums[2] = {measure.trace, measure.square};
  hs_sum(spread->problem->comm, sums, 2, &traffic);
  return (hs_kernel_size_t){.trace = sums[0], .square = sums[1], .blocks = 1};
}

/* K -> diag(1/lambda) + K/rho */
static void scale_block(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  const spread_t *spread = context;
  double factor = 1 / spread->rho;
  for (int j = 0; j < columns; j++) {
    double *column = block + (size_t)j * (size_t)ld;
    for (int i = 0; i < rows; i++) column[i] *= factor;
    if (i0 == j0 && j < rows) column[j] += 1 / spread->lambda[j0 + j] + spread->raise * column[j];
  }
}

static hs_status_t factor(void *data, double rho, const double *curvature)
{
  spread_t *spread = data;
  hs_status_t status = HS_NUMERICAL;
  gather_curvature(spread, curvature);
  spread->rho = rho;
  for (int attempt = 0; attempt < 2 && status == HS_NUMERICAL; attempt++) {
    spread->raise = attempt * RAISE;
    fill(spread);
    hs_spread_visit(spread->matrix, scale_block, spread);
    status = hs_dense_solver_take(spread->solver, spread->matrix);
  }
  return status;
}

/* The row without features, if there is one: v = lambda r. */
static void apply(void *data, const double *R, double *V, hs_traffic_t *traffic)
{
  spread_t *spread = data;
  int C = spread->problem->outputs;
  hs_dense_solver_apply_rows(spread->solver, &spread->rows, C, R, V, traffic);
  for (int64_t k = spread->own * C; k < spread->problem->rows * C; k++) V[k] = spread->last * R[k];
}

const hs_x_rule_t hs_x_rule_spread = {create, release, kernel_size, factor, apply};
