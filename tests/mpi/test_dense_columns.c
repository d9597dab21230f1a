/* Columns of a spread matrix brought to one rank, and L'L of a spread factor, on every grid that fits the ranks. */
#include "mpi/dense/columns.h"
#include "mpi/dense/factor.h"
#include "tests/mpi/test_dense_matrices.h"

/* The Cholesky factor of r^|i - j|, below its diagonal and on it. */
static double decay_factor(int64_t i, int64_t j, int64_t n)
{
  (void)n;
  return pow(DENSE_DECAY, (double)(i - j)) * (j > 0 ? sqrt(1 - DENSE_DECAY * DENSE_DECAY) : 1);
}

static double decay_square(int64_t i, int64_t j, int64_t n)
{
  double sum = 0;
  for (int64_t k = i > j ? i : j; k < n; k++) sum += decay_factor(k, i, n) * decay_factor(k, j, n);
  return sum;
}

/* Columns first .. first+count-1 on rank root, from a room that held something else. */
static bool columns_are(const hs_spread_t *spread, int first, int count, int root, dense_element_t *element,
                        double tolerance)
{
  int n = (int)hs_spread_order(spread);
  double *out = dense_numbers((int64_t)n * count + 1);
  hs_traffic_t traffic = {0};
  for (int e = 0; e <= n * count; e++) out[e] = 1e3;
  hs_spread_columns(spread, first, count, root, out, &traffic);
  bool good = out[n * count] == 1e3 && traffic.calls == 1 && traffic.bytes == 8.0 * n * count;
  if (hs_rank(hs_spread_comm(spread)) == root)
    for (int j = 0; j < count; j++)
      for (int i = 0; i < n; i++) {
        double truth = i < first + j ? 0 : element(i, first + j, n);
        good = good && fabs(out[j * n + i] - truth) <= tolerance;
      }
  hs_free(out);
  return good;
}

/* All at once and in slices that end within tiles, to all ranks in turn. */
static bool all_columns_are(const hs_spread_t *spread, dense_element_t *element, double tolerance)
{
  int n = (int)hs_spread_order(spread), ranks = hs_ranks(hs_spread_comm(spread)), root = 0;
  bool good = columns_are(spread, 0, n, ranks - 1, element, tolerance);
  for (int first = 0, count = 1; first < n; first += count, count = 3 * count + 2, root++) {
    if (count > n - first) count = n - first;
    good = columns_are(spread, first, count, root % ranks, element, tolerance) && good;
  }
  return good;
}

static bool brings_matrix(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, dense_noise);
  bool good = all_columns_are(A, dense_noise, 0);
  hs_spread_free(&A);
  return good;
}

static bool brings_factor(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, dense_decay);
  bool good = hs_spread_factor(A) == HS_OK;
  good = good && all_columns_are(A, decay_factor, 1e-14);
  hs_spread_free(&A);
  return good;
}

/* Twice: what comes out is a matrix, which can be filled and factored again. */
static bool squares(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *A = dense_create(grid, shape.n, shape.tile);
  bool good = true;
  for (int turn = 0; turn < 2 && good; turn++) {
    dense_fill(A, dense_decay);
    good = hs_spread_factor(A) == HS_OK && hs_spread_square(A) == HS_OK;
    double *whole = dense_gather(A, grid->comm);
    good = good && dense_distance(shape.n, whole, decay_square) <= 1e-13;
    hs_free(whole);
  }
  good = good && all_columns_are(A, decay_square, 1e-13) && hs_spread_factor(A) == HS_OK;
  hs_spread_free(&A);
  return good;
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, brings_matrix), "columns of a matrix");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, brings_factor), "columns of a factor");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, squares), "square of a factor");
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
