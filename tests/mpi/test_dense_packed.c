/* Products with a packed symmetric matrix, against the sums written out, on every grid that fits the ranks. */
#include "mpi/dense/factor.h"
#include "mpi/dense/packed.h"
#include "tests/mpi/test_dense_matrices.h"

#define MOST 5 /* columns */

static int rank, ranks;

static double factor_of(int i, int c)
{
  return (double)((i * 5 + c * 11) % 17) / 8 - 1;
}

static void set(double *R, int first, int last, int columns)
{
  for (int i = first; i < last; i++)
    for (int c = 0; c < columns; c++) R[(i - first) * columns + c] = factor_of(i, c);
}

/* Are these the rows of M R? Errors are measured against sum_k |M_ik R_kc|. */
static bool is_product(const double *V, int first, int last, int n, int columns, dense_element_t *element,
                       double tolerance)
{
  bool good = true;
  for (int i = first; i < last; i++)
    for (int c = 0; c < columns; c++) {
      double sum = 0, size = 0;
      for (int k = 0; k < n; k++) {
        double term = element(i, k, n) * factor_of(k, c);
        sum += term;
        size += fabs(term);
      }
      good = good && fabs(V[(i - first) * columns + c] - sum) <= tolerance * size;
    }
  return good;
}

/* Replicated, in two places and in one. */
static bool replicated(hs_packed_t *packed, int n, int columns, double tolerance)
{
  hs_traffic_t traffic = {0};
  double *R = dense_numbers(n * columns), *V = dense_numbers(n * columns);
  set(R, 0, n, columns);
  for (int e = 0; e < n * columns; e++) V[e] = NAN;
  hs_packed_multiply(packed, columns, R, V, &traffic);
  bool good = is_product(V, 0, n, n, columns, dense_noise, tolerance);
  good = good && traffic.calls == 1 && traffic.bytes == 8.0 * n * columns;
  hs_packed_multiply(packed, columns, R, R, &traffic);
  good = good && memcmp(R, V, (size_t)(n * columns) * sizeof *R) == 0;
  hs_free(R);
  hs_free(V);
  return good;
}

/* Rows spread over the ranks, unevenly and none on the first of several. */
static bool by_rows(hs_packed_t *packed, int n, int columns, double tolerance)
{
  int64_t first[64] = {0};
  for (int r = 0; r < ranks; r++) first[r + 1] = r == ranks - 1 ? n : (int64_t)n * r * r / (ranks * ranks);
  int begin = (int)first[rank], end = (int)first[rank + 1];
  hs_rows_t rows;
  hs_traffic_t traffic = {0};
  double *R = dense_numbers((end - begin) * columns + 1);
  set(R, begin, end, columns);
  bool good = hs_rows_create(&rows, MPI_COMM_WORLD, first) == HS_OK;
  hs_packed_multiply_rows(packed, &rows, columns, R, R, &traffic);
  good = good && is_product(R, begin, end, n, columns, dense_noise, tolerance);
  good = good && traffic.calls == 2 && traffic.bytes == 8.0 * columns * (n + end - begin);
  hs_rows_free(&rows);
  hs_free(R);
  return good;
}

static hs_precision_t precision;

static bool multiplies(const hs_grid_t *grid, dense_shape_t shape)
{
  double tolerance = precision == HS_SINGLE ? 1e-6 : 1e-14;
  hs_spread_t *spread = dense_make(grid, shape.n, shape.tile, dense_noise);
  hs_packed_t *packed;
  bool good = hs_packed_create(&packed, spread, precision, MOST) == HS_OK;
  hs_packed_take(packed, spread);
  hs_spread_free(&spread);
  for (int columns = 1; columns <= MOST; columns += 2) {
    good = replicated(packed, shape.n, columns, tolerance) && good;
    good = by_rows(packed, shape.n, columns, tolerance) && good;
  }
  hs_packed_free(&packed);
  return good;
}

