/* Comparison of networks with the global optimum: the numbers of a run, what is missing, panels of n/d, runs from files.
 *
 * Runs are made of numbers alone, so that every ratio is known beforehand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "io/report/ratios.h"
#include "io/run/run_network.h"

#define MOST 16

static hs_report_run_t runs[MOST];
static hs_history_row_t history[MOST][2];
static hs_run_bound_t bounds[MOST][4];
static char names[MOST][32];
static hs_network_record_t record;
static int count;

static int restart(void **state)
{
  (void)state;
  count = 0;
  hs_network_record_clear(&record);
  hs_error_clear();
  return 0;
}

/* Another run; gated objective 90. */
static hs_report_run_t *add(int64_t rows)
{
  hs_report_run_t *run = &runs[count];
  snprintf(names[count], sizeof names[count], "run%d", count);
  history[count][1] = (hs_history_row_t){.iteration = 2, .primal = 90, .dual = 89};
  *run = (hs_report_run_t){.path = names[count],
                           .label = names[count],
                           .short_label = names[count],
                           .data = "",
                           .entries = 2,
                           .history = history[count]};
  run->summary.stop = "converged";
  run->summary.facts = (hs_run_facts_t){.rows = rows, .beta = 2, .beta_max = 100};
  run->summary.bound = bounds[count];
  count++;
  return run;
}

static void bound(hs_report_run_t *run, char *name, double value)
{
  run->summary.bound[run->summary.bounds++] = (hs_run_bound_t){.name = name, .value = value};
}

static void start(hs_start_kind_t kind, double before, double after)
{
  hs_start_record_t row = {.kind = kind, .start = before, .end = after};
  assert_int_equal(hs_network_record_start(&record, &row), HS_OK);
}

static void all_starts(void)
{
  start(HS_START_SIGN_MAP, 300, 104);
  start(HS_START_CONES, 180, 103);
  start(HS_START_MARGIN_CONES, 150, 106);
  const double lbfgs[] = {110, 105, 120, 107}, adam[] = {130, NAN, 108, 115};
  for (int k = 0; k < 4; k++) {
    start(HS_START_RANDOM_LBFGS, 900, lbfgs[k]);
    start(HS_START_RANDOM_ADAM, 900, adam[k]);
  }
}

static hs_ratio_point_t made(const hs_report_run_t *run, int64_t columns)
{
  hs_ratio_point_t point;
  assert_int_equal(hs_ratio_point(&point, run, columns, &record), HS_OK);
  return point;
}

static void near(double a, double b)
{
  if (!(fabs(a - b) <= 1e-12 * fabs(b))) fail_msg("%.17g is not %.17g", a, b);
}

static void test_all_numbers(void **state)
{
  (void)state;
  hs_report_run_t *run = add(400);
  bound(run, "gates_lower", 89);
  bound(run, "network", 102);
  bound(run, "global_lower_estimated", 100);
  all_starts();
  strcpy(record.ended, "tolerance");
  hs_ratio_point_t point = made(run, 100);
  const double wanted[HS_RATIO_KINDS] = {90, 300, 180, 150, 103, 102, 105, 108.5, 108, 115};
  for (int k = 0; k < HS_RATIO_KINDS; k++) {
    near(point.objective[k], wanted[k]);
    near(point.ratio[k], wanted[k] / 100);
  }
  near(point.shape, 4);
  near(point.dual, 89);
  near(point.lower, 100);
  assert_false(point.proved);
  assert_ptr_equal(point.run, run);
}

static void test_missing_numbers(void **state)
{
  (void)state;
  hs_report_run_t *run = add(400);
  bound(run, "network", 102);
  bound(run, "global_lower_estimated", 100);
  start(HS_START_CONES, 180, NAN); /* no local method, no column generation */
  hs_ratio_point_t point = made(run, 100);
  for (int k = 0; k < HS_RATIO_KINDS; k++)
    assert_int_equal(isfinite(point.ratio[k]), k == HS_RATIO_GATED || k == HS_RATIO_CONES);
  assert_true(isnan(point.dual));
  record.rounds = 0;
  strcpy(record.ended, "time"); /* column generation was begun */
  near(made(run, 100).ratio[HS_RATIO_GENERATED], 1.02);
}

static void lower(double estimated, double proved, double wanted, bool is_proved)
{
  hs_report_run_t *run = &runs[0];
  run->summary.bounds = 0;
  bound(run, "network", 102);
  if (isfinite(estimated)) bound(run, "global_lower_estimated", estimated);
  if (isfinite(proved)) bound(run, "global_lower", proved);
  hs_ratio_point_t point = made(run, 100);
  if (isnan(wanted)) {
    assert_true(isnan(point.lower) && isnan(point.ratio[HS_RATIO_GATED]));
    near(point.objective[HS_RATIO_GATED], 90);
  } else {
    near(point.lower, wanted);
    assert_int_equal(point.proved, is_proved);
  }
}

