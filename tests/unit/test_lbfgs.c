/* L-BFGS and Adam on functions with known minima: quadratics, Rosenbrock's valley, a sum with kinks, a function with a
 * bounded domain. The functions check by themselves that what is reported was evaluated. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "minimise/adam.h"
#include "minimise/lbfgs.h"

#define MOST 60

typedef struct test {
  int size, evaluations, stop_after, fail_after; /* 0: never */
  double least;                                  /* value evaluated */
} test_t;

static hs_status_t count(test_t *t, double value, bool *stop)
{
  t->evaluations++;
  if (t->evaluations == 1 || value < t->least) t->least = value;
  *stop = t->stop_after > 0 && t->evaluations >= t->stop_after;
  return t->fail_after > 0 && t->evaluations >= t->fail_after ? HS_IO : HS_OK;
}

/* 1/2 sum_i c_i (x_i - i)^2 + (sum_i (x_i - i))^2, c from 1 to 1e4: minimum 0 at x_i = i. */
static hs_status_t quadratic(void *context, const double *x, double *value, double *gradient, bool *stop)
{
  test_t *t = context;
  double sum = 0;
  *value = 0;
  for (int i = 0; i < t->size; i++) sum += x[i] - i;
  for (int i = 0; i < t->size; i++) {
    double c = pow(1e4, i / (t->size - 1.0)), r = x[i] - i;
    *value += c * r * r / 2;
    gradient[i] = c * r + 2 * sum;
  }
  *value += sum * sum;
  return count(t, *value, stop);
}

/* sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2: minimum 0 at 1, another stationary point near x_0 = -1 for size >= 4. */
static hs_status_t rosenbrock(void *context, const double *x, double *value, double *gradient, bool *stop)
{
  test_t *t = context;
  *value = 0;
  memset(gradient, 0, (size_t)t->size * sizeof *gradient);
  for (int i = 0; i + 1 < t->size; i++) {
    double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    *value += 100 * a * a + b * b;
    gradient[i] += -400 * x[i] * a - 2 * b;
    gradient[i + 1] += 200 * a;
  }
  return count(t, *value, stop);
}

/* sum_i (i + 1) |x_i - 1| + x_i^2 / 2: minimum at 1, where every term but the first has a kink that holds it. */
static hs_status_t kinks(void *context, const double *x, double *value, double *gradient, bool *stop)
{
  test_t *t = context;
  *value = 0;
  for (int i = 0; i < t->size; i++) {
    *value += (i + 1) * fabs(x[i] - 1) + x[i] * x[i] / 2;
    gradient[i] = x[i] + (i + 1) * (x[i] > 1 ? 1 : -1);
  }
  return count(t, *value, stop);
}

/* sum_i x_i - log x_i for x > 0: minimum size at 1. */
static hs_status_t barrier(void *context, const double *x, double *value, double *gradient, bool *stop)
{
  test_t *t = context;
  *value = 0;
  for (int i = 0; i < t->size; i++) {
    *value += x[i] > 0 ? x[i] - log(x[i]) : INFINITY;
    gradient[i] = 1 - 1 / x[i];
  }
  return count(t, *value, stop);
}

static hs_minimise_report_t run_lbfgs(test_t *t, hs_objective_t function, const hs_lbfgs_options_t *options,
                                      double *x)
{
  hs_minimise_report_t report;
  double *room = hs_alloc((size_t)hs_lbfgs_room(t->size, options), sizeof *room, "room");
  hs_status_t status = hs_lbfgs(t->size, x, function, t, options, room, &report);
  hs_free(room);
  assert_int_equal(status, HS_OK);
  assert_int_equal(report.evaluations, t->evaluations);
  assert_true(report.end <= report.start);
  double value, gradient[MOST];
  bool stop;
  test_t again = {.size = t->size};
  function(&again, x, &value, gradient, &stop);
  assert_true(value == report.end);
  return report;
}

static double distance(int size, const double *x, double a, double b) /* from x_i = a + b i */
{
  double sum = 0;
  for (int i = 0; i < size; i++) sum += (x[i] - a - b * i) * (x[i] - a - b * i);
  return sqrt(sum);
}

static void test_quadratic(void **state)
{
  (void)state;
  for (int memory = 1; memory <= 61; memory += 20) {
    test_t t = {.size = 50};
    double x[MOST] = {0};
    hs_lbfgs_options_t options = {.memory = memory, .gradient = 1e-7};
    hs_minimise_report_t report = run_lbfgs(&t, quadratic, &options, x);
    assert_int_equal(report.stop, HS_MINIMISE_GRADIENT);
    assert_true(report.gradient <= 1e-7);
    assert_true(distance(50, x, 0, 1) <= 1e-7); /* the least curvature is 1 */
    assert_true(report.iterations <
                2500); /* conjugate gradients' bound, sqrt(1e4)/2 log(2/eps), is about 1500 */
  }
}

static void test_rosenbrock(void **state)
{
  (void)state;
  for (int size = 2; size <= 42; size += 10) {
    test_t t = {.size = size};
    double x[MOST];
    for (int i = 0; i < size; i++) x[i] = i % 2 == 0 ? -1.2 : 1;
    if (size > 2) x[0] = 0.3; /* the valley of the other stationary point is not what is tested */
    hs_lbfgs_options_t options = {.gradient = 1e-8};
    hs_minimise_report_t report = run_lbfgs(&t, rosenbrock, &options, x);
    assert_int_equal(report.stop, HS_MINIMISE_GRADIENT);
    assert_true(distance(size, x, 1, 0) <= 1e-6);
    assert_true(report.evaluations <= 2 * report.iterations + 20);
  }
}

