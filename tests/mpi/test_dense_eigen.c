/* Eigenvalues and eigenvectors on every grid that fits the ranks.
 *
 * The answers: the second difference (2 on the diagonal, -1 beside it) has the eigenvalues 2 - 2 cos(k pi / (n+1));
 * LAPACK's dsyevd on one process for a matrix of no structure; and for any matrix Q diag(w) Q' = A, Q'Q = 1.
 */
#include "mpi/dense/eigen.h"
#include "tests/mpi/test_dense_matrices.h"

extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
                    double *work, const int *lwork, int *iwork, const int *liwork, int *info);

#define LARGEST 64 /* order, where large ones show nothing more */

static int ranks;

static double difference(int64_t i, int64_t j, int64_t n)
{
  (void)n;
  return i == j ? 2 : llabs(i - j) == 1 ? -1 : 0;
}

static double one(int64_t i, int64_t j, int64_t n)
{
  (void)n;
  return i == j;
}

/* Q'Q = 1 and the columns of Q are scaled by nothing. */
static bool orthogonal(int n, const double *Q)
{
  bool good = true;
  for (int k = 0; k < n; k++)
    for (int l = 0; l <= k; l++) {
      double sum = 0;
      for (int i = 0; i < n; i++) sum += Q[k * n + i] * Q[l * n + i];
      good = good && fabs(sum - (k == l)) <= 1e-12;
    }
  return good;
}

/* A Q = Q diag(w), column by column. */
static bool diagonalises(int n, const double *Q, const double *w, dense_element_t *element)
{
  bool good = true;
  for (int k = 0; k < n; k++)
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j < n; j++) sum += element(i, j, n) * Q[k * n + j];
      good = good && fabs(sum - w[k] * Q[k * n + i]) <= 1e-11;
    }
  return good;
}

static bool decomposes(const hs_grid_t *grid, int n, int tile, dense_element_t *element, double *w)
{
  hs_spread_t *A = dense_make(grid, n, tile, element), *vectors = dense_create(grid, n, tile);
  bool good = hs_spread_eigen(A, w, vectors) == HS_OK;
  if (good) {
    double *Q = dense_gather(vectors, grid->comm);
    good = orthogonal(n, Q) && diagonalises(n, Q, w, element);
    hs_free(Q);
  }
  hs_spread_free(&A);
  hs_spread_free(&vectors);
  return good;
}

static bool known_values(const hs_grid_t *grid, dense_shape_t shape)
{
  int n = shape.n;
  double *w = dense_numbers(n);
  bool good = decomposes(grid, n, shape.tile, difference, w);
  for (int k = 0; k < n; k++)
    good = good && fabs(w[k] - (2 - 2 * cos((k + 1) * acos(-1) / (n + 1)))) <= 1e-13 * n;
  hs_free(w);
  return good;
}

/* All eigenvalues alike: everything is deflated. */
static bool equal_values(const hs_grid_t *grid, dense_shape_t shape)
{
  if (shape.n > LARGEST) return true;
  double *w = dense_numbers(shape.n);
  bool good = decomposes(grid, shape.n, shape.tile, one, w);
  for (int k = 0; k < shape.n; k++) good = good && fabs(w[k] - 1) <= 1e-13;
  hs_free(w);
  return good;
}

/* Eigenvalues and eigenvectors by LAPACK, of the whole matrix. */
static void lapack(int n, dense_element_t *element, double *Q, double *w)
{
  int work_count = 1 + 6 * n + 2 * n * n, integer_count = 3 + 5 * n, info = 0;
  double *work = dense_numbers(work_count);
  int *integers = hs_alloc((size_t)integer_count, sizeof *integers, "test");
  for (int j = 0; j < n; j++)
    for (int i = 0; i < n; i++) Q[j * n + i] = element(i, j, n);
  dsyevd_("V", "L", &n, Q, &n, w, work, &work_count, integers, &integer_count, &info);
  if (info != 0) abort();
  hs_free(work);
  hs_free(integers);
}

static bool as_lapack(const hs_grid_t *grid, dense_shape_t shape)
{
  if (shape.n > LARGEST) return true;
  int n = shape.n;
  double *w = dense_numbers(n), *truth = dense_numbers(n), *Q = dense_numbers(n * n);
  lapack(n, dense_noise, Q, truth);
  bool good = decomposes(grid, n, shape.tile, dense_noise, w);
  for (int k = 0; k < n; k++) good = good && fabs(w[k] - truth[k]) <= 1e-12 * n;
  hs_free(w);
  hs_free(truth);
  hs_free(Q);
  return good;
}

