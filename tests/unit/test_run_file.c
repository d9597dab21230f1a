/* The run file: what is written comes back, the file is whole at every moment, and a version on the disk is replaced
 * by a whole one or not at all.
 *
 * The little problem: 3 features with bias (d = 4), 2 outputs, 5 gates, 6 neurons. Entry number k of every
 * array is a different number, so that a wrong index or a forgotten transposition shows. What other programs
 * see is asked from h5dump, not from our own reader. */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void rest(double seconds)
{
  struct timespec time = {.tv_sec = (time_t)seconds,
                          .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
  nanosleep(&time, NULL);
}

static void append(hs_run_t *run, int64_t from, int64_t to)
{
  for (int64_t k = from; k <= to; k++) {
    hs_history_row_t row = history_row(k);
    assert_int_equal(hs_run_append(run, &row), HS_OK);
  }
}

/* Are exactly the rows 1 to count on the disk? */
static void assert_rows(int64_t count)
{
  int64_t rows;
  hs_history_row_t *history;
  hs_error_clear();
  assert_int_equal(hs_run_read_history(path, &rows, &history), HS_OK);
  assert_int_equal(rows, count);
  for (int64_t k = 1; k <= rows; k++) {
    hs_history_row_t row = history_row(k);
    assert_memory_equal(&history[k - 1], &row, sizeof row);
  }
  hs_free(history);
}

static int64_t bytes_of(const char *name)
{
  struct stat info;
  return stat(name, &info) == 0 ? (int64_t)info.st_size : -1;
}

static bool exists(const char *name)
{
  struct stat info;
  return lstat(name, &info) == 0;
}

/* Names in the folder. */
static int count_files(void)
{
  DIR *listing = opendir(folder);
  assert_non_null(listing);
  int count = 0;
  for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing))
    count += entry->d_name[0] != '.';
  closedir(listing);
  return count;
}

/* In child processes. */
#define MUST(condition)                                                                                      \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, hs_error_message());                        \
      _exit(1);                                                                                              \
    }                                                                                                        \
  } while (0)

static int exit_code(pid_t child)
{
  int ended;
  assert_int_equal(waitpid(child, &ended, 0), child);
  return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

static void test_history_comes_back(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  append(run, 1, 2500); /* more than the writer's buffer and many chunks, and no multiple of either */
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_null(run);
  assert_rows(2500);
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
  assert_int_equal(count_files(), 1);
  hs_error_clear();
}

/* Append and flush until the disk is full; returns the rows that a flush has confirmed. */
static int64_t fill_disk(hs_run_t *run, const char *reason)
{
  int64_t k = 0, confirmed = 0;
  hs_status_t status = HS_OK;
  hs_error_clear();
  while (status == HS_OK && k < 100000) {
    hs_history_row_t row = history_row(++k);
    status = hs_run_append(run, &row);
    if (status == HS_OK && k % 100 == 0) {
      status = hs_run_flush(run);
      if (status == HS_OK) confirmed = k;
    }
  }
  MUST(status == HS_IO);
  MUST(strstr(hs_error_message(), "run.h5: cannot be written") != NULL);
  MUST(strstr(hs_error_message(), reason) != NULL);
  hs_error_clear();
  return confirmed;
}

static int64_t rows_on_disk(const char *name)
{
  int64_t rows;
  hs_history_row_t *history;
  MUST(hs_run_read_history(name, &rows, &history) == HS_OK);
  for (int64_t k = 1; k <= rows; k++) {
    hs_history_row_t row = history_row(k);
    MUST(memcmp(&history[k - 1], &row, sizeof row) == 0);
  }
  hs_free(history);
  return rows;
}

/* A disk that fills up during the run is an error that names the file and the reason; the version before stays, and
 * nothing beside it. Here a limit on the size of files stands for the disk, which every user may set. */
static void test_full_disk(void **state)
{
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    hs_run_t *run = NULL;
    MUST(hs_run_create(&run, path, CONFIG, &provenance) == HS_OK);
    struct rlimit limit = {200000, 200000};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int64_t confirmed = fill_disk(run, "File too large");
    MUST(confirmed >= 500);
    MUST(rows_on_disk(path) >= confirmed);
    alarm(60); /* leaving must not wait for the disk either */
    MUST(hs_run_close(&run) == HS_IO);
    MUST(rows_on_disk(path) >= confirmed);
    exit(0);
  }
  assert_int_equal(exit_code(child), 0);
  assert_int_equal(count_files(), 1);
  hs_run_summary_t summary;
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_string_equal(summary.stop, "running");
  hs_run_summary_clear(&summary);
}

