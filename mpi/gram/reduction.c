#include "mpi/gram/reduction.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "masked/gram.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/columns.h"
#include "mpi/dense/factor.h"
#include "mpi/gram/by_outputs.h"

/* LAPACK: Cholesky factor, and L'L. */
extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dlauum_(const char *uplo, const int *n, double *a, const int *lda, int *info);

/* Share of the largest diagonal element by which the diagonal is raised, times RAISE_MORE at every further attempt. */
#define RAISE_START 1e-12
#define RAISE_MORE 100
#define ATTEMPTS 4

#define LOCAL_MOST 40000 /* P d of a matrix that one rank holds */

/* What is there only while a reduction is made. */
typedef struct making {
  hs_reduction_t *reduction;
  hs_masked_gram_t *gram;
  double *G;       /* local: order x order */
  double *c;       /* outputs x order: A'Y of this rank, or of all */
  double *squares; /* outputs: |Y|^2 */
  hs_traffic_t traffic;
} making_t;

void hs_reduction_forward(hs_reduction_t *reduction, const double *u, double *a)
{
  const hs_problem_t *problem = &reduction->problem;
  if (problem->rows == 0) return;
  hs_by_outputs(problem, u, reduction->U);
  hs_factor_columns_forward(reduction->L, problem->outputs, reduction->U, a);
  for (int64_t k = (int64_t)reduction->count * problem->outputs; k < problem->rows * problem->outputs; k++)
    a[k] = 0;
}

void hs_reduction_adjoint(hs_reduction_t *reduction, const double *w, double *s)
{
  const hs_problem_t *problem = &reduction->problem;
  hs_factor_columns_adjoint(reduction->L, problem->outputs, w, reduction->S);
  hs_by_gates(problem, reduction->S, s);
}

void hs_reduction_kernel(void *context, int64_t first, int count, float *K)
{
  const hs_reduction_t *reduction = context;
  int64_t n = reduction->order;
  for (int j = 0; j < count; j++)
    for (int i = j; i < count; i++) {
      int64_t row = first + i, column = first + j;
      K[(size_t)j * (size_t)count + (size_t)i] =
          row < n && column < n ? reduction->kernel[column * n - column * (column - 1) / 2 + (row - column)]
                                : 0;
    }
}

/* ---- the matrix ---- */

static void fill_gram(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  making_t *making = context;
  hs_masked_gram_block(making->gram, NULL, i0, rows, j0, columns, block, ld);
}

/* Shift of the diagonal of a block of the matrix. */
typedef struct diagonal {
  double largest, raise;
} diagonal_t;

static void find_largest(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  diagonal_t *diagonal = context;
  if (i0 != j0) return;
  for (int k = 0; k < rows && k < columns; k++)
    diagonal->largest = fmax(diagonal->largest, block[(size_t)k * ((size_t)ld + 1)]);
}

static void raise_diagonal(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block,
                           int ld)
{
  const diagonal_t *diagonal = context;
  if (i0 != j0) return;
  for (int k = 0; k < rows && k < columns; k++) block[(size_t)k * ((size_t)ld + 1)] += diagonal->raise;
}

/* Lower triangle of L'L, from L in G, in float: it only enters the inverse that preconditions. */
static hs_status_t keep_kernel(making_t *making)
{
  hs_reduction_t *reduction = making->reduction;
  int n = reduction->order, info = 0;
  size_t size = (size_t)n * ((size_t)n + 1) / 2, at = 0;
  reduction->kernel = hs_alloc(size, sizeof(float), "kernel of the reduced rows");
  if (reduction->kernel == NULL) return HS_NO_MEMORY;
  dlauum_("L", &n, making->G, &n, &info);
  for (int j = 0; j < n; j++)
    for (int i = j; i < n; i++) reduction->kernel[at++] = (float)making->G[(size_t)j * (size_t)n + (size_t)i];
  return HS_OK;
}

/* Factor the Gram matrix of this rank's rows. Not collective. */
static hs_status_t factor_local(making_t *making)
{
  hs_reduction_t *reduction = making->reduction;
  int n = reduction->order, info = 1;
  double raise = RAISE_START;
  making->G = hs_alloc((size_t)n * (size_t)n, sizeof(double), "Gram matrix");
  if (making->G == NULL) return HS_NO_MEMORY;
  for (int attempt = 0; attempt < ATTEMPTS && info != 0; attempt++, raise *= RAISE_MORE) {
    diagonal_t diagonal = {0};
    fill_gram(making, 0, n, 0, n, making->G, n);
    find_largest(&diagonal, 0, n, 0, n, making->G, n);
    diagonal.raise = raise * (diagonal.largest > 0 ? diagonal.largest : 1);
    raise_diagonal(&diagonal, 0, n, 0, n, making->G, n);
    dpotrf_("L", &n, making->G, &n, &info);
  }
  if (info != 0)
    return hs_fail(HS_NUMERICAL, NULL, "x-update", "the Gram matrix of order %d is not positive definite", n);
  for (int j = 0; j < n; j++)
    memcpy(hs_factor_column(reduction->L, j), making->G + (size_t)j * ((size_t)n + 1),
           (size_t)(n - j) * sizeof(double));
  return keep_kernel(making);
}

