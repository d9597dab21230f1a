/* Generated data against what its header promises.
 *
 * gaussian    moments of N(0, 1), within five standard errors; for one feature and no noise the teacher, a ReLU
 *             network without biases, is y = a x for x > 0 and y = b x for x < 0, two slopes and no more; its
 *             root mean square is 1; noise adds its variance and nothing else
 * prototypes  no negative pixel, 27 % of them on within five points, neighbours alike, classes +-1 in equal parts
 * file        what is read back is what was generated, rounded once; a full disk leaves the older file alone
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/hdf5/data_file.h"
#include "io/hdf5/synthetic_file.h"
#include "synthetic/synthetic.h"

/* count rows from `first` on; the caller frees both. */
static void rows(hs_synthetic_kind_t kind, int d, double noise, uint64_t seed, int64_t first, int64_t count,
                 double **X, double **y)
{
  hs_synthetic_t *synthetic;
  assert_int_equal(hs_synthetic_create(&synthetic, kind, d, noise, seed), HS_OK);
  assert_int_equal(hs_synthetic_features(synthetic), d);
  *X = hs_alloc((size_t)(count * d), sizeof(double), "X");
  *y = hs_alloc((size_t)count, sizeof(double), "y");
  hs_synthetic_rows(synthetic, first, count, *X, *y);
  hs_synthetic_free(&synthetic);
  assert_null(synthetic);
}

static void assert_near(double value, double truth, double tolerance)
{
  assert_true(isfinite(value));
  if (fabs(value - truth) > tolerance) print_error("%g instead of %g +- %g\n", value, truth, tolerance);
  assert_true(fabs(value - truth) <= tolerance);
}

static void test_moments(void **state)
{
  (void)state;
  enum { N = 20000, D = 8 };
  double *X, *y, power[5] = {0}, columns = 0, lag = 0;
  rows(HS_GAUSSIAN, D, 0, 1, 0, N, &X, &y);
  for (int e = 0; e < N * D; e++)
    for (int p = 1; p <= 4; p++) power[p] += pow(X[e], p) / (N * D);
  for (int k = 1; k < N; k++) {
    columns += X[k * D] * X[k * D + 1] / N;
    lag += X[k * D] * X[(k - 1) * D] / N;
  }
  assert_near(power[1], 0, 5 / sqrt(N * D));
  assert_near(power[2], 1, 5 * sqrt(2.0 / (N * D)));
  assert_near(power[3], 0, 5 * sqrt(15.0 / (N * D)));
  assert_near(power[4], 3, 5 * sqrt(96.0 / (N * D)));
  assert_near(columns, 0, 5 / sqrt(N));
  assert_near(lag, 0, 5 / sqrt(N));
  hs_free(X);
  hs_free(y);
}

static void test_teacher(void **state)
{
  (void)state;
  enum { N = 1000 };
  double *X, *y, slope[2] = {NAN, NAN};
  rows(HS_GAUSSIAN, 1, 0, 3, 0, N, &X, &y);
  for (int k = 0; k < N; k++) {
    int side = X[k] > 0;
    if (isnan(slope[side])) slope[side] = y[k] / X[k];
    assert_near(y[k], slope[side] * X[k], 1e-12);
  }
  assert_true(fabs(slope[0] - slope[1]) > 0.1); /* not a linear model */
  hs_free(X);
  hs_free(y);
}

static void test_teacher_size(void **state)
{
  (void)state;
  enum { N = 20000 };
  for (uint64_t seed = 1; seed <= 3; seed++) {
    double *X, *y, square = 0, fourth = 0;
    rows(HS_GAUSSIAN, 6, 0, seed, 1000000, N, &X, &y);
    for (int k = 0; k < N; k++) square += y[k] * y[k] / N;
    for (int k = 0; k < N; k++) fourth += pow(y[k] * y[k] - square, 2) / N;
    /* the generator takes the mean square of 4096 rows, this test that of N others */
    assert_near(square, 1, 5 * sqrt(fourth * (1.0 / 4096 + 1.0 / N)));
    hs_free(X);
    hs_free(y);
  }
}

