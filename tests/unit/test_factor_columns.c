/* Products and solutions with columns of a triangular matrix against the definition.
 *
 * L is a function of its indices; its order is cut into slices of columns, as ranks share them. Truth is summed in
 * long double, so that what is allowed is the rounding of double alone:
 *     products   |computed - true| <= n eps * sum of |terms|
 *     solutions  |computed - true| <= 100 eps * largest |element|, with an L of a small condition number
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "dense/factor_columns.h"
#include "tests/support/thread_counts.h"

#define MOST_SLICES 8

/* Slices first[s] .. first[s+1]-1 of the columns, perhaps empty. */
typedef struct cut {
  int order, slices;
  int first[MOST_SLICES + 1];
} cut_t;

static const cut_t cuts[] = {
    {1, 1, {0, 1}},
    {1, 3, {0, 0, 1, 1}},
    {63, 1, {0, 63}},
    {64, 1, {0, 64}},
    {65, 1, {0, 65}},
    {64, 2, {0, 63, 64}},
    {65, 3, {0, 1, 64, 65}},
    {300, 1, {0, 300}},
    {300, 4, {0, 100, 100, 235, 300}},
    {300, 5, {0, 64, 128, 129, 192, 300}},
};
#define CUTS ((int)(sizeof cuts / sizeof *cuts))

static double element(int64_t i, int64_t j, int64_t n)
{
  double value = 2 * hs_random_uniform(11, 99, (uint64_t)(i * n + j)) - 1;
  return i == j ? 1.5 + 0.5 * value : value / sqrt((double)n);
}

/* Vectors of no structure, another for every place. */
static double *noise(size_t count, uint32_t stream)
{
  double *values = hs_alloc(count + 1, sizeof *values, "vectors");
  assert_non_null(values);
  for (size_t e = 0; e < count; e++) values[e] = hs_random_normal(5, stream, e);
  return values;
}

static hs_factor_columns_t *make(int n, int first, int count)
{
  hs_factor_columns_t *columns = NULL;
  assert_int_equal(hs_factor_columns_create(&columns, n, first, count), HS_OK);
  for (int j = 0; j < count; j++) {
    double *column = hs_factor_column(columns, j);
    for (int i = first + j; i < n; i++) column[i - first - j] = element(i, first + j, n);
  }
  return columns;
}

static void assert_sum(double found, long double sum, long double size, int n)
{
  assert_true(isfinite(found));
  assert_true(fabsl((long double)found - sum) <= (long double)n * (long double)DBL_EPSILON * size);
}

/* U outputs x n, a count x outputs */
static void check_forward(const hs_factor_columns_t *columns, int n, int first, int count, int outputs)
{
  size_t size = (size_t)count * (size_t)outputs;
  double *U = noise((size_t)n * (size_t)outputs, 1), *a = noise(size, 2), past = a[size];
  hs_factor_columns_forward(columns, outputs, U, a);
  for (int j = 0; j < count; j++)
    for (int c = 0; c < outputs; c++) {
      long double sum = 0, terms = 0;
      for (int i = first + j; i < n; i++) {
        long double term = (long double)element(i, first + j, n) * (long double)U[c * n + i];
        sum += term;
        terms += fabsl(term);
      }
      assert_sum(a[j * outputs + c], sum, terms, n);
    }
  assert_true(a[size] == past);
  hs_free(U);
  hs_free(a);
}

/* w count x outputs, S outputs x n */
static void check_adjoint(const hs_factor_columns_t *columns, int n, int first, int count, int outputs)
{
  double *w = noise((size_t)count * (size_t)outputs, 3), *S = noise((size_t)n * (size_t)outputs, 4);
  hs_factor_columns_adjoint(columns, outputs, w, S);
  for (int i = 0; i < n; i++)
    for (int c = 0; c < outputs; c++) {
      long double sum = 0, terms = 0;
      for (int j = 0; j < count && first + j <= i; j++) {
        long double term = (long double)element(i, first + j, n) * (long double)w[j * outputs + c];
        sum += term;
        terms += fabsl(term);
      }
      assert_sum(S[c * n + i], sum, terms, n);
    }
  hs_free(w);
  hs_free(S);
}

static void test_products(void **state)
{
  (void)state;
  for (int t = 0; t < CUTS; t++)
    for (int s = 0; s < cuts[t].slices; s++) {
      int n = cuts[t].order, first = cuts[t].first[s], count = cuts[t].first[s + 1] - first;
      hs_factor_columns_t *columns = make(n, first, count);
      for (int outputs = 1; outputs <= 3; outputs += 2) {
        check_forward(columns, n, first, count, outputs);
        check_adjoint(columns, n, first, count, outputs);
      }
      hs_factor_columns_free(&columns);
      assert_null(columns);
    }
}

/* L y = c, or L' y = c, by the definition.   c, y outputs x n */
static void substitute(int n, int outputs, bool transposed, const double *c, double *y)
{
  for (int out = 0; out < outputs; out++)
    for (int step = 0; step < n; step++) {
      int i = transposed ? n - 1 - step : step;
      long double left = c[out * n + i];
      for (int k = 0; k < step; k++) {
        int j = transposed ? n - 1 - k : k;
        double l = transposed ? element(j, i, n) : element(i, j, n);
        left -= (long double)l * (long double)y[out * n + j];
      }
      y[out * n + i] = (double)(left / (long double)element(i, i, n));
    }
}

