/* Products with a symmetric matrix in tiles against the dense product.
 *
 * S is given by its lower triangle; truth is sum_j S_ij x_j in double with S_ij = S_ji. Float sums of n terms may
 * differ by 4 sqrt(n) eps times the sum of absolute values. Sizes around the tile's show errors at its border.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "block/symmetric_tiles.h"

static float noise(int stream, int index)
{
  return (float)hs_random_normal(5, (uint32_t)stream, (uint64_t)index);
}

static void check(int n, int columns)
{
  float *A = hs_alloc((size_t)(n * n), sizeof *A, "matrix");
  float *X = hs_alloc((size_t)(n * columns), sizeof *X, "vectors");
  float *Y = hs_alloc((size_t)(n * columns), sizeof *Y, "product");
  float *tiles = hs_alloc(hs_tiles_size(n), sizeof *tiles, "tiles");
  /* The upper triangle is not to be read. */
  for (int j = 0; j < n; j++)
    for (int i = 0; i < n; i++) A[j * n + i] = i >= j ? noise(1, j * n + i) : NAN;
  for (int e = 0; e < n * columns; e++) {
    X[e] = noise(2, e);
    Y[e] = NAN;
  }
  hs_tiles_pack(n, A, tiles);
  hs_tiles_multiply(n, tiles, columns, X, Y);
  for (int i = 0; i < n; i++)
    for (int c = 0; c < columns; c++) {
      double sum = 0, size = 0;
      for (int j = 0; j < n; j++) {
        double term = (double)(i >= j ? A[j * n + i] : A[i * n + j]) * (double)X[j * columns + c];
        sum += term;
        size += fabs(term);
      }
      double got = (double)Y[i * columns + c];
      assert_true(isfinite(got));
      assert_true(fabs(got - sum) <= 4 * sqrt(n) * FLT_EPSILON * size);
    }
  hs_free(A);
  hs_free(X);
  hs_free(Y);
  hs_free(tiles);
}

static void test_multiply(void **state)
{
  (void)state;
  static const int sizes[] = {1, 2, 17, HS_TILE - 1, HS_TILE, HS_TILE + 1, 400, 2 * HS_TILE, 3 * HS_TILE + 5};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    check(sizes[i], 1);
    check(sizes[i], 3);
    check(sizes[i], 10);
  }
}

/* About half of a full matrix, as far as tiles on the diagonal allow. */
static void test_size(void **state)
{
  (void)state;
  assert_int_equal(hs_tiles_size(0), 0);
  assert_int_equal(hs_tiles_size(1), 1);
  assert_int_equal(hs_tiles_size(HS_TILE), HS_TILE * HS_TILE);
  assert_int_equal(hs_tiles_size(2 * HS_TILE), 3 * HS_TILE * HS_TILE);
  assert_int_equal(hs_tiles_size(HS_TILE + 1), HS_TILE * HS_TILE + HS_TILE + 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_multiply), cmocka_unit_test(test_size)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
