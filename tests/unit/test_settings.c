/* Settings: text -> structure -> text.
 *
 * The problem: every key of the table, in every form a user may write it, must land in its member or be
 * refused with a message that names file, line, key and what would be right. The answers are written out by
 * hand below. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "settings/settings.h"
#include "settings/table.h"

static hs_settings_t settings;

static int fresh(void **state)
{
  (void)state;
  hs_error_clear();
  hs_settings_default(&settings);
  return 0;
}

static void expect_parsed(const char *text)
{
  hs_status_t status = hs_settings_parse(&settings, "run.yaml", text);
  if (status != HS_OK) fail_msg("%s", hs_error_message());
}

static void expect_refused(const char *text, const char *message)
{
  hs_error_clear();
  hs_settings_t before = settings;
  assert_int_equal(hs_settings_parse(&settings, "run.yaml", text), HS_BAD_USAGE);
  assert_string_equal(hs_error_message(), message);
  assert_memory_equal(&before, &settings, sizeof before);
}

static void expect_refused_with(const char *text, const char *part)
{
  hs_error_clear();
  assert_int_equal(hs_settings_parse(&settings, "run.yaml", text), HS_BAD_USAGE);
  if (strstr(hs_error_message(), part) == NULL) fail_msg("'%s' lacks '%s'", hs_error_message(), part);
}

static void test_defaults(void **state)
{
  (void)state;
  assert_string_equal(settings.data.train, "");
  assert_string_equal(settings.data.features, "features");
  assert_string_equal(settings.data.targets, "targets");
  assert_true(settings.data.bias);
  assert_int_equal(settings.data.scaling, HS_SCALING_AUTO);
  assert_int_equal(settings.model.layers, 2);
  assert_int_equal(settings.model.activation, HS_RELU);
  assert_int_equal(settings.model.gates, 128);
  assert_int_equal(settings.model.gate_rounds, 0);
  assert_int_equal(settings.model.gate_batch, 64);
  assert_int_equal(settings.model.solve, HS_SOLVE_GATED);
  assert_int_equal(settings.model.init, HS_INIT_CONVEX);
  assert_int_equal(settings.model.width, 0);
  assert_int_equal(settings.model.restarts, 1);
  assert_int_equal(settings.model.hidden, 4);
  assert_int_equal(settings.model.loss, HS_SQUARED);
  assert_true(settings.model.huber_width == 1);
  assert_int_equal(settings.model.groups, HS_JOINT);
  assert_true(settings.model.beta == 0.01 && settings.model.beta_absolute == 0);
  assert_true(settings.solver.tolerance == 1e-3);
  assert_int_equal(settings.solver.max_iterations, 2000);
  assert_true(settings.solver.max_seconds == 0);
  assert_int_equal(settings.solver.x_update, HS_X_AUTO);
  assert_int_equal(settings.solver.block_rows, 0);
  assert_true(settings.solver.rho == 0);
  assert_int_equal(settings.solver.anderson, 10);
  assert_false(settings.solver.polish);
  assert_int_equal(settings.solver.precision, HS_DOUBLE);
  assert_true(settings.bounds.max_seconds == 60);
  assert_int_equal(settings.seed, 1);
  assert_string_equal(settings.output.run, "run.h5");
  assert_true(settings.output.checkpoint_seconds == 300);
}

static void test_every_form_of_a_key(void **state)
{
  (void)state;
  expect_parsed("solver:\n  tolerance: 1e-4\n  anderson: 5\ndata: {train: a.h5, bias: no}\nseed: 7\n");
  assert_true(settings.solver.tolerance == 1e-4);
  assert_int_equal(settings.solver.anderson, 5);
  assert_string_equal(settings.data.train, "a.h5");
  assert_false(settings.data.bias);
  assert_int_equal(settings.seed, 7);
  expect_parsed("solver.tolerance: 2.5e-5 # dotted\nmodel.loss: \"squared-hinge\"\ndata.bias: yes\n");
  assert_true(settings.solver.tolerance == 2.5e-5);
  assert_int_equal(settings.model.loss, HS_SQUARED_HINGE);
  assert_true(settings.data.bias);
}

static void test_empty_texts(void **state)
{
  (void)state;
  hs_settings_t before = settings;
  expect_parsed("");
  expect_parsed("# nothing but a comment\n");
  expect_parsed("---\n");
  expect_parsed("solver:\nmodel: ~\ndata:\n  test:\n");
  assert_memory_equal(&before, &settings, sizeof before);
}

static void test_line_and_remedy_in_messages(void **state)
{
  (void)state;
  expect_refused("seed: 1\nsolver:\n  tolerance: -1\n",
                 "run.yaml: line 3: solver.tolerance = -1: must be > 0 (1e-3 is a good start)");
  expect_refused("solver:\n\n  tolerence: 1e-3\n",
                 "run.yaml: line 3: unknown key 'solver.tolerence' (did you mean 'solver.tolerance'?)");
  expect_refused(
      "model:\n  loss: sqared\n",
      "run.yaml: line 2: model.loss = sqared: must be squared, logistic, softmax, squared-hinge or "
      "huber (did you mean squared?)");
  expect_refused("seed: 1\nseed: 2\n", "run.yaml: line 2: seed: is given twice (first on line 1)");
  expect_refused("solver: {rho: 1}\nsolver.rho: 1\n",
                 "run.yaml: line 2: solver.rho: is given twice (first on line 1)");
}

static void test_all_faults_are_told_at_once(void **state)
{
  (void)state;
  expect_refused("seed: x\ndata:\n  train: [a, b]\n  bias: 3\nmodel: {gates: 0}\n",
                 "run.yaml: line 1: seed = x: must be a whole number (1 is a good start)\n"
                 "run.yaml: line 3: data.train: a list stands where one value belongs (write  key: value)\n"
                 "run.yaml: line 4: data.bias = 3: must be true or false\n"
                 "run.yaml: line 5: model.gates = 0: must be >= 1 (128 is a good start)");
  char many[4096] = "";
  for (int i = 0; i < 100; i++) snprintf(many + strlen(many), 32, "unheard%d: 1\n", i);
  hs_error_clear();
  assert_int_equal(hs_settings_parse(&settings, "run.yaml", many), HS_BAD_USAGE);
  int lines = 1, more = 0;
  for (const char *c = hs_error_message(); *c != '\0'; c++) lines += *c == '\n';
  assert_int_equal(sscanf(strrchr(hs_error_message(), '\n'), "\nand %d more", &more), 1);
  assert_int_equal(lines - 1 + more, 100);
}

static void test_numbers_that_are_none(void **state)
{
  (void)state;
  static const char *const bad[] = {"nan",   ".nan",  "-nan", "inf", "-inf", "1e999", "0",
                                    "-1e-9", "1e-3x", "",     "0x1", "1,5",  "' 1'",  "1 2"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[64];
    snprintf(text, sizeof text, "solver: {tolerance: %s}\n", bad[i]);
    if (strcmp(bad[i], "1,5") == 0) snprintf(text, sizeof text, "solver.tolerance: 1,5\n");
    expect_refused_with(text, "run.yaml: line 1: solver.tolerance = ");
  }
  static const char *const bad_counts[] = {"0", "-3", "1.5", "1e3", "99999999999999999999", "nan"};
  for (size_t i = 0; i < sizeof bad_counts / sizeof bad_counts[0]; i++) {
    char text[64];
    snprintf(text, sizeof text, "model.gates: %s\n", bad_counts[i]);
    expect_refused_with(text, "model.gates = ");
  }
  expect_refused_with("solver.anderson: 51\n", "must be 0 to 50 (10 is a good start)");
  expect_refused_with("model.layers: 4\n", "must be 2 to 3");
}

static void test_shapes_that_are_no_settings(void **state)
{
  (void)state;
  expect_refused_with("just words\n", "run.yaml: line 1: there is a bare value");
  expect_refused_with("- 1\n- 2\n", "run.yaml: line 1: a list stands");
  expect_refused_with("seed: &a 1\nsolver.rho: *a\n", "run.yaml: line 2: solver.rho: an alias");
  expect_refused_with("solver: 5\n", "line 1: solver = 5: is a section");
  expect_refused_with("seed: {deep: 1}\n", "line 1: unknown key 'seed.deep' (did you mean 'seed'?)");
  expect_refused_with("seed: 1\n---\nseed: 2\n", "a second document begins");
  expect_refused_with("seed: 1\n  rho: [\n", "run.yaml: line 2: not YAML: ");
  expect_refused_with("a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n", "nested too deeply");
  expect_refused_with("? {a: 1}\n: 2\n", "a mapping stands where a key belongs");
  expect_refused_with("data.train: \"a\\0b\"\n", "data.train: holds a zero byte");
  expect_refused_with("data.features: \"\"\n", "must not be empty (the default is features)");
  char long_key[600] = "", long_text[HS_TEXT + 64] = "data.train: ";
  memset(long_key, 'k', 500);
  strcpy(long_key + 500, ": 1\n");
  expect_refused_with(long_key, "key is too long");
  memset(long_text + 12, 't', HS_TEXT);
  expect_refused_with(long_text, "must be at most 1023 bytes long");
}

/* A legal value of each row that differs from the default. */
static void other_value(const hs_setting_t *row, int i, char *text, size_t size)
{
  const char *last = row->choices != NULL ? strrchr(row->choices, '|') : NULL;
  switch (row->type) {
  case HS_SETTING_BOOL:
    snprintf(text, size, "%s", strcmp(row->initial, "true") == 0 ? "false" : "true");
    return;
  case HS_SETTING_CHOICE:
    snprintf(text, size, "%s", last + 1);
    if (strcmp(text, row->initial) == 0)
      snprintf(text, size, "%.*s", (int)strcspn(row->choices, "|"), row->choices);
    return;
  case HS_SETTING_INTEGER:
    snprintf(text, size, "%d", row->high < 100 ? 3 : 20 + i);
    return;
  case HS_SETTING_REAL:
    snprintf(text, size, "%.17g", row->high < 1 ? row->high / 3.0 : (1.0 + i) / 3.0);
    return;
  case HS_SETTING_TEXT:
    snprintf(text, size, "dir %d/\"quoted\" \\ 'x': #\t\xc3\xa4, {[*&!|>%%@`\x01 ", i);
    return;
  }
}

