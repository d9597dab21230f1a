/* The kernel between two sets of rows against its definition: the sum over features in long double times the number
 * of shared gates, counted bit by bit. An answer may differ by a few roundings of the sum of absolute values:
 *     |computed - true| <= 20 eps * count * sum of |terms|,   eps of the features' precision.
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
#include "masked/cross_kernel.h"
#include "tests/support/thread_counts.h"

#define PAST 2 /* elements between the columns of K, which nobody may touch */

typedef struct set {
  hs_kernel_rows_t rows;
  double *x;
  void *X;
  uint64_t *masks;
} set_t;

typedef struct problem {
  hs_precision_t precision;
  int d, gates, words, ld;
  set_t left, right;
  hs_cross_kernel_t *kernel;
  double *K;
} problem_t;

static void make_set(const problem_t *p, set_t *set, int count, uint32_t stream)
{
  int64_t values = (int64_t)count * p->d;
  set->x = hs_alloc((size_t)values, sizeof(double), "features");
  set->X = hs_alloc((size_t)values, hs_precision_bytes(p->precision), "features");
  set->masks = hs_alloc((size_t)count * (size_t)p->words, sizeof(uint64_t), "masks");
  for (int64_t i = 0; i < values; i++) {
    set->x[i] = (double)(float)hs_random_normal(3, stream, (uint64_t)i);
    if (p->precision == HS_SINGLE)
      ((float *)set->X)[i] = (float)set->x[i];
    else
      ((double *)set->X)[i] = set->x[i];
  }
  for (int64_t k = 0; k < count; k++)
    for (int i = 0; i < p->gates; i++) {
      bool open = hs_random_uniform(4, stream, (uint64_t)(k * p->gates + i)) < 0.5;
      set->masks[k * p->words + i / 64] |= (uint64_t)open << (i % 64);
    }
  set->rows = (hs_kernel_rows_t){count, set->X, set->masks};
}

static void make(problem_t *p, int rows, int columns, int d, int gates, hs_precision_t precision)
{
  *p = (problem_t){
      .precision = precision, .d = d, .gates = gates, .words = (gates + 63) / 64, .ld = rows + PAST};
  make_set(p, &p->left, rows, 1);
  make_set(p, &p->right, columns, 2);
  size_t count = (size_t)p->ld * (size_t)columns;
  p->K = hs_alloc(count, sizeof *p->K, "kernel");
  for (size_t i = 0; i < count; i++) p->K[i] = NAN;
  assert_int_equal(hs_cross_kernel_create(&p->kernel, precision, d, gates), HS_OK);
}

static void drop(problem_t *p)
{
  hs_cross_kernel_free(&p->kernel);
  assert_null(p->kernel);
  set_t *sets[] = {&p->left, &p->right};
  for (int i = 0; i < 2; i++) {
    hs_free(sets[i]->x);
    hs_free(sets[i]->X);
    hs_free(sets[i]->masks);
  }
  hs_free(p->K);
}

static int shared_gates(const problem_t *p, int k, int l)
{
  int shared = 0;
  for (int i = 0; i < p->gates; i++)
    shared += (int)(p->left.masks[k * p->words + i / 64] >> (i % 64) &
                    p->right.masks[l * p->words + i / 64] >> (i % 64) & 1);
  return shared;
}

static void check_element(const problem_t *p, int k, int l)
{
  long double sum = 0, size = 0;
  for (int a = 0; a < p->d; a++) {
    long double term = (long double)p->left.x[k * p->d + a] * p->right.x[l * p->d + a];
    sum += term;
    size += fabsl(term);
  }
  int shared = shared_gates(p, k, l);
  double eps = p->precision == HS_SINGLE ? FLT_EPSILON : DBL_EPSILON, got = p->K[(int64_t)l * p->ld + k];
  assert_true(isfinite(got));
  assert_true(fabsl(got - shared * sum) <= 20 * eps * shared * size);
}

static void check(problem_t *p)
{
  hs_cross_kernel(p->kernel, p->left.rows, p->right.rows, p->K, p->ld);
  for (int l = 0; l < p->right.rows.count; l++) {
    for (int k = 0; k < p->left.rows.count; k++) check_element(p, k, l);
    for (int k = p->left.rows.count; k < p->ld; k++) assert_true(isnan(p->K[(int64_t)l * p->ld + k]));
  }
}

static void test_shapes(void **state)
{
  (void)state;
  const int shapes[][4] = {/* rows, columns, d, P */
                           {1, 1, 1, 1},      {0, 5, 3, 4},      {5, 0, 3, 4},      {7, 3, 2, 50},
                           {255, 257, 3, 64}, {256, 1, 21, 65},  {1, 256, 21, 129}, {600, 300, 5, 5},
                           {33, 31, 200, 3},  {50, 60, 70, 400}, {300, 10, 50, 0}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
      problem_t p;
      make(&p, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], (hs_precision_t)precision);
      check(&p);
      drop(&p);
    }
}

/* A set with itself: the same as between two sets, and symmetric up to rounding. */
static void test_same_rows(void **state)
{
  (void)state;
  problem_t p;
  make(&p, 270, 270, 9, 70, HS_DOUBLE);
  hs_cross_kernel(p.kernel, p.left.rows, p.left.rows, p.K, p.ld);
  for (int l = 0; l < 270; l++)
    for (int k = 0; k < l; k++)
      assert_true(fabs(p.K[l * p.ld + k] - p.K[k * p.ld + l]) <=
                  1e-12 * fabs(p.K[k * p.ld + k] + p.K[l * p.ld + l]));
  drop(&p);
}

/* Any number of threads, and the same bits in a second call. */
static void test_threads(void **state)
{
  (void)state;
  for (int threads = 1; threads <= MOST_THREADS && set_threads(threads); threads++)
    for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
      problem_t p;
      make(&p, 530, 260, 11, 70, (hs_precision_t)precision);
      check(&p);
      size_t bytes = (size_t)p.ld * 260 * sizeof(double);
      double *before = hs_alloc(1, bytes, "copy");
      memcpy(before, p.K, bytes);
      hs_cross_kernel(p.kernel, p.left.rows, p.right.rows, p.K, p.ld);
      assert_memory_equal(before, p.K, bytes);
      hs_free(before);
      drop(&p);
    }
  set_threads(1);
}

static void test_bytes(void **state)
{
  (void)state;
  assert_true(hs_cross_kernel_bytes(HS_SINGLE, 50) > 256 * 256 * sizeof(float));
  assert_true(hs_cross_kernel_bytes(HS_DOUBLE, 500) > hs_cross_kernel_bytes(HS_DOUBLE, 50));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_same_rows),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
