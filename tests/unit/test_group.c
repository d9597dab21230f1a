/* Group norms, dual norms, proximal maps.
 *
 * The problem: u = prox(v) minimises threshold ||u|| + |u - v|^2 / 2. The answer is known by its conditions:
 * with r = v - u, the dual norm of r is at most threshold, and r'u = threshold ||u||. Norms are recomputed
 * here from their definitions; singular values by one-sided Jacobi rotations, which share nothing with the
 * library. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "group/group.h"

enum { LONGEST = 40, LARGEST = LONGEST * LONGEST };

static const int shapes[][2] = {{1, 1}, {1, 6}, {6, 1}, {5, 5}, {12, 3}, {3, 12}, {40, 10}, {10, 40}, {2, 7}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static uint64_t drawn;

static double normal(void)
{
  return hs_random_normal(7, HS_STREAM_SYNTHETIC, drawn++);
}

static void assert_close(double found, double expected, double tolerance)
{
  if (!isfinite(found) || !(fabs(found - expected) <= tolerance))
    fail_msg("%.17g, expected %.17g +- %g", found, expected, tolerance);
}

static double dot(int count, const double *x, const double *y)
{
  double sum = 0;
  for (int i = 0; i < count; i++) sum += x[i] * y[i];
  return sum;
}

/* Make columns p and q orthogonal; returns |cos| of their angle before. */
static double rotate_columns(int d, double *p, double *q)
{
  double a = dot(d, p, p), b = dot(d, q, q), c = dot(d, p, q);
  if (c == 0) return 0;
  double zeta = (b - a) / (2 * c);
  double tangent = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
  double cosine = 1 / sqrt(1 + tangent * tangent), sine = cosine * tangent;
  for (int i = 0; i < d; i++) {
    double x = p[i], y = q[i];
    p[i] = cosine * x - sine * y;
    q[i] = sine * x + cosine * y;
  }
  return fabs(c) / sqrt(a * b);
}

/* Singular values of a d x C block (Hestenes 1958): the column lengths once all columns are orthogonal. */
static int jacobi_singular_values(int d, int C, const double *block, double *values)
{
  static double work[LARGEST];
  int columns = C <= d ? C : d, rows = C <= d ? d : C;
  for (int c = 0; c < columns; c++)
    for (int i = 0; i < rows; i++) work[i + c * rows] = C <= d ? block[i + c * d] : block[c + i * d];
  for (int sweep = 0; sweep < 60; sweep++) {
    double largest = 0;
    for (int p = 0; p < columns; p++)
      for (int q = p + 1; q < columns; q++)
        largest = fmax(largest, rotate_columns(rows, work + p * rows, work + q * rows));
    if (largest < 1e-15) break;
  }
  for (int c = 0; c < columns; c++) values[c] = sqrt(dot(rows, work + c * rows, work + c * rows));
  return columns;
}

static void reference_norms(hs_groups_t groups, int d, int C, const double *block, double *norm, double *dual)
{
  double parts[LONGEST];
  int count = 1;
  parts[0] = sqrt(dot(d * C, block, block));
  if (groups == HS_PER_OUTPUT) {
    count = C;
    for (int c = 0; c < C; c++) parts[c] = sqrt(dot(d, block + c * d, block + c * d));
  }
  if (groups == HS_NUCLEAR) count = jacobi_singular_values(d, C, block, parts);
  *norm = *dual = 0;
  for (int i = 0; i < count; i++) {
    *norm += parts[i];
    *dual = fmax(*dual, parts[i]);
  }
}

typedef void (*body_t)(hs_groups_t groups, int d, int C, hs_group_work_t *work);