/* Products with the inverse are solutions. */
static void test_inverse(void)
{
  enum { N = 300, COLUMNS = 2 };
  int rows = 1, columns = 1;
  hs_grid_shape(ranks, N, &rows, &columns);
  hs_grid_t grid;
  hs_grid_create(&grid, MPI_COMM_WORLD, rows, columns);
  hs_spread_t *A = dense_make(&grid, N, 0, dense_decay);
  hs_packed_t *packed;
  hs_traffic_t traffic = {0};
  static double solved[N * COLUMNS], multiplied[N * COLUMNS];
  set(solved, 0, N, COLUMNS);
  set(multiplied, 0, N, COLUMNS);
  bool good = hs_packed_create(&packed, A, HS_DOUBLE, COLUMNS) == HS_OK && hs_spread_factor(A) == HS_OK &&
              hs_spread_solve(A, COLUMNS, solved, &traffic) == HS_OK && hs_spread_invert(A) == HS_OK;
  hs_packed_take(packed, A);
  hs_packed_multiply(packed, COLUMNS, multiplied, multiplied, &traffic);
  for (int e = 0; e < N * COLUMNS; e++) good = good && fabs(solved[e] - multiplied[e]) <= 1e-13;
  hs_check(MPI_COMM_WORLD, good, "products with the inverse are solutions");
  hs_packed_free(&packed);
  hs_spread_free(&A);
  hs_grid_free(&grid);
}

/* A product on some ranks, the same everywhere. */
static void product_of(MPI_Comm comm, int n, double *V)
{
  int rows = 1, columns = 1;
  hs_grid_shape(hs_ranks(comm), n, &rows, &columns);
  hs_grid_t grid;
  hs_grid_create(&grid, comm, rows, columns);
  hs_spread_t *A = dense_make(&grid, n, 16, dense_decay);
  hs_packed_t *packed;
  hs_traffic_t traffic = {0};
  if (hs_packed_create(&packed, A, HS_DOUBLE, 1) != HS_OK) abort();
  hs_packed_take(packed, A);
  set(V, 0, n, 1);
  hs_packed_multiply(packed, 1, V, V, &traffic);
  hs_packed_free(&packed);
  hs_spread_free(&A);
  hs_grid_free(&grid);
}

static void test_ranks(void)
{
  enum { N = 211 };
  double all[N], again[N], alone[N];
  product_of(MPI_COMM_WORLD, N, all);
  product_of(MPI_COMM_WORLD, N, again);
  product_of(MPI_COMM_SELF, N, alone);
  hs_check(MPI_COMM_WORLD, memcmp(all, again, sizeof all) == 0, "twice on the same ranks: the same bits");
  bool near = true;
  for (int i = 0; i < N; i++) near = near && fabs(all[i] - alone[i]) <= 1e-12;
  hs_check(MPI_COMM_WORLD, near, "on all ranks and on one: the same product");
}

/* Single precision takes half the memory, a triangle half of the matrix. */
static void test_memory(void)
{
  const int n = 2000;
  int rows = 1, columns = 1;
  hs_grid_shape(ranks, n, &rows, &columns);
  hs_grid_t grid;
  hs_grid_create(&grid, MPI_COMM_WORLD, rows, columns);
  hs_spread_t *A = dense_create(&grid, n, 64);
  hs_packed_t *single, *twice;
  bool good = hs_packed_create(&single, A, HS_SINGLE, 1) == HS_OK &&
              hs_packed_create(&twice, A, HS_DOUBLE, 1) == HS_OK;
  double full = 8.0 * n * n, total = (double)hs_packed_matrix_bytes(twice), even = 1.0 / (rows * columns);
  good = good && 2 * hs_packed_matrix_bytes(single) == hs_packed_matrix_bytes(twice);
  good = good && (double)hs_packed_bytes(twice) <= (0.65 * even + 0.01) * full;
  MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, good && total >= 0.5 * full && total <= 0.52 * full,
           "half a matrix on all ranks together, half of that in single precision");
  hs_packed_free(&single);
  hs_packed_free(&twice);
  hs_spread_free(&A);
  hs_grid_free(&grid);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  rank = hs_rank(MPI_COMM_WORLD);
  ranks = hs_ranks(MPI_COMM_WORLD);
  precision = HS_DOUBLE;
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, multiplies), "products in double precision");
  precision = HS_SINGLE;
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, multiplies), "products in single precision");
  test_inverse();
  test_ranks();
  test_memory();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