static bool write_file(const char *name, const char *content, size_t bytes)
{
  int file = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0666);
  bool good = file >= 0 && write(file, content, bytes) == (ssize_t)bytes;
  if (file >= 0) good = close(file) == 0 && good;
  return good;
}

/* A little file system of our own, in our own view of the machine: for root, and where users may have such views. */
static bool mount_little_disk(const char *where)
{
  char map[64];
  uid_t user = getuid();
  gid_t group = getgid();
  if (user == 0 && unshare(CLONE_NEWNS) != 0) return false;
  if (user != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    int length = snprintf(map, sizeof map, "0 %ld 1", (long)user);
    if (!write_file("/proc/self/uid_map", map, (size_t)length)) return false;
    length = snprintf(map, sizeof map, "0 %ld 1", (long)group);
    if (!write_file("/proc/self/setgroups", "deny", 4)) return false;
    if (!write_file("/proc/self/gid_map", map, (size_t)length)) return false;
  }
  return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("tmpfs", where, "tmpfs", 0, "size=400k") == 0;
}

/* The same on a disk that is really full; and once there is room again, nothing was lost. */
static void test_really_full_disk(void **state)
{
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    if (!mount_little_disk(folder)) _exit(77);
    char filler[96], beside[96];
    snprintf(filler, sizeof filler, "%s/filler", folder);
    snprintf(beside, sizeof beside, "%s.new", path);
    hs_run_t *run = NULL;
    MUST(hs_run_create(&run, path, CONFIG, &provenance) == HS_OK);
    static const char zeros[100000];
    MUST(write_file(filler, zeros, sizeof zeros));
    int64_t confirmed = fill_disk(run, "No space left on device");
    MUST(confirmed >= 200);
    MUST(rows_on_disk(path) >= confirmed);
    MUST(!exists(beside));
    MUST(unlink(filler) == 0);
    MUST(hs_run_flush(run) == HS_OK);
    int64_t all = rows_on_disk(path);
    MUST(all > confirmed);

    /* Nor can a new run file harm the old one. */
    while (write_file(filler, zeros, sizeof zeros))
      snprintf(filler, sizeof filler, "%s/filler%d", folder, rand());
    hs_run_t *other = NULL;
    hs_error_clear();
    MUST(hs_run_create(&other, path, CONFIG, &provenance) == HS_IO);
    MUST(other == NULL && !exists(beside));
    MUST(rows_on_disk(path) == all);
    exit(0);
  }
  int code = exit_code(child);
  if (code == 77) {
    print_message("no file system can be mounted here\n");
    skip();
  }
  assert_int_equal(code, 0);
}

/* The folder goes and comes back. */
static void test_vanished_folder(void **state)
{
  (void)state;
  char away[64];
  snprintf(away, sizeof away, "%s.away", folder);
  hs_run_t *run = begin();
  append(run, 1, 3);
  assert_int_equal(rename(folder, away), 0);
  hs_history_row_t row = history_row(4);
  hs_error_clear();
  hs_status_t status = hs_run_append(run, &row);
  if (status == HS_OK) status = hs_run_flush(run);
  assert_int_equal(status, HS_IO);
  assert_non_null(strstr(hs_error_message(), path));
  assert_non_null(strstr(hs_error_message(), "No such file or directory"));
  hs_error_clear();
  assert_int_equal(rename(away, folder), 0);
  assert_int_equal(hs_run_flush(run), HS_OK);
  assert_rows(4);
  assert_int_equal(hs_run_close(&run), HS_OK);
}

