/* Decimal text to double.
 *
 * The problem: the double nearest to a decimal number, ties to even. The answer comes from the C library's
 * strtod, which shares nothing with the fast paths, and from numbers half-way between two doubles, whose
 * rounding is known by construction. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "io/importers/number.h"

static uint64_t drawn;

static uint64_t bits(void)
{
  return hs_random_bits(11, HS_STREAM_SYNTHETIC, drawn++);
}

static double parse(const char *text)
{
  double value = 0.0;
  if (!hs_number_parse(text, strlen(text), &value)) fail_msg("\"%s\" was refused", text);
  return value;
}

static void assert_like_strtod(const char *text)
{
  double found = parse(text), expected = strtod(text, NULL);
  if (memcmp(&found, &expected, sizeof found) != 0)
    fail_msg("\"%s\" became %.17g, not %.17g", text, found, expected);
}

static void random_numbers_are_rounded_like_strtod(void **state)
{
  (void)state;
  char text[80];
  for (int k = 0; k < 100000; k++) {
    int digits = (int)(bits() % 21), exponent = (int)(bits() % 60) - 30;
    snprintf(text, sizeof text, "%s%" PRIu64 "e%d", k % 2 ? "-" : "", bits() >> bits() % 64, exponent);
    assert_like_strtod(text);
    snprintf(text, sizeof text, "%.*f", digits, ((double)bits() - 9e18) / 9e12);
    assert_like_strtod(text);
    snprintf(text, sizeof text, "%.*e", digits, (double)bits() * pow(10.0, 8 * exponent));
    assert_like_strtod(text);
  }
}

/* (2m + 1) 2^k lies half-way between 2m 2^k and (2m + 2) 2^k when 2m + 1 has 54 bits; the one whose last bit
 * is zero wins. A digit far behind the tie decides against it. */
static void halves_go_to_the_even_neighbour(void **state)
{
  (void)state;
  for (int k = 0; k < 1000; k++) {
    uint64_t odd = (bits() >> 10) | (uint64_t)1 << 53 | 1; /* 54 bits */
    uint64_t even = odd % 4 == 1 ? odd - 1 : odd + 1;
    char text[80];
    snprintf(text, sizeof text, "%" PRIu64, odd);
    assert_true(parse(text) == (double)even);
    snprintf(text, sizeof text, "%" PRIu64 ".00000000000000000000000000001", odd);
    assert_true(parse(text) == (double)(odd + 1));
  }
}

static void forms_of_one_number_agree(void **state)
{
  (void)state;
  static const char *const forms[] = {"0.1",    ".1",      "+0.1",
                                      "1e-1",   "1E-1",    "0.1000000000000000000000000",
                                      "100e-3", "0.01e+1", "00000000000000000000000000000.1"};
  for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) assert_true(parse(forms[k]) == 0.1);
  assert_true(parse("5.") == 5.0);
  assert_true(parse("1e22") == 1e22 && parse("1e23") == 1e23);
  assert_true(signbit(parse("-0")) != 0);
  assert_true(parse("4.9e-324") > 0.0 && parse("1e-400") == 0.0);
  assert_true(isinf(parse("1e400")) && isinf(parse("1e999999999999999999999")));
}

static void only_plain_decimals_are_numbers(void **state)
{
  (void)state;
  static const char *const others[] = {"",      " ",   "+",     "-",    ".",   "e5",  "1e",
                                       "1e+",   "1 ",  " 1",    "0x10", "1,5", "nan", "inf",
                                       "1.2.3", "--1", "1e5.0", "abc",  "1a",  "1-"};
  double value;
  for (size_t k = 0; k < sizeof others / sizeof *others; k++)
    if (hs_number_parse(others[k], strlen(others[k]), &value)) fail_msg("\"%s\" was taken", others[k]);
  assert_true(hs_number_parse("12345", 2, &value) && value == 12.0); /* length, not a closing zero, ends it */
}

static void missing_values_are_known(void **state)
{
  (void)state;
  static const char *const missing[] = {"", "?", "NA", "n/a", "NaN", "-nan", "NULL", "inf", "-Infinity"};
  for (size_t k = 0; k < sizeof missing / sizeof *missing; k++)
    assert_true(hs_number_is_missing(missing[k], strlen(missing[k])));
  assert_false(hs_number_is_missing("0", 1));
  assert_false(hs_number_is_missing("Nancy", 5));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_numbers_are_rounded_like_strtod),
      cmocka_unit_test(halves_go_to_the_even_neighbour),
      cmocka_unit_test(forms_of_one_number_agree),
      cmocka_unit_test(only_plain_decimals_are_numbers),
      cmocka_unit_test(missing_values_are_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
