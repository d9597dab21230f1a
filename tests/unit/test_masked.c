/* The masked operator against its definition.
 *
 * Truth is the triple loop in double: (A u)_k = sum_i m_ki u_i' x_k and (A' w)_i = sum_k m_ki x_k w_k', with
 * the masks given bit by bit. An answer may differ by a few roundings of the same sum of absolute values:
 *     |computed - true| <= 20 eps * sum of |terms|,   eps of the precision of the products.
 * Beside it: the adjoint identity <A u, w> = <u, A' w>, and the kernel as products of A with the columns of A'.
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
#include "masked/masked.h"
#include "masked/operator.h"
#include "tests/support/thread_counts.h"

typedef struct problem {
  int n, d, gates, outputs;
  hs_precision_t precision;
  double *x; /* n x d, values that float holds exactly */
  void *X;   /* the same in the given precision */
  hs_masks_t masks;
  hs_masked_t *op;
  double *u, *w, *a, *s;   /* arguments and results */
  double *true_a, *true_s; /* by the definition */
  double *size_a, *size_s; /* the same sums of absolute values */
} problem_t;

static double noise(int stream, int64_t index)
{
  return (double)(float)hs_random_normal(7, (uint32_t)(100 + stream), (uint64_t)index);
}

static double *numbers(int stream, int64_t count)
{
  double *out = hs_alloc((size_t)count, sizeof *out, "numbers");
  for (int64_t i = 0; i < count; i++) out[i] = noise(stream, i);
  return out;
}

static void *in_precision(hs_precision_t precision, const double *x, int64_t count)
{
  void *out = hs_alloc((size_t)count, hs_precision_bytes(precision), "features");
  for (int64_t i = 0; i < count; i++) {
    if (precision == HS_SINGLE)
      ((float *)out)[i] = (float)x[i];
    else
      ((double *)out)[i] = x[i];
  }
  return out;
}

/* Masks with no structure at all: bits are coin tosses, about `density` of them 1. */
static void toss_masks(hs_masks_t *masks, int n, int gates, double density)
{
  *masks = (hs_masks_t){.rows = n, .gates = gates, .words = (gates + 63) / 64};
  masks->bits = hs_alloc((size_t)(n * masks->words), sizeof(uint64_t), "masks");
  for (int64_t k = 0; k < n; k++)
    for (int i = 0; i < gates; i++) {
      uint64_t bit = hs_random_uniform(11, 99, (uint64_t)(k * gates + i)) < density;
      masks->bits[k * masks->words + i / 64] |= bit << (i % 64);
    }
}

static void make(problem_t *p, int n, int d, int gates, int outputs, hs_precision_t precision, double density)
{
  *p = (problem_t){.n = n, .d = d, .gates = gates, .outputs = outputs, .precision = precision};
  int64_t weights = (int64_t)gates * outputs * d, values = (int64_t)n * outputs;
  p->x = numbers(1, (int64_t)n * d);
  p->X = in_precision(precision, p->x, (int64_t)n * d);
  toss_masks(&p->masks, n, gates, density);
  p->u = numbers(2, weights);
  p->w = numbers(3, values);
  p->a = numbers(4, values);
  p->s = numbers(5, weights);
  p->true_a = hs_alloc((size_t)values, sizeof(double), "truth");
  p->size_a = hs_alloc((size_t)values, sizeof(double), "truth");
  p->true_s = hs_alloc((size_t)weights, sizeof(double), "truth");
  p->size_s = hs_alloc((size_t)weights, sizeof(double), "truth");
  assert_int_equal(hs_masked_create(&p->op, precision, n, d, outputs, p->X, &p->masks), HS_OK);
}

static void drop(problem_t *p)
{
  hs_masked_free(&p->op);
  assert_null(p->op);
  hs_masks_free(&p->masks);
  double *owned[] = {p->x, p->u, p->w, p->a, p->s, p->true_a, p->true_s, p->size_a, p->size_s};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) hs_free(owned[i]);
  hs_free(p->X);
}