static void test_symbolic_link(void **state)
{
  (void)state;
  char inside[96], target[128], beside[128];
  snprintf(inside, sizeof inside, "%s/inside", folder);
  snprintf(target, sizeof target, "%s/target.h5", inside);
  snprintf(beside, sizeof beside, "%s.new", path);
  unlink(path);
  assert_int_equal(mkdir(inside, 0777), 0);
  assert_int_equal(symlink("inside/target.h5", path), 0); /* the target does not exist yet */
  for (int pass = 0; pass < 2; pass++) {
    hs_run_t *run = begin();
    append(run, 1, 2 + pass);
    assert_int_equal(hs_run_close(&run), HS_OK);
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(lstat(target, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_false(exists(beside));
    assert_rows(2 + pass);
  }
  unlink(path);
  unlink(target);
  assert_int_equal(rmdir(inside), 0);
}

/* What is no ordinary file is not replaced. */
static void test_no_ordinary_file(void **state)
{
  (void)state;
  hs_run_t *run = NULL;
  unlink(path);
  assert_int_equal(mkfifo(path, 0666), 0);
  hs_error_clear();
  assert_int_equal(hs_run_create(&run, path, CONFIG, &provenance), HS_IO);
  assert_non_null(strstr(hs_error_message(), path));
  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkdir(path, 0777), 0);
  hs_error_clear();
  assert_int_equal(hs_run_create(&run, path, CONFIG, &provenance), HS_IO);
  assert_non_null(strstr(hs_error_message(), "directory"));
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(count_files(), 0);
  hs_error_clear();
}

static void test_permissions_stay(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  assert_int_equal(chmod(path, 0640), 0);
  append(run, 1, 2);
  assert_int_equal(hs_run_finish(run, "converged", 1), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0640);
  unlink(path);
}

static void test_last_row_is_replaced(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  hs_history_row_t wrong = history_row(3), right = history_row(3);
  wrong.primal = -1;
  append(run, 1, 2);
  assert_int_equal(hs_run_append(run, &wrong), HS_OK); /* waits in memory */
  assert_int_equal(hs_run_append(run, &wrong), HS_OK);
  assert_int_equal(hs_run_flush(run), HS_OK); /* is on the disk */
  assert_int_equal(hs_run_append(run, &right), HS_OK);
  append(run, 4, 1030);
  assert_int_equal(hs_run_flush(run), HS_OK);
  append(run, 1030, 1030);
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_rows(1030);

  /* Only the last one, and only where it is the same iteration. */
  assert_int_equal(hs_run_open(&run, path), HS_OK);
  wrong = history_row(1030);
  wrong.rho = -1;
  assert_int_equal(hs_run_append(run, &wrong), HS_OK);
  append(run, 1030, 1031);
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_rows(1031);
}

static void test_reopened(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  hs_run_facts_t facts = {.rows = 50, .gates = 128, .beta = 0.5, .beta_max = 25};
  hs_model_t model = little_model(5, 6), back;
  assert_int_equal(hs_run_write_facts(run, &facts), HS_OK);
  append(run, 1, 70);
  assert_int_equal(hs_run_write_model(run, &model), HS_OK);
  assert_int_equal(hs_run_write_bound(run, "network", 4.5, "attained", "first"), HS_OK);
  assert_int_equal(hs_run_finish(run, "converged", 12.5), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);
  int64_t before = bytes_of(path);

  /* Opening and closing alone changes nothing. */
  struct stat first, second;
  stat(path, &first);
  assert_int_equal(hs_run_open(&run, path), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);
  stat(path, &second);
  assert_true(first.st_ino == second.st_ino);

  assert_int_equal(hs_run_open(&run, path), HS_OK);
  assert_int_equal(hs_run_write_bound(run, "global_lower", 1.5, "proved", "later"), HS_OK);
  assert_int_equal(hs_run_write_bound(run, "network", 4.25, "attained", "second"), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_rows(70);
  hs_run_summary_t summary;
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_string_equal(summary.stop, "converged");
  assert_string_equal(summary.config, CONFIG);
  assert_string_equal(summary.provenance.commit, "abc123");
  assert_true(summary.loss == 12.5 && summary.facts.rows == 50);
  assert_int_equal(summary.bounds, 2);
  assert_string_equal(summary.bound[0].name, "global_lower");
  assert_true(summary.bound[0].value == 1.5 && summary.bound[1].value == 4.25);
  assert_string_equal(summary.bound[1].about, "second");
  hs_run_summary_clear(&summary);
  assert_int_equal(hs_run_read_model(path, &back), HS_OK);
  assert_memory_equal(back.weights, model.weights, 5 * 8 * sizeof(double));
  hs_model_clear(&back);

  /* More rows, another model in the place of the first, which goes; another end. */
  hs_model_t other = little_model(4, 2);
  for (int pass = 0; pass < 5; pass++) {
    assert_int_equal(hs_run_open(&run, path), HS_OK);
    append(run, 71 + pass, 71 + pass);
    assert_int_equal(hs_run_write_model(run, &other), HS_OK);
    assert_int_equal(hs_run_finish(run, "seconds", NAN), HS_OK);
    assert_int_equal(hs_run_close(&run), HS_OK);
  }
  assert_rows(75);
  assert_int_equal(hs_run_read_model(path, &back), HS_OK);
  assert_int_equal(back.gates, 4);
  hs_model_clear(&back);
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_string_equal(summary.stop, "seconds");
  assert_true(isnan(summary.loss));
  hs_run_summary_clear(&summary);
  assert_false(dump_has("-a /status/mean_loss", "0.25"));
  assert_true(bytes_of(path) < 2 * before);
  hs_model_clear(&model);
  hs_model_clear(&other);
}

static void test_what_cannot_be_opened(void **state)
{
  (void)state;
  hs_run_t *run = NULL;
  unlink(path);
  hs_error_clear();
  assert_int_equal(hs_run_open(&run, path), HS_BAD_DATA);
  assert_null(run);
  assert_non_null(strstr(hs_error_message(), "No such file or directory"));
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  hs_error_clear();
  assert_int_equal(hs_run_open(&run, path), HS_BAD_DATA);
  assert_non_null(strstr(hs_error_message(), "is not a run file of halfspace"));

  /* Protected against writing; root is not kept out by that. */
  run = begin();
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_int_equal(chmod(path, 0444), 0);
  assert_int_equal(chmod(folder, 0755), 0);
  pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0) MUST(setuid(65534) == 0);
    hs_error_clear();
    MUST(hs_run_open(&run, path) == HS_IO && run == NULL);
    MUST(strstr(hs_error_message(), "Permission denied") != NULL);
    _exit(0);
  }
  assert_int_equal(exit_code(child), 0);
  unlink(path);
  hs_error_clear();
}