static void test_every_key_survives_yaml(void **state)
{
  (void)state;
  char text[HS_TEXT], what[HS_SETTING_WHAT], *yaml = NULL;
  hs_settings_t initial = settings;
  for (int i = 0; i < hs_setting_count; i++) {
    const hs_setting_t *row = &hs_setting_table[i];
    hs_settings_t before = settings;
    other_value(row, i, text, sizeof text);
    if (!hs_setting_read(row, text, &settings, what)) fail_msg("%s = %s: %s", row->key, text, what);
    if (memcmp(&before, &settings, sizeof before) == 0) fail_msg("%s has no effect", row->key);
  }
  assert_int_equal(hs_settings_to_yaml(&settings, &yaml), HS_OK);
  hs_settings_t changed = settings;
  settings = initial;
  expect_parsed(yaml);
  assert_memory_equal(&settings, &changed, sizeof changed);
  hs_free(yaml);
}

/* Members that overlap would be set by two rows. */
static void test_rows_are_distinct(void **state)
{
  (void)state;
  for (int i = 0; i < hs_setting_count; i++)
    for (int j = 0; j < i; j++) {
      assert_string_not_equal(hs_setting_table[i].key, hs_setting_table[j].key);
      assert_int_not_equal(hs_setting_table[i].offset, hs_setting_table[j].offset);
    }
}

