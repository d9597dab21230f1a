/* Words and numbers in text.
 *
 * The nearest name is the one with the fewest slips of the finger, and none if all are far. Numbers are decimal
 * texts as a whole, with '.' under every locale; formatted numbers read back as the same double.
 */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"

static const char *const names[] = {"train", "predict",    "evaluate", "tolerance",
                                    "beta",  "data.train", "data.test"};

static const char *nearest(const char *word)
{
  return hs_nearest(word, names, 7);
}

static void test_nearest(void **state)
{
  (void)state;
  assert_string_equal(nearest("train"), "train");
  assert_string_equal(nearest("tain"), "train");   /* left out */
  assert_string_equal(nearest("traain"), "train"); /* too many */
  assert_string_equal(nearest("trein"), "train");  /* another */
  assert_string_equal(nearest("tarin"), "train");  /* swapped */
  assert_string_equal(nearest("TRAIN"), "train");  /* upper case */
  assert_string_equal(nearest("tolarence"), "tolerance");
  assert_string_equal(nearest("bate"), "beta");
  assert_string_equal(nearest("data.tets"), "data.test");
  /* The fewest errors win over the order, the order decides between equals. */
  static const char *const close[] = {"gatess", "gates", "gated"};
  assert_string_equal(hs_nearest("gates", close, 3), "gates");
  assert_string_equal(hs_nearest("gatex", close, 3), "gates");
  assert_null(nearest("xylophone"));
  assert_null(nearest(""));
  assert_null(nearest("x"));
  assert_null(hs_nearest("train", names, 0));
}

/* Words beyond the table must not write beyond it. */
static void test_nearest_long(void **state)
{
  (void)state;
  char word[500];
  for (int length = 60; length < 70; length++) {
    memset(word, 't', sizeof word);
    word[length] = '\0';
    const char *const itself[] = {word};
    assert_null(nearest(word));
    const char *found = hs_nearest(word, itself, 1);
    assert_true(found == NULL || found == word);
  }
}

static const char *const numbers[] = {"0",  "1",    "-1",  "+2.5", "1e3", "1E-3",   ".5",
                                      "5.", "0x10", "12 ", " 12",  "1,5", "1.2.3",  "",
                                      "e5", "--1",  "1e",  "abc",  "1d3", "nan(1)", "1e400"};
static const double values[] = {0, 1, -1, 2.5, 1000, 0.001, 0.5, 5};

static void check_numbers(void)
{
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    double value = 77;
    bool good = hs_parse_double(numbers[i], &value);
    assert_true(good == (i < 8));
    assert_true(value == (i < 8 ? values[i] : 77));
  }
  double value = 0;
  assert_true(hs_parse_double("1e-400", &value) && value == 0);
  assert_true(hs_parse_double("nan", &value) && isnan(value));
  assert_true(hs_parse_double("-inf", &value) && isinf(value) && value < 0);
}

static void test_double(void **state)
{
  (void)state;
  check_numbers();
}

/* With a comma as decimal point, where the system has such a locale. */
static void test_locale(void **state)
{
  (void)state;
  static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8",
                                        "nl_NL.UTF-8"};
  const char *found = NULL;
  for (int i = 0; i < 5 && found == NULL; i++) found = setlocale(LC_ALL, locales[i]);
  if (found == NULL) {
    puts("no locale with a decimal comma is installed");
    skip();
  }
  char text[32];
  check_numbers();
  hs_format_double(0.5, text, sizeof text);
  assert_string_equal(text, "0.5");
  setlocale(LC_ALL, "C");
}

static void test_int64(void **state)
{
  (void)state;
  int64_t value = 77;
  assert_true(hs_parse_int64("9223372036854775807", &value) && value == INT64_MAX);
  assert_true(hs_parse_int64("-9223372036854775808", &value) && value == INT64_MIN);
  assert_true(hs_parse_int64("007", &value) && value == 7);
  static const char *const wrong[] = {"9223372036854775808", "", " 1", "1 ", "1.0", "1e3", "0x1", "one", "-"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    value = 77;
    assert_false(hs_parse_int64(wrong[i], &value));
    assert_int_equal(value, 77);
  }
}

static void check_format(double value, const char *expected)
{
  char text[32];
  double back = 0;
  memset(text, 'x', sizeof text);
  hs_format_double(value, text, sizeof text);
  assert_true(strlen(text) < sizeof text);
  if (expected != NULL) assert_string_equal(text, expected);
  assert_true(hs_parse_double(text, &back));
  assert_true(memcmp(&back, &value, sizeof back) == 0 || (back == 0 && value == 0));
}

static void test_format(void **state)
{
  (void)state;
  check_format(0.1, "0.1");
  check_format(100, "100");
  check_format(-3, "-3");
  check_format(0, "0");
  check_format(1.0 / 3, NULL);
  check_format(DBL_MAX, NULL);
  check_format(DBL_MIN, NULL);
  check_format(4.9406564584124654e-324, NULL);
  check_format(1e15, NULL);
  check_format(-123456789012345678.0, NULL);
  for (uint64_t i = 0; i < 20000; i++) {
    uint64_t bits = hs_random_bits(1, 1, i);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (isfinite(value)) check_format(value, NULL);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nearest), cmocka_unit_test(test_nearest_long), cmocka_unit_test(test_double),
      cmocka_unit_test(test_locale),  cmocka_unit_test(test_int64),        cmocka_unit_test(test_format),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