static void test_polish_comes_back(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  hs_run_summary_t summary;
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_int_equal(summary.polish_from, 0);
  hs_run_summary_clear(&summary);

  hs_run_polish_t polish = {.from = 41};
  assert_int_equal(hs_run_write_polish(run, &polish), HS_OK);
  assert_true(dump_has("-a /status/polish_from", "{41}"));
  assert_false(dump_has("-a /status/polish_steps", "{0}"));
  polish = (hs_run_polish_t){.from = 41, .end = "converged", .steps = 6, .seconds = 0.25};
  assert_int_equal(hs_run_write_polish(run, &polish), HS_OK);
  assert_true(dump_has("-a /status/polish_steps", "{6}"));
  assert_true(dump_has("-a /status/polish_seconds", "{0.25}"));
  assert_true(dump_has("-a /status/polish_end", "{\"converged\"}"));
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_int_equal(summary.polish_from, 41);
  hs_run_summary_clear(&summary);

  /* Its rows were given up. */
  polish = (hs_run_polish_t){.end = "stalled", .steps = 30, .seconds = 2};
  assert_int_equal(hs_run_write_polish(run, &polish), HS_OK);
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_int_equal(summary.polish_from, 0);
  hs_run_summary_clear(&summary);
  assert_true(dump_has("-a /status/polish_end", "{\"stalled\"}"));
  assert_int_equal(hs_run_close(&run), HS_OK);
}