static void by_definition(problem_t *p)
{
  int64_t C = p->outputs, d = p->d;
  memset(p->true_a, 0, (size_t)(p->n * C) * sizeof(double));
  memset(p->size_a, 0, (size_t)(p->n * C) * sizeof(double));
  memset(p->true_s, 0, (size_t)(p->gates * C * d) * sizeof(double));
  memset(p->size_s, 0, (size_t)(p->gates * C * d) * sizeof(double));
  for (int64_t k = 0; k < p->n; k++)
    for (int i = 0; i < p->gates; i++) {
      if (!hs_mask_bit(&p->masks, k, i)) continue;
      for (int64_t c = 0; c < C; c++)
        for (int64_t j = 0; j < d; j++) {
          int64_t at = (i * C + c) * d + j;
          double forward = p->u[at] * p->x[k * d + j], adjoint = p->w[k * C + c] * p->x[k * d + j];
          p->true_a[k * C + c] += forward;
          p->size_a[k * C + c] += fabs(forward);
          p->true_s[at] += adjoint;
          p->size_s[at] += fabs(adjoint);
        }
    }
}

static void assert_close(const double *got, const double *truth, const double *size, int64_t count,
                         double eps)
{
  for (int64_t i = 0; i < count; i++) {
    assert_true(isfinite(got[i]));
    assert_true(fabs(got[i] - truth[i]) <= 20 * eps * size[i]);
  }
}

/* The forward sums run over tables in which gates outside the row's pattern never enter: the bound is in
 * the row's own terms, so that a leak of closed gates cannot hide. */
static void check_products(problem_t *p)
{
  int64_t values = (int64_t)p->n * p->outputs, weights = (int64_t)p->gates * p->outputs * p->d;
  double eps = p->precision == HS_SINGLE ? FLT_EPSILON : DBL_EPSILON;
  by_definition(p);
  hs_masked_forward(p->op, p->u, p->a);
  assert_close(p->a, p->true_a, p->size_a, values, eps);
  hs_masked_adjoint(p->op, p->w, p->s);
  assert_close(p->s, p->true_s, p->size_s, weights, eps);
  hs_masked_forward_exact(p->op, p->u, p->a);
  assert_close(p->a, p->true_a, p->size_a, values, DBL_EPSILON);
  hs_masked_adjoint_exact(p->op, p->w, p->s);
  assert_close(p->s, p->true_s, p->size_s, weights, DBL_EPSILON);
}

static void test_shapes(void **state)
{
  (void)state;
  static const int gate_counts[] = {1, 2, 7, 8, 9, 31, 63, 64, 65, 130, 200};
  static const int shapes[][3] = {{0, 3, 2},  {1, 1, 1},   {2, 5, 3},   {7, 16, 1},   {64, 17, 2},
                                  {65, 9, 5}, {300, 2, 6}, {513, 8, 1}, {130, 33, 4}, {90, 41, 10}};
  for (size_t g = 0; g < sizeof gate_counts / sizeof *gate_counts; g++)
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
      for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
        problem_t p;
        make(&p, shapes[i][0], shapes[i][1], gate_counts[g], shapes[i][2], (hs_precision_t)precision, 0.5);
        check_products(&p);
        drop(&p);
      }
}

/* Every width of a chunk and every number of outputs taken together. */
static void test_widths(void **state)
{
  (void)state;
  for (int outputs = 1; outputs <= 13; outputs++)
    for (int d = 1; d <= 100; d += d < 34 ? 1 : 11)
      for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
        problem_t p;
        make(&p, 20, d, 11, outputs, (hs_precision_t)precision, 0.5);
        check_products(&p);
        drop(&p);
      }
}

/* More rows than one block has, with the widest groups, and a last block of one row. */
static void test_blocks(void **state)
{
  (void)state;
  static const double densities[] = {0.02, 0.5, 1.0};
  for (int i = 0; i < 3; i++) {
    problem_t p;
    make(&p, 2 * 8192 + 1, 19, 20, 2, i == 1 ? HS_DOUBLE : HS_SINGLE, densities[i]);
    check_products(&p);
    drop(&p);
  }
}

/* Any choice of active gates, also right after another one, and none at all. */
static void test_zero_blocks(void **state)
{
  (void)state;
  problem_t p;
  make(&p, 300, 6, 150, 2, HS_DOUBLE, 0.5);
  size_t size = (size_t)(p.outputs * p.d);
  double *full = numbers(2, p.gates * p.outputs * p.d);
  static const int steps[] = {1, 2, 3, 7, 64, 149, 1000};
  for (size_t round = 0; round < sizeof steps / sizeof *steps; round++) {
    memcpy(p.u, full, (size_t)p.gates * size * sizeof(double));
    for (int gate = 0; gate < p.gates; gate++)
      if ((gate + 1) % steps[round] != 0) memset(p.u + (size_t)gate * size, 0, size * sizeof(double));
    check_products(&p);
  }
  hs_free(full);
  drop(&p);
}

