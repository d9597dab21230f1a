/* The point of least norm of hulls that are known, and of random ones by the conditions that single it out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "minimise/nearest_point.h"

static hs_nearest_point_t hull_of(int d, int count, const double *points)
{
  hs_nearest_point_t hull;
  assert_int_equal(hs_nearest_point_create(&hull, d), HS_OK);
  for (int k = 0; k < count; k++) assert_int_equal(hs_nearest_point_add(&hull, points + k * d), HS_OK);
  assert_int_equal(hs_nearest_point_solve(&hull, 1e-12), HS_OK);
  return hull;
}

static double dot(int d, const double *x, const double *y)
{
  double sum = 0;
  for (int j = 0; j < d; j++) sum += x[j] * y[j];
  return sum;
}

/* p is the weights' combination, and z'p >= |p|^2 for all points: then |z| >= |p| in all of the hull. */
static void check(const hs_nearest_point_t *hull, double tolerance)
{
  double sum = 0, square = dot(hull->d, hull->p, hull->p);
  for (int k = 0; k < hull->count; k++) {
    assert_true(hull->weights[k] >= 0);
    sum += hull->weights[k];
    assert_true(dot(hull->d, hull->points + k * hull->d, hull->p) >= square - tolerance);
  }
  assert_true(fabs(sum - 1) <= 1e-12);
  for (int j = 0; j < hull->d; j++) {
    double p = 0;
    for (int k = 0; k < hull->count; k++) p += hull->weights[k] * hull->points[k * hull->d + j];
    assert_true(fabs(p - hull->p[j]) <= 1e-12);
  }
}

static void test_known(void **state)
{
  (void)state;
  const double edge[] = {3, 1, 1, 3, 1, 3, 4, 4, 3, 1}; /* with repeated points: (2, 2) */
  const double corner[] = {2, 1, 5, 1, 5, 3}, around[] = {1, 0, -1, 1, -1, -2, 4, 4};
  hs_nearest_point_t hull = hull_of(2, 5, edge);
  assert_true(fabs(hull.p[0] - 2) <= 1e-12 && fabs(hull.p[1] - 2) <= 1e-12);
  hs_nearest_point_shrink(&hull);
  assert_int_equal(hull.count, 2);
  check(&hull, 1e-11);
  hs_nearest_point_free(&hull);
  hull = hull_of(2, 3, corner);
  assert_true(hull.p[0] == 2 && hull.p[1] == 1);
  hs_nearest_point_free(&hull);
  hull = hull_of(2, 4, around);
  assert_true(fabs(hull.p[0]) + fabs(hull.p[1]) <= 1e-12);
  hs_nearest_point_free(&hull);
}

/* Points that come by and by, away from 0 in one direction; some shrinking in between. */
static void test_random(void **state)
{
  (void)state;
  for (int d = 1; d <= 31; d += 6) {
    hs_nearest_point_t hull;
    double last = INFINITY;
    assert_int_equal(hs_nearest_point_create(&hull, d), HS_OK);
    for (int k = 0; k < 300; k++) {
      double z[31];
      for (int j = 0; j < d; j++) z[j] = hs_random_normal(4, (uint32_t)(100 + d), (uint64_t)(k * d + j));
      z[0] = 0.1 + fabs(z[0]);
      assert_int_equal(hs_nearest_point_add(&hull, z), HS_OK);
      if (k % 10 != 9) continue;
      assert_int_equal(hs_nearest_point_solve(&hull, 1e-12), HS_OK);
      check(&hull, 1e-11);
      assert_true(dot(d, hull.p, hull.p) <= last * (1 + 1e-12));
      last = dot(d, hull.p, hull.p);
      if (k % 50 == 49) hs_nearest_point_shrink(&hull);
      assert_true(k % 50 != 49 || hull.count <= d + 1);
    }
    assert_true(last >= 0.01);
    hs_nearest_point_free(&hull);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_random)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
