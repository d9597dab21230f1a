/* Bounds of cones, trees of cones and the circle, against values of f itself by plain loops.
 *
 *   f(w) = sum_k theta_k max(0, x_k'w)
 * A bound may never lie below f at a point of its cone with |w| = 1; nothing here says how sharp it is, but for narrow cones,
 * where it must be sharp to second order.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "bounds/circle.h"
#include "bounds/cone_bound.h"
#include "bounds/cone_tree.h"
#include "bounds/relu_parts.h"

#define ROWS 83
#define POINTS 2000

static double theta[ROWS], X[ROWS * HS_CONE_MOST];
static uint64_t counter;

static double noise(void)
{
  return hs_random_normal(3, 2001, counter++);
}

static void make_rows(int d)
{
  for (int k = 0; k < ROWS; k++) {
    theta[k] = k % 13 == 5 ? 0 : noise();
    for (int j = 0; j < d; j++) X[k * d + j] = j == d - 1 ? 1 : noise();
  }
}

static void unit(int d, double *w)
{
  double square = 0;
  for (int j = 0; j < d; j++) square += w[j] * w[j];
  for (int j = 0; j < d; j++) w[j] /= sqrt(square);
}

/* f; and its parts and their gradients at w: parts (2), gradients (2 x d). */
static double direct(int d, const double *w, double *parts, double *gradients)
{
  double sums[2] = {0, 0};
  if (gradients != NULL) memset(gradients, 0, 2 * (size_t)d * sizeof *gradients);
  for (int k = 0; k < ROWS; k++) {
    double z = 0;
    for (int j = 0; j < d; j++) z += X[k * d + j] * w[j];
    if (z <= 0) continue;
    sums[theta[k] < 0] += fabs(theta[k]) * z;
    for (int j = 0; j < d && gradients != NULL; j++)
      gradients[(theta[k] < 0) * d + j] += fabs(theta[k]) * X[k * d + j];
  }
  if (parts != NULL) memcpy(parts, sums, sizeof sums);
  return sums[0] - sums[1];
}

/* ---- gradients ---- */

static void test_gradients(void **state)
{
  (void)state;
  for (int d = 1; d <= HS_CONE_MOST; d++) {
    hs_relu_parts_t parts;
    double points[5 * HS_CONE_MOST], found[10 * HS_CONE_MOST], truth[2 * HS_CONE_MOST];
    make_rows(d);
    assert_int_equal(hs_relu_parts_make(&parts, d, ROWS, theta, X), 0);
    for (int e = 0; e < 5 * d; e++) points[e] = noise();
    hs_relu_parts_gradients(&parts, 5, points, found);
    for (int i = 0; i < 5; i++) {
      direct(d, points + i * d, NULL, truth);
      for (int e = 0; e < 2 * d; e++) assert_true(fabs(found[i * 2 * d + e] - truth[e]) <= 1e-12 * ROWS);
    }
    hs_relu_parts_free(&parts);
  }
}

/* ---- cones ---- */

/* d corners about a random centre. */
static void make_corners(int d, double radius, double corners[][HS_CONE_WIDTH])
{
  double centre[HS_CONE_MOST];
  for (int j = 0; j < d; j++) centre[j] = noise();
  unit(d, centre);
  for (int i = 0; i < d; i++) {
    memset(corners[i], 0, HS_CONE_WIDTH * sizeof(double));
    for (int j = 0; j < d; j++) corners[i][j] = centre[j] + radius * noise();
    unit(d, corners[i]);
  }
}

static void describe(int d, int part, hs_cone_t *cone)
{
  double values[2], gradients[2 * HS_CONE_MOST], centre[HS_CONE_MOST] = {0};
  cone->d = d;
  cone->tangents = d + 1;
  for (int i = 0; i <= d; i++) {
    direct(d, i < d ? cone->edges[i] : centre, values, gradients);
    memset(cone->gradients[i], 0, sizeof cone->gradients[i]);
    memcpy(cone->gradients[i], gradients + (1 - part) * d, (size_t)d * sizeof(double));
    if (i < d) cone->F[i] = values[part];
    for (int j = 0; j < d && i < d; j++) centre[j] += cone->edges[i][j];
  }
  for (int i = d; i < HS_CONE_WIDTH; i++) cone->F[i] = 0;
}

