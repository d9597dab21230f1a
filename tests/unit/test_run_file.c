/* The run file: what is written comes back, a killed or running writer leaves a readable file, and an earlier
 * file is replaced by a whole one or not at all.
 *
 * The little problem: 3 features with bias (d = 4), 2 outputs, 5 gates, 6 neurons. Entry number k of every
 * array is a different number, so that a wrong index or a forgotten transposition shows. What other programs
 * see is asked from h5dump, not from our own reader. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/run/run_file.h"

static char folder[] = "/tmp/hs_run_file_XXXXXX";
static char path[64];

static const hs_provenance_t provenance = {.version = "9.8.7",
                                           .commit = "abc123",
                                           .ranks = 3,
                                           .threads = 2,
                                           .hosts = "north, south",
                                           .mpi = "MPI x",
                                           .blas = "BLAS y"};
#define CONFIG "seed: 7\nmodel:\n  loss: squared # \xc3\xa9\n"

/* Every field different, exact in binary. */
static hs_history_row_t history_row(int64_t k)
{
  double x = (double)k;
  return (hs_history_row_t){k,      x + 0.25, x + 0.5, x * 3, x / 4,    x + 7,   x + 9,
                            x + 11, 1000 - k, x * 0.5, x * 2, x * 0.25, x * 1024};
}

static hs_run_t *begin(void)
{
  hs_run_t *run = NULL;
  assert_int_equal(hs_run_create(&run, path, CONFIG, &provenance), HS_OK);
  assert_non_null(run);
  return run;
}

static double *counting(size_t count, double first)
{
  double *values = hs_alloc(count, sizeof *values, "test");
  for (size_t k = 0; k < count; k++) values[k] = first + (double)k;
  return values;
}

static char *text(const char *from)
{
  char *copy = hs_alloc(strlen(from) + 1, 1, "test");
  return strcpy(copy, from);
}

static hs_model_t little_model(int gates, int neurons)
{
  hs_model_t model = {.features = 3,
                      .d = 4,
                      .outputs = 2,
                      .bias = true,
                      .precision = HS_SINGLE,
                      .loss = {.kind = HS_SOFTMAX, .huber_width = 1.5},
                      .groups = HS_NUCLEAR,
                      .beta = 0.125,
                      .beta_max = 16,
                      .objective = 33.5,
                      .classes = 2,
                      .gates = gates,
                      .neurons = neurons};
  model.shift = counting(3, 1);
  model.scale = counting(3, 10);
  model.G = counting((size_t)gates * 4, 100);
  model.weights = counting((size_t)gates * 8, 1000);
  model.W1 = counting((size_t)neurons * 4, 2000);
  model.W2 = counting((size_t)neurons * 2, 3000);
  model.class_values = hs_alloc(2, sizeof(int64_t), "test");
  model.class_values[0] = -4;
  model.class_values[1] = 1LL << 40;
  model.class_names = hs_alloc(2, sizeof(char *), "test");
  model.class_names[0] = text("cat");
  model.class_names[1] = text("caf\xc3\xa9");
  return model;
}

/* Run h5dump on a part of the file and look for a text in what it prints, blanks and new lines aside. */
static bool dump_has(const char *part, const char *wanted)
{
  char command[256];
  snprintf(command, sizeof command, "timeout 20 h5dump -w 0 -y %s %s 2>&1", part, path);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  static char output[100000];
  size_t used = 0;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe))
    if (c != ' ' && c != '\n' && used + 1 < sizeof output) output[used++] = (char)c;
  output[used] = '\0';
  pclose(pipe);
  return strstr(output, wanted) != NULL;
}

static void test_history_comes_back(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  for (int64_t k = 1; k <= 2500; k++) { /* more than two chunks, and not a multiple */
    hs_history_row_t row = history_row(k);
    assert_int_equal(hs_run_append(run, &row), HS_OK);
  }
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_null(run);

  int64_t rows;
  hs_history_row_t *history;
  assert_int_equal(hs_run_read_history(path, &rows, &history), HS_OK);
  assert_int_equal(rows, 2500);
  for (int64_t k = 1; k <= rows; k++) {
    hs_history_row_t row = history_row(k);
    assert_memory_equal(&history[k - 1], &row, sizeof row);
  }
  hs_free(history);
  assert_true(dump_has("-d /history/primal -s 1 -c 3", "{2.25,3.25,4.25}"));
  assert_true(dump_has("-d /history/active_groups -s 2498 -c 2", "{-1499,-1500}"));
  assert_true(dump_has("-d /history/comm_bytes -s 2 -c 1", "{3072}"));
}