static void for_all(body_t body)
{
  for (int shape = 0; shape < SHAPES; shape++)
    for (int groups = HS_JOINT; groups <= HS_NUCLEAR; groups++) {
      hs_group_work_t *work = NULL;
      assert_int_equal(hs_group_work_create(&work, shapes[shape][0], shapes[shape][1]), HS_OK);
      for (int trial = 0; trial < 20; trial++)
        body((hs_groups_t)groups, shapes[shape][0], shapes[shape][1], work);
      hs_group_work_free(&work);
      assert_null(work);
    }
}

/* Of full rank, of rank one, or with columns of very different size. */
static void draw_block(int d, int C, double *block)
{
  double left[LONGEST], right[LONGEST];
  int kind = (int)(drawn % 3);
  for (int i = 0; i < d; i++) left[i] = normal();
  for (int c = 0; c < C; c++) right[c] = normal();
  for (int c = 0; c < C; c++)
    for (int i = 0; i < d; i++) {
      double *b = &block[i + c * d];
      *b = kind == 1 ? left[i] * right[c] : normal() * (kind == 2 ? pow(10, -c % 5) : 1);
    }
}

static void check_norms(hs_groups_t groups, int d, int C, hs_group_work_t *work)
{
  double block[LARGEST], norm, dual;
  draw_block(d, C, block);
  reference_norms(groups, d, C, block, &norm, &dual);
  assert_close(hs_group_norm(groups, d, C, block, work), norm, 1e-13 * norm);
  assert_close(hs_group_dual_norm(groups, d, C, block, work), dual, 1e-13 * dual);
}

static void test_norms_by_definition(void **state)
{
  (void)state;
  for_all(check_norms);
}

/* <u, v> <= ||u|| dual(v) for all pairs. */
static void check_hoelder(hs_groups_t groups, int d, int C, hs_group_work_t *work)
{
  double u[LARGEST], v[LARGEST];
  draw_block(d, C, u);
  draw_block(d, C, v);
  double bound = hs_group_norm(groups, d, C, u, work) * hs_group_dual_norm(groups, d, C, v, work);
  assert_true(isfinite(bound) && fabs(dot(d * C, u, v)) <= bound * (1 + 1e-13));
}

static void test_hoelder(void **state)
{
  (void)state;
  for_all(check_hoelder);
}

static void check_prox(hs_groups_t groups, int d, int C, hs_group_work_t *work)
{
  double v[LARGEST], u[LARGEST], r[LARGEST], norm, dual, ignored;
  draw_block(d, C, v);
  reference_norms(groups, d, C, v, &norm, &dual);
  for (double part = 0.01; part < 1.3; part += 0.2) {
    double threshold = part * dual;
    int active = -1;
    memcpy(u, v, sizeof u);
    double returned = hs_group_prox(groups, d, C, u, threshold, &active, work);
    for (int i = 0; i < d * C; i++) r[i] = v[i] - u[i];
    double dual_r;
    reference_norms(groups, d, C, r, &ignored, &dual_r);
    assert_true(isfinite(dual_r) && dual_r <= threshold * (1 + 1e-12));
    reference_norms(groups, d, C, u, &norm, &ignored);
    assert_close(returned, norm, 1e-12 * dual);
    assert_close(dot(d * C, r, u), threshold * norm, 1e-11 * threshold * dual);
    if (part > 1) assert_true(returned == 0);
    if (returned == 0)
      for (int i = 0; i < d * C; i++) assert_true(u[i] == 0);
    int expected = returned > 0;
    if (groups == HS_PER_OUTPUT) {
      expected = 0;
      for (int c = 0; c < C; c++) expected += dot(d, u + c * d, u + c * d) > 0;
    }
    assert_int_equal(active, expected);
  }
}

static void test_prox_by_its_conditions(void **state)
{
  (void)state;
  for_all(check_prox);
}