/* The largest +-f at random points of the cone: inside, and near its faces. */
static double largest_inside(int d, int part, const hs_cone_t *cone)
{
  double largest = -INFINITY;
  for (int i = 0; i < POINTS; i++) {
    double w[HS_CONE_MOST] = {0};
    for (int a = 0; a < d; a++) {
      double share = -log(hs_random_uniform(4, 2002, counter++));
      if (i % 3 == 1 && a % 2 == 0) share = 0;
      for (int j = 0; j < d; j++) w[j] += share * cone->edges[a][j];
    }
    unit(d, w);
    double f = direct(d, w, NULL, NULL);
    largest = fmax(largest, part == 0 ? f : -f);
  }
  return largest;
}

static void test_cones(void **state)
{
  (void)state;
  static const double radii[] = {1, 0.3, 0.1, 0.03, 0.01, 0.001};
  int too_wide = 0, cones = 0;
  for (int d = 2; d <= HS_CONE_MOST; d++)
    for (int r = 0; r < 6; r++)
      for (int part = 0; part < 2; part++) {
        static hs_cone_t cone;
        double where[HS_CONE_WIDTH];
        make_rows(d);
        memset(&cone, 0, sizeof cone);
        make_corners(d, radii[r], cone.edges);
        describe(d, part, &cone);
        double bound = hs_cone_bound(&cone, 0, where), largest = largest_inside(d, part, &cone);
        assert_true(bound >= largest - 1e-12 * ROWS * 4);
        assert_true(bound >= 0);
        for (int j = 0; j < d; j++) assert_true(where[j] >= 0);
        /* Rows that change their sign in a cone of radius r: a share of about r, each worth about r. */
        if (r == 5) assert_true(bound <= fmax(largest, 0) + 100 * ROWS * radii[r] * radii[r]);
        too_wide += isinf(bound);
        cones++;
      }
  assert_true(too_wide < cones / 8);
}

/* F is linear and H = 0: the bound is the largest value of a linear function over the cone, exactly. */
static void test_linear(void **state)
{
  (void)state;
  hs_cone_t cone = {.d = 3, .tangents = 1};
  double where[HS_CONE_WIDTH];
  for (int j = 0; j < 3; j++) cone.edges[j][j] = 1;
  cone.F[0] = 3;
  cone.F[1] = 4;
  cone.F[2] = -5;
  assert_true(fabs(hs_cone_bound(&cone, 0, where) - 5) <= 1e-14);
  assert_true(fabs(where[0] / where[1] - 0.75) <= 1e-14 && where[2] == 0);
  cone.F[2] = 12;
  assert_true(fabs(hs_cone_bound(&cone, 0, where) - 13) <= 1e-14);
  cone.F[0] = cone.F[1] = cone.F[2] = -1;
  assert_true(hs_cone_bound(&cone, 0, where) == 0);
}

/* Two corners in one place, or almost: the bound stays a bound. */
static void test_thin(void **state)
{
  (void)state;
  for (int d = 2; d <= 6; d++)
    for (int part = 0; part < 2; part++) {
      static hs_cone_t cone;
      double where[HS_CONE_WIDTH];
      make_rows(d);
      memset(&cone, 0, sizeof cone);
      make_corners(d, 0.2, cone.edges);
      memcpy(cone.edges[1], cone.edges[0], sizeof cone.edges[0]);
      if (d > 3) cone.edges[1][0] += 1e-9;
      describe(d, part, &cone);
      double bound = hs_cone_bound(&cone, 0, where);
      assert_true(bound >= largest_inside(d, part, &cone) - 1e-12 * ROWS * 4);
    }
}

