/* Bounds of cones, trees of cones and the circle, against values of f itself by plain loops.
 *
 *   f(w) = sum_k theta_k max(0, x_k'w),   theta_k a number or, for norms |f|, in R^C
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
#include "bounds/norm_rows.h"
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

/* ---- cones of a norm ---- */

#define OUTPUTS 10
static double T[ROWS * OUTPUTS];

static void make_outputs(int d, int C)
{
  make_rows(d);
  for (int k = 0; k < ROWS; k++)
    for (int c = 0; c < C; c++) T[k * C + c] = k % 13 == 5 ? 0 : noise() + (k % 2 ? 0.5 : -0.5);
}

/* |f(w)|; f: C numbers, or NULL. */
static double direct_norm(int d, int C, const double *w, double *f)
{
  double sums[OUTPUTS] = {0}, square = 0;
  for (int k = 0; k < ROWS; k++) {
    double z = 0;
    for (int j = 0; j < d; j++) z += X[k * d + j] * w[j];
    for (int c = 0; c < C && z > 0; c++) sums[c] += T[k * C + c] * z;
  }
  for (int c = 0; c < C; c++) square += sums[c] * sums[c];
  if (f != NULL) memcpy(f, sums, (size_t)C * sizeof *f);
  return sqrt(square);
}

static void test_norm_value(void **state)
{
  (void)state;
  static const int outputs[] = {1, 2, 3, 10};
  for (int d = 1; d <= HS_CONE_MOST; d++)
    for (int i = 0; i < 4; i++) {
      int C = outputs[i];
      hs_norm_rows_t norm;
      double w[HS_CONE_MOST], G[HS_CONE_MOST], f[OUTPUTS], step = 1e-6;
      make_outputs(d, C);
      for (int j = 0; j < d; j++) w[j] = noise();
      assert_int_equal(hs_norm_rows_make(&norm, d, C, ROWS, T, X), 0);
      double truth = direct_norm(d, C, w, f), value = hs_norm_value(&norm, w, G), along = 0;
      assert_true(fabs(value - truth) <= 1e-12 * ROWS);
      for (int j = 0; j < d; j++) along += G[j] * w[j];
      assert_true(fabs(along - truth) <= 1e-11 * ROWS); /* homogeneous */
      for (int j = 0; j < d; j++) {
        double there[HS_CONE_MOST], back[HS_CONE_MOST];
        memcpy(there, w, sizeof w);
        memcpy(back, w, sizeof w);
        there[j] += step;
        back[j] -= step;
        double slope = (direct_norm(d, C, there, NULL) - direct_norm(d, C, back, NULL)) / (2 * step);
        assert_true(fabs(slope - G[j]) <= 1e-3 * ROWS); /* a row may change its sign in between */
      }
      hs_norm_rows_free(&norm);
    }
}

static double largest_norm_inside(int d, int C, const hs_cone_t *cone)
{
  double largest = 0;
  for (int i = 0; i < POINTS; i++) {
    double w[HS_CONE_MOST] = {0};
    for (int a = 0; a < d; a++) {
      double share = -log(hs_random_uniform(4, 2002, counter++));
      if (i % 3 == 1 && a % 2 == 0) share = 0;
      for (int j = 0; j < d; j++) w[j] += share * cone->edges[a][j];
    }
    unit(d, w);
    largest = fmax(largest, direct_norm(d, C, w, NULL));
  }
  return largest;
}

/* The bound of the norm over a cone with random corners; *value: |f| at the centre. */
static double bound_of_norm(int d, int C, hs_cone_t *cone, double *value)
{
  hs_norm_rows_t norm;
  hs_norm_cone_t about;
  double where[HS_CONE_WIDTH], centre[HS_CONE_MOST] = {0};
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) centre[j] += cone->edges[i][j];
  unit(d, centre);
  cone->d = d;
  assert_int_equal(hs_norm_rows_make(&norm, d, C, ROWS, T, X), 0);
  hs_norm_describe(&norm, centre, cone, &about);
  double bound = hs_cone_bound(cone, 0, where);
  hs_norm_rows_free(&norm);
  assert_true(fabs(about.value - direct_norm(d, C, centre, NULL)) <= 1e-12 * ROWS);
  *value = about.value;
  return bound;
}

static void test_norm_cones(void **state)
{
  (void)state;
  static const double radii[] = {1, 0.3, 0.1, 0.03, 0.01, 0.001};
  static const int outputs[] = {1, 2, 3, 10};
  int too_wide = 0, cones = 0;
  for (int d = 2; d <= HS_CONE_MOST; d++)
    for (int r = 0; r < 6; r++)
      for (int i = 0; i < 4; i++) {
        static hs_cone_t cone;
        int C = outputs[i];
        double value;
        make_outputs(d, C);
        make_corners(d, radii[r], cone.edges);
        double bound = bound_of_norm(d, C, &cone, &value), largest = largest_norm_inside(d, C, &cone);
        assert_true(bound >= largest - 1e-12 * ROWS * 4);
        if (r == 5) assert_true(bound <= largest + 100 * ROWS * sqrt(C) * radii[r] * radii[r]);
        too_wide += isinf(bound);
        cones++;
      }
  assert_true(too_wide < cones / 8);
}

/* With one output the norm is |f|: in a narrow cone, where f has one sign, the bound of the difference of convex functions
 * with that sign, but for its choice of gradients at the centre. */