static void test_summary_comes_back(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  hs_run_facts_t facts = {.rows = 50, .gates = 128, .beta = 0.5, .beta_max = 25};
  hs_history_row_t row = history_row(3);
  assert_int_equal(hs_run_write_facts(run, &facts), HS_OK);
  assert_int_equal(hs_run_append(run, &row), HS_OK);
  assert_int_equal(hs_run_write_bound(run, "network", 4.5, "attained", "through a real network"), HS_OK);
  assert_int_equal(hs_run_write_bound(run, "gates_lower", 1.0, "proved", "old"), HS_OK);
  assert_int_equal(hs_run_write_bound(run, "gates_lower", 2.5, "proved", "new"), HS_OK);
  assert_int_equal(hs_run_finish(run, "converged", 12.5), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);

  hs_run_summary_t summary;
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_string_equal(summary.stop, "converged");
  assert_int_equal(summary.iterations, 1);
  assert_memory_equal(&summary.last, &row, sizeof row);
  assert_int_equal(summary.facts.rows, 50);
  assert_int_equal(summary.facts.gates, 128);
  assert_true(summary.facts.beta == 0.5 && summary.facts.beta_max == 25 && summary.loss == 12.5);
  assert_false(summary.has_model);
  assert_string_equal(summary.config, CONFIG);
  assert_string_equal(summary.provenance.version, "9.8.7");
  assert_string_equal(summary.provenance.hosts, "north, south");
  assert_int_equal(summary.provenance.ranks, 3);
  assert_int_equal(summary.provenance.threads, 2);
  assert_true(strchr(summary.provenance.hdf5, '.') != NULL);
  assert_int_equal(summary.bounds, 2);
  assert_string_equal(summary.bound[0].name, "gates_lower");
  assert_true(summary.bound[0].value == 2.5);
  assert_string_equal(summary.bound[0].about, "new");
  assert_string_equal(summary.bound[1].kind, "attained");
  hs_run_summary_clear(&summary);
  assert_true(dump_has("-a /status/mean_loss", "{0.25}"));
  assert_true(dump_has("-a /config/commit", "\"abc123\""));
}

static void assert_same(const double *a, const double *b, size_t count)
{
  assert_memory_equal(a, b, count * sizeof *a);
}

static void check_model(int gates, int neurons)
{
  hs_run_t *run = begin();
  hs_model_t model = little_model(gates, neurons), back, earlier = little_model(1, 1);
  assert_int_equal(hs_run_write_model(run, &earlier), HS_OK);
  assert_int_equal(hs_run_write_model(run, &model), HS_OK);
  assert_int_equal(hs_run_finish(run, "seconds", NAN), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);

  assert_int_equal(hs_run_read_model(path, &back), HS_OK);
  assert_int_equal(back.features, 3);
  assert_int_equal(back.d, 4);
  assert_int_equal(back.outputs, 2);
  assert_true(back.bias && back.precision == HS_SINGLE);
  assert_true(back.loss.kind == HS_SOFTMAX && back.loss.huber_width == 1.5 && back.groups == HS_NUCLEAR);
  assert_true(back.beta == 0.125 && back.beta_max == 16 && back.objective == 33.5);
  assert_int_equal(back.gates, gates);
  assert_int_equal(back.neurons, neurons);
  assert_same(back.shift, model.shift, 3);
  assert_same(back.scale, model.scale, 3);
  assert_same(back.G, model.G, (size_t)gates * 4);
  assert_same(back.weights, model.weights, (size_t)gates * 8);
  if (neurons > 0) assert_same(back.W1, model.W1, (size_t)neurons * 4);
  if (neurons > 0) assert_same(back.W2, model.W2, (size_t)neurons * 2);
  assert_int_equal(back.classes, 2);
  assert_true(back.class_values[0] == -4 && back.class_values[1] == 1LL << 40);
  assert_string_equal(back.class_names[1], "caf\xc3\xa9");
  hs_model_clear(&back);
  hs_model_clear(&model);
  hs_model_clear(&earlier);
}

