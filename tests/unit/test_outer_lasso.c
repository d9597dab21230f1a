/* The best outer weights of fixed neurons: a small group lasso.
 *
 * Held against its optimality conditions, written out over the samples rather than over Gram matrices: with T = Y - H A
 *     |H_k'T| <= beta where a_k = 0,   H_k'T = beta a_k / |a_k| where not.
 * They are sufficient: the problem is convex. Tiny ones are also solved by trying every set of signs.
 * Columns are ReLU features, many of them nearly or exactly the same, as neurons with samples on their kink are.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "network/outer_lasso.h"
#include "network/small_lasso.h"

typedef struct sample {
  int n, K, C;
  double *H, *Y; /* n x K, n x C */
  double *P, *q; /* H'H, H'Y */
} sample_t;

static double *numbers(int count)
{
  double *values = calloc((size_t)count + 1, sizeof *values);
  assert_non_null(values);
  return values;
}

static double noise(uint32_t stream, int index)
{
  return hs_random_normal(7, 2000 + stream, (uint64_t)index);
}

/* Features of K directions in 4 dimensions; the last third repeats the first, moved by `apart` (0: exactly equal). */
static sample_t make(int n, int K, int C, double apart)
{
  enum { D = 4 };
  sample_t s = {n, K, C, numbers(n * K), numbers(n * C), numbers(K * K), numbers(K * C)};
  int copies = K / 3;
  for (int k = 0; k < n; k++) {
    for (int i = 0; i < K; i++) {
      double z = 0;
      for (int j = 0; j < D; j++) {
        int like = i >= K - copies ? i - (K - copies) : i;
        double w = noise(1, like * D + j) + (like != i ? apart * noise(2, i * D + j) : 0);
        z += w * (j == D - 1 ? 1 : noise(3, k * D + j));
      }
      s.H[k * K + i] = fmax(0, z) / 2;
    }
    for (int c = 0; c < C; c++)
      s.Y[k * C + c] =
          sin(2 * noise(3, k * D + c % D)) + noise(3, k * D + 1) * (c % 2) + 0.3 * noise(4, k * C + c);
  }
  for (int k = 0; k < n; k++)
    for (int i = 0; i < K; i++) {
      for (int l = 0; l < K; l++) s.P[i * K + l] += s.H[k * K + i] * s.H[k * K + l];
      for (int c = 0; c < C; c++) s.q[i * C + c] += s.H[k * K + i] * s.Y[k * C + c];
    }
  return s;
}

static void discard(sample_t *s)
{
  free(s->H);
  free(s->Y);
  free(s->P);
  free(s->q);
}

static double length(int count, const double *x)
{
  double sum = 0;
  for (int i = 0; i < count; i++) sum += x[i] * x[i];
  return sqrt(sum);
}

/* Of the price of a zero network. */
static double relative_beta(const sample_t *s, double share)
{
  double most = 0;
  for (int k = 0; k < s->K; k++) most = fmax(most, length(s->C, s->q + k * s->C));
  return share * most;
}

/* The largest violation of the optimality conditions over beta; *on counts the columns that are not zero. */
static double violation(const sample_t *s, double beta, const double *A, int *on)
{
  double worst = 0, *T = numbers(s->n * s->C);
  *on = 0;
  for (int k = 0; k < s->n; k++)
    for (int c = 0; c < s->C; c++) {
      T[k * s->C + c] = s->Y[k * s->C + c];
      for (int i = 0; i < s->K; i++) T[k * s->C + c] -= s->H[k * s->K + i] * A[i * s->C + c];
    }
  for (int i = 0; i < s->K; i++) {
    double g[16] = {0}, size = length(s->C, A + i * s->C);
    for (int c = 0; c < s->C; c++) {
      for (int k = 0; k < s->n; k++) g[c] += s->H[k * s->K + i] * T[k * s->C + c];
      if (size > 0) g[c] -= beta * A[i * s->C + c] / size;
    }
    worst = fmax(worst, length(s->C, g) / beta - (size > 0 ? 0 : 1));
    *on += size > 0;
  }
  free(T);
  return worst;
}

static void check_conditions(int n, int K, int C, double apart, double share)
{
  sample_t s = make(n, K, C, apart);
  double beta = relative_beta(&s, share), claimed, *A = numbers(K * C);
  hs_outer_lasso_t problem = {K, C, false, s.P, s.q, beta};
  assert_int_equal(hs_outer_lasso(&problem, 1e-11, A, &claimed), HS_OK);
  int on;
  double worst = violation(&s, beta, A, &on);
  assert_true(worst <= 1e-9);
  assert_true(fabs(claimed - worst) <= 1e-9);
  assert_true(on > 0 && on < K);
  /* Again from the solution, and from far away: the same objective. */
  double best = hs_outer_objective(&problem, A);
  for (int e = 0; e < K * C; e++) A[e] = noise(9, e);
  assert_int_equal(hs_outer_lasso(&problem, 1e-11, A, NULL), HS_OK);
  assert_true(fabs(hs_outer_objective(&problem, A) - best) <= 1e-10 * fabs(best));
  free(A);
  discard(&s);
}

