/* Spread matrices: which elements a rank is asked for, sums over ranks, and the rows of data behind them.
 *
 * The answers are exact: elements are small whole numbers, whose sums do not depend on their order.
 */
#include "mpi/dense/rows.h"
#include "tests/mpi/test_dense_matrices.h"

static int rank, ranks;

static double numbered(int64_t i, int64_t j, int64_t n)
{
  return (double)(i * n + j + 1);
}

/* The elements of the lower triangle: each once, with its own indices, whatever else lies in the tiles. */
static bool once_each(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *spread = dense_make(grid, shape.n, shape.tile, numbered);
  double *whole = dense_gather(spread, MPI_COMM_WORLD);
  bool good = dense_distance(shape.n, whole, numbered) == 0;
  hs_free(whole);
  hs_spread_clear(spread);
  whole = dense_gather(spread, MPI_COMM_WORLD);
  for (int e = 0; e < shape.n * shape.n; e++) good = good && whole[e] == 0;
  hs_free(whole);
  hs_spread_free(&spread);
  return good;
}

/* Rank r contributes (r + 1) times the matrix; what lies in the upper triangle must do no harm. */
static void contribute(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  dense_source_t *source = context;
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < rows; i++) {
      double *element = &block[(size_t)j * (size_t)ld + (size_t)i];
      bool counts = i0 + i >= j0 + j;
      if (*element != 0) abort();
      *element = counts ? (rank + 1) * source->element(i0 + i, j0 + j, source->n) : -77;
    }
}

/* Added twice to a matrix that was filled: 1 + 2 (1 + .. + ranks) times the elements. */
static double times;
static double sum_of_all(int64_t i, int64_t j, int64_t n)
{
  return times * numbered(i, j, n);
}

static bool sums(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_spread_t *spread = dense_make(grid, shape.n, shape.tile, numbered);
  dense_source_t source = {numbered, shape.n};
  hs_traffic_t traffic = {0};
  bool good = hs_spread_add(spread, contribute, &source, &traffic) == HS_OK;
  good = hs_spread_add(spread, contribute, &source, &traffic) == HS_OK && good;
  double *whole = dense_gather(spread, MPI_COMM_WORLD);
  times = 1 + ranks * (ranks + 1);
  good = good && dense_distance(shape.n, whole, sum_of_all) == 0;
  double least = 2 * 8.0 * shape.n * (shape.n + 1) / 2;
  good = good && traffic.calls >= 2 && traffic.bytes >= least && traffic.seconds >= 0;
  hs_free(whole);
  hs_spread_free(&spread);
  return good;
}

/* A Gram matrix X'X of rows that lie on different ranks, against the whole of it. Rank r holds 3 r rows. */
#define ORDER 70
static double datum(int64_t k, int64_t i)
{
  return (double)((k * 31 + i * 17) % 11 - 5);
}

static void gram(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  const int64_t *first = context;
  for (int64_t k = first[rank]; k < first[rank + 1]; k++)
    for (int j = 0; j < columns; j++)
      for (int i = 0; i < rows; i++)
        block[(size_t)j * (size_t)ld + (size_t)i] += datum(k, i0 + i) * datum(k, j0 + j);
}

static int64_t all_rows;
static double gram_element(int64_t i, int64_t j, int64_t n)
{
  (void)n;
  double sum = 0;
  for (int64_t k = 0; k < all_rows; k++) sum += datum(k, i) * datum(k, j);
  return sum;
}

static void test_fill_and_add(void)
{
  int64_t first[64] = {0};
  for (int r = 0; r < ranks; r++) first[r + 1] = first[r] + 3 * r;
  all_rows = first[ranks];
  hs_grid_t grid;
  int rows = 1, columns = 1;
  hs_grid_shape(ranks, ORDER, &rows, &columns);
  hs_grid_create(&grid, MPI_COMM_WORLD, rows, columns);
  hs_spread_t *added = dense_create(&grid, ORDER, 9);
  hs_spread_t *filled = dense_make(&grid, ORDER, 9, gram_element);
  hs_traffic_t traffic = {0};
  bool good = hs_spread_add(added, gram, first, &traffic) == HS_OK;
  double *a = dense_gather(added, MPI_COMM_WORLD), *b = dense_gather(filled, MPI_COMM_WORLD);
  for (int j = 0; j < ORDER; j++)
    for (int i = j; i < ORDER; i++) good = good && a[j * ORDER + i] == b[j * ORDER + i];
  hs_check(MPI_COMM_WORLD, good, "a Gram matrix: filled and added up, the same");
  hs_free(a);
  hs_free(b);
  hs_spread_free(&added);
  hs_spread_free(&filled);
  hs_grid_free(&grid);
}

/* A rank holds its share of the matrix and little else. */
static void test_memory(void)
{
  const int n = 2000;
  int rows = 1, columns = 1;
  hs_grid_shape(ranks, n, &rows, &columns);
  hs_grid_t grid;
  hs_grid_create(&grid, MPI_COMM_WORLD, rows, columns);
  hs_spread_t *spread = dense_create(&grid, n, 0);
  double share = (double)hs_spread_bytes(spread) / (8.0 * n * n), even = 1.0 / (rows * columns),
         total = share;
  MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, grid.inside ? share >= 0.8 * even && share <= 1.2 * even : share < 1e-4,
           "a rank holds about n^2 / ranks numbers");
  hs_check(MPI_COMM_WORLD, total >= 1 && total < 1.001, "all ranks together hold the matrix once");
  hs_spread_free(&spread);
  hs_grid_free(&grid);
}