/* f(A) for f = max(0, .), the nearest positive semidefinite matrix, and for one that has all signs. */
static double positive(double value)
{
  return value > 0 ? value : 0;
}

static double mixed(double value)
{
  return fabs(value) < 0.3 ? 0 : sin(5 * value);
}

static bool function_is(const hs_grid_t *grid, dense_shape_t shape, double (*f)(double))
{
  if (shape.n > LARGEST) return true;
  int n = shape.n;
  double *w = dense_numbers(n), *truth = dense_numbers(n), *Q = dense_numbers(n * n);
  lapack(n, dense_noise, Q, truth);
  hs_spread_t *A = dense_make(grid, n, shape.tile, dense_noise), *vectors = dense_create(grid, n, shape.tile);
  bool good = hs_spread_eigen(A, w, vectors) == HS_OK;
  for (int k = 0; k < n; k++) w[k] = f(w[k]);
  if (good) hs_spread_compose(vectors, w, A);
  double *whole = dense_gather(A, grid->comm);
  for (int j = 0; j < n; j++)
    for (int i = j; i < n; i++) {
      double sum = 0;
      for (int k = 0; k < n; k++) sum += Q[k * n + i] * f(truth[k]) * Q[k * n + j];
      good = good && fabs(sum - whole[j * n + i]) <= 1e-11;
    }
  hs_free(w);
  hs_free(truth);
  hs_free(Q);
  hs_free(whole);
  hs_spread_free(&A);
  hs_spread_free(&vectors);
  return good;
}

static bool projects(const hs_grid_t *grid, dense_shape_t shape)
{
  return function_is(grid, shape, positive);
}

static bool composes(const hs_grid_t *grid, dense_shape_t shape)
{
  return function_is(grid, shape, mixed);
}

static double with_nan(int64_t i, int64_t j, int64_t n)
{
  return i == n - 1 && j == 0 ? NAN : dense_noise(i, j, n);
}

static bool refuses_nan(const hs_grid_t *grid, dense_shape_t shape)
{
  hs_error_clear();
  double *w = dense_numbers(shape.n);
  hs_spread_t *A = dense_make(grid, shape.n, shape.tile, with_nan);
  hs_spread_t *vectors = dense_create(grid, shape.n, shape.tile);
  bool good = hs_spread_eigen(A, w, vectors) == HS_NUMERICAL && strstr(hs_error_message(), "NaN") != NULL;
  hs_error_clear();
  hs_free(w);
  hs_spread_free(&A);
  hs_spread_free(&vectors);
  return good;
}

/* A tile of 70 for an order of 127 on 2 x 2: ScaLAPACK's own count of the workspace is too low there. */
static void test_workspace(void)
{
  enum { N = 127 };
  hs_grid_t grid;
  hs_grid_create(&grid, MPI_COMM_WORLD, ranks >= 4 ? 2 : 1, ranks >= 2 ? 2 : 1);
  double w[N];
  hs_check(MPI_COMM_WORLD, decomposes(&grid, N, 70, dense_noise, w),
           "tiles about as large as a rank's share");
  hs_grid_free(&grid);
}

static void test_ranks(void)
{
  enum { N = 90 };
  double all[N], again[N], alone[N];
  hs_grid_t grid;
  hs_grid_create(&grid, MPI_COMM_WORLD, 1, ranks);
  bool good = decomposes(&grid, N, 8, dense_noise, all) && decomposes(&grid, N, 8, dense_noise, again);
  hs_grid_free(&grid);
  hs_grid_create(&grid, MPI_COMM_SELF, 1, 1);
  good = decomposes(&grid, N, 8, dense_noise, alone) && good;
  hs_grid_free(&grid);
  hs_check(MPI_COMM_WORLD, good && memcmp(all, again, sizeof all) == 0,
           "twice on the same ranks: the same bits");
  for (int k = 0; k < N; k++) good = good && fabs(all[k] - alone[k]) <= 1e-12;
  hs_check(MPI_COMM_WORLD, good, "on all ranks and on one: the same eigenvalues");
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  ranks = hs_ranks(MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, known_values),
           "eigenvalues of the second difference");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, equal_values), "eigenvalues that are all alike");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, as_lapack), "eigenvalues as LAPACK finds them");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, projects),
           "projection on the semidefinite matrices");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, composes), "a function that changes sign");
  hs_check(MPI_COMM_WORLD, dense_everywhere(MPI_COMM_WORLD, refuses_nan),
           "not a number: refused on all ranks");
  test_workspace();
  test_ranks();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