static void test_noise(void **state)
{
  (void)state;
  enum { N = 20000, D = 4 };
  const double noise = 0.5;
  double *X, *clean, *noisy_X, *noisy, mean = 0, square = 0, product = 0;
  rows(HS_GAUSSIAN, D, 0, 9, 0, N, &X, &clean);
  rows(HS_GAUSSIAN, D, noise, 9, 0, N, &noisy_X, &noisy);
  assert_memory_equal(X, noisy_X, N * D * sizeof *X);
  for (int k = 0; k < N; k++) {
    double e = (noisy[k] - clean[k]) / noise;
    mean += e / N;
    square += e * e / N;
    product += e * X[k * D] / N;
  }
  assert_near(mean, 0, 5 / sqrt(N));
  assert_near(square, 1, 5 * sqrt(2.0 / N));
  assert_near(product, 0, 5 / sqrt(N));
  hs_free(X);
  hs_free(clean);
  hs_free(noisy_X);
  hs_free(noisy);
}

static void test_prototypes(void **state)
{
  (void)state;
  enum { N = 3000, SIDE = 28, D = SIDE * SIDE };
  double *X, *y, square = 0, steps = 0;
  int64_t on = 0, positive = 0;
  rows(HS_PROTOTYPES, D, 0, 1, 0, N, &X, &y);
  for (int k = 0; k < N; k++) {
    assert_true(y[k] == 1 || y[k] == -1);
    positive += y[k] > 0;
    for (int j = 0; j < D; j++) {
      double value = X[k * D + j];
      assert_true(isfinite(value) && value >= 0);
      on += value > 0;
      square += value * value;
      if (j % SIDE > 0) steps += pow(value - X[k * D + j - 1], 2);
    }
  }
  assert_near((double)on / N / D, 0.27, 0.05);
  assert_near((double)positive / N, 0.5, 5 * 0.5 / sqrt(N));
  assert_true(steps < 0.1 * square); /* independent pixels: about twice the variance */
  hs_free(X);
  hs_free(y);
}

/* Any cut of the rows gives the same bits, with or without the other half of the answer. */
static void test_cuts(void **state)
{
  (void)state;
  enum { N = 100 };
  static const int features[] = {7, 25};
  for (int kind = HS_GAUSSIAN; kind <= HS_PROTOTYPES; kind++) {
    int d = features[kind];
    double *X, *y, x[32], value;
    hs_synthetic_t *synthetic;
    rows((hs_synthetic_kind_t)kind, d, 0.1, 4, 50, N, &X, &y);
    assert_int_equal(hs_synthetic_create(&synthetic, (hs_synthetic_kind_t)kind, d, 0.1, 4), HS_OK);
    for (int k = N - 1; k >= 0; k--) {
      hs_synthetic_rows(synthetic, 50 + k, 1, x, NULL);
      hs_synthetic_rows(synthetic, 50 + k, 1, NULL, &value);
      assert_memory_equal(x, X + k * d, (size_t)d * sizeof *x);
      assert_true(value == y[k]);
    }
    hs_synthetic_free(&synthetic);
    hs_free(X);
    hs_free(y);
  }
}

static void test_seeds(void **state)
{
  (void)state;
  double *X[3], *y[3];
  static const uint64_t seeds[] = {1, 2, UINT64_C(1) << 40};
  for (int i = 0; i < 3; i++) rows(HS_GAUSSIAN, 3, 0, seeds[i], 0, 10, &X[i], &y[i]);
  for (int e = 0; e < 30; e++) assert_true(X[0][e] != X[1][e] && X[0][e] != X[2][e] && X[1][e] != X[2][e]);
  for (int i = 0; i < 3; i++) {
    hs_free(X[i]);
    hs_free(y[i]);
  }
}

static void test_refused(void **state)
{
  (void)state;
  static const int refused[] = {-1, 0, 8193};
  for (int i = 0; i < 3; i++) {
    hs_synthetic_t *synthetic = (hs_synthetic_t *)&synthetic;
    hs_error_clear();
    assert_int_equal(hs_synthetic_create(&synthetic, HS_GAUSSIAN, refused[i], 0, 1), HS_BAD_USAGE);
    assert_null(synthetic);
    assert_true(strlen(hs_error_message()) > 0);
  }
  hs_error_clear();
}

static char folder[] = "/tmp/halfspace-synthetic-XXXXXX", path[sizeof folder + 16], part[sizeof path + 8];

static int make_folder(void **state)
{
  (void)state;
  if (mkdtemp(folder) == NULL) return 1;
  snprintf(path, sizeof path, "%s/data.h5", folder);
  snprintf(part, sizeof part, "%s.part", path);
  return 0;
}

static int remove_folder(void **state)
{
  (void)state;
  unlink(path);
  return rmdir(folder); /* fails if anything was left behind */
}

static hs_status_t write_file(hs_synthetic_kind_t kind, int d, const hs_synthetic_file_t *file)
{
  hs_synthetic_t *synthetic;
  assert_int_equal(hs_synthetic_create(&synthetic, kind, d, 0.1, 6), HS_OK);
  hs_status_t status = hs_synthetic_file_write(path, synthetic, file);
  hs_synthetic_free(&synthetic);
  return status;
}