static void test_closed_forms(void **state)
{
  (void)state;
  hs_group_work_t *work = NULL;
  int active;
  assert_int_equal(hs_group_work_create(&work, 2, 2), HS_OK);
  /* diag(3, 4): singular values 3, 4; also column norms. */
  double block[4] = {3, 0, 0, 4};
  assert_close(hs_group_norm(HS_JOINT, 2, 2, block, work), 5, 1e-15);
  assert_close(hs_group_norm(HS_PER_OUTPUT, 2, 2, block, work), 7, 0);
  assert_close(hs_group_norm(HS_NUCLEAR, 2, 2, block, work), 7, 1e-14);
  assert_close(hs_group_dual_norm(HS_JOINT, 2, 2, block, work), 5, 1e-15);
  assert_close(hs_group_dual_norm(HS_PER_OUTPUT, 2, 2, block, work), 4, 0);
  assert_close(hs_group_dual_norm(HS_NUCLEAR, 2, 2, block, work), 4, 1e-15);
  assert_close(hs_group_prox(HS_NUCLEAR, 2, 2, block, 3.5, &active, work), 0.5, 1e-14);
  assert_close(block[0], 0, 1e-15);
  assert_close(block[3], 0.5, 1e-14);
  assert_int_equal(active, 1);
  /* [1 2; 1 2]: columns of length sqrt 2 and 2 sqrt 2, one singular value sqrt 10. */
  double same[4] = {1, 1, 2, 2};
  assert_close(hs_group_norm(HS_NUCLEAR, 2, 2, same, work), sqrt(10), 1e-14);
  assert_close(hs_group_norm(HS_PER_OUTPUT, 2, 2, same, work), 3 * sqrt(2), 1e-14);
  assert_close(hs_group_prox(HS_PER_OUTPUT, 2, 2, same, 2, &active, work), 2 * sqrt(2) - 2, 1e-14);
  assert_true(same[0] == 0 && same[1] == 0);
  assert_close(same[2], 2 - sqrt(2), 1e-14);
  assert_int_equal(active, 1);
  hs_group_work_free(&work);
}

static void test_zero_and_nan(void **state)
{
  (void)state;
  hs_group_work_t *work = NULL;
  assert_int_equal(hs_group_work_create(&work, 3, 4), HS_OK);
  for (int kind = HS_JOINT; kind <= HS_NUCLEAR; kind++) {
    hs_groups_t groups = (hs_groups_t)kind;
    double zero[12] = {0}, bad[12] = {1, 2, NAN}, identity[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 4},
           copy[12];
    int active = -1;
    assert_true(hs_group_norm(groups, 3, 4, zero, work) == 0 &&
                hs_group_dual_norm(groups, 3, 4, zero, work) == 0);
    assert_true(hs_group_prox(groups, 3, 4, zero, 0, &active, work) == 0);
    assert_int_equal(active, 0);
    for (int i = 0; i < 12; i++) assert_true(zero[i] == 0);
    memcpy(copy, identity, sizeof copy);
    hs_group_prox(groups, 3, 4, copy, 0, &active, work);
    for (int i = 0; i < 12; i++) assert_close(copy[i], identity[i], 1e-13);
    assert_true(isnan(hs_group_norm(groups, 3, 4, bad, work)));
    assert_true(isnan(hs_group_dual_norm(groups, 3, 4, bad, work)));
    assert_true(isnan(hs_group_prox(groups, 3, 4, bad, 1, &active, work)));
  }
  hs_group_work_free(&work);
}

static void test_names(void **state)
{
  (void)state;
  static const char *const names[] = {"joint", "per-output", "nuclear"};
  for (int kind = 0; kind < 3; kind++) {
    assert_string_equal(hs_groups_name((hs_groups_t)kind), names[kind]);
    assert_int_equal(hs_groups_find(names[kind]), kind);
  }
  assert_int_equal(hs_groups_find("group"), -1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_norms_by_definition),    cmocka_unit_test(test_hoelder),
      cmocka_unit_test(test_prox_by_its_conditions), cmocka_unit_test(test_closed_forms),
      cmocka_unit_test(test_zero_and_nan),           cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