static void test_choices_agree_with_names(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t offset;
    int value;
  } rows[] = {
      {"path.choose=best", offsetof(hs_settings_t, path.choose), HS_CHOOSE_BEST},
      {"path.choose=one-error", offsetof(hs_settings_t, path.choose), HS_CHOOSE_ONE_ERROR},
      {"path.weights=all", offsetof(hs_settings_t, path.weights), HS_KEEP_ALL},
      {"path.weights=chosen", offsetof(hs_settings_t, path.weights), HS_KEEP_CHOSEN},
      {"data.scaling=unit-norm", offsetof(hs_settings_t, data.scaling), HS_SCALING_UNIT_NORM},
      {"data.scaling=common", offsetof(hs_settings_t, data.scaling), HS_SCALING_COMMON},
      {"data.scaling=none", offsetof(hs_settings_t, data.scaling), HS_SCALING_NONE},
      {"data.scaling=center", offsetof(hs_settings_t, data.scaling), HS_SCALING_CENTER},
      {"data.scaling=zscore", offsetof(hs_settings_t, data.scaling), HS_SCALING_ZSCORE},
      {"model.activation=gated", offsetof(hs_settings_t, model.activation), HS_GATED},
      {"model.solve=constrained", offsetof(hs_settings_t, model.solve), HS_SOLVE_CONSTRAINED},
      {"model.init=random", offsetof(hs_settings_t, model.init), HS_INIT_RANDOM},
      {"model.init=both", offsetof(hs_settings_t, model.init), HS_INIT_BOTH},
      {"model.loss=logistic", offsetof(hs_settings_t, model.loss), HS_LOGISTIC},
      {"model.loss=softmax", offsetof(hs_settings_t, model.loss), HS_SOFTMAX},
      {"model.loss=squared-hinge", offsetof(hs_settings_t, model.loss), HS_SQUARED_HINGE},
      {"model.loss=huber", offsetof(hs_settings_t, model.loss), HS_HUBER},
      {"model.groups=per-output", offsetof(hs_settings_t, model.groups), HS_PER_OUTPUT},
      {"model.groups=nuclear", offsetof(hs_settings_t, model.groups), HS_NUCLEAR},
      {"solver.x_update=block-kernel", offsetof(hs_settings_t, solver.x_update), HS_X_BLOCK_KERNEL},
      {"solver.x_update=global-gram", offsetof(hs_settings_t, solver.x_update), HS_X_GLOBAL_GRAM},
      {"solver.precision=single", offsetof(hs_settings_t, solver.precision), HS_SINGLE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    int stored = -1;
    assert_int_equal(hs_settings_override(&settings, rows[i].text), HS_OK);
    memcpy(&stored, (const char *)&settings + rows[i].offset, sizeof stored);
    assert_int_equal(stored, rows[i].value);
  }
}