/* Columns of the spread factor to the ranks that keep them. Collective. */
static void hand_out(making_t *making, double *room, int most)
{
  hs_reduction_t *reduction = making->reduction;
  MPI_Comm comm = reduction->problem.comm;
  int n = reduction->order, ranks = hs_ranks(comm), rank = hs_rank(comm);
  for (int r = 0; r < ranks; r++) {
    int64_t end = hs_min64(n, reduction->first_row[r + 1]);
    for (int64_t first = reduction->first_row[r]; first < end; first += most) {
      int count = (int)hs_min64(most, end - first);
      hs_spread_columns(reduction->spread, (int)first, count, r, room, &making->traffic);
      for (int j = 0; j < count && r == rank; j++)
        memcpy(hs_factor_column(reduction->L, (int)first - reduction->first + j),
               room + (size_t)j * (size_t)n + (size_t)first + (size_t)j,
               (size_t)(n - first - j) * sizeof(double));
    }
  }
}

/* Collective. */
static hs_status_t factor_global(making_t *making)
{
  hs_reduction_t *reduction = making->reduction;
  MPI_Comm comm = reduction->problem.comm;
  int n = reduction->order;
  double raise = RAISE_START;
  hs_status_t status = HS_NUMERICAL;
  for (int attempt = 0; attempt < ATTEMPTS && status == HS_NUMERICAL; attempt++, raise *= RAISE_MORE) {
    diagonal_t diagonal = {0};
    hs_spread_clear(reduction->spread);
    status = hs_spread_add(reduction->spread, fill_gram, making, &making->traffic);
    if (status != HS_OK) break;
    hs_spread_visit(reduction->spread, find_largest, &diagonal);
    HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &diagonal.largest, 1, MPI_DOUBLE, MPI_MAX, comm));
    diagonal.raise = raise * (diagonal.largest > 0 ? diagonal.largest : 1);
    hs_spread_visit(reduction->spread, raise_diagonal, &diagonal);
    status = hs_spread_factor(reduction->spread);
  }
  if (status != HS_OK) return status;
  int most = (int)hs_max64(1, hs_min64(n, ((int64_t)1 << 20) / n));
  double *room = hs_alloc((size_t)most * (size_t)n, sizeof(double), "triangular factor");
  status = hs_agree(comm, room != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) hand_out(making, room, most);
  hs_free(room);
  return status == HS_OK ? hs_spread_square(reduction->spread) : status;
}

/* ---- targets ---- */

/* y = L^-1 c; the rows of L' are cut over the ranks, so that what is left of c goes from each to the next.
 * Collective if global. */
static void solve_targets(making_t *making)
{
  hs_reduction_t *reduction = making->reduction;
  MPI_Comm comm = reduction->problem.comm;
  int C = reduction->problem.outputs, ranks = reduction->global ? hs_ranks(comm) : 1;
  int rank = reduction->global ? hs_rank(comm) : 0;
  for (int r = 0; r < ranks; r++) {
    if (r == rank) hs_factor_columns_solve(reduction->L, C, making->c, reduction->Y);
    if (ranks > 1) HS_MPI(MPI_Bcast(making->c, reduction->order * C, MPI_DOUBLE, r, comm));
  }
}

/* The last row: root of |Y_c|^2 - |y_c|^2. Collective if global. */
static void add_rest(making_t *making)
{
  hs_reduction_t *reduction = making->reduction;
  hs_problem_t *problem = &reduction->problem;
  int C = problem->outputs;
  double *left = making->squares;
  for (int c = 0; c < C; c++)
    for (int64_t k = 0; k < reduction->count; k++)
      left[c] -= reduction->Y[k * C + c] * reduction->Y[k * C + c];
  if (reduction->global) hs_sum(problem->comm, left, C, &making->traffic);
  if (problem->rows > reduction->count)
    for (int c = 0; c < C; c++) reduction->Y[(int64_t)reduction->count * C + c] = sqrt(fmax(0, left[c]));
}

