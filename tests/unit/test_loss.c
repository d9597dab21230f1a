/* Losses, gradients, conjugates.
 *
 * The problem: five losses f with dual functions D(t) = -f*(-t). The answers come from calculus: central
 * differences for gradients; f(a) + f*(-t) >= -a t for every pair, with equality exactly at t = -f'(a) (this
 * pins D down); the variational inequality for nearest points; closed forms at chosen arguments. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "loss/loss.h"

enum { ROWS = 7, MOST = 5, ENTRIES = ROWS * MOST };

static const hs_loss_t losses[] = {{HS_SQUARED, 1},       {HS_LOGISTIC, 1}, {HS_SOFTMAX, 1},
                                   {HS_SQUARED_HINGE, 1}, {HS_HUBER, 1},    {HS_HUBER, 0.3}};
enum { LOSSES = sizeof losses / sizeof losses[0] };

static uint64_t drawn;

static double normal(void)
{
  return hs_random_normal(42, HS_STREAM_SYNTHETIC, drawn++);
}

static double uniform(void)
{
  return hs_random_uniform(42, HS_STREAM_SYNTHETIC, drawn++);
}

static int outputs_of(hs_loss_t loss, int trial)
{
  int least = loss.kind == HS_SOFTMAX ? 2 : 1;
  return least + trial % (MOST - least + 1);
}

static void draw_targets(hs_loss_t loss, int outputs, double *Y)
{
  for (int k = 0; k < ROWS; k++) {
    int label = (int)(uniform() * outputs);
    for (int c = 0; c < outputs; c++) {
      double *y = &Y[k * outputs + c];
      if (loss.kind == HS_SOFTMAX)
        *y = c == label;
      else
        *y = hs_loss_needs_classes(loss) ? (uniform() < 0.5 ? -1 : 1) : 2 * normal();
    }
  }
}

static void draw(int count, double scale, double *x)
{
  for (int i = 0; i < count; i++) x[i] = scale * normal();
}

static double dot(int count, const double *x, const double *y)
{
  double sum = 0;
  for (int i = 0; i < count; i++) sum += x[i] * y[i];
  return sum;
}

static double square_distance(int count, const double *x, const double *y)
{
  double sum = 0;
  for (int i = 0; i < count; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

static void assert_close(double found, double expected, double tolerance)
{
  if (!isfinite(found) || !(fabs(found - expected) <= tolerance))
    fail_msg("%.17g, expected %.17g +- %g", found, expected, tolerance);
}

static void test_values_in_closed_form(void **state)
{
  (void)state;
  double a[3] = {3, -1, 0.5}, y[3] = {1, 1, -1}, hot[3] = {0, 1, 0};
  assert_close(hs_loss_value(losses[0], 1, 3, a, y), (4 + 4 + 2.25) / 2, 1e-15);
  assert_close(hs_loss_value(losses[1], 3, 1, a, y), log(1 + exp(-3)) + log(1 + exp(1)) + log(1 + exp(0.5)),
               1e-14);
  assert_close(hs_loss_value(losses[2], 1, 3, a, hot), log(exp(3) + exp(-1) + exp(0.5)) + 1, 1e-14);
  assert_close(hs_loss_value(losses[3], 1, 3, a, y), (4 + 2.25) / 2, 1e-15);
  assert_close(hs_loss_value(losses[4], 1, 3, a, y), 1.5 + 1.5 + 1, 1e-15);
  assert_close(hs_loss_value(losses[5], 1, 3, a, y), 0.3 * 5.5 - 3 * 0.045, 1e-15);
}

static void test_extreme_arguments(void **state)
{
  (void)state;
  double y = 1, g[2], hot[2] = {1, 0};
  double far = 40, wrong = -1e4, pair[2] = {40, 0}, high[2] = {-1e4, 1e4};
  /* log(1 + e) = e - e^2/2 for e = exp(-40). */
  assert_close(hs_loss_value(losses[1], 1, 1, &far, &y), exp(-40), 1e-15 * exp(-40));
  assert_close(hs_loss_value(losses[2], 1, 2, pair, hot), exp(-40), 1e-15 * exp(-40));
  assert_close(hs_loss_value(losses[1], 1, 1, &wrong, &y), 1e4, 1e-12);
  assert_close(hs_loss_value(losses[2], 1, 2, high, hot), 2e4, 1e-12);
  hs_loss_gradient(losses[1], 1, 1, &far, &y, g);
  assert_close(g[0], -exp(-40), 1e-15 * exp(-40));
  hs_loss_gradient(losses[1], 1, 1, &wrong, &y, g);
  assert_close(g[0], -1, 0);
  hs_loss_gradient(losses[2], 1, 2, high, hot, g);
  assert_close(g[0], -1, 0);
  assert_close(g[1], 1, 0);
  double nan_pair[2] = {0, NAN};
  for (int l = 0; l < LOSSES; l++) assert_true(isnan(hs_loss_value(losses[l], 1, 2, nan_pair, hot)));
}

