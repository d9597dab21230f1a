/* Solutions with a copied factor on every grid that fits the ranks: right-hand sides are A times known numbers. */
#include "mpi/dense/factor.h"
#include "mpi/dense/substitution.h"
#include "tests/mpi/test_dense_matrices.h"

#define MOST 3 /* columns */

static int rank, ranks;
static hs_precision_t precision;

static double solution(int i, int c)
{
  return (double)((i * 7 + c * 3) % 13) - 6 + 0.25 * c;
}

/* Rows first .. last-1 of A x for the known x. */
static double *right_hand_side(int n, int first, int last, int columns)
{
  double *B = dense_numbers((last - first) * columns + 1);
  for (int i = first; i < last; i++)
    for (int k = 0; k < n; k++)
      for (int c = 0; c < columns; c++) B[(i - first) * columns + c] += dense_decay(i, k, n) * solution(k, c);
  return B;
}

static bool is_solution(const double *V, int first, int last, int columns)
{
  double tolerance = precision == HS_SINGLE ? 2e-5 : 1e-12;
  bool good = true;
  for (int i = first; i < last; i++)
    for (int c = 0; c < columns; c++)
      good = good && fabs(V[(i - first) * columns + c] - solution(i, c)) <= tolerance;
  return good;
}

/* Replicated, in two places and in one. */
static bool replicated(hs_substitution_t *substitution, int n, int columns)
{
  hs_traffic_t traffic = {0};
  double *R = right_hand_side(n, 0, n, columns), *V = dense_numbers(n * columns);
  hs_substitution_solve(substitution, columns, R, V, &traffic);
  bool good = is_solution(V, 0, n, columns);
  good = good && traffic.calls >= 2 && traffic.calls <= 30 && traffic.bytes >= 2 * 8.0 * n * columns &&
         traffic.bytes <= 4 * 8.0 * n * columns;
  hs_substitution_solve(substitution, columns, R, R, &traffic);
  good = good && memcmp(R, V, (size_t)(n * columns) * sizeof *R) == 0;
  hs_free(R);
  hs_free(V);
  return good;
}

/* Rows spread over the ranks, unevenly and none on the first of several. */
static bool by_rows(hs_substitution_t *substitution, int n, int columns)
{
  int64_t first[64] = {0};
  for (int r = 0; r < ranks; r++) first[r + 1] = r == ranks - 1 ? n : (int64_t)n * r * r / (ranks * ranks);
  int begin = (int)first[rank], end = (int)first[rank + 1];
  hs_rows_t rows;
  hs_traffic_t traffic = {0};
  double *R = right_hand_side(n, begin, end, columns);
  bool good = hs_rows_create(&rows, MPI_COMM_WORLD, first) == HS_OK;
  hs_substitution_solve_rows(substitution, &rows, columns, R, R, &traffic);
  good = good && is_solution(R, begin, end, columns);
  hs_rows_free(&rows);
  hs_free(R);
  return good;
}

/* The spread matrix must be of use again once it has been filled again. */
static bool substitutes(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, dense_decay);
  hs_substitution_t *substitution;
  bool good = hs_substitution_create(&substitution, A, precision, MOST) == HS_OK;
  for (int turn = 0; turn < 2; turn++) {
    dense_fill(A, dense_decay);
    good = good && hs_spread_factor(A) == HS_OK && hs_substitution_take(substitution, A) == HS_OK;
    for (int columns = 1; columns <= MOST && good; columns += 2)
      good = replicated(substitution, shape.n, columns) && by_rows(substitution, shape.n, columns);
  }
  hs_substitution_free(&substitution);
  hs_spread_free(&A);
  return good;
}

/* A solution on some ranks, the same everywhere. */
static void solve_on(MPI_Comm comm, int n, double *V)
{
  int rows = 1, columns = 1;
  hs_grid_shape(hs_ranks(comm), n, &rows, &columns);
  hs_grid_t grid;
  hs_grid_create(&grid, comm, rows, columns);
  hs_spread_t *A = dense_make(&grid, n, 16, dense_decay);
  hs_substitution_t *substitution;
  hs_traffic_t traffic = {0};
  if (hs_substitution_create(&substitution, A, HS_DOUBLE, 1) != HS_OK || hs_spread_factor(A) != HS_OK ||
      hs_substitution_take(substitution, A) != HS_OK)
    abort();
  for (int i = 0; i < n; i++) V[i] = solution(i, 0);
  hs_substitution_solve(substitution, 1, V, V, &traffic);
  hs_substitution_free(&substitution);
  hs_spread_free(&A);
  hs_grid_free(&grid);
}

static void test_ranks(void)
{
  enum { N = 211 };
  double all[N], again[N], alone[N];
  solve_on(MPI_COMM_WORLD, N, all);
  solve_on(MPI_COMM_WORLD, N, again);
  solve_on(MPI_COMM_SELF, N, alone);
  hs_check(MPI_COMM_WORLD, memcmp(all, again, sizeof all) == 0, "twice on the same ranks: the same bits");
  bool near = true;
  for (int i = 0; i < N; i++) near = near && fabs(all[i] - alone[i]) <= 1e-12;
  hs_check(MPI_COMM_WORLD, near, "on all ranks and on one: the same solution");
}

/* A triangle, half of that in single precision. */
static void test_memory(void)
{
  const int n = 2000;
  int rows = 1, columns = 1;
  hs_grid_shape(ranks, n, &rows, &columns);
  hs_grid_t grid;
  hs_grid_create(&grid, MPI_COMM_WORLD, rows, columns);
  hs_spread_t *A = dense_create(&grid, n, 64);
  hs_substitution_t *single, *twice;
  bool good = hs_substitution_create(&single, A, HS_SINGLE, 1) == HS_OK &&
              hs_substitution_create(&twice, A, HS_DOUBLE, 1) == HS_OK;
  double full = 8.0 * n * n, total = (double)hs_substitution_matrix_bytes(twice),
         even = 1.0 / (rows * columns);
  good = good && 2 * hs_substitution_matrix_bytes(single) == hs_substitution_matrix_bytes(twice);
  good = good && (double)hs_substitution_bytes(twice) <= (0.65 * even + 0.01) * full;
  MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, good && total >= 0.5 * full && total <= 0.52 * full,
           "half a matrix on all ranks together, half of that in single precision");
  hs_substitution_free(&single);
  hs_substitution_free(&twice);
  hs_spread_free(&A);
  hs_grid_free(&grid);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  rank = hs_rank(MPI_COMM_WORLD);
  ranks = hs_ranks(MPI_COMM_WORLD);
  precision = HS_DOUBLE;
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, substitutes),
           "known solutions in double precision");
  precision = HS_SINGLE;
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, substitutes),
           "known solutions in single precision");
  test_ranks();
  test_memory();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