static void test_times_come_back(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  hs_run_summary_t summary;
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  const hs_run_times_t *times = &summary.times;
  assert_true(isnan(times->load_seconds) && isnan(times->setup_seconds) && isnan(times->run_file_seconds) &&
              isnan(times->checkpoint_seconds));
  assert_true(times->checkpoints == -1 && times->checkpoint_bytes == -1 && times->resumes == -1 &&
              times->peak_bytes == -1);
  hs_run_summary_clear(&summary);

  hs_run_times_t some = {.load_seconds = 0.5,
                         .setup_seconds = 1.5,
                         .run_file_seconds = 1e9, /* not asked for */
                         .checkpoint_seconds = 2.5,
                         .checkpoints = 3,
                         .checkpoint_bytes = 1LL << 40,
                         .resumes = 0,
                         .peak_bytes = 123456789};
  assert_int_equal(hs_run_write_times(run, &some), HS_OK);
  assert_int_equal(hs_run_finish(run, "converged", 1), HS_OK);
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_true(times->load_seconds == 0.5 && times->setup_seconds == 1.5 && times->checkpoint_seconds == 2.5);
  assert_true(times->run_file_seconds > 0 && times->run_file_seconds < 1000);
  assert_int_equal(times->checkpoints, 3);
  assert_int_equal(times->checkpoint_bytes, 1LL << 40);
  assert_int_equal(times->resumes, 0);
  assert_int_equal(times->peak_bytes, 123456789);
  double spent = times->run_file_seconds;
  hs_run_summary_clear(&summary);
  assert_true(dump_has("-a /status/checkpoints", "{3}"));
  assert_true(dump_has("-a /status/setup_seconds", "{1.5}"));
  assert_int_equal(hs_run_close(&run), HS_OK);

  /* Writing goes on being counted, and what is no longer known goes. */
  assert_int_equal(hs_run_open(&run, path), HS_OK);
  some.load_seconds = NAN;
  some.checkpoints = -1;
  assert_int_equal(hs_run_write_times(run, &some), HS_OK);
  assert_int_equal(hs_run_finish(run, "converged", 1), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_int_equal(hs_run_read_summary(path, &summary), HS_OK);
  assert_true(isnan(times->load_seconds) && times->checkpoints == -1);
  assert_true(times->run_file_seconds > spent);
  hs_run_summary_clear(&summary);
}

static void test_sizes(void **state)
{
  (void)state;
  hs_run_t *run = begin();
  append(run, 1, 20);
  assert_int_equal(hs_run_flush(run), HS_OK);
  assert_true(bytes_of(path) < 32000);
  append(run, 21, 100000);
  assert_int_equal(hs_run_flush(run), HS_OK);
  int64_t numbers = 100000 * (int64_t)sizeof(hs_history_row_t);
  assert_true(bytes_of(path) < numbers + numbers / 8);
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_rows(100000);

  /* A new run takes its place at once. */
  run = begin();
  assert_rows(0);
  assert_true(bytes_of(path) < 16000);
  assert_int_equal(hs_run_close(&run), HS_OK);
}

/* Rows that come slowly are on the disk when hs_run_append returns. A flush that was slow itself, on a busy machine,
 * may put the next one off: then the series is begun again. */
static void test_slow_rows_are_there_at_once(void **state)
{
  (void)state;
  int64_t seen = 0;
  for (int attempt = 0; attempt < 10 && seen < 4; attempt++) {
    hs_run_t *run = begin();
    seen = 0;
    for (int64_t k = 1; k <= 4; k++) {
      rest(0.25);
      append(run, k, k);
      int64_t rows;
      hs_history_row_t *history;
      assert_int_equal(hs_run_read_history(path, &rows, &history), HS_OK);
      hs_free(history);
      seen += rows == k;
    }
    assert_int_equal(hs_run_close(&run), HS_OK);
  }
  assert_int_equal(seen, 4);
}

/* ---- writers that are killed, with readers beside them ---- */

typedef struct shared {
  volatile int64_t created, flushed; /* rows on the disk, as the writer was told */
  volatile double begin, last;       /* when the writer began, and when the last row was handed over */
  volatile double longest;           /* time between two rows */
  volatile int64_t reads;
  volatile int stop;
} shared_t;

/* often: flush after every few rows, else leave it to hs_run_append. */
static void write_rows(shared_t *shared, bool often)
{
  hs_run_t *run = NULL;
  MUST(hs_run_create(&run, path, CONFIG, &provenance) == HS_OK);
  shared->created = 1;
  double before = shared->begin = now();
  for (int64_t k = 1;; k++) {
    hs_history_row_t row = history_row(k);
    row.seconds = now();
    MUST(hs_run_append(run, &row) == HS_OK);
    if (often && k % 3 == 0) {
      MUST(hs_run_flush(run) == HS_OK);
      shared->flushed = k;
    }
    if (often && k % 1000 == 0) MUST(hs_run_write_bound(run, "network", (double)k, "attained", "") == HS_OK);
    if (row.seconds - before > shared->longest) shared->longest = row.seconds - before;
    shared->last = before = row.seconds;
    if (!often) rest(0.001);
  }
}

/* Everything that is read is whole, and never less than before. */
static void read_rows(shared_t *shared, bool with_h5dump)
{
  int64_t before = 0;
  char command[160];
  snprintf(command, sizeof command, "h5dump -d /history/rho -a /status/stop %s >/dev/null 2>&1", path);
  while (!shared->stop) {
    if (with_h5dump) {
      MUST(system(command) == 0);
    } else {
      int64_t rows;
      hs_history_row_t *history;
      hs_run_summary_t summary;
      MUST(hs_run_read_history(path, &rows, &history) == HS_OK);
      MUST(rows >= before);
      for (int64_t k = 0; k < rows; k++) {
        hs_history_row_t row = history_row(k + 1);
        row.seconds = history[k].seconds;
        MUST(memcmp(&history[k], &row, sizeof row) == 0);
      }
      hs_free(history);
      before = rows;
      MUST(hs_run_read_summary(path, &summary) == HS_OK);
      MUST(strcmp(summary.stop, "running") == 0 && summary.iterations >= before);
      hs_run_summary_clear(&summary);
    }
    shared->reads += 1;
  }
  _exit(0);
}

static void check_killed_writer(shared_t *shared, bool often, double seconds, bool with_h5dump)
{
  *shared = (shared_t){0};
  pid_t writer = fork();
  if (writer == 0) write_rows(shared, often);
  while (!shared->created) sched_yield(); /* the file of the attempt before stands there until then */
  pid_t reader = fork();
  if (reader == 0) read_rows(shared, with_h5dump);
  while (shared->reads == 0 && waitpid(reader, NULL, WNOHANG) == 0) sched_yield();
  rest(seconds);
  kill(writer, SIGKILL);
  assert_int_equal(exit_code(writer), -1);
  int64_t reads = shared->reads;
  while (shared->reads < reads + 2 && kill(reader, 0) == 0 && waitpid(reader, NULL, WNOHANG) == 0)
    sched_yield();
  shared->stop = 1;
  assert_int_equal(exit_code(reader), 0);

  int64_t rows;
  hs_history_row_t *history;
  hs_error_clear();
  assert_int_equal(hs_run_read_history(path, &rows, &history), HS_OK);
  assert_true(rows >= shared->flushed);
  double last = rows > 0 ? history[rows - 1].seconds : shared->begin;
  hs_free(history);
  /* At most a second of rows; where the machine was busy, a flush may have taken longer than that. */
  if (!often) assert_true(shared->last - last <= 1 + 4 * shared->longest);
}

/* Killed at any moment, and read at any moment: the file is whole and holds every row that was flushed. */
static void test_killed_writer(void **state)
{
  (void)state;
  shared_t *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(shared != MAP_FAILED);
  for (int attempt = 0; attempt < 40; attempt++)
    check_killed_writer(shared, true, 0.0007 + 0.0031 * (attempt * 17 % 40), attempt % 4 == 3);
  for (int attempt = 0; attempt < 4; attempt++)
    check_killed_writer(shared, false, 0.3 + 0.29 * attempt, false);
  munmap(shared, sizeof *shared);

  /* What the killed ones have left beside the file goes with the next one. */
  hs_run_t *run = begin();
  assert_int_equal(hs_run_close(&run), HS_OK);
  assert_int_equal(count_files(), 1);
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
      cmocka_unit_test(test_history_comes_back),
      cmocka_unit_test(test_summary_comes_back),
      cmocka_unit_test(test_model_comes_back),
      cmocka_unit_test(test_zero_solution_comes_back),
      cmocka_unit_test(test_many_classes),
      cmocka_unit_test(test_polish_comes_back),
      cmocka_unit_test(test_times_come_back),
      cmocka_unit_test(test_last_row_is_replaced),
      cmocka_unit_test(test_reopened),
      cmocka_unit_test(test_what_cannot_be_opened),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_readable_while_written),
      cmocka_unit_test(test_slow_rows_are_there_at_once),
      cmocka_unit_test(test_killed_writer),
      cmocka_unit_test(test_earlier_file_survives_a_failure),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_really_full_disk),
      cmocka_unit_test(test_vanished_folder),
      cmocka_unit_test(test_symbolic_link),
      cmocka_unit_test(test_no_ordinary_file),
      cmocka_unit_test(test_permissions_stay),
      cmocka_unit_test(test_foreign_files_are_refused),
  };
  return cmocka_run_group_tests_name("run file", tests, make_folder, remove_folder);
}