static void test_which_lower_bound(void **state)
{
  (void)state;
  add(400);
  all_starts();
  lower(100, 101, 101, true); /* within 1 % of the network, 102 */
  lower(100, 100.99, 100.99, true);
  lower(101.9, 100.97, 101.9, false); /* not quite */
  lower(100, 50, 100, false);
  lower(100, NAN, 100, false);
  lower(NAN, 50, 50, true);
  lower(NAN, NAN, NAN, false);
  lower(0, 0, NAN, false);
  start(HS_START_RANDOM_ADAM, 200, 101.5); /* a better network than that of the bound counts */
  lower(100, 100.97, 100.97, true);
}

/* Ratios of these rows and columns, pair by pair, arranged. */
static hs_ratios_t arranged(int points, const int64_t (*sizes)[2])
{
  hs_ratios_t ratios = {0};
  ratios.point = hs_alloc((size_t)points, sizeof *ratios.point, "test");
  for (int i = 0; i < points; i++) {
    hs_report_run_t *run = add(sizes[i][0]);
    bound(run, "global_lower_estimated", 100);
    ratios.point[ratios.points++] = made(run, sizes[i][1]);
  }
  assert_int_equal(hs_ratios_arrange(&ratios), HS_OK);
  return ratios;
}

static void panel(const hs_ratios_t *ratios, int index, const char *title, int points)
{
  char text[64];
  const hs_ratio_panel_t *part = &ratios->panel[index];
  hs_ratio_panel_title(part, text, sizeof text);
  assert_string_equal(text, title);
  assert_int_equal(part->count, points);
  assert_int_equal(part->first, index > 0 ? part[-1].first + part[-1].count : 0);
  for (int i = part->first; i < part->first + points; i++) {
    assert_true(ratios->point[i].shape >= part->low && ratios->point[i].shape <= part->high);
    assert_true(i == part->first || ratios->point[i].rows >= ratios->point[i - 1].rows);
  }
}

static void test_panels(void **state)
{
  (void)state;
  const int64_t sizes[][2] = {{800, 200}, {100, 100}, {200, 100}, {100, 25}, {400, 390}, {100, 50}, {50, 51}};
  hs_ratios_t ratios = arranged(7, sizes);
  assert_int_equal(ratios.panels, 3);
  panel(&ratios, 0, "n/d = 1", 3);
  panel(&ratios, 1, "n/d = 2", 2);
  panel(&ratios, 2, "n/d = 4", 2);
  hs_ratios_clear(&ratios);
}

static void test_more_shapes_than_panels(void **state)
{
  (void)state;
  const int64_t sizes[][2] = {{100, 100},   {1000, 10},  {120, 100}, {300, 100},
                              {3300, 1000}, {20000, 20}, {111, 100}, {1500, 100}};
  hs_ratios_t ratios = arranged(8, sizes);
  assert_int_equal(ratios.panels, 4);
  panel(&ratios, 0, "n/d from 1 to 3.3", 5);
  panel(&ratios, 1, "n/d = 15", 1);
  panel(&ratios, 2, "n/d = 100", 1);
  panel(&ratios, 3, "n/d = 1000", 1);
  hs_ratios_clear(&ratios);
}

static void test_no_runs_and_one(void **state)
{
  (void)state;
  hs_ratios_t none = {0};
  assert_int_equal(hs_ratios_arrange(&none), HS_OK);
  assert_int_equal(none.panels, 0);
  assert_false(hs_ratios_have(&none, HS_RATIO_GATED));
  const int64_t sizes[][2] = {{300, 200}};
  char text[128];
  hs_ratios_t one = arranged(1, sizes);
  assert_int_equal(one.panels, 1);
  panel(&one, 0, "n/d = 1.5", 1);
  hs_ratios_heading(&one, text, sizeof text);
  assert_non_null(strstr(text, "one run, n = 300, d = 200"));
  hs_ratios_clear(&one);
}

