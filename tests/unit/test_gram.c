/* Blocks of the weighted Gram matrix against the definition.
 *
 * Truth is the sum over rows of lambda_k m_ki m_kj x_ka x_kb in long double, with the masks given bit by bit. All
 * operations are promised to be in double, also for features in float, which are exact in double:
 *     |computed - true| <= 60 eps * sum of |terms|,   eps of double.
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
#include "masked/gram.h"
#include "masked/gram_private.h"
#include "tests/support/thread_counts.h"

#define PAST 3 /* elements between the columns of a block, which nobody may touch */

typedef struct problem {
  int n, d, gates;
  double *x; /* n x d, values that float holds exactly */
  void *X;   /* the same in the given precision */
  double *lambda;
  hs_masks_t masks;
  hs_masked_t *op;
  hs_masked_gram_t *gram;
} problem_t;

static double noise(uint32_t stream, int64_t index)
{
  return (double)(float)hs_random_normal(17, stream, (uint64_t)index);
}

/* Bits are coin tosses, `density` of them 1; the first gate is open on all rows, the second on none. */
static void toss_masks(hs_masks_t *masks, int n, int gates, double density)
{
  *masks = (hs_masks_t){.rows = n, .gates = gates, .words = (gates + 63) / 64};
  masks->bits = hs_alloc((size_t)(n * masks->words), sizeof(uint64_t), "masks");
  for (int64_t k = 0; k < n; k++)
    for (int i = 0; i < gates; i++) {
      bool open = hs_random_uniform(23, 99, (uint64_t)(k * gates + i)) < density;
      if (i == 0) open = true;
      if (i == 1) open = false;
      masks->bits[k * masks->words + i / 64] |= (uint64_t)open << (i % 64);
    }
}

static void make(problem_t *p, int n, int d, int gates, hs_precision_t precision)
{
  *p = (problem_t){.n = n, .d = d, .gates = gates};
  int64_t values = (int64_t)n * d;
  p->x = hs_alloc((size_t)values, sizeof(double), "features");
  p->X = hs_alloc((size_t)values, hs_precision_bytes(precision), "features");
  p->lambda = hs_alloc((size_t)n, sizeof(double), "weights");
  for (int64_t i = 0; i < values; i++) {
    p->x[i] = noise(1, i);
    if (precision == HS_SINGLE)
      ((float *)p->X)[i] = (float)p->x[i];
    else
      ((double *)p->X)[i] = p->x[i];
  }
  for (int64_t k = 0; k < n; k++) p->lambda[k] = k % 11 == 3 ? 0 : noise(2, k); /* of both signs, and 0 */
  toss_masks(&p->masks, n, gates, 0.6);
  assert_int_equal(hs_masked_create(&p->op, precision, n, d, 1, p->X, &p->masks), HS_OK);
  assert_int_equal(hs_masked_gram_create(&p->gram, p->op), HS_OK);
}

static void drop(problem_t *p)
{
  hs_masked_gram_free(&p->gram);
  assert_null(p->gram);
  hs_masked_free(&p->op);
  hs_masks_free(&p->masks);
  hs_free(p->x);
  hs_free(p->X);
  hs_free(p->lambda);
}

/* m_ki x_ka of one column (i, a) of the expanded matrix. */
static void expand(const problem_t *p, int64_t column, double *out)
{
  int gate = (int)(column / p->d);
  for (int64_t k = 0; k < p->n; k++)
    out[k] = hs_mask_bit(&p->masks, k, gate) ? p->x[k * p->d + column % p->d] : 0;
}

static void check_element(const problem_t *p, bool weighted, const double *left, const double *right,
                          double got)
{
  long double sum = 0, size = 0;
  for (int64_t k = 0; k < p->n; k++) {
    long double term = (long double)left[k] * right[k] * (weighted ? p->lambda[k] : 1);
    sum += term;
    size += fabsl(term);
  }
  assert_true(isfinite(got));
  assert_true(fabsl(got - sum) <= 60 * (long double)DBL_EPSILON * size);
}

static double *new_block(int rows, int columns)
{
  size_t count = (size_t)columns * (size_t)(rows + PAST);
  double *block = hs_alloc(count, sizeof *block, "block");
  for (size_t i = 0; i < count; i++) block[i] = NAN;
  return block;
}

/* Every `step`-th element of the block's lower triangle, and that nothing beside the block was written. */
static void check_block(problem_t *p, bool weighted, int64_t i0, int rows, int64_t j0, int columns, int step)
{
  double *block = new_block(rows, columns), *sides = hs_alloc((size_t)p->n * (size_t)(rows + 1), 8, "truth");
  double *right = sides + (size_t)rows * (size_t)p->n;
  int ld = rows + PAST;
  hs_masked_gram_block(p->gram, weighted ? p->lambda : NULL, i0, rows, j0, columns, block, ld);
  for (int i = 0; i < rows; i++) expand(p, i0 + i, sides + (int64_t)i * p->n);
  for (int j = 0; j < columns; j++) {
    expand(p, j0 + j, right);
    for (int i = 0; i < rows; i++)
      if (i0 + i >= j0 + j && (i + 7 * j) % step == 0)
        check_element(p, weighted, sides + (int64_t)i * p->n, right, block[i + (int64_t)j * ld]);
    for (int i = rows; i < ld; i++) assert_true(isnan(block[i + (int64_t)j * ld]));
  }
  hs_free(sides);
  hs_free(block);
}

static void check_whole(problem_t *p, int step)
{
  int order = p->gates * p->d;
  check_block(p, false, 0, order, 0, order, step);
  check_block(p, true, 0, order, 0, order, step);
}