static void test_gradient_by_differences(void **state)
{
  (void)state;
  double A[ENTRIES], Y[ENTRIES], G[ENTRIES];
  for (int l = 0; l < LOSSES; l++)
    for (int trial = 0; trial < 20; trial++) {
      int C = outputs_of(losses[l], trial);
      draw_targets(losses[l], C, Y);
      draw(ROWS * C, 2, A);
      hs_loss_gradient(losses[l], ROWS, C, A, Y, G);
      for (int i = 0; i < ROWS * C; i++) {
        const double h = 1e-5;
        double a = A[i];
        A[i] = a + h;
        double up = hs_loss_value(losses[l], ROWS, C, A, Y);
        A[i] = a - h;
        double down = hs_loss_value(losses[l], ROWS, C, A, Y);
        A[i] = a;
        /* A kink of the gradient inside the interval costs up to h. */
        assert_close((up - down) / (2 * h), G[i], losses[l].kind == HS_LOGISTIC ? 1e-8 : 1.1e-5);
      }
      hs_loss_gradient(losses[l], ROWS, C, A, Y, A);
      assert_memory_equal(A, G, (size_t)(ROWS * C) * sizeof *A);
    }
}

static void test_weak_duality_and_equality(void **state)
{
  (void)state;
  double A[ENTRIES], Y[ENTRIES], T[ENTRIES];
  for (int l = 0; l < LOSSES; l++)
    for (int trial = 0; trial < 500; trial++) {
      int C = outputs_of(losses[l], trial), count = ROWS * C;
      draw_targets(losses[l], C, Y);
      draw(count, 3, A);
      draw(count, 1, T);
      hs_loss_dual_project(losses[l], ROWS, C, T, Y);
      double primal = hs_loss_value(losses[l], ROWS, C, A, Y);
      double dual = hs_loss_dual_value(losses[l], ROWS, C, T, 1, Y);
      assert_true(isfinite(dual));
      assert_true(primal - dual >= -dot(count, A, T) - 1e-12);

      hs_loss_gradient(losses[l], ROWS, C, A, Y, T);
      for (int i = 0; i < count; i++) T[i] = -T[i];
      dual = hs_loss_dual_value(losses[l], ROWS, C, T, 1, Y);
      assert_close(primal - dual, -dot(count, A, T), 1e-12 * (1 + fabs(primal) + fabs(dot(count, A, T))));
    }
}

