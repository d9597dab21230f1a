/* Shuffle and split.
 *
 * The problem: n rows, a part of exactly `test` of them. The answer: every place of each part is taken once;
 * the parts do not depend on whether rows are shuffled; another seed gives another order; and over many seeds
 * each row lands on each place about equally often. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/importers/order.h"

enum { ROWS = 1000, TEST = 201 };

static void every_place_is_taken_once(void **state)
{
  (void)state;
  static const int64_t sizes[][2] = {{1, 0}, {2, 1}, {ROWS, 0}, {ROWS, TEST}, {ROWS, ROWS - 1}, {77, 77}};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    int64_t n = sizes[k][0], test = sizes[k][1];
    hs_order_t order;
    assert_int_equal(hs_order_make(&order, n, test, 5), HS_OK);
    assert_int_equal(order.rows[0], n - test);
    assert_int_equal(order.rows[1], test);
    unsigned char taken[2][ROWS] = {{0}};
    for (int64_t row = 0; row < n; row++) {
      int64_t place = order.place[row];
      int part = place < 0;
      int64_t position = part ? -1 - place : place;
      assert_in_range(position, 0, order.rows[part] - 1);
      assert_int_equal(taken[part][position]++, 0);
    }
    hs_order_free(&order);
  }
}

static void order_is_kept_without_a_seed(void **state)
{
  (void)state;
  hs_order_t order;
  assert_int_equal(hs_order_make(&order, ROWS, 0, 0), HS_OK);
  assert_null(order.place);
  assert_int_equal(hs_order_make(&order, ROWS, TEST, 0), HS_OK);
  int64_t next[2] = {0, 0};
  for (int64_t row = 0; row < ROWS; row++) {
    int part = order.place[row] < 0;
    assert_int_equal(part ? -1 - order.place[row] : order.place[row], next[part]++);
  }
  assert_int_equal(next[1], TEST);
  hs_order_free(&order);
}

static void split_does_not_depend_on_the_shuffle(void **state)
{
  (void)state;
  hs_order_t kept, shuffled, other;
  assert_int_equal(hs_order_make(&kept, ROWS, TEST, 0), HS_OK);
  assert_int_equal(hs_order_make(&shuffled, ROWS, TEST, 1), HS_OK);
  assert_int_equal(hs_order_make(&other, ROWS, TEST, 2), HS_OK);
  int64_t moved = 0, same_place = 0;
  for (int64_t row = 0; row < ROWS; row++) {
    assert_int_equal(kept.place[row] < 0, shuffled.place[row] < 0);
    moved += (other.place[row] < 0) != (shuffled.place[row] < 0);
    same_place += other.place[row] == shuffled.place[row];
  }
  assert_true(moved > 200);     /* 321 expected, standard deviation about 13 */
  assert_true(same_place < 20); /* about 1 expected */
  hs_order_free(&kept);
  hs_order_free(&shuffled);
  hs_order_free(&other);
}

/* 6 rows, 6 places, 6000 seeds: chi-square with 25 degrees of freedom stays below 60 but for 1 in 10^4. */
static void places_are_equally_likely(void **state)
{
  (void)state;
  enum { N = 6, SEEDS = 6000 };
  double counts[N][N] = {{0}}, chi_square = 0.0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    hs_order_t order;
    assert_int_equal(hs_order_make(&order, N, 0, seed), HS_OK);
    for (int row = 0; row < N; row++) counts[row][order.place[row]]++;
    hs_order_free(&order);
  }
  const double expected = (double)SEEDS / N;
  for (int row = 0; row < N; row++)
    for (int place = 0; place < N; place++)
      chi_square += (counts[row][place] - expected) * (counts[row][place] - expected) / expected;
  assert_true(isfinite(chi_square) && chi_square < 60.0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_place_is_taken_once),
      cmocka_unit_test(order_is_kept_without_a_seed),
      cmocka_unit_test(split_does_not_depend_on_the_shuffle),
      cmocka_unit_test(places_are_equally_likely),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
