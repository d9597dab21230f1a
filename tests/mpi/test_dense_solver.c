/* Solutions by the inverse and by the factor, whichever the order asks for: right-hand sides are A times known
 * numbers. */
#include "base/status.h"
#include "mpi/dense/solver.h"
#include "tests/mpi/test_dense_matrices.h"

#define MOST 3 /* columns */

static int rank, ranks;
static hs_precision_t precision;

static double solution(int i, int c)
{
  return (double)((i * 7 + c * 3) % 13) - 6 + 0.25 * c;
}

/* A x for the known x. What is above the diagonal in a row, and what is below it, follows from the row next to it. */
static double *right_hand_side(int n, int columns)
{
  double *B = dense_numbers((int64_t)n * columns);
  for (int c = 0; c < columns; c++) {
    double before = 0, after = 0;
    for (int i = 0; i < n; i++) {
      B[i * columns + c] += before + solution(i, c);
      before = DENSE_DECAY * (before + solution(i, c));
    }
    for (int i = n - 1; i >= 0; i--) {
      B[i * columns + c] += after;
      after = DENSE_DECAY * (after + solution(i, c));
    }
  }
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

/* The number of sums over ranks tells which way was taken: one with the inverse, several with the factor. */
static bool replicated(hs_dense_solver_t *solver, int n, int columns)
{
  hs_traffic_t traffic = {0};
  double *R = right_hand_side(n, columns), *V = dense_numbers(n * columns);
  hs_dense_solver_apply(solver, columns, R, V, &traffic);
  bool good = is_solution(V, 0, n, columns) && (traffic.calls == 1) == (n < HS_INVERSE_MOST);
  hs_dense_solver_apply(solver, columns, R, R, &traffic);
  good = good && memcmp(R, V, (size_t)(n * columns) * sizeof *R) == 0;
  hs_free(R);
  hs_free(V);
  return good;
}

/* Rows spread over the ranks, unevenly and none on the first of several. */
static bool by_rows(hs_dense_solver_t *solver, int n, int columns)
{
  int64_t first[64] = {0};
  for (int r = 0; r < ranks; r++) first[r + 1] = r == ranks - 1 ? n : (int64_t)n * r * r / (ranks * ranks);
  int begin = (int)first[rank], own = (int)first[rank + 1] - begin;
  hs_rows_t rows;
  hs_traffic_t traffic = {0};
  double *R = right_hand_side(n, columns), *V = dense_numbers(own * columns + 1);
  memcpy(V, R + (size_t)(begin * columns), (size_t)(own * columns) * sizeof *R);
  bool good = hs_rows_create(&rows, MPI_COMM_WORLD, first) == HS_OK;
  hs_dense_solver_apply_rows(solver, &rows, columns, V, V, &traffic);
  good = good && is_solution(V, begin, begin + own, columns);
  hs_rows_free(&rows);
  hs_free(R);
  hs_free(V);
  return good;
}

/* Other matrices may come later, in place of the one before. */
static bool solves(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, dense_noise);
  hs_dense_solver_t *solver;
  bool good = hs_dense_solver_create(&solver, A, precision, MOST) == HS_OK;
  for (int turn = 0; turn < (shape.n < HS_INVERSE_MOST ? 2 : 1); turn++) {
    dense_fill(A, dense_decay);
    good = good && hs_dense_solver_take(solver, A) == HS_OK;
    for (int columns = 1; columns <= MOST && good; columns += 2)
      good = replicated(solver, shape.n, columns) && by_rows(solver, shape.n, columns);
  }
  hs_dense_solver_free(&solver);
  hs_spread_free(&A);
  return good && solver == NULL;
}

/* From the limit on the factor is used as it is. */
static bool solves_at_limit(void)
{
  int rows = 1, columns = 1;
  hs_grid_t grid;
  hs_grid_shape(ranks, HS_INVERSE_MOST, &rows, &columns);
  hs_grid_create(&grid, MPI_COMM_WORLD, rows, columns);
  bool good = solves(&grid, (dense_shape_t){HS_INVERSE_MOST, 0});
  hs_grid_free(&grid);
  return good;
}

/* What is not positive definite is told; a matrix that is can follow. */
static bool refuses(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, dense_decay);
  hs_dense_solver_t *solver;
  bool good = hs_dense_solver_create(&solver, A, precision, MOST) == HS_OK;
  hs_spread_clear(A);
  good = good && hs_dense_solver_take(solver, A) == HS_NUMERICAL;
  hs_error_clear();
  dense_fill(A, dense_decay);
  good = good && hs_dense_solver_take(solver, A) == HS_OK && replicated(solver, shape.n, 1);
  hs_dense_solver_free(&solver);
  hs_spread_free(&A);
  return good;
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  rank = hs_rank(MPI_COMM_WORLD);
  ranks = hs_ranks(MPI_COMM_WORLD);
  precision = HS_DOUBLE;
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, solves), "known solutions in double precision");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, refuses), "an indefinite matrix is refused");
  precision = HS_SINGLE;
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, solves), "known solutions in single precision");
  hs_check(MPI_COMM_WORLD, solves_at_limit(), "known solutions where the factor is used as it is");
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
