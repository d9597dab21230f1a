/* JSON: what is written is JSON whatever the values are.
 *
 * The answers are written out by hand from RFC 8259: control characters, quotes and backslashes escaped, no
 * NaN, no infinity, valid UTF-8 only. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"

static char *output;
static size_t size;

static hs_json_t begin(void)
{
  return hs_json_start(open_memstream(&output, &size));
}

static void expect(hs_json_t *json, const char *wanted)
{
  assert_int_equal(fclose(json->stream), 0);
  assert_string_equal(output, wanted);
  free(output);
  output = NULL;
}

static void test_nesting(void **state)
{
  (void)state;
  hs_json_t json = begin();
  hs_json_open(&json, NULL, '{');
  hs_json_int(&json, "n", -9007199254740993);
  hs_json_open(&json, "list", '[');
  hs_json_bool(&json, NULL, true);
  hs_json_text(&json, NULL, NULL);
  hs_json_close(&json);
  hs_json_open(&json, "empty", '{');
  hs_json_close(&json);
  hs_json_close(&json);
  expect(&json,
         "{\n  \"n\": -9007199254740993,\n  \"list\": [\n    true,\n    null\n  ],\n  \"empty\": {}\n}\n");
}

static void expect_text(const char *value, const char *wanted)
{
  hs_json_t json = begin();
  hs_json_text(&json, NULL, value);
  expect(&json, wanted);
}

static void test_texts(void **state)
{
  (void)state;
  expect_text("a \"b\" c:\\d/e", "\"a \\\"b\\\" c:\\\\d/e\"");
  expect_text("line\nend\t\x01\x7f", "\"line\\u000aend\\u0009\\u0001\\u007f\"");
  expect_text("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
  expect_text("\xe9", "\"\xef\xbf\xbd\"");                                 /* Latin-1 */
  expect_text("x\xc3", "\"x\xef\xbf\xbd\"");                               /* cut off */
  expect_text("\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 /* overlong zero */
  expect_text("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* half a surrogate pair */
}

static void test_numbers(void **state)
{
  (void)state;
  const double values[] = {0.1, -1e-300, 1e22, 5e-324, 123456789.123456789, 0, 3};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    hs_json_t json = begin();
    hs_json_double(&json, NULL, values[i]);
    fclose(json.stream);
    char *end;
    assert_true(strtod(output, &end) == values[i] && *end == '\0');
    free(output);
  }
  const double strange[] = {NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < 3; i++) {
    hs_json_t json = begin();
    hs_json_double(&json, NULL, strange[i]);
    expect(&json, "null");
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nesting),
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_numbers),
  };
  return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
