/* Block inverses against a dense solve in double.
 *
 * For every block, V must solve (diag(1/lambda) + K_b / rho) V = R, with K_kl = (x_k . x_l) |{i : both masks on}|
 * summed here by its definition and the system solved by Gaussian elimination. A float inverse of a matrix with
 * condition number c errs by some c eps.
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
#include "base/status.h"
#include "block/block_inverse.h"
#include "tests/support/thread_counts.h"

#define D 5
#define GATES 9

typedef struct fixture {
  int n, outputs;
  double X[500 * D], G[GATES * D], curvature[500];
  double *R, *V;
  hs_masks_t masks;
  hs_masked_t *op;
  hs_block_inverse_t *inverse;
} fixture_t;

static double noise(int stream, int index)
{
  return hs_random_normal(6, (uint32_t)stream, (uint64_t)index);
}

static fixture_t *begin(int n, int outputs, int64_t blocks, const int64_t *first)
{
  fixture_t *f = hs_alloc(1, sizeof *f, "fixture");
  f->n = n;
  f->outputs = outputs;
  for (int e = 0; e < n * D; e++) f->X[e] = (double)(float)noise(1, e);
  for (int e = 0; e < GATES * D; e++) f->G[e] = noise(2, e);
  for (int k = 0; k < n; k++) f->curvature[k] = 0.2 + 0.8 * hs_random_uniform(6, 3, (uint64_t)k);
  f->R = hs_alloc((size_t)(n * outputs), sizeof(double), "right side");
  f->V = hs_alloc((size_t)(n * outputs), sizeof(double), "solution");
  for (int e = 0; e < n * outputs; e++) f->R[e] = noise(4, e);
  assert_int_equal(hs_masks_create(&f->masks, HS_DOUBLE, n, D, f->X, GATES, f->G), HS_OK);
  assert_int_equal(hs_masked_create(&f->op, HS_DOUBLE, n, D, outputs, f->X, &f->masks), HS_OK);
  assert_int_equal(hs_block_inverse_create(&f->inverse, f->op, outputs, blocks, first), HS_OK);
  return f;
}

static void end(fixture_t *f)
{
  hs_block_inverse_free(&f->inverse);
  assert_null(f->inverse);
  hs_masked_free(&f->op);
  hs_masks_free(&f->masks);
  hs_free(f->R);
  hs_free(f->V);
  hs_free(f);
}

static double kernel(const fixture_t *f, int64_t k, int64_t l)
{
  double dot = 0;
  int both = 0;
  for (int j = 0; j < D; j++) dot += f->X[k * D + j] * f->X[l * D + j];
  for (int i = 0; i < GATES; i++) {
    double of_k = 0, of_l = 0;
    for (int j = 0; j < D; j++) {
      of_k += f->G[i * D + j] * f->X[k * D + j];
      of_l += f->G[i * D + j] * f->X[l * D + j];
    }
    both += of_k >= 0 && of_l >= 0;
  }
  return dot * both;
}

/* Solve the dense system of the rows first .. end-1 in place of r (n x columns); positive definite: no pivots. */
static void eliminate(const fixture_t *f, int64_t first, int64_t last, double rho, double *r)
{
  int n = (int)(last - first), C = f->outputs;
  double *A = hs_alloc((size_t)(n * n), sizeof *A, "dense matrix");
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      A[i * n + j] = kernel(f, first + i, first + j) / rho + (i == j ? 1 / f->curvature[first + i] : 0);
  for (int p = 0; p < n; p++)
    for (int i = p + 1; i < n; i++) {
      double factor = A[i * n + p] / A[p * n + p];
      for (int j = p; j < n; j++) A[i * n + j] -= factor * A[p * n + j];
      for (int c = 0; c < C; c++) r[i * C + c] -= factor * r[p * C + c];
    }
  for (int i = n - 1; i >= 0; i--)
    for (int c = 0; c < C; c++) {
      for (int j = i + 1; j < n; j++) r[i * C + c] -= A[i * n + j] * r[j * C + c];
      r[i * C + c] /= A[i * n + i];
    }
  hs_free(A);
}

