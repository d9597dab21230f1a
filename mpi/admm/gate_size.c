#include "mpi/admm/gate_size.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/size.h"

/* LAPACK, column-major: eigenvalues of a symmetric matrix, ascending. */
extern void dsyev_(const char *job, const char *uplo, const int *n, double *a, const int *lda, double *values,
                   double *work, const int *lwork, int *info);

/* Above that many features the Gram matrix costs more than it saves. */
#define MOST_FEATURES 256

/* Rows that are copied to double at once. */
#define ROWS_AT_ONCE 256

/* Sums over n rows are off by at most n of these, relatively. */
#define ROUNDING (2 * DBL_EPSILON)

static int gram_order(int d)
{
  return d <= MOST_FEATURES ? d : 0;
}

/* A copy of some rows, or their Gram matrix, eigenvalues and what LAPACK needs beside them. */
int64_t hs_gate_sizes_work(int gates, int d)
{
  int64_t order = gram_order(d);
  return (int64_t)ROWS_AT_ONCE * d + gates + order * order + 4 * order + 1;
}

static void copy_rows(const hs_problem_t *problem, int64_t first, int rows, double *to)
{
  size_t begin = (size_t)first * (size_t)problem->d, count = (size_t)rows * (size_t)problem->d;
  if (problem->shard->precision == HS_DOUBLE) {
    memcpy(to, (const double *)problem->shard->X + begin, count * sizeof *to);
    return;
  }
  const float *x = (const float *)problem->shard->X + begin;
  for (size_t e = 0; e < count; e++) to[e] = (double)x[e];
}

/* Adds the squares of some rows to the gates that are open in them. */
static void add_squares(const hs_problem_t *problem, int64_t first, int rows, const double *x, double *square)
{
  for (int row = 0; row < rows; row++, x += problem->d) {
    double sum = cblas_ddot(problem->d, x, 1, x, 1);
    for (int gate = 0; gate < problem->gates; gate++)
      if (hs_mask_bit(problem->masks, first + row, gate)) square[gate] += sum;
  }
}

/* Largest eigenvalue of the Gram matrix, which is destroyed, and what rounding may have taken from it. */
static double largest_eigenvalue(int order, int64_t rows, double *gram, double *work)
{
  int info = 0, room = 3 * order;
  double trace = 0;
  for (int j = 0; j < order; j++) trace += gram[(size_t)j * (size_t)order + (size_t)j];
  dsyev_("N", "L", &order, gram, &order, work, work + order, &room, &info);
  if (info != 0) return INFINITY;
  return work[order - 1] + ((double)rows + 10.0 * order) * ROUNDING * trace;
}

void hs_gate_sizes(const hs_problem_t *problem, double *size, double *work, hs_traffic_t *traffic)
{
  int gates = problem->gates, d = problem->d, order = gram_order(d);
  int64_t n = problem->shard->partition.rows;
  double *sums = work + (size_t)ROWS_AT_ONCE * (size_t)d, *gram = sums + gates;
  memset(sums, 0, ((size_t)gates + (size_t)order * (size_t)order) * sizeof *sums);
  for (int64_t first = 0; first < problem->rows; first += ROWS_AT_ONCE) {
    int rows = (int)hs_min64(ROWS_AT_ONCE, problem->rows - first);
    copy_rows(problem, first, rows, work);
    add_squares(problem, first, rows, work, sums);
    if (order > 0) cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, d, rows, 1, work, d, 1, gram, d);
  }
  hs_sum(problem->comm, sums, gates + (int64_t)order * order, traffic);
  double of_all =
      order > 0 ? largest_eigenvalue(order, n, gram, gram + (size_t)order * (size_t)order) : INFINITY;
  for (int gate = 0; gate < gates; gate++)
    size[gate] = sqrt(fmin(sums[gate] * (1 + (double)n * ROUNDING), of_all)) * (1 + 4 * DBL_EPSILON);
}
