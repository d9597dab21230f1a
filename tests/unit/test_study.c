/* Scaling studies: what kind a set of runs is, and its numbers.
 *
 * The runs are made of numbers alone, so that every time, slope and efficiency is known beforehand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "io/report/study.h"

#define MOST 8
#define ENTRIES 5

static hs_report_run_t runs[MOST];
static hs_history_row_t history[MOST][ENTRIES];
static char names[MOST][32];
static int count;

/* Another run: its iterations take `seconds` each, a tenth of it in reductions, after a second of set-up. */
static hs_report_run_t *add(int64_t ranks, int64_t rows, double seconds)
{
  hs_report_run_t *run = &runs[count];
  snprintf(names[count], sizeof names[count], "run%d", count);
  for (int k = 0; k < ENTRIES; k++)
    history[count][k] = (hs_history_row_t){
        .iteration = k + 1, .seconds = 1 + seconds * (k + 1), .comm_seconds = 0.1 * seconds * (k + 1)};
  *run = (hs_report_run_t){.path = names[count],
                           .label = names[count],
                           .short_label = names[count],
                           .data = "",
                           .entries = ENTRIES,
                           .history = history[count]};
  run->summary.stop = "converged";
  run->summary.provenance.ranks = ranks;
  run->summary.facts.rows = rows;
  run->summary.times = (hs_run_times_t){NAN, NAN, NAN, NAN, -1, -1, -1, -1};
  run->iteration_seconds = hs_iteration_seconds(run->entries, run->history);
  count++;
  return run;
}

static int restart(void **state)
{
  (void)state;
  count = 0;
  hs_error_clear();
  return 0;
}

static hs_study_t made(hs_study_kind_t kind, int points, int repeats)
{
  hs_study_t study;
  assert_int_equal(hs_study_make(&study, count, runs), HS_OK);
  assert_int_equal(study.kind, kind);
  assert_int_equal(study.points, points);
  assert_int_equal(study.repeats, repeats);
  return study;
}

/* The message has to hold all texts, which are separated by |. */
static void refused(hs_status_t status, const char *texts)
{
  hs_study_t study;
  char copy[256];
  hs_error_clear();
  assert_int_equal(hs_study_make(&study, count, runs), status);
  assert_null(study.point);
  snprintf(copy, sizeof copy, "%s", texts);
  for (char *text = strtok(copy, "|"); text != NULL; text = strtok(NULL, "|"))
    if (strstr(hs_error_message(), text) == NULL) fail_msg("\"%s\" lacks \"%s\"", hs_error_message(), text);
}

static void near(double a, double b)
{
  assert_true(fabs(a - b) <= 1e-9 * fabs(b));
}

static void test_strong(void **state)
{
  (void)state;
  add(4, 1000, 2.5); /* in any order */
  add(1, 1000, 8);
  add(2, 1000, 4);
  hs_study_t study = made(HS_STUDY_STRONG, 3, 0);
  const double x[] = {1, 2, 4}, seconds[] = {8, 4, 2.5}, speedup[] = {1, 2, 3.2}, efficiency[] = {1, 1, 0.8};
  for (int i = 0; i < 3; i++) {
    near(study.point[i].x, x[i]);
    near(study.point[i].iteration_seconds, seconds[i]);
    near(study.point[i].speedup, speedup[i]);
    near(study.point[i].efficiency, efficiency[i]);
    near(study.point[i].rate, 1000 / (seconds[i] * x[i]));
    near(study.point[i].solve_seconds, 1 + 5 * seconds[i]);
  }
  hs_study_clear(&study);
}

static void test_strong_from_more_than_one_rank(void **state)
{
  (void)state;
  add(2, 1000, 4);
  add(6, 1000, 2);
  hs_study_t study = made(HS_STUDY_STRONG, 2, 0);
  near(study.point[1].speedup, 2);
  near(study.point[1].efficiency, 2.0 / 3);
  hs_study_clear(&study);
}

static void test_weak(void **state)
{
  (void)state;
  add(1, 1000, 2);
  add(2, 2000, 2.5);
  add(4, 4160, 2.6); /* 4 % more rows than in proportion count for what they are */
  hs_study_t study = made(HS_STUDY_WEAK, 3, 0);
  near(study.point[1].efficiency, 0.8);
  near(study.point[1].speedup, 1.6);
  near(study.point[2].efficiency, 1.04 * 2 / 2.6);
  hs_study_clear(&study);
}

static void test_weak_within_five_percent(void **state)
{
  (void)state;
  add(1, 10000, 2);
  add(2, 20000, 2);
  hs_report_run_t *last = add(4, 41990, 2);
  hs_study_t study = made(HS_STUDY_WEAK, 3, 0);
  hs_study_clear(&study);
  last->summary.facts.rows = 42200;
  refused(HS_BAD_USAGE, "2 of 3 runs|weak scaling|run2 (4 ranks, 42200 rows)");
}

static void test_rows(void **state)
{
  (void)state;
  const double powers[] = {1, 1.5, 0.25};
  for (int p = 0; p < 3; p++) {
    count = 0;
    for (int64_t rows = 1000; rows <= 64000; rows *= 4) add(3, rows, 1e-5 * pow((double)rows, powers[p]));
    hs_study_t study = made(HS_STUDY_ROWS, 4, 0);
    near(study.slope, powers[p]);
    for (int i = 0; i < 4; i++) {
      near(study.point[i].rate, pow((double)study.point[i].rows, 1 - powers[p]) / 3e-5);
      assert_true(isnan(study.point[i].speedup));
    }
    hs_study_clear(&study);
  }
}