/* |grad f(a) - grad f(b)| <= L |a - b|, and no smaller L would do. */
static void test_curvature(void **state)
{
  (void)state;
  double A[ENTRIES], B[ENTRIES], Y[ENTRIES], G[ENTRIES], H[ENTRIES];
  for (int l = 0; l < LOSSES; l++) {
    double largest = 0, bound = hs_loss_curvature(losses[l]);
    for (int trial = 0; trial < 3000; trial++) {
      int C = outputs_of(losses[l], trial);
      draw_targets(losses[l], C, Y);
      draw(C, trial % 2 == 0 ? 0.1 : 2, A);
      draw(C, 0.1, B);
      for (int c = 0; c < C; c++) B[c] += A[c];
      hs_loss_gradient(losses[l], 1, C, A, Y, G);
      hs_loss_gradient(losses[l], 1, C, B, Y, H);
      double ratio = sqrt(square_distance(C, G, H) / square_distance(C, A, B));
      assert_true(ratio <= bound * (1 + 1e-9));
      if (ratio > largest) largest = ratio;
    }
    assert_true(largest > 0.995 * bound);
  }
}

/* P is the nearest point of a convex set to T iff P is in it and (T - P)'(Z - P) <= 0 for every Z in it. */
static void test_projection(void **state)
{
  (void)state;
  double T[ENTRIES], P[ENTRIES], Z[ENTRIES], Y[ENTRIES], again[ENTRIES];
  for (int l = 0; l < LOSSES; l++)
    for (int trial = 0; trial < 200; trial++) {
      int C = outputs_of(losses[l], trial), count = ROWS * C;
      draw_targets(losses[l], C, Y);
      draw(count, trial % 2 == 0 ? 1 : 100, T);
      memcpy(P, T, sizeof P);
      double change = hs_loss_dual_project(losses[l], ROWS, C, P, Y);
      assert_close(change, square_distance(count, T, P), 1e-12 * (1 + change));
      assert_true(isfinite(hs_loss_dual_value(losses[l], ROWS, C, P, 1, Y)));
      memcpy(again, P, sizeof P);
      assert_close(hs_loss_dual_project(losses[l], ROWS, C, again, Y), 0, 1e-26);
      for (int other = 0; other < 20; other++) {
        /* A point of the domain without any projection: minus a gradient. */
        draw(count, other % 2 == 0 ? 3 : 1000, Z);
        hs_loss_gradient(losses[l], ROWS, C, Z, Y, Z);
        for (int k = 0; k < ROWS; k++) {
          double product = 0;
          for (int i = k * C; i < (k + 1) * C; i++) product += (T[i] - P[i]) * (-Z[i] - P[i]);
          assert_true(product <= 1e-9);
        }
      }
    }
}

/* The simplex for C = 3 by brute force: no point of a fine grid is nearer. */
static void test_simplex_by_grid(void **state)
{
  (void)state;
  const int steps = 60;
  double hot[3] = {0, 1, 0}, t[3], p[3];
  for (int trial = 0; trial < 50; trial++) {
    draw(3, 1, t);
    memcpy(p, t, sizeof p);
    double change = hs_loss_dual_project(losses[2], 1, 3, p, hot), best = INFINITY;
    for (int i = 0; i <= steps; i++)
      for (int j = 0; i + j <= steps; j++) {
        double q[3] = {(double)i / steps, (double)j / steps, (double)(steps - i - j) / steps};
        for (int c = 0; c < 3; c++) q[c] = hot[c] - q[c];
        best = fmin(best, square_distance(3, q, t));
      }
    assert_true(isfinite(change) && change <= best + 1e-12);
    /* The grid has a point within sqrt(2)/steps of the nearest one. */
    assert_true(sqrt(best) <= sqrt(change) + sqrt(2.0) / steps);
  }
  double huge[3] = {1e300, -1e300, 0};
  hs_loss_dual_project(losses[2], 1, 3, huge, hot);
  assert_close(huge[0], 0, 0);
  assert_close(huge[1], 0, 0);
  assert_close(huge[2], 0, 0);
  double lost[3] = {NAN, 0, 0};
  assert_true(isnan(hs_loss_dual_project(losses[2], 1, 3, lost, hot)));
}

