/* The point of least norm of hulls that are known, and of random ones by the conditions that single it out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "minimise/nearest_point.h"

#define MOST 600

/* Points, the weights found for them, and p. */
typedef struct hull {
  int d, count;
  double points[MOST * 64], K[MOST * MOST], weights[MOST], p[64], delta;
  hs_nearest_report_t report;
} hull_t;

static double dot(int d, const double *x, const double *y)
{
  double sum = 0;
  for (int j = 0; j < d; j++) sum += x[j] * y[j];
  return sum;
}

static hull_t *hull_of(int d, int count, const double *points)
{
  hull_t *hull = calloc(1, sizeof *hull);
  assert_non_null(hull);
  hull->d = d;
  hull->count = count;
  if (points != NULL) memcpy(hull->points, points, (size_t)(count * d) * sizeof *points);
  return hull;
}

static void solve(hull_t *hull, double tolerance, double max_seconds)
{
  int d = hull->d, count = hull->count;
  hs_nearest_options_t options = {.tolerance = tolerance, .max_seconds = max_seconds};
  for (int i = 0; i < count; i++)
    for (int k = 0; k < count; k++)
      hull->K[i * count + k] = dot(d, hull->points + i * d, hull->points + k * d);
  assert_int_equal(hs_nearest_point(count, hull->K, &options, &hull->delta, hull->weights, &hull->report),
                   HS_OK);
  memset(hull->p, 0, sizeof hull->p);
  for (int k = 0; k < count; k++)
    for (int j = 0; j < d; j++) hull->p[j] += hull->weights[k] * hull->points[k * d + j];
}

/* p lies in the hull, and z'p >= (1 - tolerance) |p|^2 for all points: then |z| >= (1 - tolerance) |p| in all of the hull. */
static void check(const hull_t *hull, double tolerance)
{
  double sum = 0, square = dot(hull->d, hull->p, hull->p), least = INFINITY;
  for (int k = 0; k < hull->count; k++) {
    assert_true(hull->weights[k] >= 0);
    sum += hull->weights[k];
    least = fmin(least, dot(hull->d, hull->points + k * hull->d, hull->p));
  }
  assert_true(fabs(sum - 1) <= 1e-12);
  assert_true(least >= (1 - tolerance) * square);
  assert_true(fabs(hull->report.gap - (1 - least / square)) <= 1e-9);
  assert_true(fabs(hull->report.square / square - 1) <= 1e-9);
}

static void test_known(void **state)
{
  (void)state;
  const double edge[] = {3, 1, 1, 3, 1, 3, 4, 4, 3, 1}; /* with repeated points: (2, 2) */
  const double corner[] = {2, 1, 5, 1, 5, 3}, around[] = {1, 0, -1, 1, -1, -2, 4, 4};
  hull_t *hull = hull_of(2, 5, edge);
  solve(hull, 1e-12, 0);
  assert_true(fabs(hull->p[0] - 2) <= 1e-9 && fabs(hull->p[1] - 2) <= 1e-9);
  assert_true(hull->weights[3] == 0);
  check(hull, 1e-11);
  free(hull);
  hull = hull_of(2, 3, corner);
  solve(hull, 1e-12, 0);
  assert_true(hull->p[0] == 2 && hull->p[1] == 1);
  free(hull);
  hull = hull_of(2, 4, around);
  solve(hull, 1e-12, 0);
  assert_true(fabs(hull->p[0]) + fabs(hull->p[1]) <= 1e-7 && isinf(hull->report.gap));
  free(hull);
  hull = hull_of(3, 1, edge);
  solve(hull, 1e-12, 0);
  assert_true(hull->weights[0] == 1 && fabs(hull->report.square - 11) <= 1e-12);
  free(hull);
}

/* Points away from 0 in one direction, `distance` of them at least; the last ones repeat the first. */
static hull_t *random_hull(int d, int count, double distance)
{
  hull_t *hull = hull_of(d, count, NULL);
  for (int e = 0; e < count * d; e++) hull->points[e] = hs_random_normal(4, (uint32_t)(100 + d), (uint64_t)e);
  for (int k = 0; k < count; k++) hull->points[k * d] = distance + fabs(hull->points[k * d]);
  memcpy(hull->points + (count - 2) * d, hull->points, (size_t)(2 * d) * sizeof(double));
  return hull;
}

static void test_random(void **state)
{
  (void)state;
  const int sizes[][2] = {{1, 20}, {7, 5}, {7, 100}, {25, 60}, {31, 31}, {60, 150}};
  for (int s = 0; s < 6; s++) {
    hull_t *hull = random_hull(sizes[s][0], sizes[s][1], 0.1);
    solve(hull, 1e-3, 0);
    check(hull, 1e-3);
    double rough = hull->report.square, scale = 3;
    solve(hull, 1e-9, 0); /* goes on from there */
    check(hull, 1e-8);
    assert_true(hull->report.square >= 0.01 - 1e-12);
    assert_true(hull->report.square <= rough * (1 + 1e-9));
    double fine = hull->report.square;
    for (int e = 0; e < hull->count * hull->d; e++) hull->points[e] *= scale;
    memset(hull->weights, 0, sizeof hull->weights);
    hull->delta = 0;
    solve(hull, 1e-9, 0);
    assert_true(fabs(hull->report.square / (scale * scale * fine) - 1) <= 1e-7);
    free(hull);
  }
}

/* As cutting planes do: more points join, those without weight leave; |p| falls, then stays. */
static void test_joining(void **state)
{
  (void)state;
  enum { D = 12, ALL = 200 };
  hull_t *all = random_hull(D, ALL, 0.05), *some = hull_of(D, 0, NULL);
  double last = INFINITY;
  solve(all, 1e-9, 0);
  for (int first = 0; first < ALL; first += 20) {
    int kept = 0;
    for (int k = 0; k < some->count; k++) {
      if (!(some->weights[k] > 0)) continue;
      memmove(some->points + kept * D, some->points + k * D, D * sizeof(double));
      some->weights[kept++] = some->weights[k];
    }
    assert_true(kept <= D + 1);
    memcpy(some->points + kept * D, all->points + first * D, 20 * D * sizeof(double));
    memset(some->weights + kept, 0, 20 * sizeof(double));
    some->count = kept + 20;
    solve(some, 1e-9, 0);
    check(some, 1e-8);
    assert_true(some->report.square <= last * (1 + 1e-7));
    last = some->report.square;
  }
  assert_true(last >= all->report.square * (1 - 1e-7));
  free(all);
  free(some);
}

/* Without time one iteration is made: weights of a hull's point, and a gap that says what it is worth. */
static void test_no_time(void **state)
{
  (void)state;
  hull_t *hull = random_hull(60, 150, 0.1);
  solve(hull, 1e-9, 1e-9);
  assert_int_equal(hull->report.iterations, 1);
  assert_true(hull->report.gap > 1e-9);
  check(hull, hull->report.gap + 1e-9);
  free(hull);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_random),
                                     cmocka_unit_test(test_joining), cmocka_unit_test(test_no_time)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