static void test_conditions(void **state)
{
  (void)state;
  const int outputs[] = {1, 3, 10};
  const double aparts[] = {1, 1e-3, 1e-6, 1e-9, 0}, shares[] = {0.5, 0.05, 0.002};
  for (int c = 0; c < 3; c++)
    for (int a = 0; a < 5; a++)
      for (int b = 0; b < 3; b++) check_conditions(150, 36, outputs[c], aparts[a], shares[b]);
}

/* A problem of the coupled form is P = sum over samples of (h h') o S with S a C x C matrix of that sample. Its conditions are
 * |G_k| <= beta, G_k = beta a_k / |a_k|, with G = q - P a by plain loops. */
static void check_coupled(double apart, bool identity)
{
  enum { N = 80, K = 18, C = 3, KC = K * C };
  sample_t s = make(N, K, C, apart);
  double *P = numbers(KC * KC), *A = numbers(KC), worst = 0;
  for (int k = 0; k < N; k++) {
    double S[C][C], v[C];
    for (int c = 0; c < C; c++) v[c] = noise(5, k * C + c);
    for (int c = 0; c < C; c++)
      for (int e = 0; e < C; e++) S[c][e] = identity ? c == e : v[c] * v[e] + (c == e ? 0.1 : 0);
    for (int i = 0; i < KC; i++)
      for (int l = 0; l < KC; l++) P[i * KC + l] += s.H[k * K + i / C] * s.H[k * K + l / C] * S[i % C][l % C];
  }
  double beta = relative_beta(&s, 0.05);
  hs_outer_lasso_t problem = {K, C, true, P, s.q, beta};
  assert_int_equal(hs_outer_lasso(&problem, 1e-11, A, NULL), HS_OK);
  int on = 0;
  for (int i = 0; i < K; i++) {
    double g[C], size = length(C, A + i * C);
    for (int c = 0; c < C; c++) {
      g[c] = s.q[i * C + c] - (size > 0 ? beta * A[i * C + c] / size : 0);
      for (int l = 0; l < KC; l++) g[c] -= P[(i * C + c) * KC + l] * A[l];
    }
    worst = fmax(worst, length(C, g) / beta - (size > 0 ? 0 : 1));
    on += size > 0;
  }
  assert_true(worst <= 1e-9);
  assert_true(on > 0 && on < K);
  if (identity) {
    double *same = numbers(KC);
    hs_outer_lasso_t common = {K, C, false, s.P, s.q, beta};
    assert_int_equal(hs_outer_lasso(&common, 1e-11, same, NULL), HS_OK);
    double best = hs_outer_objective(&common, same);
    assert_true(fabs(hs_outer_objective(&problem, A) - best) <= 1e-12 * fabs(best));
    free(same);
  }
  free(P);
  free(A);
  discard(&s);
}

static void test_coupled(void **state)
{
  (void)state;
  check_coupled(1, false);
  check_coupled(1e-8, false);
  check_coupled(0, false);
  check_coupled(1, true);
  check_coupled(0, true);
}

/* The objective over the samples, and that of the solver without |Y|^2 / 2. */
static void test_objective(void **state)
{
  (void)state;
  sample_t s = make(30, 6, 2, 1);
  double A[12], sum = 0, norms = 0, beta = 1.7;
  for (int e = 0; e < 12; e++) A[e] = noise(6, e);
  for (int k = 0; k < 30; k++)
    for (int c = 0; c < 2; c++) {
      double r = s.Y[k * 2 + c];
      for (int i = 0; i < 6; i++) r -= s.H[k * 6 + i] * A[i * 2 + c];
      sum += (r * r - s.Y[k * 2 + c] * s.Y[k * 2 + c]) / 2;
    }
  for (int i = 0; i < 6; i++) norms += length(2, A + i * 2);
  hs_outer_lasso_t problem = {6, 2, false, s.P, s.q, beta};
  assert_true(fabs(hs_outer_objective(&problem, A) - sum - beta * norms) <= 1e-9 * fabs(sum));
  discard(&s);
}

/* Gauss with pivots: M x = b in place, false if singular. */
static bool eliminate(int size, double *M, double *b)
{
  for (int c = 0; c < size; c++) {
    int best = c;
    for (int r = c; r < size; r++)
      if (fabs(M[r * size + c]) > fabs(M[best * size + c])) best = r;
    if (fabs(M[best * size + c]) < 1e-9) return false;
    for (int j = 0; j < size; j++) {
      double swap = M[c * size + j];
      M[c * size + j] = M[best * size + j];
      M[best * size + j] = swap;
    }
    double swap = b[c];
    b[c] = b[best];
    b[best] = swap;
    for (int r = 0; r < size; r++) {
      double factor = r == c ? 0 : M[r * size + c] / M[c * size + c];
      for (int j = 0; j < size; j++) M[r * size + j] -= factor * M[c * size + j];
      b[r] -= factor * b[c];
    }
  }
  for (int c = 0; c < size; c++) b[c] /= M[c * size + c];
  return true;
}