/* Largest difference between V and the truth, relative to the largest entry of the truth. */
static double error_of(const fixture_t *f, int64_t blocks, const int64_t *first, double rho)
{
  double apart = 0, largest = 0;
  size_t count = (size_t)(f->n * f->outputs);
  double *truth = hs_alloc(count, sizeof *truth, "truth");
  memcpy(truth, f->R, count * sizeof *truth);
  for (int64_t b = 0; b < blocks; b++)
    eliminate(f, first[b], first[b + 1], rho, truth + first[b] * f->outputs);
  for (size_t e = 0; e < count; e++) {
    assert_true(isfinite(f->V[e]) && isfinite(truth[e]));
    apart = fmax(apart, fabs(f->V[e] - truth[e]));
    largest = fmax(largest, fabs(truth[e]));
  }
  hs_free(truth);
  return apart / largest;
}

static void check(int n, int outputs, int64_t blocks, const int64_t *first, double rho, double allowed)
{
  fixture_t *f = begin(n, outputs, blocks, first);
  assert_int_equal(hs_block_inverse_factor(f->inverse, rho, f->curvature), HS_OK);
  hs_block_inverse_apply(f->inverse, f->R, f->V);
  assert_true(error_of(f, blocks, first, rho) <= allowed);
  /* In place. */
  double *again = hs_alloc((size_t)(n * outputs), sizeof *again, "solution in place");
  memcpy(again, f->R, (size_t)(n * outputs) * sizeof *again);
  hs_block_inverse_apply(f->inverse, again, again);
  assert_memory_equal(again, f->V, (size_t)(n * outputs) * sizeof *again);
  hs_free(again);
  end(f);
}

static void test_solve(void **state)
{
  (void)state;
  const int64_t one[] = {0, 61}, unequal[] = {0, 1, 30, 61}, large[] = {0, 200, 400};
  check(61, 1, 1, one, 50, 1e-5);
  check(61, 3, 1, one, 50, 1e-5);
  check(61, 1, 3, unequal, 10, 1e-5);
  check(61, 4, 3, unequal, 1000, 1e-5);
  check(400, 1, 2, large, 100, 1e-5);
  check(400, 3, 2, large, 100, 1e-5);
}

/* A small rho makes the kernel weigh more: the condition number is about 1 + |K| / rho = 1e5. */
static void test_ill_conditioned(void **state)
{
  (void)state;
  const int64_t one[] = {0, 61};
  check(61, 2, 1, one, 0.01, 0.05);
}

static void test_refactor(void **state)
{
  (void)state;
  const int64_t first[] = {0, 20, 61};
  fixture_t *f = begin(61, 2, 2, first);
  assert_int_equal(hs_block_inverse_factor(f->inverse, 3, f->curvature), HS_OK);
  for (int k = 0; k < 61; k++) f->curvature[k] = 0.25;
  assert_int_equal(hs_block_inverse_factor(f->inverse, 70, f->curvature), HS_OK);
  hs_block_inverse_apply(f->inverse, f->R, f->V);
  assert_true(error_of(f, 2, first, 70) <= 1e-5);
  end(f);
}

/* Trace and square of Lambda^1/2 K_b Lambda^1/2, over all blocks and over every other one from the second on. */
static void test_kernel_size(void **state)
{
  (void)state;
  const int64_t first[] = {0, 20, 33, 61};
  fixture_t *f = begin(61, 1, 3, first);
  for (int stride = 1; stride <= 2; stride++) {
    double trace = 0, square = 0;
    for (int b = stride - 1; b < 3; b += stride)
      for (int64_t k = first[b]; k < first[b + 1]; k++) {
        trace += f->curvature[k] * kernel(f, k, k);
        for (int64_t l = first[b]; l < first[b + 1]; l++)
          square += f->curvature[k] * f->curvature[l] * pow(kernel(f, k, l), 2);
      }
    hs_kernel_size_t size = hs_block_inverse_kernel_size(f->inverse, f->curvature, stride - 1, stride);
    assert_int_equal(size.blocks, stride == 1 ? 3 : 1);
    assert_true(fabs(size.trace / trace - 1) <= 1e-5);
    assert_true(fabs(size.square / square - 1) <= 1e-5);
  }
  end(f);
}