static void test_ray_against_value(void **state)
{
  (void)state;
  double A[ENTRIES], T[ENTRIES], Y[ENTRIES];
  for (int l = 0; l < LOSSES; l++)
    for (int trial = 0; trial < 200; trial++) {
      int C = outputs_of(losses[l], trial), count = ROWS * C;
      hs_loss_t loss = losses[l];
      draw_targets(loss, C, Y);
      draw(count, 1, A);
      hs_loss_gradient(loss, ROWS, C, A, Y, T);
      for (int i = 0; i < count; i++) T[i] = -T[i];
      hs_dual_ray_t ray = hs_loss_dual_ray(loss, ROWS, C, T, Y);
      assert_true(ray.limit >= 1 - 1e-9); /* minus a gradient lies in the domain */
      double s = isfinite(ray.limit) ? ray.limit : 10;
      assert_true(isfinite(hs_loss_dual_value(loss, ROWS, C, T, s, Y)));
      if (isfinite(ray.limit)) {
        double outside = hs_loss_dual_value(loss, ROWS, C, T, s * (1 + 1e-6), Y);
        assert_true(isinf(outside) && outside < 0);
      }
      if (!hs_loss_dual_is_quadratic(loss)) continue;
      for (double part = 0.1; part <= 1; part += 0.3) {
        double at = part * s, expected = at * ray.linear - at * at * ray.square / 2;
        assert_close(hs_loss_dual_value(loss, ROWS, C, T, at, Y), expected,
                     1e-11 * (1 + at * at * ray.square));
      }
    }
}

static void test_rays_that_leave_at_once(void **state)
{
  (void)state;
  double y[2] = {1, -1}, wrong[2] = {0.5, 0.5}, hot[2] = {1, 0}, unbalanced[2] = {0.5, -0.4};
  double reversed[2] = {-0.5, 0.5};
  assert_true(hs_loss_dual_ray(losses[1], 1, 2, wrong, y).limit == 0);
  assert_true(hs_loss_dual_ray(losses[3], 1, 2, wrong, y).limit == 0);
  assert_true(hs_loss_dual_ray(losses[2], 1, 2, unbalanced, hot).limit == 0);
  assert_true(hs_loss_dual_ray(losses[2], 1, 2, reversed, hot).limit == 0);
  assert_true(hs_loss_dual_value(losses[1], 1, 2, wrong, 0.5, y) == -INFINITY);
  assert_true(hs_loss_dual_value(losses[2], 1, 2, reversed, 0.5, hot) == -INFINITY);
  assert_true(hs_loss_dual_value(losses[2], 1, 2, unbalanced, 0.5, hot) == -INFINITY);
  /* No rows, no limit and no value: a rank without data takes part. */
  for (int l = 0; l < LOSSES; l++) {
    assert_true(hs_loss_dual_ray(losses[l], 0, 2, NULL, NULL).limit == INFINITY);
    assert_true(hs_loss_value(losses[l], 0, 2, NULL, NULL) == 0);
    assert_true(hs_loss_dual_value(losses[l], 0, 2, NULL, 1, NULL) == 0);
  }
}

static void test_names(void **state)
{
  (void)state;
  static const char *const names[] = {"squared", "logistic", "softmax", "squared-hinge", "huber"};
  for (int kind = 0; kind < 5; kind++) {
    assert_string_equal(hs_loss_name((hs_loss_kind_t)kind), names[kind]);
    assert_int_equal(hs_loss_find(names[kind]), kind);
  }
  assert_int_equal(hs_loss_find("hinge"), -1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values_in_closed_form),
      cmocka_unit_test(test_extreme_arguments),
      cmocka_unit_test(test_gradient_by_differences),
      cmocka_unit_test(test_weak_duality_and_equality),
      cmocka_unit_test(test_curvature),
      cmocka_unit_test(test_projection),
      cmocka_unit_test(test_simplex_by_grid),
      cmocka_unit_test(test_ray_against_value),
      cmocka_unit_test(test_rays_that_leave_at_once),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
