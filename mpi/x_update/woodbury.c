/* woodbury.c: losses with changing curvatures Lambda through the P d x P d matrix
 *
 *     S = rho I + A' Lambda A          of this rank's rows, or of all rows
 *     M R = Lambda ( R - A t ),        t = S^-1 A' Lambda R
 *
 * An application takes one masked product of each kind. S, its factor and its inverse are in double: where K / rho is
 * large, R - A t is a small difference. */
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "masked/gram.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/solver.h"
#include "mpi/gram/by_outputs.h"
#include "mpi/x_update/rules.h"

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
                    double *b, const int *ldb, int *info);

#define LOCAL_MOST 40000 /* P d of a matrix that one rank holds */

typedef struct woodbury {
  const hs_problem_t *problem; /* borrowed */
  bool global;
  int order; /* P d */
  hs_masked_gram_t *gram;
  double *S; /* local: order x order, lower; owned */
  hs_grid_t grid;
  bool has_grid;
  hs_spread_t *matrix;
  hs_dense_solver_t *solver;
  const double *lambda; /* borrowed, while it is used */
  double *curvature;    /* rows: Lambda of the factor, owned */
  double *rows;         /* rows x C, owned */
  double *t, *T;        /* weights, and by outputs (local: C x order, global: order x C); owned */
  double rho;
} woodbury_t;

static hs_status_t allocate(woodbury_t *woodbury)
{
  const hs_problem_t *problem = woodbury->problem;
  size_t weights = (size_t)problem->weights;
  hs_status_t status = hs_to_int((int64_t)problem->gates * problem->d, &woodbury->order, "gates x features");
  if (status == HS_OK && !woodbury->global && woodbury->order > LOCAL_MOST)
    status = hs_fail(
        HS_BAD_USAGE, NULL, "solver.x_update",
        "gates x features is %d: too large for one rank's matrix (at most %d; global-gram, or a kernel)",
        woodbury->order, LOCAL_MOST);
  if (status == HS_OK) status = hs_masked_gram_create(&woodbury->gram, problem->op);
  if (status != HS_OK) return status;
  size_t order = woodbury->global ? 0 : (size_t)woodbury->order;
  woodbury->S = hs_alloc(order * order, sizeof(double), "Gram matrix");
  woodbury->curvature = hs_alloc((size_t)problem->rows, sizeof(double), "curvatures");
  woodbury->rows = hs_alloc((size_t)(problem->rows * problem->outputs), sizeof(double), "residual");
  woodbury->t = hs_alloc(weights, sizeof(double), "weights");
  woodbury->T = hs_alloc(weights, sizeof(double), "weights");
  bool good = woodbury->S != NULL && woodbury->curvature != NULL && woodbury->rows != NULL &&
              woodbury->t != NULL && woodbury->T != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

static hs_status_t create(void **data, const hs_problem_t *problem, bool global, double *blocks)
{
  woodbury_t *woodbury = *data = hs_alloc(1, sizeof *woodbury, "x-update");
  hs_status_t status = woodbury != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    woodbury->problem = problem;
    woodbury->global = global;
    status = allocate(woodbury);
  }
  status = hs_agree(problem->comm, status);
  if (status != HS_OK) return status;
  *blocks = problem->rows > 0;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, blocks, 1, MPI_DOUBLE, MPI_SUM, problem->comm));
  if (!global) return HS_OK;
  *blocks = 1;
  int rows, columns;
  hs_grid_shape(hs_ranks(problem->comm), woodbury->order, &rows, &columns);
  hs_grid_create(&woodbury->grid, problem->comm, rows, columns);
  woodbury->has_grid = true;
  status = hs_spread_create(&woodbury->matrix, &woodbury->grid, woodbury->order, hs_gram_tile(problem->d));
  if (status == HS_OK)
    status = hs_dense_solver_create(&woodbury->solver, woodbury->matrix, HS_DOUBLE, problem->outputs);
  return status;
}

static void release(void *data)
{
  woodbury_t *woodbury = data;
  if (woodbury == NULL) return;
  hs_masked_gram_free(&woodbury->gram);
  hs_spread_free(&woodbury->matrix);
  hs_dense_solver_free(&woodbury->solver);
  if (woodbury->has_grid) hs_grid_free(&woodbury->grid);
  hs_free(woodbury->S);
  hs_free(woodbury->curvature);
  hs_free(woodbury->rows);
  hs_free(woodbury->t);
  hs_free(woodbury->T);
  hs_free(woodbury);
}

static void fill_gram(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  woodbury_t *woodbury = context;
  hs_masked_gram_block(woodbury->gram, woodbury->lambda, i0, rows, j0, columns, block, ld);
}

typedef struct measure {
  double trace, square;
} measure_t;