/* More than one slab, and a last one that is short. */
static void test_file_classes(void **state)
{
  (void)state;
  enum { N = 2500, D = 784 };
  double *X, *y;
  rows(HS_PROTOTYPES, D, 0.1, 6, 0, N, &X, &y);
  hs_synthetic_file_t form = {
      .rows = N, .precision = HS_SINGLE, .classification = true, .common_unit = true, .source = "test"};
  assert_int_equal(write_file(HS_PROTOTYPES, D, &form), HS_OK);
  hs_data_file_t *file;
  hs_data_info_t info;
  assert_int_equal(hs_data_open(&file, path, "features", "targets", &info), HS_OK);
  assert_true(info.rows == N && info.features == D && info.common_unit && info.targets_are_classes);
  assert_int_equal(info.class_names_count, 2);
  assert_string_equal(info.class_names[0], "-1");
  assert_string_equal(info.class_names[1], "+1");
  double *read = hs_alloc(N * D, sizeof *read, "features");
  int64_t *labels = hs_alloc(N, sizeof *labels, "labels");
  assert_int_equal(hs_data_read_features(file, 0, N, read), HS_OK);
  assert_int_equal(hs_data_read_labels(file, 0, N, labels), HS_OK);
  for (int e = 0; e < N * D; e++) assert_true(read[e] == (double)(float)X[e]);
  for (int k = 0; k < N; k++) assert_int_equal(labels[k], y[k] > 0);
  hs_data_close(&file);
  hs_free(read);
  hs_free(labels);
  hs_free(X);
  hs_free(y);
}

static void test_file_regression(void **state)
{
  (void)state;
  enum { N = 1001, D = 3 };
  double *X, *y, read[N * D], targets[N];
  rows(HS_GAUSSIAN, D, 0.1, 6, 0, N, &X, &y);
  hs_synthetic_file_t form = {.rows = N, .precision = HS_DOUBLE, .source = "test"};
  assert_int_equal(write_file(HS_GAUSSIAN, D, &form), HS_OK);
  hs_data_file_t *file;
  hs_data_info_t info;
  assert_int_equal(hs_data_open(&file, path, "features", "targets", &info), HS_OK);
  assert_true(info.rows == N && info.features == D && !info.common_unit && !info.targets_are_classes);
  assert_int_equal(info.target_columns, 1);
  assert_int_equal(hs_data_read_features(file, 0, N, read), HS_OK);
  assert_int_equal(hs_data_read_targets(file, 0, N, targets), HS_OK);
  assert_memory_equal(read, X, sizeof read);
  assert_memory_equal(targets, y, sizeof targets);
  hs_data_close(&file);
  hs_free(X);
  hs_free(y);
}

/* In a process of its own, which leaves without HDF5's last attempts to write. */
static int fails_on_full_disk(void)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return 0;
  limit.rlim_cur = 1 << 20;
  signal(SIGXFSZ, SIG_IGN);
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 0;
  hs_synthetic_file_t form = {.rows = 200000, .precision = HS_DOUBLE, .source = "newer"};
  return write_file(HS_GAUSSIAN, 3, &form) == HS_IO && strstr(hs_error_message(), path) != NULL;
}

/* A limit on the size of files stands for a full disk. */
static void test_full_disk(void **state)
{
  (void)state;
  struct stat before, after;
  hs_synthetic_file_t form = {.rows = 10, .precision = HS_DOUBLE, .source = "older"};
  assert_int_equal(write_file(HS_GAUSSIAN, 3, &form), HS_OK);
  assert_int_equal(stat(path, &before), 0);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(fails_on_full_disk() ? 0 : 1);
  int result;
  assert_int_equal(waitpid(child, &result, 0), child);
  assert_true(WIFEXITED(result));
  assert_int_equal(WEXITSTATUS(result), 0);
  assert_int_equal(access(part, F_OK), -1);
  assert_int_equal(stat(path, &after), 0);
  assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_moments),      cmocka_unit_test(test_teacher),
      cmocka_unit_test(test_teacher_size), cmocka_unit_test(test_noise),
      cmocka_unit_test(test_prototypes),   cmocka_unit_test(test_cuts),
      cmocka_unit_test(test_seeds),        cmocka_unit_test(test_refused),
      cmocka_unit_test(test_file_classes), cmocka_unit_test(test_file_regression),
      cmocka_unit_test(test_full_disk),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