static void test_shapes(void **state)
{
  (void)state;
  const int shapes[][4] = {/* n, d, P, step */
                           {0, 21, 4, 1},   {1, 1, 1, 1},      {1, 21, 3, 1},    {7, 2, 50, 1},
                           {7, 50, 3, 1},   {7, 1, 129, 1},    {40, 200, 3, 5},  {7, 21, 50, 5},
                           {300, 21, 5, 1}, {300, 4, 4, 1},    {300, 8, 9, 1},   {300, 9, 4, 1},
                           {90, 70, 4, 3},  {3000, 21, 4, 7},  {3000, 2, 50, 7}, {3000, 1, 9, 1},
                           {7, 200, 1, 1},  {500, 200, 4, 50}, {200, 13, 17, 9}, {64, 17, 9, 3}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
      problem_t p;
      make(&p, shapes[i][0], shapes[i][1], shapes[i][2], (hs_precision_t)precision);
      check_whole(&p, shapes[i][3]);
      drop(&p);
    }
}

/* Any block: also above the diagonal, across it, within a gate, without a common gate. */
static void test_blocks(void **state)
{
  (void)state;
  const int shapes[][3] = {{400, 3, 20}, {150, 21, 9}, {100, 170, 5}, {60, 5, 70}};
  for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++) {
    problem_t p;
    make(&p, shapes[shape][0], shapes[shape][1], shapes[shape][2], HS_DOUBLE);
    int order = p.d * p.gates;
    for (uint64_t trial = 0; trial < 40; trial++) {
      uint64_t at = 4 * (trial + 40 * shape);
      int i0 = (int)(hs_random_uniform(5, 1, at) * order),
          j0 = (int)(hs_random_uniform(5, 1, at + 1) * order);
      int rows = 1 + (int)(hs_random_uniform(5, 1, at + 2) * (order - i0));
      int columns = 1 + (int)(hs_random_uniform(5, 1, at + 3) * (order - j0));
      if (trial % 4 == 0) columns = columns < 4 ? columns : 4;
      if (trial % 4 == 1) rows = rows < 4 ? rows : 4;
      check_block(&p, trial % 2 == 0, i0, rows, j0, columns, 1 + (int)((int64_t)rows * columns / 5000));
    }
    drop(&p);
  }
}

/* Tiles of whole gates, as a spread matrix asks for them. */
static void test_tiles(void **state)
{
  (void)state;
  problem_t p;
  make(&p, 700, 6, 11, HS_DOUBLE);
  int order = 66, tile = 12;
  for (int i0 = 0; i0 < order; i0 += tile)
    for (int j0 = 0; j0 <= i0; j0 += tile)
      check_block(&p, true, i0, order - i0 < tile ? order - i0 : tile, j0,
                  order - j0 < tile ? order - j0 : tile, 1);
  drop(&p);
}

/* Rows beyond a chunk and classes beyond a slab, whose true sizes would take too many rows for a test. */
static void test_chunks(void **state)
{
  (void)state;
  const int dims[] = {1, 21, 170};
  for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
    problem_t p;
    make(&p, 1500, dims[i], 6, HS_DOUBLE);
    p.gram->chunk = 700;
    p.gram->slab = 33;
    check_whole(&p, 1 + dims[i] * dims[i] / 40);
    drop(&p);
  }
}

/* Instruction sets that the processor here would not choose. */
static void test_baseline(void **state)
{
  (void)state;
  for (int d = 1; d <= 34; d++) {
    problem_t p;
    make(&p, 200, d, 5, HS_DOUBLE);
    check_whole(&p, 1 + d * d / 40);
    p.gram->sums = hs_gram_sums_baseline;
    check_whole(&p, 1 + d * d / 40);
    drop(&p);
  }
}

/* Every number of gates in a group: the cost decides for one of them, others must be right too. */
static void test_group_sizes(void **state)
{
  (void)state;
  const int rows[] = {2, 5, 30, 200, 2000, 20000};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    problem_t p;
    make(&p, rows[i], 1, 19, HS_DOUBLE);
    check_whole(&p, 1 + rows[i] / 100);
    drop(&p);
  }
}

static void test_thread_counts(void **state)
{
  (void)state;
  const int dims[] = {5, 21};
  for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
    int order = 30 * dims[i];
    double *first = new_block(order, order), *other = new_block(order, order);
    set_threads(1);
    problem_t p;
    make(&p, 2000, dims[i], 30, HS_DOUBLE);
    hs_masked_gram_block(p.gram, p.lambda, 0, order, 0, order, first, order);
    drop(&p);
    for (int threads = 2; threads <= MOST_THREADS && set_threads(threads); threads++) {
      make(&p, 2000, dims[i], 30, HS_DOUBLE);
      hs_masked_gram_block(p.gram, p.lambda, 0, order, 0, order, other, order);
      for (int j = 0; j < order; j++)
        assert_memory_equal(first + j * (order + 1), other + j * (order + 1),
                            (size_t)(order - j) * sizeof(double));
      check_whole(&p, 400);
      drop(&p);
    }
    set_threads(1);
    hs_free(first);
    hs_free(other);
  }
  if (!set_threads(2)) return;
  problem_t wide;
  make(&wide, 300, 170, 5, HS_DOUBLE);
  check_whole(&wide, 300);
  drop(&wide);
  set_threads(1);
}

static void test_bytes(void **state)
{
  (void)state;
  assert_true(hs_masked_gram_bytes(3000, 21, 50) > 3000 * 5);
  assert_true(hs_masked_gram_bytes(100000, 21, 50) > hs_masked_gram_bytes(1000, 21, 50));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),        cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_tiles),         cmocka_unit_test(test_chunks),
      cmocka_unit_test(test_baseline),      cmocka_unit_test(test_group_sizes),
      cmocka_unit_test(test_thread_counts), cmocka_unit_test(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