static void test_summary(void **state)
{
  (void)state;
  const int64_t sizes[][2] = {{100, 100}, {200, 100}, {800, 200}, {400, 100}};
  hs_ratios_t ratios = arranged(4, sizes);
  for (int i = 0; i < 4; i++) {
    hs_ratio_point_t *point = &ratios.point[i];
    point->ratio[HS_RATIO_CONES] = 1 + (double)point->rows / 100; /* 2, 3, 9, 5 */
    point->objective[HS_RATIO_CONES] = 100 * point->ratio[HS_RATIO_CONES];
    point->ratio[HS_RATIO_ADAM] = point->rows == 400 ? NAN : point->rows == 100 ? 3 : 2;
  }
  assert_int_equal(hs_ratios_arrange(&ratios), HS_OK);
  const hs_ratio_summary_t *cones = &ratios.summary[HS_RATIO_CONES], *adam = &ratios.summary[HS_RATIO_ADAM];
  assert_int_equal(cones->count, 4);
  near(cones->low, 2);
  near(cones->median, 4);
  near(cones->high, 9);
  near(cones->constant, 9 / sqrt(log(1600)));
  assert_int_equal(adam->count, 3);
  near(adam->median, 2);
  near(adam->constant, 3 / sqrt(log(200)));
  assert_int_equal(ratios.summary[HS_RATIO_LBFGS].count, 0);
  assert_true(isnan(ratios.summary[HS_RATIO_LBFGS].constant));
  assert_true(hs_ratios_have(&ratios, HS_RATIO_CONES) && !hs_ratios_have(&ratios, HS_RATIO_LBFGS));
  near(hs_ratio_claim(50), sqrt(log(100)));
  hs_ratios_clear(&ratios);
}

/* ---- from files ---- */

static hs_model_t small_model(void)
{
  hs_model_t model = {.features = 5, .d = 6, .outputs = 1, .gates = 1, .bias = true};
  model.shift = hs_alloc(5, sizeof(double), "test");
  model.scale = hs_alloc(5, sizeof(double), "test");
  for (int j = 0; j < 5; j++) model.scale[j] = 1;
  model.G = hs_alloc(6, sizeof(double), "test");
  model.weights = hs_alloc(6, sizeof(double), "test");
  return model;
}

static void write_run(const char *path, bool with_model, bool with_network)
{
  hs_run_t *run = NULL;
  hs_provenance_t from = {.version = "1", .ranks = 1, .threads = 1};
  hs_run_facts_t facts = {.rows = 60, .gates = 1, .beta = 1, .beta_max = 10};
  hs_history_row_t row = {.iteration = 1, .primal = 90, .dual = 89};
  hs_model_t model = small_model();
  assert_int_equal(hs_run_create(&run, path, "seed: 1\n", &from), HS_OK);
  assert_int_equal(hs_run_write_facts(run, &facts), HS_OK);
  assert_int_equal(hs_run_append(run, &row), HS_OK);
  assert_int_equal(hs_run_write_bound(run, "global_lower_estimated", 80, "estimated", ""), HS_OK);
  if (with_model) assert_int_equal(hs_run_write_model(run, &model), HS_OK);
  if (with_network) assert_int_equal(hs_run_write_network(run, &record), HS_OK);
  assert_int_equal(hs_run_finish(run, "converged", 1), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);
  hs_model_clear(&model);
}

static void test_files(void **state)
{
  (void)state;
  char folder[] = "/tmp/hs_ratios_XXXXXX", paths[4][64];
  assert_non_null(mkdtemp(folder));
  const char *list[4];
  for (int i = 0; i < 4; i++) {
    snprintf(paths[i], sizeof paths[i], "%s/%d.h5", folder, i);
    list[i] = paths[i];
  }
  all_starts();
  write_run(paths[0], true, false); /* gated alone */
  write_run(paths[1], true, true);
  write_run(paths[2], false, true); /* no model yet */
  write_run(paths[3], false, false);
  hs_report_run_t *read;
  hs_ratios_t ratios;
  int runs_read;
  assert_int_equal(hs_report_runs_read(4, list, &runs_read, &read), HS_OK);
  assert_int_equal(hs_ratios_read(&ratios, runs_read, read), HS_OK);
  assert_int_equal(ratios.points, 1);
  assert_ptr_equal(ratios.point[0].run, &read[1]);
  assert_int_equal(ratios.point[0].columns, 6); /* with that of ones */
  near(ratios.point[0].shape, 10);
  near(ratios.point[0].ratio[HS_RATIO_CONES], 180.0 / 80);
  near(ratios.point[0].ratio[HS_RATIO_LBFGS_MEDIAN], 108.5 / 80);
  hs_ratios_clear(&ratios);
  assert_int_equal(hs_ratios_read(&ratios, 1, read), HS_BAD_DATA);
  assert_non_null(strstr(hs_error_message(), "model.activation=relu"));
  assert_null(ratios.point);
  hs_report_runs_free(runs_read, read);
  for (int i = 0; i < 4; i++) unlink(paths[i]);
  rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_all_numbers, restart),
      cmocka_unit_test_setup(test_missing_numbers, restart),
      cmocka_unit_test_setup(test_which_lower_bound, restart),
      cmocka_unit_test_setup(test_panels, restart),
      cmocka_unit_test_setup(test_more_shapes_than_panels, restart),
      cmocka_unit_test_setup(test_no_runs_and_one, restart),
      cmocka_unit_test_setup(test_summary, restart),
      cmocka_unit_test_setup(test_files, restart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