static void test_slope_of_noise_is_least_squares(void **state)
{
  (void)state;
  /* log2 of rows 0, 1, 2 and of seconds 0, 2, 1: the line has slope 1/2. */
  add(1, 1024, 1);
  add(1, 2048, 4);
  add(1, 4096, 2);
  hs_study_t study = made(HS_STUDY_ROWS, 3, 0);
  near(study.slope, 0.5);
  hs_study_clear(&study);
}

static void test_the_fastest_of_repeats_counts(void **state)
{
  (void)state;
  add(1, 1000, 9);
  add(2, 1000, 5);
  add(1, 1000, 8);
  add(2, 1000, 4);
  add(1, 1000, 10);
  hs_study_t study = made(HS_STUDY_STRONG, 2, 3);
  near(study.point[0].iteration_seconds, 8);
  near(study.point[1].iteration_seconds, 4);
  near(study.point[1].efficiency, 1);
  double slower = 0;
  for (int i = 2; i < 5; i++) slower += study.point[i].iteration_seconds;
  near(slower, 9 + 10 + 5);
  hs_study_clear(&study);
}

static void test_what_is_no_study(void **state)
{
  (void)state;
  add(1, 1000, 8);
  refused(HS_BAD_USAGE, "run0|one run|same rows on different ranks");
  add(1, 1000, 7);
  refused(HS_BAD_USAGE, "all 2 runs have 1000 rows and 1 rank");
  runs[1].summary.provenance.ranks = 2;
  add(4, 1000, 2);
  add(4, 3000, 6);
  refused(HS_BAD_USAGE, "3 of 4 runs|strong scaling|run3 (4 ranks, 3000 rows)");
  assert_null(strstr(hs_error_message(), "run2"));
}

static void test_nothing_fits(void **state)
{
  (void)state;
  add(1, 1000, 8);
  add(2, 5000, 7);
  refused(HS_BAD_USAGE, "run0 (1 rank, 1000 rows)|run1 (2 ranks, 5000 rows)|rows in proportion to ranks");
  add(3, 90000, 7);
  add(4, 100, 7);
  add(5, 17, 7);
  refused(HS_BAD_USAGE, "and 2 more");
}

static void test_runs_that_tell_too_little(void **state)
{
  (void)state;
  add(1, 1000, 8);
  add(2, -1, 4);
  refused(HS_BAD_DATA, "run1|rows");
  runs[1].summary.facts.rows = 1000;
  runs[1].iteration_seconds = NAN;
  refused(HS_BAD_DATA, "run1|two iterations");
}

static void test_parts_of_the_time(void **state)
{
  (void)state;
  add(1, 1000, 8);
  hs_report_run_t *run = add(2, 1000, 4);
  run->summary.times = (hs_run_times_t){.load_seconds = 3,
                                        .setup_seconds = 1,
                                        .run_file_seconds = 0.5,
                                        .checkpoint_seconds = 2,
                                        .peak_bytes = 5000};
  hs_study_t study = made(HS_STUDY_STRONG, 2, 0);
  const hs_study_point_t *bare = &study.point[0], *told = &study.point[1];
  near(bare->part[HS_PART_COMM], 4);
  near(bare->part[HS_PART_COMPUTE], 41 - 4);
  assert_true(isnan(bare->part[HS_PART_SETUP]) && isnan(bare->part[HS_PART_LOAD]));
  assert_true(isnan(bare->bytes_per_rank));
  near(hs_study_total(bare), 41);
  near(told->part[HS_PART_COMPUTE], 21 - 2 - 1 - 2);
  near(hs_study_total(told), 21 + 3 + 0.5);
  near(told->bytes_per_rank, 2500);
  assert_true(hs_study_has_part(&study, HS_PART_CHECKPOINT));
  hs_study_clear(&study);
}

static void test_seconds_of_an_iteration(void **state)
{
  (void)state;
  /* 3 and 100 seconds (a checkpoint), 2 iterations in 4 seconds, 3, and a clock that was set back. */
  hs_history_row_t rows[] = {{.iteration = 1, .seconds = 10},  {.iteration = 2, .seconds = 13},
                             {.iteration = 3, .seconds = 113}, {.iteration = 5, .seconds = 117},
                             {.iteration = 6, .seconds = 120}, {.iteration = 7, .seconds = 50}};
  near(hs_iteration_seconds(6, rows), 3);
  near(hs_iteration_seconds(3, rows), 51.5);
  assert_true(isnan(hs_iteration_seconds(1, rows)));
  assert_true(isnan(hs_iteration_seconds(0, rows)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_strong, restart),
      cmocka_unit_test_setup(test_strong_from_more_than_one_rank, restart),
      cmocka_unit_test_setup(test_weak, restart),
      cmocka_unit_test_setup(test_weak_within_five_percent, restart),
      cmocka_unit_test_setup(test_rows, restart),
      cmocka_unit_test_setup(test_slope_of_noise_is_least_squares, restart),
      cmocka_unit_test_setup(test_the_fastest_of_repeats_counts, restart),
      cmocka_unit_test_setup(test_what_is_no_study, restart),
      cmocka_unit_test_setup(test_nothing_fits, restart),
      cmocka_unit_test_setup(test_runs_that_tell_too_little, restart),
      cmocka_unit_test_setup(test_parts_of_the_time, restart),
      cmocka_unit_test_setup(test_seconds_of_an_iteration, restart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