/* Budgets of any size end with a value that no longer budget exceeds. */
static void test_never_up(void **state)
{
  (void)state;
  double before = INFINITY;
  for (int most = 1; most <= 60; most++) {
    test_t t = {.size = 12};
    double x[MOST];
    for (int i = 0; i < 12; i++) x[i] = i % 2 == 0 ? -1.2 : 1;
    hs_lbfgs_options_t options = {.memory = 5, .max_iterations = most};
    hs_minimise_report_t report = run_lbfgs(&t, rosenbrock, &options, x);
    assert_true(report.iterations <= most);
    assert_true(report.end < before || report.stop != HS_MINIMISE_ITERATIONS);
    before = report.end;
  }
}

static void test_kinks(void **state)
{
  (void)state;
  test_t t = {.size = 5};
  double x[MOST];
  for (int i = 0; i < 5; i++) x[i] = 3 + 0.37 * i;
  hs_lbfgs_options_t options = {.memory = 20, .tolerance = 1e-13};
  hs_minimise_report_t report = run_lbfgs(&t, kinks, &options, x);
  assert_true(report.stop == HS_MINIMISE_DECREASE || report.stop == HS_MINIMISE_STUCK);
  assert_true(report.end >= 2.5);
  assert_true(report.end <= 2.5 * (1 + 1e-4)); /* minimum: 5 / 2; the start has 76 */
}

static void test_domain(void **state)
{
  (void)state;
  test_t t = {.size = 7};
  double x[MOST];
  for (int i = 0; i < 7; i++) x[i] = 1e-3 * (i + 1);
  hs_lbfgs_options_t options = {.gradient = 1e-9};
  hs_minimise_report_t report = run_lbfgs(&t, barrier, &options, x);
  assert_int_equal(report.stop, HS_MINIMISE_GRADIENT);
  assert_true(distance(7, x, 1, 0) <= 1e-8);
  double outside[MOST] = {-1, 1, 1, 1, 1, 1, 1}, room[2000];
  assert_true(hs_lbfgs_room(7, &options) <= 2000);
  assert_int_equal(hs_lbfgs(7, outside, barrier, &t, &options, room, &report), HS_NUMERICAL);
  hs_error_clear();
}

/* The function's wish and its failures end the search at once, with the best point so far. */
static void test_asked(void **state)
{
  (void)state;
  for (int after = 1; after <= 30; after++) {
    test_t t = {.size = 12, .stop_after = after};
    double x[MOST] = {0};
    hs_lbfgs_options_t options = {.memory = 5};
    hs_minimise_report_t report = run_lbfgs(&t, rosenbrock, &options, x);
    assert_int_equal(report.stop, HS_MINIMISE_ASKED);
    assert_true(t.evaluations <= after + 1); /* one more where the last trial was not the one to keep */
    assert_true(report.end <= 11);
    double room[2000];
    test_t f = {.size = 12, .fail_after = after};
    memset(x, 0, sizeof x);
    assert_int_equal(hs_lbfgs(12, x, rosenbrock, &f, &options, room, &report), HS_IO);
    assert_int_equal(f.evaluations, after);
  }
}

static void test_budget_of_evaluations(void **state)
{
  (void)state;
  test_t t = {.size = 12};
  double x[MOST] = {0};
  hs_lbfgs_options_t options = {.memory = 5, .max_evaluations = 17};
  hs_minimise_report_t report = run_lbfgs(&t, rosenbrock, &options, x);
  assert_int_equal(report.stop, HS_MINIMISE_EVALUATIONS);
  assert_in_range(report.evaluations, 17, 18);
}

/* A start that is stationary, and no unknowns at all. */
static void test_nothing_to_do(void **state)
{
  (void)state;
  test_t t = {.size = 2};
  double x[MOST] = {1, 1};
  hs_lbfgs_options_t options = {.memory = 5};
  hs_minimise_report_t report = run_lbfgs(&t, rosenbrock, &options, x);
  assert_int_equal(report.stop, HS_MINIMISE_GRADIENT);
  assert_int_equal(report.iterations, 0);
}

static void test_adam(void **state)
{
  (void)state;
  double room[4 * MOST];
  for (int iterations = 1; iterations <= 3000; iterations += 2999) {
    test_t t = {.size = 2};
    double x[2] = {-1.2, 1}, value, gradient[2];
    hs_adam_options_t options = {.max_iterations = iterations};
    hs_minimise_report_t report;
    assert_true(hs_adam_room(2) <= 4 * MOST);
    assert_int_equal(hs_adam(2, x, rosenbrock, &t, &options, room, &report), HS_OK);
    assert_int_equal(report.evaluations, iterations + 1);
    assert_true(report.end == t.least); /* the best of all iterates */
    bool stop;
    rosenbrock(&t, x, &value, gradient, &stop);
    assert_true(value == report.end);
    if (iterations > 1) assert_true(distance(2, x, 1, 0) <= 1e-2);
  }
  test_t t = {.size = 2, .stop_after = 5};
  double x[2] = {-1.2, 1};
  hs_adam_options_t options = {.max_iterations = 100};
  hs_minimise_report_t report;
  assert_int_equal(hs_adam(2, x, rosenbrock, &t, &options, room, &report), HS_OK);
  assert_int_equal(report.stop, HS_MINIMISE_ASKED);
  assert_int_equal(t.evaluations, 5);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_quadratic),    cmocka_unit_test(test_rosenbrock),
      cmocka_unit_test(test_never_up),     cmocka_unit_test(test_kinks),
      cmocka_unit_test(test_domain),       cmocka_unit_test(test_asked),
      cmocka_unit_test(test_adam),         cmocka_unit_test(test_budget_of_evaluations),
      cmocka_unit_test(test_nothing_to_do)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