/* A process without rows has no blocks and nothing to do. */
static void test_no_blocks(void **state)
{
  (void)state;
  const int64_t first[] = {0};
  fixture_t *f = begin(0, 2, 0, first);
  assert_int_equal(hs_block_inverse_factor(f->inverse, 1, f->curvature), HS_OK);
  hs_block_inverse_apply(f->inverse, f->R, f->V);
  hs_kernel_size_t size = hs_block_inverse_kernel_size(f->inverse, f->curvature, 0, 1);
  assert_true(size.blocks == 0 && size.trace == 0 && size.square == 0);
  end(f);
}

typedef struct results {
  double *V; /* n x outputs */
  hs_kernel_size_t size;
} results_t;

static results_t compute(int n, int outputs, int64_t blocks, const int64_t *first)
{
  fixture_t *f = begin(n, outputs, blocks, first);
  assert_int_equal(hs_block_inverse_factor(f->inverse, 50, f->curvature), HS_OK);
  hs_block_inverse_apply(f->inverse, f->R, f->V);
  assert_true(error_of(f, blocks, first, 50) <= 1e-5);
  results_t out = {.V = f->V, .size = hs_block_inverse_kernel_size(f->inverse, f->curvature, 0, 1)};
  f->V = NULL;
  end(f);
  return out;
}

/* Twice the same bits. Where every thread has blocks of its own they are those of one thread; where all threads
 * work on one block, the order of float operations may be another. */
static void check_threads(int outputs, int64_t blocks, const int64_t *first)
{
  int n = (int)first[blocks];
  size_t bytes = (size_t)(n * outputs) * sizeof(double);
  set_threads(1);
  results_t one = compute(n, outputs, blocks, first);
  for (int threads = 2; threads <= MOST_THREADS && set_threads(threads); threads++) {
    results_t some = compute(n, outputs, blocks, first), again = compute(n, outputs, blocks, first);
    assert_memory_equal(some.V, again.V, bytes);
    assert_memory_equal(&some.size, &again.size, sizeof some.size);
    if (blocks >= threads) assert_memory_equal(some.V, one.V, bytes);
    assert_int_equal(some.size.blocks, one.size.blocks);
    assert_true(fabs(some.size.trace / one.size.trace - 1) <= (blocks >= threads ? 1e-12 : 1e-6));
    assert_true(fabs(some.size.square / one.size.square - 1) <= (blocks >= threads ? 1e-12 : 1e-6));
    hs_free(some.V);
    hs_free(again.V);
  }
  hs_free(one.V);
  set_threads(1);
}

static void test_threads(void **state)
{
  (void)state;
  const int64_t one[] = {0, 430}, two[] = {0, 290, 500}, many[] = {0, 1, 30, 61, 62, 100, 180};
  check_threads(1, 1, one);
  check_threads(3, 2, two);
  check_threads(1, 6, many);
  check_threads(4, 6, many);
}

/* A negative curvature, which no loss has, makes a block indefinite. The first of them is told, whoever finds it. */
static void test_indefinite(void **state)
{
  (void)state;
  const int64_t first[] = {0, 10, 30, 43, 61};
  for (int threads = 1; threads <= MOST_THREADS && set_threads(threads); threads++) {
    fixture_t *f = begin(61, 1, 4, first);
    f->curvature[35] = f->curvature[50] = -1e-9;
    hs_error_clear();
    assert_int_equal(hs_block_inverse_factor(f->inverse, 50, f->curvature), HS_NUMERICAL);
    assert_non_null(strstr(hs_error_message(), "a block of 13 rows is not positive definite"));
    hs_error_clear();
    end(f);
  }
  set_threads(1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_solve),      cmocka_unit_test(test_ill_conditioned),
      cmocka_unit_test(test_refactor),   cmocka_unit_test(test_kernel_size),
      cmocka_unit_test(test_no_blocks),  cmocka_unit_test(test_threads),
      cmocka_unit_test(test_indefinite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