static void test_command_line(void **state)
{
  (void)state;
  assert_int_equal(hs_settings_override(&settings, "data.train=a=b.h5"), HS_OK);
  assert_string_equal(settings.data.train, "a=b.h5");
  static const struct {
    const char *text, *message;
  } bad[] = {
      {"solver.tolerance=-1", "command line: solver.tolerance = -1: must be > 0 (1e-3 is a good start)"},
      {"solver.tolerance=nan",
       "command line: solver.tolerance = nan: must be finite and > 0 (1e-3 is a good start)"},
      {"tolerance=1", "command line: unknown key 'tolerance' (did you mean 'solver.tolerance'?)"},
      {"solver.beta=1", "command line: unknown key 'solver.beta' (did you mean 'model.beta'?)"},
      {"zzzzzzzzzz=1", "command line: unknown key 'zzzzzzzzzz' (halfspace train --help lists all keys)"},
      {"seed", "command line: 'seed': must be key=value (seed=2, for instance)"},
      {"=1", "command line: '=1': must be key=value (seed=2, for instance)"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    hs_error_clear();
    assert_int_equal(hs_settings_override(&settings, bad[i].text), HS_BAD_USAGE);
    assert_string_equal(hs_error_message(), bad[i].message);
  }
}

static void expect_invalid(const char *assignment, const char *message)
{
  hs_settings_t copy = settings;
  hs_error_clear();
  assert_int_equal(hs_settings_override(&copy, assignment), HS_OK);
  assert_int_equal(hs_settings_check(&copy), HS_BAD_USAGE);
  assert_string_equal(hs_error_message(), message);
}

static void test_check(void **state)
{
  (void)state;
  assert_int_equal(hs_settings_check(&settings), HS_BAD_USAGE);
  assert_non_null(strstr(hs_error_message(), "data.train: is not given"));
  hs_error_clear();
  assert_int_equal(hs_settings_override(&settings, "data.train=a.h5"), HS_OK);
  assert_int_equal(hs_settings_check(&settings), HS_OK);
  static const char *const accepted[] = {
      "bounds.max_seconds=1",  "output.checkpoint=c", "model.gate_rounds=2",
      "model.gate_batch=2",    "model.init=both",     "model.hidden=2",
      "model.width=2",         "model.restarts=2",    "solver.x_update=block-kernel",
      "model.activation=gated"};
  for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
    hs_settings_t copy = settings;
    assert_int_equal(hs_settings_override(&copy, accepted[i]), HS_OK);
    assert_int_equal(hs_settings_check(&copy), HS_OK);
  }
  expect_invalid("model.layers=3", "model.layers = 3: this version trains 2 layers (set 2)");
  expect_invalid("model.solve=constrained",
                 "model.solve = constrained: this version solves the gated program (set gated)");
  expect_invalid("output.run=a.h5", "output.run = a.h5: would overwrite data.train (give another name)");
  expect_invalid("output.checkpoint=run.h5",
                 "output.checkpoint = run.h5: is output.run as well (give two names)");
  expect_invalid("data.targets=features",
                 "data.targets = features: is the data set of the features as well (give two names)");
  settings.solver.tolerance = NAN;
  hs_error_clear();
  assert_int_equal(hs_settings_check(&settings), HS_BAD_USAGE);
  assert_non_null(strstr(hs_error_message(), "solver.tolerance = nan: must be finite and > 0"));
}