/* The code for the baseline of the processor, which the processor here would not choose. Its vectors are the
 * shortest, so the scratch space suffices. */
static void test_baseline(void **state)
{
  (void)state;
  for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++)
    for (int outputs = 1; outputs <= 5; outputs++) {
      problem_t p;
      make(&p, 600, 21, 50, outputs, (hs_precision_t)precision, 0.5);
      p.op->native = hs_products_baseline[precision];
      p.op->exact = hs_products_baseline[HS_DOUBLE];
      check_products(&p);
      drop(&p);
    }
}

/* Equal weights give equal bits, whatever was computed in between. */
static void test_repeatable(void **state)
{
  (void)state;
  problem_t p;
  make(&p, 700, 30, 40, 3, HS_SINGLE, 0.5);
  size_t values = (size_t)(p.n * p.outputs), size = (size_t)(p.outputs * p.d);
  double *again = hs_alloc(values, sizeof *again, "repeated product");
  memset(p.u + 5 * size, 0, 20 * size * sizeof(double));
  hs_masked_forward(p.op, p.u, p.a);
  double kept = p.u[6 * size];
  p.u[6 * size] = 1;
  hs_masked_forward(p.op, p.u, again);
  assert_memory_not_equal(again, p.a, values * sizeof *again);
  p.u[6 * size] = kept;
  hs_masked_forward(p.op, p.u, again);
  assert_memory_equal(again, p.a, values * sizeof *again);
  hs_free(again);
  drop(&p);
}

static void test_adjoint_identity(void **state)
{
  (void)state;
  problem_t p;
  make(&p, 1500, 37, 70, 4, HS_DOUBLE, 0.4);
  hs_masked_forward(p.op, p.u, p.a);
  hs_masked_adjoint(p.op, p.w, p.s);
  double left = 0, right = 0, size = 0;
  for (int i = 0; i < p.n * p.outputs; i++) left += p.a[i] * p.w[i];
  for (int i = 0; i < p.gates * p.outputs * p.d; i++) {
    right += p.s[i] * p.u[i];
    size += fabs(p.s[i] * p.u[i]);
  }
  assert_true(isfinite(left) && isfinite(right));
  assert_true(fabs(left - right) <= 1e-13 * size);
  drop(&p);
}

/* Column l of K is A A' e_l. */
static void check_kernel(problem_t *p, int first, int count)
{
  float *K = hs_alloc((size_t)count * (size_t)count, sizeof *K, "kernel");
  for (int i = 0; i < count * count; i++) K[i] = -77;
  hs_masked_kernel(p->op, first, count, K);
  for (int l = 0; l < count; l++) {
    memset(p->w, 0, (size_t)p->n * sizeof(double));
    p->w[first + l] = 1;
    hs_masked_adjoint_exact(p->op, p->w, p->s);
    hs_masked_forward_exact(p->op, p->s, p->a);
    for (int k = 0; k < count; k++) {
      double size = 0, got = (double)K[l * count + k];
      for (int j = 0; j < p->d; j++)
        size += fabs(p->x[(first + k) * p->d + j] * p->x[(first + l) * p->d + j]) * p->gates;
      assert_true(isfinite(got));
      if (k < l)
        assert_true(got == -77);
      else
        assert_true(fabs(got - p->a[first + k]) <= 20 * FLT_EPSILON * size);
    }
  }
  hs_free(K);
}

static void test_kernel(void **state)
{
  (void)state;
  for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
    problem_t p;
    make(&p, 330, 12, 70, 1, (hs_precision_t)precision, 0.5);
    check_kernel(&p, 0, 330);
    check_kernel(&p, 13, 1);
    check_kernel(&p, 20, 257);
    drop(&p);
    make(&p, 40, 3, 64, 1, (hs_precision_t)precision, 0.3);
    check_kernel(&p, 3, 37);
    drop(&p);
    make(&p, 30, 200, 300, 1, (hs_precision_t)precision, 0.5);
    check_kernel(&p, 0, 30);
    drop(&p);
  }
}