/* The least objective over all sets of signs whose stationary point has those signs; entries count and sign by base 3. */
static double brute_force(const sample_t *s, double penalty, bool nonnegative)
{
  int K = s->K, patterns = 1;
  double best = 0;
  for (int i = 0; i < K; i++) patterns *= 3;
  for (int pattern = 1; pattern < patterns; pattern++) {
    int member[8], size = 0;
    double sign[8], M[64], x[8], value = 0;
    for (int i = 0, left = pattern; i < K; i++, left /= 3)
      if (left % 3 != 0) {
        member[size] = i;
        sign[size++] = left % 3 == 1 ? 1 : -1;
      }
    for (int i = 0; i < size; i++) {
      x[i] = s->q[member[i]] - penalty * sign[i];
      for (int l = 0; l < size; l++) M[i * size + l] = s->P[member[i] * K + member[l]];
    }
    bool good = eliminate(size, M, x);
    for (int i = 0; i < size && good; i++) good = x[i] * sign[i] >= 0 && !(nonnegative && sign[i] < 0);
    for (int i = 0; i < size && good; i++) {
      value += penalty * fabs(x[i]) - s->q[member[i]] * x[i];
      for (int l = 0; l < size; l++) value += 0.5 * x[i] * x[l] * s->P[member[i] * K + member[l]];
    }
    if (good && value < best) best = value;
  }
  return best;
}

static void test_brute_force(void **state)
{
  (void)state;
  for (int trial = 0; trial < 24; trial++) {
    bool nonnegative = trial % 2 == 1;
    sample_t s = make(14 + trial, 6, 1, trial % 3 == 0 ? 0 : 0.5);
    double penalty = relative_beta(&s, trial % 4 == 0 ? 0.3 : 0.02), x[6] = {0}, value = 0;
    hs_small_lasso_t problem = {6, s.P, s.q, penalty, nonnegative};
    int steps = 0;
    assert_int_equal(hs_small_lasso(&problem, 1e-12 * penalty, x, &steps), HS_OK);
    assert_true(steps < 40);
    for (int i = 0; i < 6; i++) {
      assert_true(!nonnegative || x[i] >= 0);
      value += penalty * fabs(x[i]) - s.q[i] * x[i];
      for (int l = 0; l < 6; l++) value += 0.5 * x[i] * x[l] * s.P[i * 6 + l];
    }
    double best = brute_force(&s, penalty, nonnegative);
    assert_true(fabs(value - best) <= 1e-9 * fabs(best) + 1e-12);
    discard(&s);
  }
}

/* Above the largest |q_k| everything is zero, wherever one starts; no columns at all are no fault. */
static void test_all_off(void **state)
{
  (void)state;
  for (int C = 1; C <= 3; C++) {
    sample_t s = make(40, 9, C, 0.1);
    double A[27];
    for (int e = 0; e < 27; e++) A[e] = noise(9, e);
    hs_outer_lasso_t problem = {9, C, false, s.P, s.q, relative_beta(&s, 1.0001)};
    double claimed = 1;
    assert_int_equal(hs_outer_lasso(&problem, 1e-11, A, &claimed), HS_OK);
    for (int e = 0; e < 9 * C; e++) assert_true(A[e] == 0);
    assert_true(claimed == 0);
    hs_outer_lasso_t none = {0, C, false, s.P, s.q, 1};
    assert_int_equal(hs_outer_lasso(&none, 1e-11, A, &claimed), HS_OK);
    discard(&s);
  }
}

/* The error is the distance of G / beta from the subdifferential. */
static void test_violation(void **state)
{
  (void)state;
  const double A[6] = {3, 4, 0, 0, 0, 0}, G[6] = {1.2, 1.6, 2.4, 0, 0, 1};
  assert_true(fabs(hs_outer_violation(3, 2, 2, A, G) - 0.2) <=
              1e-14); /* |(0.6, 0.8) - (0.6, 0.8)|, 2.4 / 2 - 1 */
  assert_true(fabs(hs_outer_violation(1, 2, 4, A, G) - 0.5) <= 1e-14); /* |(0.3, 0.4) - (0.6, 0.8)| */
  assert_true(hs_outer_violation(1, 2, 1, A + 2, G + 4) == 0);         /* on the edge */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_conditions),  cmocka_unit_test(test_coupled), cmocka_unit_test(test_objective),
      cmocka_unit_test(test_brute_force), cmocka_unit_test(test_all_off), cmocka_unit_test(test_violation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
