/* Cholesky factor, solutions and inverse on every grid that fits the ranks.
 *
 * The answers: r^|i - j| has a tridiagonal inverse; right-hand sides are A times known numbers.
 */
#include "mpi/dense/factor.h"
#include "tests/mpi/test_dense_matrices.h"

#define OUTPUTS 3

static int rank, ranks;

static double solution(int i, int c)
{
  return (double)((i * 7 + c * 3) % 13) - 6 + 0.25 * c;
}

/* A x for the known x, n x columns. */
static double *right_hand_side(dense_element_t *element, int n, int columns)
{
  double *B = dense_numbers((int64_t)n * columns);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++)
      for (int c = 0; c < columns; c++) B[i * columns + c] += element(i, k, n) * solution(k, c);
  return B;
}

static bool solves_columns(const hs_spread_t *factor, int columns)
{
  int n = (int)hs_spread_order(factor);
  double *X = right_hand_side(dense_decay, n, columns);
  double *truth = right_hand_side(dense_decay, n, columns);
  hs_traffic_t traffic = {0};
  bool good = hs_spread_solve(factor, columns, X, &traffic) == HS_OK;
  for (int i = 0; i < n; i++)
    for (int c = 0; c < columns; c++) {
      double residual = truth[i * columns + c];
      for (int k = 0; k < n; k++) residual -= dense_decay(i, k, n) * X[k * columns + c];
      good = good && fabs(X[i * columns + c] - solution(i, c)) <= 1e-12 && fabs(residual) <= 1e-12;
    }
  good = good && traffic.calls == 1 && traffic.bytes == 8.0 * n * columns;
  hs_free(X);
  hs_free(truth);
  return good;
}

/* The same with rows spread over the ranks, unevenly and none on the first of several. */
static bool solves_rows(const hs_spread_t *factor, int columns)
{
  int n = (int)hs_spread_order(factor);
  int64_t first[64] = {0};
  for (int r = 0; r < ranks; r++) first[r + 1] = r == ranks - 1 ? n : (int64_t)n * r * r / (ranks * ranks);
  int64_t begin = first[rank], own = first[rank + 1] - begin;
  double *all = right_hand_side(dense_decay, n, columns), *B = dense_numbers(own * columns + 1);
  memcpy(B, all + begin * columns, (size_t)(own * columns) * sizeof *B);
  hs_rows_t rows;
  hs_traffic_t traffic = {0};
  bool good = hs_rows_create(&rows, MPI_COMM_WORLD, first) == HS_OK &&
              hs_spread_solve_rows(factor, &rows, columns, B, &traffic) == HS_OK;
  for (int64_t i = 0; i < own; i++)
    for (int c = 0; c < columns; c++)
      good = good && fabs(B[i * columns + c] - solution((int)(begin + i), c)) <= 1e-12;
  hs_rows_free(&rows);
  hs_free(all);
  hs_free(B);
  return good;
}

static bool solves(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, dense_decay);
  bool good = hs_spread_factor(A) == HS_OK;
  good = good && solves_columns(A, 1) && solves_columns(A, OUTPUTS) && solves_rows(A, OUTPUTS);
  hs_spread_free(&A);
  return good;
}

static bool inverts(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, dense_decay);
  bool good = hs_spread_factor(A) == HS_OK && hs_spread_invert(A) == HS_OK;
  double *whole = dense_gather(A, MPI_COMM_WORLD);
  good = good && dense_distance(shape.n, whole, dense_decay_inverse) <= 1e-13;
  hs_free(whole);
  dense_fill(A, dense_decay);
  good = good && hs_spread_factor(A) == HS_OK && solves_columns(A, 1);
  hs_spread_free(&A);
  return good;
}

/* A matrix that is positive definite but for one element of its diagonal. */
static int64_t spoilt;
static double spoilt_value;
static double spoilt_decay(int64_t i, int64_t j, int64_t n)
{
  return i == j && i == spoilt ? spoilt_value : dense_decay(i, j, n);
}

/* Every rank must fail, with the same message, and be able to go on with another matrix. */
static bool fails(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_error_clear();
  spoilt = shape.n / 2;
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, spoilt_decay);
  bool good = hs_spread_factor(A) == HS_NUMERICAL;
  int length = (int)strlen(hs_error_message()), shortest = length;
  MPI_Allreduce(MPI_IN_PLACE, &shortest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  char wanted[64];
  snprintf(wanted, sizeof wanted, "(found at row %d)", (int)spoilt);
  good = good && length == shortest && strstr(hs_error_message(), wanted) != NULL;
  dense_fill(A, dense_decay);
  good = good && hs_spread_factor(A) == HS_OK;
  hs_spread_free(&A);
  hs_error_clear();
  return good;
}

/* The inverse on a grid, as everybody gets it. */
static double *inverse_of(MPI_Comm comm, int n, int tile)
{
  int rows = 1, columns = 1;
  hs_grid_shape(hs_ranks(comm), n, &rows, &columns);
  hs_grid_t grid;
  hs_grid_create(&grid, comm, rows, columns);
  hs_spread_t *A = dense_make(&grid, n, tile, dense_decay);
  if (hs_spread_factor(A) != HS_OK || hs_spread_invert(A) != HS_OK) abort();
  double *whole = dense_gather(A, comm);
  hs_spread_free(&A);
  hs_grid_free(&grid);
  return whole;
}

static void test_ranks(void)
{
  enum { N = 211 };
  double *all = inverse_of(MPI_COMM_WORLD, N, 16), *again = inverse_of(MPI_COMM_WORLD, N, 16);
  double *alone = inverse_of(MPI_COMM_SELF, N, 16);
  bool same = true, near = true;
  for (int e = 0; e < N * N; e++) {
    same = same && all[e] == again[e];
    if (e % N >= e / N) near = near && fabs(all[e] - alone[e]) <= 1e-12;
  }
  hs_check(MPI_COMM_WORLD, same, "twice on the same ranks: the same bits");
  hs_check(MPI_COMM_WORLD, near, "on all ranks and on one: the same inverse");
  hs_free(all);
  hs_free(again);
  hs_free(alone);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  rank = hs_rank(MPI_COMM_WORLD);
  ranks = hs_ranks(MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, solves), "known solutions, one column and three");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, inverts), "a known inverse");
  spoilt_value = -1;
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, fails),
           "not positive definite: told on all ranks");
  spoilt_value = NAN;
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, fails), "not a number: told on all ranks");
  test_ranks();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