/* found: n x outputs when `by_row`, else outputs x n */
static void assert_solution(int n, int outputs, bool by_row, const double *found, const double *truth)
{
  double largest = 0;
  for (int e = 0; e < n * outputs; e++) largest = fmax(largest, fabs(truth[e]));
  for (int i = 0; i < n; i++)
    for (int c = 0; c < outputs; c++) {
      double value = by_row ? found[i * outputs + c] : found[c * n + i];
      assert_true(fabs(value - truth[c * n + i]) <= 100 * DBL_EPSILON * largest);
    }
}

/* Slice by slice, each from what the one before it has left, as ranks do it one after the other. */
static void check_solve(const cut_t *cut, hs_factor_columns_t *const *columns, int outputs)
{
  int n = cut->order;
  size_t size = (size_t)n * (size_t)outputs;
  double *rest = noise(size, 6), *truth = noise(size, 7), *y = noise(size, 8);
  substitute(n, outputs, false, rest, truth);
  for (int s = 0; s < cut->slices; s++)
    hs_factor_columns_solve(columns[s], outputs, rest, y + cut->first[s] * outputs);
  assert_solution(n, outputs, true, y, truth);
  hs_free(rest);
  hs_free(truth);
  hs_free(y);
}

static void check_transposed(const cut_t *cut, hs_factor_columns_t *const *columns, int outputs)
{
  int n = cut->order;
  size_t size = (size_t)n * (size_t)outputs;
  double *right = noise(size, 9), *p = noise(size, 10), *truth = noise(size, 11), *q = noise(size, 12);
  for (int i = 0; i < n; i++)
    for (int c = 0; c < outputs; c++) p[i * outputs + c] = right[c * n + i];
  substitute(n, outputs, true, right, truth);
  for (int s = cut->slices - 1; s >= 0; s--)
    hs_factor_columns_solve_transposed(columns[s], outputs, p + cut->first[s] * outputs, q);
  assert_solution(n, outputs, false, q, truth);
  hs_free(right);
  hs_free(p);
  hs_free(truth);
  hs_free(q);
}

static void test_solutions(void **state)
{
  (void)state;
  for (int t = 0; t < CUTS; t++) {
    const cut_t *cut = &cuts[t];
    hs_factor_columns_t *columns[MOST_SLICES];
    for (int s = 0; s < cut->slices; s++)
      columns[s] = make(cut->order, cut->first[s], cut->first[s + 1] - cut->first[s]);
    for (int outputs = 1; outputs <= 3; outputs += 2) {
      check_solve(cut, columns, outputs);
      check_transposed(cut, columns, outputs);
    }
    for (int s = 0; s < cut->slices; s++) hs_factor_columns_free(&columns[s]);
  }
}

/* Both products of a slice with one number of threads: a (count x outputs), then S (outputs x n). */
static double *products(int n, int first, int count, int outputs)
{
  size_t length = (size_t)(n * outputs), own = (size_t)(count * outputs);
  double *U = noise(length, 13), *w = noise(own, 14), *out = noise(own + length, 15);
  hs_factor_columns_t *columns = make(n, first, count);
  hs_factor_columns_forward(columns, outputs, U, out);
  hs_factor_columns_adjoint(columns, outputs, w, out + own);
  hs_factor_columns_free(&columns);
  hs_free(U);
  hs_free(w);
  return out;
}

static void check_threads(int n, int first, int count, int outputs)
{
  set_threads(1);
  double *one = products(n, first, count, outputs);
  for (int threads = 2; threads <= MOST_THREADS && set_threads(threads); threads++) {
    double *some = products(n, first, count, outputs);
    assert_memory_equal(some, one, (size_t)((count + n) * outputs) * sizeof *one);
    hs_free(some);
  }
  hs_free(one);
  set_threads(1);
}

/* Orders for which there are one, two and more parts. */
static void test_threads(void **state)
{
  (void)state;
  for (int outputs = 1; outputs <= 3; outputs += 2) {
    check_threads(65, 0, 65, outputs);
    check_threads(300, 0, 300, outputs);
    check_threads(511, 100, 260, outputs);
    check_threads(600, 0, 600, outputs);
    check_threads(1100, 37, 300, outputs);
  }
}

/* Little more than a triangle, and no more for all slices than for the whole. */
static void test_bytes(void **state)
{
  (void)state;
  const int n = 3000;
  const double triangle = sizeof(double) * (n + 1.0) * n / 2;
  double whole = (double)hs_factor_columns_bytes(n, 0, n), slices = 0;
  assert_true(whole >= triangle && whole <= 1.03 * triangle);
  for (int first = 0; first < n; first += 500) slices += (double)hs_factor_columns_bytes(n, first, 500);
  assert_true(slices >= triangle && slices <= 1.03 * triangle);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_products),
      cmocka_unit_test(test_solutions),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