static void test_help_names_every_key(void **state)
{
  (void)state;
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  hs_settings_help(stream);
  fclose(stream);
  for (int i = 0; i < hs_setting_count; i++) {
    assert_non_null(strstr(text, hs_setting_table[i].key));
    assert_non_null(strstr(text, hs_setting_table[i].meaning));
  }
  free(text);
}

static void test_nearest(void **state)
{
  (void)state;
  static const char *const names[] = {"train", "predict", "info", "report"};
  assert_string_equal(hs_nearest("trian", names, 4), "train");
  assert_string_equal(hs_nearest("TRAIN", names, 4), "train");
  assert_string_equal(hs_nearest("predictt", names, 4), "predict");
  assert_string_equal(hs_nearest("inf", names, 4), "info");
  assert_string_equal(hs_nearest("reprot", names, 4), "report");
  assert_null(hs_nearest("evaluate", names, 4));
  assert_null(hs_nearest("x", names, 4));
  assert_null(hs_nearest("", names, 4));
  assert_null(hs_nearest("train", names, 0));
}

static void test_numbers_in_text(void **state)
{
  (void)state;
  static const double values[] = {0.1,          1.0 / 3, 1e-300, -DBL_MAX, DBL_MIN,
                                  DBL_TRUE_MIN, 5e-324,  0,      1e22,     123456789};
  char text[32];
  double back;
  int64_t integer = 5;
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    hs_format_double(values[i], text, sizeof text);
    assert_true(hs_parse_double(text, &back) && back == values[i]);
  }
  hs_format_double(0.1, text, sizeof text);
  assert_string_equal(text, "0.1");
  assert_true(hs_parse_double("-2.5E+1", &back) && back == -25);
  assert_true(hs_parse_double("nan", &back) && isnan(back));
  assert_false(hs_parse_double("1.5 ", &back) || hs_parse_double(" 1", &back) ||
               hs_parse_double("1d3", &back) || hs_parse_double("-", &back) ||
               hs_parse_double("1e400", &back));
  assert_true(hs_parse_int64("-9223372036854775808", &integer) && integer == INT64_MIN);
  assert_false(hs_parse_int64("9223372036854775808", &integer) || hs_parse_int64("7 ", &integer) ||
               hs_parse_int64("", &integer) || hs_parse_int64("0x7", &integer) ||
               hs_parse_int64("7.", &integer));
  assert_true(integer == INT64_MIN);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_defaults, fresh),
      cmocka_unit_test_setup(test_every_form_of_a_key, fresh),
      cmocka_unit_test_setup(test_empty_texts, fresh),
      cmocka_unit_test_setup(test_line_and_remedy_in_messages, fresh),
      cmocka_unit_test_setup(test_all_faults_are_told_at_once, fresh),
      cmocka_unit_test_setup(test_numbers_that_are_none, fresh),
      cmocka_unit_test_setup(test_shapes_that_are_no_settings, fresh),
      cmocka_unit_test_setup(test_every_key_survives_yaml, fresh),
      cmocka_unit_test_setup(test_rows_are_distinct, fresh),
      cmocka_unit_test_setup(test_choices_agree_with_names, fresh),
      cmocka_unit_test_setup(test_command_line, fresh),
      cmocka_unit_test_setup(test_check, fresh),
      cmocka_unit_test_setup(test_help_names_every_key, fresh),
      cmocka_unit_test_setup(test_nearest, fresh),
      cmocka_unit_test_setup(test_numbers_in_text, fresh),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