static void test_model_comes_back(void **state)
{
  (void)state;
  check_model(5, 6);
  /* Weight (gate 1, feature 2, output 1) is element (1 * 2 + 1) * 4 + 2 in memory; W1 (feature 3, neuron 2)
   * is element 2 * 4 + 3. */
  assert_true(dump_has("-d /model/weights -s 1,2,1 -c 1,1,1", "{1014}"));
  assert_true(dump_has("-d /model/weights", "(5,4,2)/(5,4,2)"));
  assert_true(dump_has("-d /model/relu/W1 -s 3,2 -c 1,1", "{2011}"));
  assert_true(dump_has("-d /model/relu/W1", "(4,6)/(4,6)"));
  assert_true(dump_has("-a /model/classes", "\"cat\""));
  assert_true(dump_has("-a /model/task", "\"classification\""));
}

static void test_zero_solution_comes_back(void **state)
{
  (void)state;
  check_model(0, 0);
  check_model(0, 2);
}

/* Names of 10000 classes need more than the 64 kB that attributes of the oldest format hold. */
static void test_many_classes(void **state)
{
  (void)state;
  hs_model_t model = little_model(1, 0), back;
  for (int c = 0; c < 2; c++) hs_free(model.class_names[c]);
  hs_free(model.class_names);
  hs_free(model.class_values);
  model.classes = 10000;
  model.class_values = hs_alloc(10000, sizeof(int64_t), "test");
  model.class_names = hs_alloc(10000, sizeof(char *), "test");
  for (int c = 0; c < 10000; c++) {
    char name[32];
    snprintf(name, sizeof name, "class %d", c);
    model.class_values[c] = 3 * c;
    model.class_names[c] = text(name);
  }
  hs_run_t *run = begin();
  assert_int_equal(hs_run_write_model(run, &model), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_int_equal(hs_run_read_model(path, &back), HS_OK);
  assert_int_equal(back.classes, 10000);
  assert_string_equal(back.class_names[9999], "class 9999");
  assert_int_equal(back.class_values[9999], 29997);
  hs_model_clear(&back);
  hs_model_clear(&model);
}

static void test_readable_while_written(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  assert_true(dump_has("-a /status/stop", "\"running\""));
  hs_history_row_t row = history_row(4);
  assert_int_equal(hs_run_append(run, &row), HS_OK);
  assert_int_equal(hs_run_flush(run), HS_OK);
  assert_true(dump_has("-d /history/dual", "{4.5}"));
  assert_int_equal(hs_run_close(&run), HS_OK);
}

static void test_earlier_file_survives_a_failure(void **state)
{
  (void)state;
  hs_run_t *run = NULL;
  char bad[128];
  snprintf(bad, sizeof bad, "%s/missing/run.h5", folder);
  hs_error_clear();
  assert_int_equal(hs_run_create(&run, bad, CONFIG, &provenance), HS_IO);
  assert_null(run);
  assert_non_null(strstr(hs_error_message(), bad));
  assert_non_null(strstr(hs_error_message(), "No such file or directory"));

  /* No byte may be written: the earlier file stays as it is, and nothing lies beside it. */
  FILE *earlier = fopen(path, "w");
  fputs("earlier", earlier);
  fclose(earlier);
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {100, 100};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    hs_error_clear();
    bool refused = hs_run_create(&run, path, CONFIG, &provenance) == HS_IO && run == NULL &&
                   strstr(hs_error_message(), "File too large") != NULL;
    _exit(refused ? 0 : 1);
  }
  int ended;
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
  char content[16] = "";
  earlier = fopen(path, "r");
  assert_non_null(fgets(content, sizeof content, earlier));
  fclose(earlier);
  assert_string_equal(content, "earlier");
  char beside[128];
  snprintf(beside, sizeof beside, "%s.new.%ld", path, (long)child);
  assert_int_not_equal(access(beside, F_OK), 0);
  hs_error_clear();
}