/* c = A'Y, |Y|^2 of every output. Collective if global. */
static hs_status_t measure_targets(making_t *making)
{
  hs_reduction_t *reduction = making->reduction;
  const hs_problem_t *given = reduction->given;
  int C = given->outputs;
  double *s = hs_alloc((size_t)given->weights, sizeof(double), "gradient");
  if (s == NULL) return HS_NO_MEMORY;
  hs_masked_adjoint_exact(given->op, given->Y, s);
  hs_by_outputs(given, s, making->c);
  for (int64_t k = 0; k < given->rows; k++)
    for (int c = 0; c < C; c++) making->squares[c] += given->Y[k * C + c] * given->Y[k * C + c];
  hs_free(s);
  return HS_OK;
}

/* ---- shape and memory ---- */

/* Rows of L' over the ranks. Row j has P d - j non-zeros: the first r of R ranks take r/R of them together. */
static void cut_global(hs_reduction_t *reduction)
{
  int ranks = hs_ranks(reduction->problem.comm);
  double n = reduction->order;
  for (int r = 1; r < ranks; r++)
    reduction->first_row[r] = (int64_t)floor(n * (1 - sqrt(1 - (double)r / ranks)));
  reduction->first_row[ranks] = reduction->order + 1;
}

/* All of them on every rank that has rows. Collective. */
static void cut_local(hs_reduction_t *reduction)
{
  int ranks = hs_ranks(reduction->problem.comm);
  int64_t own = reduction->given->rows > 0 ? reduction->order + 1 : 0;
  reduction->first_row[0] = 0;
  HS_MPI(
      MPI_Allgather(&own, 1, MPI_INT64_T, reduction->first_row + 1, 1, MPI_INT64_T, reduction->problem.comm));
  reduction->blocks = 0;
  for (int r = 0; r < ranks; r++) {
    reduction->blocks += reduction->first_row[r + 1] > 0;
    reduction->first_row[r + 1] += reduction->first_row[r];
  }
}

static void take_rows(hs_reduction_t *reduction)
{
  int rank = hs_rank(reduction->problem.comm);
  int64_t first = reduction->first_row[rank], end = reduction->first_row[rank + 1];
  reduction->problem.rows = end - first;
  if (!reduction->global) {
    reduction->count = end > first ? reduction->order : 0;
    return;
  }
  reduction->first = (int)hs_min64(first, reduction->order);
  reduction->count = (int)hs_min64(end, reduction->order) - reduction->first;
}

static hs_status_t allocate(making_t *making)
{
  hs_reduction_t *reduction = making->reduction;
  int C = reduction->problem.outputs;
  size_t order = (size_t)reduction->order, outputs = (size_t)C;
  reduction->Y = hs_alloc((size_t)reduction->problem.rows * outputs, sizeof(double), "reduced targets");
  reduction->U = hs_alloc(order * outputs, sizeof(double), "reduced weights");
  reduction->S = hs_alloc(order * outputs, sizeof(double), "reduced weights");
  making->c = hs_alloc(order * outputs, sizeof(double), "reduced targets");
  making->squares = hs_alloc(outputs, sizeof(double), "reduced targets");
  if (reduction->Y == NULL || reduction->U == NULL || reduction->S == NULL || making->c == NULL ||
      making->squares == NULL)
    return HS_NO_MEMORY;
  reduction->problem.Y = reduction->Y;
  hs_status_t status =
      hs_factor_columns_create(&reduction->L, reduction->order, reduction->first, reduction->count);
  if (status == HS_OK) status = hs_masked_gram_create(&making->gram, reduction->given->op);
  return status;
}

/* Collective. */
static hs_status_t make_spread(hs_reduction_t *reduction)
{
  MPI_Comm comm = reduction->problem.comm;
  int rows, columns;
  hs_grid_shape(hs_ranks(comm), reduction->order, &rows, &columns);
  hs_grid_create(&reduction->grid, comm, rows, columns);
  reduction->has_grid = true;
  return hs_spread_create(&reduction->spread, &reduction->grid, reduction->order,
                          hs_gram_tile(reduction->problem.d));
}

/* Collective. */
static hs_status_t make(making_t *making)
{
  hs_reduction_t *reduction = making->reduction;
  MPI_Comm comm = reduction->problem.comm;
  reduction->global ? cut_global(reduction) : cut_local(reduction);
  take_rows(reduction);
  hs_status_t status = hs_agree(comm, allocate(making));
  if (status == HS_OK && reduction->global) status = make_spread(reduction);
  if (status == HS_OK) status = hs_agree(comm, measure_targets(making));
  if (status != HS_OK) return status;
  if (reduction->global) {
    hs_sum(comm, making->c, (int64_t)reduction->order * reduction->problem.outputs, &making->traffic);
    status = factor_global(making);
  } else if (reduction->count > 0) {
    status = factor_local(making);
  }
  status = hs_agree(comm, status);
  if (status != HS_OK) return status;
  if (reduction->global || reduction->count > 0) solve_targets(making);
  add_rest(making);
  return HS_OK;
}

