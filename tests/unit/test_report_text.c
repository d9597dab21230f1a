/* What reports say in words and numbers: names that fit, numbers that read well, settings that differ. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "io/report/differences.h"
#include "io/report/label.h"
#include "io/report/style.h"

#define ELLIPSIS "\xe2\x80\xa6"

static void check_clean(const char *text, const char *wanted)
{
  char *clean = hs_label_clean(text);
  assert_string_equal(clean, wanted);
  hs_free(clean);
}

static void test_clean_labels(void **state)
{
  (void)state;
  check_clean("run.h5", "run.h5");
  check_clean("", "");
  check_clean("a\tb\nc\x7f", "a b c ");
  check_clean("caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac");
  check_clean("\xff"
              "a\xc3",
              "?a?");
}

static void check_short(int count, const char *const *labels, int most, const char *const *wanted)
{
  char *shorter[4];
  hs_labels_shorten(count, labels, most, shorter);
  for (int i = 0; i < count; i++) {
    assert_string_equal(shorter[i], wanted[i]);
    hs_free(shorter[i]);
  }
}

static void test_short_labels(void **state)
{
  (void)state;
  const char *brief[] = {"one", "two"};
  check_short(2, brief, 9, brief);
  /* What all begin and end with goes, whole words only: 12 and 13 keep their 1. */
  const char *sweep[] = {"my-sweep_gates12_double", "my-sweep_gates13_double"};
  const char *sweep_short[] = {ELLIPSIS "gates12" ELLIPSIS, ELLIPSIS "gates13" ELLIPSIS};
  check_short(2, sweep, 12, sweep_short);
  const char *one[] = {"abcdefghijklmnop"};
  const char *one_short[] = {"abcd" ELLIPSIS "mnop"};
  check_short(1, one, 9, one_short);
  /* Characters count, not bytes, and none is cut in two. */
  const char *wide[] = {"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"};
  const char *wide_short[] = {"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" ELLIPSIS "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"};
  check_short(1, wide, 9, wide_short);
  /* One label is all that the others begin and end with. */
  const char *nested[] = {"a-long-name-", "a-long-name-1"};
  const char *nested_short[] = {"a-lo" ELLIPSIS "ame-", ELLIPSIS "1"};
  check_short(2, nested, 9, nested_short);
}

static void check_number(double value, int digits, const char *wanted)
{
  char text[32];
  hs_text_number(value, digits, text);
  assert_string_equal(text, wanted);
}

static void test_numbers(void **state)
{
  (void)state;
  check_number(0, 3, "0");
  check_number(NAN, 3, "");
  check_number(INFINITY, 3, "");
  check_number(9.99999, 4, "10.00");
  check_number(0.00083, 2, "0.00083");
  check_number(1.5e-7, 2, "1.5e-07");
  check_number(1234567.891, 9, "1234567.89");
  check_number(42000, 3, "42000");
  check_number(-2.5, 2, "-2.5");
  check_number(3e12, 3, "3.00e+12");
}

static void check_count(double value, const char *wanted)
{
  char text[32];
  hs_text_count(value, text);
  assert_string_equal(text, wanted);
}

static void test_counts(void **state)
{
  (void)state;
  check_count(7, "7");
  check_count(999, "999");
  check_count(5000, "5k");
  check_count(15216, "15.22k");
  check_count(2500000, "2.5M");
  check_count(6e13, "60T");
}

static hs_report_run_t run_with(char *config, int64_t ranks, int64_t threads)
{
  hs_report_run_t run = {.path = "run.h5"};
  run.summary.config = config;
  run.summary.provenance = (hs_provenance_t){.version = "1",
                                             .commit = "c",
                                             .ranks = ranks,
                                             .threads = threads,
                                             .hosts = "h",
                                             .mpi = "m",
                                             .blas = "b",
                                             .hdf5 = "5"};
  return run;
}

static void test_differences(void **state)
{
  (void)state;
  static char first[] =
      "data:\n  train: \"a.h5\"\nmodel:\n  gates: 64\n  beta: 0.1\noutput:\n  run: \"x.h5\"\n";
  static char second[] =
      "data:\n  train: \"b.h5\"\nmodel:\n  beta: 0.1\n  gates: 128\n  hue: 3\noutput:\n  run: \"y.h5\"\n";
  hs_report_run_t runs[] = {run_with(first, 1, 1), run_with(second, 4, 1)};
  hs_differences_t differences;
  assert_int_equal(hs_differences_find(&differences, 2, runs), HS_OK);
  assert_int_equal(differences.count, 3);
  const char *wanted[3][3] = {
      {"data.train", "a.h5", "b.h5"}, {"model.gates", "64", "128"}, {"ranks", "1", "4"}};
  for (int i = 0; i < 3; i++) {
    assert_string_equal(differences.row[i].key, wanted[i][0]);
    assert_string_equal(differences.row[i].value[0], wanted[i][1]);
    assert_string_equal(differences.row[i].value[1], wanted[i][2]);
  }
  char keys[64];
  hs_differences_of_work(&differences, keys, sizeof keys);
  assert_string_equal(keys, "model.gates");
  hs_differences_clear(&differences);
  assert_int_equal(hs_differences_find(&differences, 1, runs), HS_OK);
  assert_int_equal(differences.count, 0);
  hs_differences_clear(&differences);
}

static void test_differing_threads_are_other_work(void **state)
{
  (void)state;
  static char config[] = "seed: 1\n";
  hs_report_run_t runs[] = {run_with(config, 1, 1), run_with(config, 1, 2)};
  hs_differences_t differences;
  assert_int_equal(hs_differences_find(&differences, 2, runs), HS_OK);
  char keys[64];
  hs_differences_of_work(&differences, keys, sizeof keys);
  assert_string_equal(keys, "threads");
  hs_differences_clear(&differences);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_clean_labels), cmocka_unit_test(test_short_labels),
      cmocka_unit_test(test_numbers),      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_differences),  cmocka_unit_test(test_differing_threads_are_other_work),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
