/* Anderson acceleration of a linear map in three numbers: z (2) and p (1), with a = z_0 + z_1 as the image.
 *     g = b + T x,  T = [ .5 .2 .1; .1 .6 0; .2 0 .7 ],  b = (1, -1, 2)
 * On a linear map with more memory than unknowns the method ends at the fixed point (I - T)^-1 b after four
 * steps, up to the float in which differences are kept.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "mpi/admm/anderson.h"
#include "tests/support/thread_counts.h"

static void map(const double *z, const double *p, double *z1, double *p1)
{
  z1[0] = 1 + 0.5 * z[0] + 0.2 * z[1] + 0.1 * p[0];
  z1[1] = -1 + 0.1 * z[0] + 0.6 * z[1];
  p1[0] = 2 + 0.2 * z[0] + 0.7 * p[0];
}

static void test_linear_map(void **state)
{
  (void)state;
  hs_anderson_t *anderson;
  double curvature[1] = {1}, sums[16], z[2] = {0}, p[1] = {0}, a[1] = {0}, z1[2], p1[1], a1[1];
  assert_int_equal(hs_anderson_create(&anderson, 5, 2, 1), HS_OK);
  hs_anderson_reset(anderson, 1, curvature);
  for (int step = 0; step < 6; step++) {
    map(z, p, z1, p1);
    a1[0] = z1[0] + z1[1];
    hs_anderson_take(anderson, z, p, z1, p1, a1, sums);
    hs_anderson_combine(anderson, sums, 2.0, z1, p1, a1, z, p, a);
  }
  map(z, p, z1, p1);
  double off = fabs(z1[0] - z[0]) + fabs(z1[1] - z[1]) + fabs(p1[0] - p[0]);
  assert_true(isfinite(off));
  assert_true(off < 1e-5); /* six plain steps leave about 0.6 */
  assert_true(fabs(a[0] - z[0] - z[1]) < 1e-5);
  hs_anderson_free(&anderson);
}

/* A step that hardly moves z while p moves a lot: its size in z must not drown in the size in p. */
static void test_change(void **state)
{
  (void)state;
  hs_anderson_t *anderson;
  double curvature[1] = {1}, sums[16], z[2] = {0}, p[1] = {0}, z1[2] = {3e-9, 4e-9}, p1[1] = {1e3},
         a1[1] = {0};
  for (int memory = 0; memory <= 3; memory += 3) {
    assert_int_equal(hs_anderson_create(&anderson, memory, 2, 1), HS_OK);
    hs_anderson_reset(anderson, 1, curvature);
    hs_anderson_take(anderson, z, p, z1, p1, a1, sums);
    assert_true(fabs(hs_anderson_change(anderson) / 25e-18 - 1) < 1e-12);
    assert_true(fabs(hs_anderson_residual(anderson, sums, 1) / 1e6 - 1) < 1e-12);
    hs_anderson_free(&anderson);
  }
}

#define WEIGHTS 5003
#define ROWS 3001
#define STEPS 5
#define MEMORY 3
#define SUMS (2 * MEMORY + 1)

/* What a few steps between made-up points come to: their sums, and the last combination. */
typedef struct steps {
  double sums[STEPS][SUMS], change[STEPS], z[WEIGHTS], p[2 * ROWS], a[2 * ROWS];
} steps_t;

static void fill(int step, int stream, int64_t count, double *out)
{
  for (int64_t i = 0; i < count; i++)
    out[i] = hs_random_normal(9, (uint32_t)(10 * step + stream), (uint64_t)i);
}

static steps_t *take_steps(void)
{
  hs_anderson_t *anderson;
  steps_t *steps = hs_alloc(1, sizeof *steps, "steps"), *to = hs_alloc(1, sizeof *to, "steps");
  double *curvature = hs_alloc(ROWS, sizeof(double), "curvature");
  for (int k = 0; k < ROWS; k++) curvature[k] = 0.25 + hs_random_uniform(9, 1, (uint64_t)k);
  assert_int_equal(hs_anderson_create(&anderson, MEMORY, WEIGHTS, 2 * ROWS), HS_OK);
  hs_anderson_reset(anderson, 2, curvature);
  for (int step = 0; step < STEPS; step++) {
    fill(step, 2, WEIGHTS, to->z);
    fill(step, 3, 2 * ROWS, to->p);
    fill(step, 4, 2 * ROWS, to->a);
    hs_anderson_take(anderson, steps->z, steps->p, to->z, to->p, to->a, steps->sums[step]);
    hs_anderson_combine(anderson, steps->sums[step], 2, to->z, to->p, to->a, steps->z, steps->p, steps->a);
    steps->change[step] = hs_anderson_change(anderson);
  }
  hs_anderson_free(&anderson);
  hs_free(curvature);
  hs_free(to);
  return steps;
}

/* Any number of threads agrees with one up to rounding, and with itself to the bit. */
static void test_threads(void **state)
{
  (void)state;
  set_threads(1);
  steps_t *one = take_steps();
  for (int threads = 2; threads <= MOST_THREADS && set_threads(threads); threads++) {
    steps_t *some = take_steps(), *again = take_steps();
    assert_memory_equal(some, again, sizeof *some);
    const double *x = (const double *)some, *y = (const double *)one;
    for (size_t i = 0; i < sizeof *one / sizeof(double); i++) {
      assert_true(isfinite(x[i]));
      assert_true(fabs(x[i] - y[i]) <= 1e-12 * (i < STEPS * (SUMS + 1) ? 1e5 : 1));
    }
    hs_free(some);
    hs_free(again);
  }
  hs_free(one);
  set_threads(1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_linear_map), cmocka_unit_test(test_change),
                                     cmocka_unit_test(test_threads)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