/* All that an operator computes, in one vector: products in their own precision, and with every operation in double.
 */
typedef struct results {
  size_t native, exact; /* how many of each */
  double *value;        /* the native ones, then the exact ones */
  size_t kernel;
  float *K;
} results_t;

static results_t compute(problem_t *p)
{
  size_t values = (size_t)(p->n * p->outputs), weights = (size_t)(p->gates * p->outputs * p->d);
  int count = p->n < 700 ? p->n : 700;
  results_t out = {.native = values + weights, .exact = values + weights, .kernel = (size_t)(count * count)};
  out.value = hs_alloc(out.native + out.exact, sizeof(double), "results");
  out.K = hs_alloc(out.kernel, sizeof(float), "kernel");
  hs_masked_forward(p->op, p->u, out.value);
  hs_masked_adjoint(p->op, p->w, out.value + values);
  hs_masked_forward_exact(p->op, p->u, out.value + out.native);
  hs_masked_adjoint_exact(p->op, p->w, out.value + out.native + values);
  hs_masked_kernel(p->op, p->n - count, count, out.K);
  return out;
}

static void forget(results_t *results)
{
  hs_free(results->value);
  hs_free(results->K);
}

static void assert_same_bits(const results_t *a, const results_t *b)
{
  assert_memory_equal(a->value, b->value, (a->native + a->exact) * sizeof *a->value);
  assert_memory_equal(a->K, b->K, a->kernel * sizeof *a->K);
}

static double largest(const double *x, size_t count)
{
  double out = 0;
  for (size_t i = 0; i < count; i++) out = fmax(out, fabs(x[i]));
  return out;
}

static void assert_agree(const double *a, const double *b, size_t count, double tolerance)
{
  double size = largest(b, count);
  for (size_t i = 0; i < count; i++) {
    assert_true(isfinite(a[i]));
    assert_true(fabs(a[i] - b[i]) <= tolerance * size);
  }
}

/* With so many threads, the results of two operators, each asked twice: always the same bits. */
static results_t repeat(problem_t p, int threads, int zero_gates)
{
  results_t first = {0};
  for (int round = 0; round < 2; round++) {
    make(&p, p.n, p.d, p.gates, p.outputs, p.precision, 0.5);
    assert_int_equal(hs_masked_threads(p.op), threads);
    memset(p.u, 0, (size_t)(zero_gates * p.outputs * p.d) * sizeof(double));
    results_t now = compute(&p), again = compute(&p);
    assert_same_bits(&again, &now);
    forget(&again);
    drop(&p);
    if (round == 0) {
      first = now;
      continue;
    }
    assert_same_bits(&now, &first);
    forget(&now);
  }
  return first;
}

/* Truth is what one thread computes. */
static void check_threads(int n, int d, int gates, int outputs, hs_precision_t precision, int zero_gates)
{
  problem_t shape = {.n = n, .d = d, .gates = gates, .outputs = outputs, .precision = precision};
  set_threads(1);
  results_t one = repeat(shape, 1, zero_gates);
  for (int threads = 2; threads <= MOST_THREADS && set_threads(threads); threads++) {
    results_t some = repeat(shape, threads, zero_gates);
    assert_agree(some.value, one.value, one.native, precision == HS_SINGLE ? 1e-5 : 1e-12);
    assert_agree(some.value + one.native, one.value + one.native, one.exact, 1e-12);
    for (size_t i = 0; i < one.kernel; i++)
      assert_true(fabs((double)some.K[i] - (double)one.K[i]) <= 1e-5 * gates * d);
    forget(&some);
  }
  forget(&one);
  set_threads(1);
}

/* Fewer rows than threads are worth, a row more than divides evenly, more than one block for each thread, several
 * tiles of the kernel; all gates, and few. */
static void test_threads(void **state)
{
  (void)state;
  for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
    check_threads(0, 3, 9, 2, (hs_precision_t)precision, 0);
    check_threads(1, 3, 9, 2, (hs_precision_t)precision, 0);
    check_threads(150, 17, 70, 3, (hs_precision_t)precision, 0);
    check_threads(513, 8, 30, 1, (hs_precision_t)precision, 25);
    check_threads(1201, 33, 130, 4, (hs_precision_t)precision, 20);
  }
  check_threads(9001, 5, 12, 1, HS_DOUBLE, 0);
}