/* A disk that fills up during the run is an error that names the file; the rows before it can be read. */
static void test_full_disk(void **state)
{
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    hs_run_t *run = NULL;
    hs_status_t status = hs_run_create(&run, path, CONFIG, &provenance);
    struct rlimit limit = {200000, 200000};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int64_t k = 0;
    for (; status == HS_OK && k < 100000; k++) {
      hs_history_row_t row = history_row(k + 1);
      status = hs_run_append(run, &row);
      if (status == HS_OK && k % 500 == 0) status = hs_run_flush(run);
    }
    bool told = status == HS_IO && strstr(hs_error_message(), path) != NULL &&
                strstr(hs_error_message(), "File too large") != NULL;
    alarm(60); /* leaving must not wait for the disk either */
    hs_run_close(&run);
    exit(told ? 0 : 1);
  }
  int ended;
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
  int64_t rows;
  hs_history_row_t *history;
  assert_int_equal(hs_run_read_history(path, &rows, &history), HS_OK);
  assert_true(rows >= 501);
  for (int64_t k = 1; k <= 501; k++) {
    hs_history_row_t row = history_row(k);
    assert_memory_equal(&history[k - 1], &row, sizeof row);
  }
  hs_free(history);
}

/* Killed at any moment, the file can be read and holds every row that was flushed. */
static void test_killed_writer(void **state)
{
  (void)state;
  for (int attempt = 0; attempt < 12; attempt++) {
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
      hs_run_t *run = begin();
      for (int64_t k = 1;; k++) {
        hs_history_row_t row = history_row(k);
        if (hs_run_append(run, &row) != HS_OK || hs_run_flush(run) != HS_OK) _exit(1);
        if (write(pipes[1], &k, sizeof k) != sizeof k) _exit(1);
      }
    }
    close(pipes[1]);
    int64_t flushed = 0, told;
    while (flushed < 5 + attempt && read(pipes[0], &told, sizeof told) == sizeof told) flushed = told;
    nanosleep(&(struct timespec){.tv_nsec = 3000000L * attempt + 137000L}, NULL);
    kill(child, SIGKILL);
    while (read(pipes[0], &told, sizeof told) == sizeof told) flushed = told;
    close(pipes[0]);
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended));

    int64_t rows;
    hs_history_row_t *history;
    hs_error_clear();
    assert_int_equal(hs_run_read_history(path, &rows, &history), HS_OK);
    assert_true(flushed >= 5 && rows >= flushed);
    for (int64_t k = 1; k <= flushed; k++) {
      hs_history_row_t row = history_row(k);
      assert_memory_equal(&history[k - 1], &row, sizeof row);
    }
    hs_free(history);
    hs_run_summary_t summary;
    assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
    assert_string_equal(summary.stop, "running");
    hs_run_summary_clear(&summary);
  }
}

static void test_foreign_files_are_refused(void **state)
{
  (void)state;
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  int64_t shape = 2;
  assert_int_equal(hs_h5_write_array(file, "features", 1, &shape, (double[]){1, 2}), HS_OK);
  H5Fclose(file);
  hs_model_t model;
  hs_run_summary_t summary;
  hs_history_row_t *history;
  int64_t rows;
  hs_error_clear();
  assert_false(hs_run_is_run_file(path));
  assert_string_equal(hs_error_message(), "");
  assert_int_equal(hs_run_read_model(path, &model), HS_BAD_DATA);
  assert_non_null(strstr(hs_error_message(), "is not a run file of halfspace"));
  assert_int_equal(hs_run_read_summary(path, &summary), HS_BAD_DATA);
  assert_int_equal(hs_run_read_history(path, &rows, &history), HS_BAD_DATA);

  hs_error_clear();
  hs_run_t *run = begin();
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_true(hs_run_is_run_file(path));
  assert_int_equal(hs_run_read_model(path, &model), HS_BAD_DATA);
  assert_non_null(strstr(hs_error_message(), "holds no model yet"));
  hs_error_clear();
}

static int make_folder(void **state)
{
  (void)state;
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(path, sizeof path, "%s/run.h5", folder);
  return 0;
}

static int remove_folder(void **state)
{
  (void)state;
  unlink(path);
  return rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_history_comes_back), cmocka_unit_test(test_summary_comes_back),
      cmocka_unit_test(test_model_comes_back),   cmocka_unit_test(test_zero_solution_comes_back),
      cmocka_unit_test(test_many_classes),       cmocka_unit_test(test_readable_while_written),
      cmocka_unit_test(test_killed_writer),      cmocka_unit_test(test_earlier_file_survives_a_failure),
      cmocka_unit_test(test_full_disk),          cmocka_unit_test(test_foreign_files_are_refused),
  };
  return cmocka_run_group_tests_name("run file", tests, make_folder, remove_folder);
}
