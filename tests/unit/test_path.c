/* The values of beta, the held-out rows and the choice of a path. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "path/choose.h"
#include "path/grid.h"
#include "path/hold_out.h"

/* ---- grid ---- */

static void grid_has_its_ends_and_equal_ratios(void **state)
{
  (void)state;
  double beta[50];
  hs_path_grid(50, 10361.25, 10.36125, beta);
  assert_true(beta[0] == 10361.25 && beta[49] == 10.36125);
  for (int k = 1; k < 50; k++) assert_true(fabs(beta[k] / beta[k - 1] - pow(1e-3, 1.0 / 49)) < 1e-13);
}

static void grid_of_three_by_hand(void **state)
{
  (void)state;
  double beta[3];
  hs_path_grid(3, 100, 1, beta);
  assert_true(beta[0] == 100 && fabs(beta[1] - 10) < 1e-13 && beta[2] == 1);
}

static void grid_of_one_point_is_the_last(void **state)
{
  (void)state;
  double beta[1];
  hs_path_grid(1, 100, 7, beta);
  assert_true(beta[0] == 7);
}

static void grid_of_two_points_is_both_ends(void **state)
{
  (void)state;
  double beta[2];
  hs_path_grid(2, 100, 7, beta);
  assert_true(beta[0] == 100 && beta[1] == 7);
}

/* ---- held-out rows ---- */

/* Every row is in exactly one of the two ascending lists, and hs_hold_out_has agrees. */
static void check_split(int64_t rows, double share, int64_t seed)
{
  hs_hold_out_t hold_out = {.rows = rows, .share = share, .seed = seed};
  int64_t held = hs_hold_out_count(&hold_out), k = 0, t = 0;
  for (int64_t row = 0; row < rows; row++) {
    bool mine = k < held && hs_hold_out_row(&hold_out, k) == row;
    assert_true(mine == hs_hold_out_has(&hold_out, row));
    if (mine)
      k++;
    else
      assert_int_equal(hs_hold_out_training_row(&hold_out, t++), row);
  }
  assert_int_equal(k, held);
  assert_int_equal(t, rows - held);
  assert_true(fabs((double)held - share * (double)rows) <= 1);
}

static void rows_are_split_in_two(void **state)
{
  (void)state;
  const double shares[] = {0.5, 0.2, 0.3, 1.0 / 3, 0.1, 0.07, 0.01, 0.4999};
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
    for (int64_t rows = 0; rows < 400; rows += rows < 30 ? 1 : 37) check_split(rows, shares[i], (int64_t)i);
}

static void few_rows_hold_out_none(void **state)
{
  (void)state;
  hs_hold_out_t hold_out = {.rows = 4, .share = 0.2, .seed = 1};
  assert_int_equal(hs_hold_out_count(&hold_out), 0);
  assert_int_equal(hs_hold_out_training_row(&hold_out, 3), 3);
}

static void each_group_gives_one_row(void **state)
{
  (void)state;
  hs_hold_out_t hold_out = {.rows = 5000, .share = 0.2, .seed = 3};
  assert_int_equal(hs_hold_out_count(&hold_out), 1000);
  int64_t places[5] = {0};
  for (int64_t k = 0; k < 1000; k++) {
    int64_t row = hs_hold_out_row(&hold_out, k);
    assert_int_equal(row / 5, k);
    places[row % 5]++;
  }
  for (int i = 0; i < 5; i++) assert_true(places[i] > 140 && places[i] < 260); /* 200 each, five deviations */
}

static void seeds_choose_other_rows(void **state)
{
  (void)state;
  hs_hold_out_t one = {.rows = 5000, .share = 0.2, .seed = 1}, two = {.rows = 5000, .share = 0.2, .seed = 2};
  int same = 0;
  for (int64_t k = 0; k < 1000; k++) same += hs_hold_out_row(&one, k) == hs_hold_out_row(&two, k);
  assert_true(same > 120 && same < 290);
}

static void huge_data_sets_are_split_alike(void **state)
{
  (void)state;
  hs_hold_out_t hold_out = {.rows = (int64_t)1 << 45, .share = 0.3, .seed = 1};
  int64_t held = hs_hold_out_count(&hold_out);
  for (int64_t k = held - 50; k < held; k++)
    assert_true(hs_hold_out_has(&hold_out, hs_hold_out_row(&hold_out, k)));
  int64_t last = hs_hold_out_training_row(&hold_out, hold_out.rows - held - 1);
  assert_true(last == hold_out.rows - 1 || last == hold_out.rows - 2);
}

/* ---- choice ---- */

static hs_path_point_t point(double score, double error, double loss)
{
  return (hs_path_point_t){.validation_score = score, .validation_error = error, .validation_loss = loss};
}

static void best_is_the_highest_score_and_the_first_of_equals(void **state)
{
  (void)state;
  hs_path_point_t points[] = {point(0.5, 0.1, 9), point(0.8, 0.1, 8), point(0.8, 0.1, 1), point(0.7, 0.1, 1)};
  assert_int_equal(hs_path_best(4, points), 1);
  assert_int_equal(hs_path_best(1, points), 0);
}

static void one_error_is_the_first_within_it(void **state)
{
  (void)state;
  hs_path_point_t points[] = {point(0.5, 0.2, 9), point(0.74, 0.2, 8), point(0.76, 0.2, 7),
                              point(0.8, 0.05, 6), point(0.79, 0.05, 5)};
  assert_int_equal(hs_path_within_error(5, points), 2);
  assert_int_equal(hs_path_within_error(1, points), 0);
}

static void without_scores_the_loss_decides(void **state)
{
  (void)state;
  hs_path_point_t points[] = {point(NAN, NAN, 9), point(NAN, NAN, 3), point(NAN, NAN, 3), point(NAN, NAN, 4)};
  assert_int_equal(hs_path_best(4, points), 1);
  assert_int_equal(hs_path_within_error(4, points), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(grid_has_its_ends_and_equal_ratios),
      cmocka_unit_test(grid_of_three_by_hand),
      cmocka_unit_test(grid_of_one_point_is_the_last),
      cmocka_unit_test(grid_of_two_points_is_both_ends),
      cmocka_unit_test(rows_are_split_in_two),
      cmocka_unit_test(few_rows_hold_out_none),
      cmocka_unit_test(each_group_gives_one_row),
      cmocka_unit_test(seeds_choose_other_rows),
      cmocka_unit_test(huge_data_sets_are_split_alike),
      cmocka_unit_test(best_is_the_highest_score_and_the_first_of_equals),
      cmocka_unit_test(one_error_is_the_first_within_it),
      cmocka_unit_test(without_scores_the_loss_decides),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