static void test_norm_of_one(void **state)
{
  (void)state;
  for (int d = 2; d <= HS_CONE_MOST; d++) {
    static hs_cone_t cone, plain;
    double where[HS_CONE_WIDTH], value;
    make_rows(d);
    memcpy(T, theta, sizeof theta);
    memset(&plain, 0, sizeof plain);
    make_corners(d, 0.01, cone.edges);
    memcpy(plain.edges, cone.edges, sizeof cone.edges);
    describe(d, direct(d, cone.edges[0], NULL, NULL) < 0, &plain);
    double bound = bound_of_norm(d, 1, &cone, &value), known = hs_cone_bound(&plain, 0, where);
    assert_true(fabs(bound - known) <= 1e-3 * known);
  }
}

/* No row changes its sign: f = N w, and the norm over the cone of the axes is at most sum_j l_j |N e_j| <= |(|N e_j|)_j|. */
static void test_norm_linear(void **state)
{
  (void)state;
  hs_norm_rows_t norm;
  hs_norm_cone_t about;
  double where[HS_CONE_WIDTH], rows[6] = {1, 0, 1, 0, 0, 1}, outputs[6] = {1, 0, 2, 0, 0, 4};
  double centre[2] = {sqrt(0.5), sqrt(0.5)};
  hs_cone_t cone = {.d = 2};
  cone.edges[0][0] = cone.edges[1][1] = 1;
  assert_int_equal(hs_norm_rows_make(&norm, 2, 2, 3, outputs, rows), 0);
  hs_norm_describe(&norm, centre, &cone, &about);
  /* N = [3 0; 0 4]: columns of lengths 3 and 4 */
  assert_true(fabs(hs_cone_bound(&cone, 0, where) - 5) <= 1e-14);
  assert_true(fabs(about.value - sqrt(12.5)) <= 1e-14);
  hs_norm_rows_free(&norm);
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

/* The norm in two dimensions: among many angles, and the ends and peaks of the pieces between two signs, is its maximum. In
 * three, a grid and an ascent from its best points. */
static double around_norm(int C)
{
  double best = 0;
  for (int i = 0; i < 100000; i++) { /* |f| is Lipschitz with sum |theta_k| |x_k| */
    double angle = 6.283185307179586 * i / 100000, v[2] = {cos(angle), sin(angle)};
    best = fmax(best, direct_norm(2, C, v, NULL));
  }
  return best;
}

static double over_sphere(int C)
{
  double best = 0, at[3] = {0};
  for (int i = 0; i < 60000; i++) { /* a spiral of equal areas */
    double z = 1 - (2 * i + 1) / 60000.0, r = sqrt(1 - z * z), turn = 2.399963229728653 * i;
    double v[3] = {r * cos(turn), r * sin(turn), z}, value = direct_norm(3, C, v, NULL);
    if (value <= best) continue;
    best = value;
    memcpy(at, v, sizeof v);
  }
  for (double radius = 0.02; radius > 1e-7; radius *= 0.8)
    for (int i = 0; i < 60; i++) {
      double v[3];
      for (int j = 0; j < 3; j++) v[j] = at[j] + radius * noise();
      unit(3, v);
      double value = direct_norm(3, C, v, NULL);
      if (value <= best) continue;
      best = value;
      memcpy(at, v, sizeof v);
    }
  return best;
}

static void test_norm_tree(void **state)
{
  (void)state;
  static const int outputs[] = {2, 3, 10};
  for (int d = 2; d <= 3; d++)
    for (int i = 0; i < 3; i++) {
      int C = outputs[i];
      hs_norm_rows_t norm;
      hs_cone_tree_t *tree;
      const double *at;
      make_outputs(d, C);
      assert_int_equal(hs_norm_rows_make(&norm, d, C, ROWS, T, X), 0);
      hs_cone_tree_options_t options = {
          .d = d, .norm = &norm, .round = 8, .epsilon = 1e-6, .cap = INFINITY, .bytes = 1e8};
      assert_int_equal(hs_cone_tree_create(&tree, &options), 0);
      assert_int_equal(hs_cone_tree_open(tree), d + 1);
      double truth = d == 2 ? around_norm(C) : over_sphere(C), last = INFINITY;
      while (hs_cone_tree_open(tree) > 0) {
        assert_int_equal(hs_cone_tree_grow(tree, 100), 0);
        double upper = fmax(hs_cone_tree_largest(tree), (1 + 1e-6) * hs_cone_tree_best(tree));
        assert_true(upper >= truth * (1 - 1e-12) && upper <= last);
        last = upper;
      }
      double seen = hs_cone_tree_seen(tree, &at);
      assert_true(fabs(direct_norm(d, C, at, NULL) - seen) <= 1e-12 * ROWS);
      assert_true(seen >= truth * (1 - 2e-6) && seen <= truth * (1 + 1e-4));
      hs_cone_tree_free(&tree);
      hs_norm_rows_free(&norm);
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
      cmocka_unit_test(test_gradients),   cmocka_unit_test(test_cones),
      cmocka_unit_test(test_linear),      cmocka_unit_test(test_thin),
      cmocka_unit_test(test_circle),      cmocka_unit_test(test_tree),
      cmocka_unit_test(test_anytime),     cmocka_unit_test(test_parcel),
      cmocka_unit_test(test_memory),      cmocka_unit_test(test_norm_value),
      cmocka_unit_test(test_norm_cones),  cmocka_unit_test(test_norm_of_one),
      cmocka_unit_test(test_norm_linear), cmocka_unit_test(test_norm_tree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