/* 1e10 elements on at most four ranks, and an order that is no 32-bit number. */
static void test_too_large(void)
{
  hs_grid_t grid;
  hs_grid_create(&grid, MPI_COMM_WORLD, 1, ranks);
  hs_spread_t *spread = NULL;
  hs_error_clear();
  hs_status_t status = hs_spread_create(&spread, &grid, 100000, 0);
  bool good = status == HS_BAD_DATA && spread == NULL;
  hs_check(MPI_COMM_WORLD, good && strstr(hs_error_message(), "more ranks") != NULL,
           "more than 2^31 elements on a rank are refused");
  hs_error_clear();
  status = hs_spread_create(&spread, &grid, (int64_t)1 << 32, 0);
  hs_check(MPI_COMM_WORLD, status == HS_BAD_DATA && spread == NULL, "an order beyond 32 bits is refused");
  hs_error_clear();
  hs_grid_free(&grid);
}

/* Rows of data: row k holds (k, 1000 k, -k). Shares of all sizes, the first empty where there are several ranks. */
static void cut(int n, int64_t *first)
{
  first[0] = 0;
  for (int r = 0; r < ranks; r++) first[r + 1] = r == ranks - 1 ? n : (int64_t)n * r * r / (ranks * ranks);
}

typedef struct data {
  const hs_spread_t *spread;
  const double *rows, *columns; /* 3 numbers each */
  bool good;
} data_t;

static bool is_row(const double *record, int64_t k)
{
  return record[0] == (double)k && record[1] == 1000.0 * (double)k && record[2] == -(double)k;
}

static void look_up(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  (void)block, (void)ld;
  data_t *data = context;
  int i = hs_rows_place(data->spread, HS_TILE_ROWS, i0), j = hs_rows_place(data->spread, HS_TILE_COLUMNS, j0);
  for (int k = 0; k < rows; k++) data->good = data->good && is_row(data->rows + 3 * (i + k), i0 + k);
  for (int k = 0; k < columns; k++) data->good = data->good && is_row(data->columns + 3 * (j + k), j0 + k);
}

static bool fetches(const hs_grid_t *grid, dense_shape_t shape)
{
  int64_t first[64];
  cut(shape.n, first);
  hs_rows_t rows;
  hs_traffic_t traffic = {0};
  hs_spread_t *spread = dense_create(grid, shape.n, shape.tile);
  double *own = dense_numbers(3 * (first[rank + 1] - first[rank]) + 1);
  double *needed[2];
  for (int64_t k = first[rank]; k < first[rank + 1]; k++) {
    double *record = own + 3 * (k - first[rank]);
    record[0] = (double)k;
    record[1] = 1000.0 * (double)k;
    record[2] = -(double)k;
  }
  bool good = hs_rows_create(&rows, MPI_COMM_WORLD, first) == HS_OK;
  for (int side = 0; side < 2; side++) {
    needed[side] = dense_numbers(3 * hs_rows_needed(spread, (hs_side_t)side));
    good = hs_rows_fetch(&rows, spread, (hs_side_t)side, 3 * (int)sizeof(double), own, needed[side],
                         &traffic) == HS_OK &&
           good;
  }
  data_t data = {spread, needed[HS_TILE_ROWS], needed[HS_TILE_COLUMNS], good};
  hs_spread_visit(spread, look_up, &data);
  hs_rows_free(&rows);
  hs_free(own);
  hs_free(needed[0]);
  hs_free(needed[1]);
  hs_spread_free(&spread);
  return data.good;
}

/* sum over ranks r of (r + 1) times the rows, cut into own rows; and everybody's rows. */
static void test_rows(void)
{
  enum { N = 23, WIDTH = 3 };
  int64_t first[64];
  cut(N, first);
  hs_rows_t rows;
  hs_traffic_t traffic = {0};
  double all[N * WIDTH], local[N * WIDTH], back[N * WIDTH];
  for (int e = 0; e < N * WIDTH; e++) all[e] = (rank + 1) * e;
  bool good = hs_rows_create(&rows, MPI_COMM_WORLD, first) == HS_OK;
  hs_rows_sum(&rows, WIDTH, all, local, &traffic);
  hs_rows_gather(&rows, WIDTH, local, back, &traffic);
  for (int64_t e = first[rank] * WIDTH; e < first[rank + 1] * WIDTH; e++)
    good = good && local[e - first[rank] * WIDTH] == ranks * (ranks + 1) / 2 * (double)e;
  hs_check(MPI_COMM_WORLD, good, "sums over ranks, each rank its own rows");
  for (int e = 0; e < N * WIDTH; e++) good = good && back[e] == ranks * (ranks + 1) / 2 * e;
  double own = (double)(first[rank + 1] - first[rank]);
  good = good && traffic.calls == 2 && traffic.bytes == 8.0 * WIDTH * (N + own);
  hs_check(MPI_COMM_WORLD, good, "everybody's rows on every rank, with bytes and calls counted");
  hs_rows_free(&rows);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  rank = hs_rank(MPI_COMM_WORLD);
  ranks = hs_ranks(MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, once_each),
           "every element of the lower triangle is asked for once");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, sums),
           "sums over ranks, added to what was there");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, fetches), "rows of data for the tiles of a rank");
  test_fill_and_add();
  test_memory();
  test_too_large();
  test_rows();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