/* ---- the circle and trees ---- */

/* max |f| on the unit circle, by many angles and the peaks of the pieces next to the best one. */
static double around(double *w)
{
  double best = 0, g[4];
  for (int i = 0; i < 200000; i++) { /* angles 3e-5 apart */
    double angle = 6.283185307179586 * i / 200000, v[2] = {cos(angle), sin(angle)};
    double f = fabs(direct(2, v, NULL, g)), peak[2] = {g[0] - g[2], g[1] - g[3]};
    unit(2, peak);
    double there = fabs(direct(2, peak, NULL, NULL));
    if (f > best) memcpy(w, v, sizeof v);
    if (there > f && there > best) memcpy(w, peak, sizeof peak);
    best = fmax(best, fmax(f, there));
  }
  return best;
}

static void test_circle(void **state)
{
  (void)state;
  for (int trial = 0; trial < 5; trial++) {
    double most, w[2], at[2];
    make_rows(2);
    if (trial == 1)
      for (int k = 0; k < ROWS; k++) X[2 * k] = 0; /* all rows along one axis */
    if (trial == 2) memmove(X + 2 * 40, X, 2 * 40 * sizeof *X);
    assert_int_equal(hs_circle(ROWS, theta, X, &most, w), 0);
    double truth = around(at);
    assert_true(most >= truth - 1e-12 * ROWS && most <= truth * (1 + 1e-4) + 1e-12 * ROWS);
    assert_true(fabs(fabs(direct(2, w, NULL, NULL)) - most) <= 1e-12 * ROWS);
  }
  double most, w[2];
  assert_int_equal(hs_circle(0, theta, X, &most, w), 0);
  assert_true(most == 0);
}

static void evaluate(void *context, int count, const double *points, double *gradients)
{
  hs_relu_parts_gradients(context, count, points, gradients);
}

static hs_cone_tree_t *plant(const hs_relu_parts_t *parts, double floor, double bytes)
{
  hs_cone_tree_t *tree;
  hs_cone_tree_options_t options = {.d = parts->d,
                                    .evaluate = evaluate,
                                    .context = (void *)(uintptr_t)parts,
                                    .round = 8,
                                    .floor = floor,
                                    .epsilon = 1e-7,
                                    .cap = INFINITY,
                                    .bytes = bytes};
  assert_int_equal(hs_cone_tree_create(&tree, &options), 0);
  return tree;
}

/* In two dimensions the tree must find what the circle knows. */
static void test_tree(void **state)
{
  (void)state;
  for (int trial = 0; trial < 5; trial++) {
    hs_relu_parts_t parts;
    double most, w[2];
    make_rows(2);
    assert_int_equal(hs_circle(ROWS, theta, X, &most, w), 0);
    assert_int_equal(hs_relu_parts_make(&parts, 2, ROWS, theta, X), 0);
    hs_cone_tree_t *tree = plant(&parts, 0, 1e8);
    assert_int_equal(hs_cone_tree_grow(tree, 1000000), 0);
    assert_int_equal(hs_cone_tree_open(tree), 0);
    const double *at;
    double seen = hs_cone_tree_seen(tree, &at);
    assert_true(seen <= most * (1 + 1e-12) && seen * (1 + 1e-7) >= most * (1 - 1e-12));
    assert_true(fabs(fabs(direct(2, at, NULL, NULL)) - seen) <= 1e-12 * ROWS);
    hs_cone_tree_free(&tree);
    hs_relu_parts_free(&parts);
  }
}

