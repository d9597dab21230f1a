/* Records of delimited text.
 *
 * The problem: small texts with quotes, line ends, separators and headers. The answer: the fields that a
 * reader of RFC 4180 would list, written here with | between fields and / between records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/importers/csv_dialect.h"
#include "io/importers/csv_reader.h"

static char path[64];

static void write_text(const char *text)
{
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

/* All records as one text, or NULL on failure. */
static const char *records(const char *text, char separator)
{
  static char found[4096];
  hs_csv_reader_t reader;
  write_text(text);
  hs_error_clear();
  hs_status_t status = hs_csv_open(&reader, path, separator);
  size_t used = 0;
  found[0] = '\0';
  while (status == HS_OK && (status = hs_csv_next(&reader)) == HS_OK && reader.count > 0)
    for (int64_t k = 0; k < reader.count; k++)
      used += (size_t)snprintf(found + used, sizeof found - used, "%s%.*s",
                               k > 0      ? "|"
                               : used > 0 ? "/"
                                          : "",
                               (int)reader.fields[k].length, reader.fields[k].text);
  hs_csv_close(&reader);
  return status == HS_OK ? found : NULL;
}

static void fields_are_split(void **state)
{
  (void)state;
  assert_string_equal(records("1,2\n3,4\n", ','), "1|2/3|4");
  assert_string_equal(records("1,2\r\n3,4", ','), "1|2/3|4");
  assert_string_equal(records("\xef\xbb\xbf"
                              "1 , 2 \n\n  \n3,\n\n",
                              ','),
                      "1|2/3|");
  assert_string_equal(records("1\t\t2\n\t\t\n", '\t'), "1||2/||");
  assert_string_equal(records("  1 2\t 3  \n4 5 6", ' '), "1|2|3/4|5|6");
}

static void quotes_hold_anything(void **state)
{
  (void)state;
  assert_string_equal(records("\"a,b\",\"c \"\"d\"\"\",\"\"\n", ','), "a,b|c \"d\"|");
  assert_string_equal(records("\"a\nb\",2\n3,4\n", ','), "a\nb|2/3|4");
  assert_string_equal(records("\"a\r\n\n\"\"b\",2\n", ','), "a\n\n\"b|2");
  assert_string_equal(records("5\" pipe,2\n", ','), "5\" pipe|2");
  assert_string_equal(records("\"a b\" 2 \"c\"\n", ' '), "a b|2|c");
}

static void open_quotes_are_errors(void **state)
{
  (void)state;
  assert_null(records("1,2\n\"a,b\n3,4\n", ','));
  assert_non_null(strstr(hs_error_message(), "line 2"));
  assert_null(records("\"a\"b,2\n", ','));
}

static void records_may_be_longer_than_any_buffer(void **state)
{
  (void)state;
  enum { FIELDS = 400000 };
  char *text = malloc(2 * FIELDS + 1);
  assert_non_null(text);
  for (size_t k = 0; k < FIELDS; k++) memcpy(text + 2 * k, "7,", 2);
  text[2 * FIELDS - 1] = '\n';
  text[2 * FIELDS] = '\0';
  write_text(text);
  free(text);
  hs_csv_reader_t reader;
  assert_int_equal(hs_csv_open(&reader, path, ','), HS_OK);
  assert_int_equal(hs_csv_next(&reader), HS_OK);
  assert_int_equal(reader.count, FIELDS);
  assert_int_equal(hs_csv_next(&reader), HS_OK);
  assert_int_equal(reader.count, 0);
  hs_csv_close(&reader);
}

static void assert_dialect(const char *text, char separator, bool header)
{
  hs_csv_dialect_t dialect;
  write_text(text);
  hs_error_clear();
  assert_int_equal(hs_csv_detect(&dialect, path, HS_HEADER_AUTO), HS_OK);
  if (dialect.separator != separator || dialect.header != header)
    fail_msg("\"%s\": separator '%c', header %d", text, dialect.separator, dialect.header);
}

static void separators_are_found(void **state)
{
  (void)state;
  assert_dialect("1,2,3\n4,5,6\n", ',', false);
  assert_dialect("1\t2\tx y\n4\t5\tz\n", '\t', false);
  assert_dialect("1.5;2;a,b\n4;5;c\n", ';', false);
  assert_dialect("1,5;2,5;x\n1,5;3,5;y\n", ';', false);
  assert_dialect("1 2 3\n 4   5 6\n", ' ', false);
  assert_dialect("1, 2, 3\n4, 5, 6\n", ',', false);
  assert_dialect("1,\"a;b;c\"\n2,\"d;e;f\"\n", ',', false);
}

static void headers_are_found(void **state)
{
  (void)state;
  assert_dialect("a,b,c\n1,2,x\n", ',', true);
  assert_dialect(",b,c\n1,2,x\n", ',', true);
  assert_dialect("0,1,label\n1.5,2.5,3\n", ',', true); /* a data frame without names counts its columns */
  assert_dialect("5.1,3.5,setosa\n4.9,3.0,setosa\n", ',', false);
  assert_dialect("T,2,8\nI,5,12\n", ',', false);
  assert_dialect("?,2,8\n1,5,12\n", ',', false);   /* a missing value is no name */
  assert_dialect("abc,2,8\n1,5,12\n", ',', false); /* nor is a text in a row of numbers */
  assert_dialect("a,b,c\n", ',', true);
}

static int set_up(void **state)
{
  (void)state;
  strcpy(path, "/tmp/hs_csv_XXXXXX");
  int file = mkstemp(path);
  if (file >= 0) close(file);
  return file < 0;
}

static int tear_down(void **state)
{
  (void)state;
  return unlink(path);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_are_split),       cmocka_unit_test(quotes_hold_anything),
      cmocka_unit_test(open_quotes_are_errors), cmocka_unit_test(records_may_be_longer_than_any_buffer),
      cmocka_unit_test(separators_are_found),   cmocka_unit_test(headers_are_found),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