hs_status_t hs_reduction_create(hs_reduction_t **out, const hs_problem_t *problem, bool global)
{
  MPI_Comm comm = problem->comm;
  hs_reduction_t *reduction = *out = hs_alloc(1, sizeof *reduction, "reduction");
  making_t making = {.reduction = reduction};
  hs_status_t status = reduction != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    *reduction = (hs_reduction_t){.given = problem, .problem = *problem, .global = global, .blocks = 1};
    reduction->problem.reduction = reduction;
    status = hs_to_int((int64_t)problem->gates * problem->d, &reduction->order, "gates x features");
    if (status == HS_OK && !global && reduction->order > LOCAL_MOST)
      status = hs_fail(
          HS_BAD_USAGE, NULL, "solver.x_update",
          "gates x features is %d: too large for one rank's matrix (at most %d; global-gram, or a kernel)",
          reduction->order, LOCAL_MOST);
    reduction->first_row = hs_alloc((size_t)hs_ranks(comm) + 1, sizeof(int64_t), "reduction");
    if (status == HS_OK && reduction->first_row == NULL) status = HS_NO_MEMORY;
  }
  status = hs_agree(comm, status);
  if (status == HS_OK) status = make(&making);
  hs_masked_gram_free(&making.gram);
  hs_free(making.G);
  hs_free(making.c);
  hs_free(making.squares);
  if (status != HS_OK) hs_reduction_free(out);
  return status;
}

void hs_reduction_free(hs_reduction_t **out)
{
  hs_reduction_t *reduction = *out;
  *out = NULL;
  if (reduction == NULL) return;
  hs_spread_free(&reduction->spread);
  if (reduction->has_grid) hs_grid_free(&reduction->grid);
  hs_factor_columns_free(&reduction->L);
  hs_free(reduction->first_row);
  hs_free(reduction->Y);
  hs_free(reduction->U);
  hs_free(reduction->S);
  hs_free(reduction->kernel);
  hs_free(reduction);
}

/* ---- back to the data ---- */

/* Weights q with L'q = p, p = y - w: the rows of L' from the last rank to the first. Collective if global. */
static void find_weights(hs_reduction_t *reduction, const double *w, double *p, double *q)
{
  const hs_problem_t *problem = &reduction->problem;
  MPI_Comm comm = problem->comm;
  int C = problem->outputs, ranks = reduction->global ? hs_ranks(comm) : 1;
  int rank = reduction->global ? hs_rank(comm) : 0;
  for (int64_t k = 0; k < (int64_t)reduction->count * C; k++) p[k] = reduction->Y[k] - w[k];
  for (int r = ranks - 1; r >= 0; r--) {
    if (r == rank && reduction->count > 0)
      hs_factor_columns_solve_transposed(reduction->L, C, p, reduction->U);
    if (ranks > 1) HS_MPI(MPI_Bcast(reduction->U, reduction->order * C, MPI_DOUBLE, r, comm));
  }
  hs_by_gates(problem, reduction->U, q);
}

hs_status_t hs_reduction_confirm(hs_reduction_t *reduction, const double *u, const double *w,
                                 hs_certificate_t *certificate, hs_traffic_t *traffic)
{
  const hs_problem_t *given = reduction->given;
  int64_t entries = given->rows * given->outputs;
  double *residual = hs_alloc((size_t)entries, sizeof(double), "residual");
  double *a = hs_alloc((size_t)entries, sizeof(double), "prediction");
  double *p =
      hs_alloc((size_t)(reduction->problem.rows * given->outputs), sizeof(double), "reduced prediction");
  double *s = hs_alloc((size_t)given->weights, sizeof(double), "gradient");
  bool good = residual != NULL && a != NULL && p != NULL && s != NULL;
  hs_status_t status = hs_agree(given->comm, good ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    find_weights(reduction, w, p, s);
    hs_masked_forward_exact(given->op, s, residual);
    for (int64_t k = 0; k < entries; k++) residual[k] = given->Y[k] - residual[k];
    hs_certificate_exact(given, u, residual, a, s, certificate, traffic);
  }
  hs_free(residual);
  hs_free(a);
  hs_free(p);
  hs_free(s);
  return status;
}

double hs_reduction_bytes(double order, int outputs, int ranks, bool global, double *making)
{
  double share = global ? order * order / ranks : order * order;
  double stays =
      4 * share /* L, half of a square */ + (global ? 8 * share : 2 * share) + 40.0 * order * outputs;
  *making = global ? 0 : 8 * share;
  return stays;
}