/* While the tree grows its largest open bound is one on all of |f|, and never grows. */
static void test_anytime(void **state)
{
  (void)state;
  hs_relu_parts_t parts;
  double value = 0, last = INFINITY;
  make_rows(4);
  for (int i = 0; i < 20000; i++) {
    double w[4] = {noise(), noise(), noise(), noise()};
    unit(4, w);
    value = fmax(value, fabs(direct(4, w, NULL, NULL)));
  }
  assert_int_equal(hs_relu_parts_make(&parts, 4, ROWS, theta, X), 0);
  hs_cone_tree_t *tree = plant(&parts, 0, 1e8);
  while (hs_cone_tree_open(tree) > 0) {
    assert_int_equal(hs_cone_tree_grow(tree, 200), 0);
    double upper = fmax(hs_cone_tree_largest(tree), (1 + 1e-7) * hs_cone_tree_best(tree));
    assert_true(upper >= value && upper <= last);
    last = upper;
  }
  hs_cone_tree_free(&tree);
  hs_relu_parts_free(&parts);
}

/* Cones that move to another tree are bounded there; together the two trees end at the same value. */
static void test_parcel(void **state)
{
  (void)state;
  hs_relu_parts_t parts;
  hs_cone_parcel_t parcel;
  make_rows(5);
  assert_int_equal(hs_relu_parts_make(&parts, 5, ROWS, theta, X), 0);
  hs_cone_tree_t *whole = plant(&parts, 0, 1e8), *one = plant(&parts, 0, 1e8), *two = plant(&parts, 0, 1e8);
  assert_int_equal(hs_cone_tree_grow(whole, 10000000), 0);
  assert_int_equal(hs_cone_tree_grow(one, 400), 0);
  assert_int_equal(hs_cone_tree_grow(two, 400), 0);
  assert_int_equal(hs_cone_tree_deal(one, 0, 2), 0);
  assert_int_equal(hs_cone_tree_deal(two, 1, 2), 0);
  int64_t open = hs_cone_tree_open(one) + hs_cone_tree_open(two);
  assert_int_equal(hs_cone_parcel_make(&parcel, 5, 5, 25), 0);
  assert_int_equal(hs_cone_tree_pack(one, 5, &parcel), 0);
  assert_true(parcel.cones == 5 && parcel.vertices <= 25);
  assert_int_equal(hs_cone_tree_unpack(two, &parcel), 0);
  assert_int_equal(hs_cone_tree_open(one) + hs_cone_tree_open(two), open);
  assert_int_equal(hs_cone_tree_grow(one, 10000000), 0);
  assert_int_equal(hs_cone_tree_grow(two, 10000000), 0);
  double best = fmax(hs_cone_tree_best(one), hs_cone_tree_best(two)), truth = hs_cone_tree_best(whole);
  assert_true(best <= truth * (1 + 2e-7) && truth <= best * (1 + 2e-7));
  hs_cone_parcel_free(&parcel);
  hs_cone_tree_free(&whole);
  hs_cone_tree_free(&one);
  hs_cone_tree_free(&two);
  hs_relu_parts_free(&parts);
}

/* Little memory: the tree says so, and what it has is still a bound. */
static void test_memory(void **state)
{
  (void)state;
  static const double bytes[] = {2000, 20000, 60000};
  hs_relu_parts_t parts;
  const double *at;
  make_rows(5);
  assert_int_equal(hs_relu_parts_make(&parts, 5, ROWS, theta, X), 0);
  hs_cone_tree_t *large = plant(&parts, 0, 1e8);
  assert_int_equal(hs_cone_tree_grow(large, 10000), 0);
  for (int i = 0; i < 3; i++) {
    hs_cone_tree_t *small = plant(&parts, 0, bytes[i]);
    assert_int_equal(hs_cone_tree_grow(small, 100000000), HS_BUDGET);
    assert_true(hs_cone_tree_open(small) > 0);
    assert_true(hs_cone_tree_largest(small) >= hs_cone_tree_seen(large, &at) * (1 - 1e-7));
    hs_cone_tree_free(&small);
  }
  hs_cone_tree_free(&large);
  hs_relu_parts_free(&parts);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradients), cmocka_unit_test(test_cones),  cmocka_unit_test(test_linear),
      cmocka_unit_test(test_thin),      cmocka_unit_test(test_circle), cmocka_unit_test(test_tree),
      cmocka_unit_test(test_anytime),   cmocka_unit_test(test_parcel), cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