static void measure_block(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  measure_t *measure = context;
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < rows; i++) {
      double g = block[(size_t)j * (size_t)ld + (size_t)i];
      if (i0 + i < j0 + j) continue;
      if (i0 + i == j0 + j) measure->trace += g;
      measure->square += (i0 + i == j0 + j ? 1 : 2) * g * g;
    }
}

/* A' Lambda A. Collective if global. */
static hs_status_t make_gram(woodbury_t *woodbury, const double *curvature)
{
  hs_traffic_t traffic = {0};
  woodbury->lambda = curvature;
  if (woodbury->global) {
    hs_spread_clear(woodbury->matrix);
    return hs_spread_add(woodbury->matrix, fill_gram, woodbury, &traffic);
  }
  fill_gram(woodbury, 0, woodbury->order, 0, woodbury->order, woodbury->S, woodbury->order);
  return HS_OK;
}

/* The eigenvalues of A' Lambda A are those of Lambda^1/2 A A' Lambda^1/2. */
static hs_kernel_size_t kernel_size(void *data, const double *curvature)
{
  woodbury_t *woodbury = data;
  MPI_Comm comm = woodbury->problem->comm;
  measure_t measure = {0};
  hs_traffic_t traffic = {0};
  make_gram(woodbury, curvature);
  if (woodbury->global)
    hs_spread_visit(woodbury->matrix, measure_block, &measure);
  else
    measure_block(&measure, 0, woodbury->order, 0, woodbury->order, woodbury->S, woodbury->order);
  double sums[3] = {measure.trace, measure.square, woodbury->problem->rows > 0};
  hs_sum(comm, sums, 3, &traffic);
  return (hs_kernel_size_t){
      .trace = sums[0], .square = sums[1], .blocks = woodbury->global ? 1 : (int64_t)sums[2]};
}

static void add_rho(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  const woodbury_t *woodbury = context;
  for (int k = 0; i0 == j0 && k < rows && k < columns; k++)
    block[(size_t)k * ((size_t)ld + 1)] += woodbury->rho;
}

static hs_status_t factor(void *data, double rho, const double *curvature)
{
  woodbury_t *woodbury = data;
  int n = woodbury->order, info = 0;
  woodbury->rho = rho;
  memcpy(woodbury->curvature, curvature, (size_t)woodbury->problem->rows * sizeof *curvature);
  hs_status_t status = make_gram(woodbury, curvature);
  if (status != HS_OK) return status;
  if (woodbury->global) {
    hs_spread_visit(woodbury->matrix, add_rho, woodbury);
    return hs_dense_solver_take(woodbury->solver, woodbury->matrix);
  }
  add_rho(woodbury, 0, n, 0, n, woodbury->S, n);
  dpotrf_("L", &n, woodbury->S, &n, &info);
  if (info != 0)
    status = hs_fail(HS_NUMERICAL, NULL, "x-update",
                     "the matrix of order %d is not positive definite at rho = %g (fix solver.rho higher)", n,
                     rho);
  return hs_agree(woodbury->problem->comm, status);
}

/* t = S^-1 t. Collective if global. */
static void solve(woodbury_t *woodbury, hs_traffic_t *traffic)
{
  const hs_problem_t *problem = woodbury->problem;
  int n = woodbury->order, C = problem->outputs, info = 0;
  if (!woodbury->global) {
    hs_by_outputs(problem, woodbury->t, woodbury->T);
    dpotrs_("L", &n, &C, woodbury->S, &n, woodbury->T, &n, &info);
    hs_by_gates(problem, woodbury->T, woodbury->t);
    return;
  }
  hs_sum(problem->comm, woodbury->t, problem->weights, traffic);
  hs_by_rows(problem, woodbury->t, woodbury->T);
  hs_dense_solver_apply(woodbury->solver, C, woodbury->T, woodbury->T, traffic);
  hs_from_rows(problem, woodbury->T, woodbury->t);
}

static void apply(void *data, const double *R, double *V, hs_traffic_t *traffic)
{
  woodbury_t *woodbury = data;
  const hs_problem_t *problem = woodbury->problem;
  int C = problem->outputs;
  int64_t entries = problem->rows * C;
  const double *lambda = woodbury->curvature;
  for (int64_t k = 0; k < entries; k++) woodbury->rows[k] = lambda[k / C] * R[k];
  hs_masked_adjoint(problem->op, woodbury->rows, woodbury->t);
  solve(woodbury, traffic);
  hs_masked_forward(problem->op, woodbury->t, woodbury->rows);
  for (int64_t k = 0; k < entries; k++) V[k] = lambda[k / C] * (R[k] - woodbury->rows[k]);
}

const hs_x_rule_t hs_x_rule_woodbury = {create, release, kernel_size, factor, apply};