/* Blocks of some gates: those asked for are there, others whole or untouched. */
static void check_some(problem_t *p, const double *all, const bool *asked, int step)
{
  size_t size = (size_t)(p->outputs * p->d), count = (size_t)p->gates * size;
  double *s = hs_alloc(count, sizeof *s, "gradients");
  int computed = 0;
  for (size_t e = 0; e < count; e++) s[e] = -77;
  hs_masked_adjoint_some(p->op, asked, p->w, s);
  for (int i = 0; i < p->gates; i++) {
    bool wanted = asked[i] || s[(size_t)i * size] != -77;
    computed += wanted;
    for (size_t e = (size_t)i * size; e < (size_t)(i + 1) * size; e++)
      assert_true(memcmp(&s[e], wanted ? &all[e] : &(double){-77}, sizeof *s) == 0);
  }
  if (step == 0) assert_int_equal(computed, 0);
  if (step == 1) assert_int_equal(computed, p->gates);
  hs_free(s);
}

/* Every step-th gate, and the first half of the order. */
static void check_choices(problem_t *p, const int *order)
{
  int64_t weights = (int64_t)p->gates * p->outputs * p->d;
  double *all = hs_alloc((size_t)weights, sizeof *all, "gradients");
  bool *asked = hs_alloc((size_t)p->gates, sizeof *asked, "gates");
  by_definition(p);
  hs_masked_adjoint(p->op, p->w, all);
  assert_close(all, p->true_s, p->size_s, weights, p->precision == HS_SINGLE ? FLT_EPSILON : DBL_EPSILON);
  for (int step = 0; step <= 30; step += step < 2 ? 1 : 7) {
    for (int i = 0; i < p->gates; i++) asked[i] = step > 0 && i % step == 0;
    check_some(p, all, asked, step);
  }
  for (int i = 0; i < p->gates; i++) asked[order[i]] = i < p->gates / 2;
  check_some(p, all, asked, 2);
  hs_masked_adjoint_exact(p->op, p->w, p->s);
  assert_close(p->s, p->true_s, p->size_s, weights, DBL_EPSILON);
  hs_free(all);
  hs_free(asked);
}

/* In any order of the gates: ascending, descending, shuffled, and ascending again, which gives the first bits. */
static void check_orders(int n, int d, int gates, int outputs, hs_precision_t precision)
{
  problem_t p;
  make(&p, n, d, gates, outputs, precision, 0.5);
  size_t bytes = (size_t)(gates * outputs * d) * sizeof(double);
  double *first = hs_alloc((size_t)(gates * outputs * d), sizeof *first, "gradients");
  int *order = hs_alloc((size_t)gates, sizeof *order, "order");
  hs_masked_adjoint(p.op, p.w, first);
  for (int kind = 0; kind < 4; kind++) {
    for (int i = 0; i < gates; i++) order[i] = kind == 1 ? gates - 1 - i : kind == 2 ? i * 37 % gates : i;
    hs_masked_regroup(p.op, order);
    check_choices(&p, order);
  }
  hs_masked_adjoint(p.op, p.w, p.s);
  assert_memory_equal(p.s, first, bytes);
  hs_free(order);
  hs_free(first);
  drop(&p);
}

static void test_some_gates(void **state)
{
  (void)state;
  for (int threads = 1; threads <= 3 && set_threads(threads); threads++)
    for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
      check_orders(0, 3, 20, 1, (hs_precision_t)precision);
      check_orders(300, 5, 1, 2, (hs_precision_t)precision);
      check_orders(1000, 9, 80, 1, (hs_precision_t)precision);
      check_orders(5000, 4, 70, 3, (hs_precision_t)precision);
    }
  set_threads(1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),           cmocka_unit_test(test_widths),
      cmocka_unit_test(test_blocks),           cmocka_unit_test(test_zero_blocks),
      cmocka_unit_test(test_baseline),         cmocka_unit_test(test_repeatable),
      cmocka_unit_test(test_adjoint_identity), cmocka_unit_test(test_kernel),
      cmocka_unit_test(test_threads),          cmocka_unit_test(test_some_gates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
