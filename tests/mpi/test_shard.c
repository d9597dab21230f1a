/* Loading rows on any number of ranks, against a direct computation on all rows.
 *
 * Shift and scale have formulas (scaling.h): here they are evaluated in two passes over the whole matrix in long
 * double. Column 1 is a constant, column 2 varies by 1 about 1e9 (most digits cancel in a naive variance), column
 * 3 by rounding about 1e9 (no spread at all: scale 1), column 4 is zero. Targets follow the table in shard.h.
 */
#include <float.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "mpi/comm/agree.h"
#include "mpi/data/shard.h"
#include "tests/support/data_maker.h"
#include "tests/support/mpi_check.h"

#define ROWS 23
#define COLUMNS 5

static char path[512];
static double table[ROWS * COLUMNS];

static double noise(int stream, int index)
{
  return hs_random_normal(9, (uint32_t)stream, (uint64_t)index);
}

static void fill_table(void)
{
  for (int k = 0; k < ROWS; k++) {
    double *x = table + k * COLUMNS;
    x[0] = 3 * noise(1, k) - 2;
    x[1] = 7.5;
    x[2] = 1e9 + noise(2, k);
    x[3] = 1e9 + 1e-3 * noise(3, k);
    x[4] = 0;
  }
}

/* One name for all ranks, below TMPDIR. */
static void choose_path(void)
{
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/hs_shard_%ld.h5", folder != NULL ? folder : "/tmp", (long)getpid());
  MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static hid_t begin_file(void)
{
  return hs_rank(MPI_COMM_WORLD) == 0 ? maker_create(path) : -1;
}

static void end_file(hid_t file)
{
  if (file >= 0) H5Fclose(file);
  MPI_Barrier(MPI_COMM_WORLD);
}

static hs_shard_options_t plain(hs_loss_kind_t loss)
{
  return (hs_shard_options_t){.bias = true, .precision = HS_DOUBLE, .loss = loss, .scaling = HS_SCALING_NONE};
}

static hs_status_t load(MPI_Comm comm, hs_shard_options_t options, hs_shard_t **shard)
{
  hs_source_t source;
  *shard = NULL;
  hs_error_clear();
  hs_status_t status = hs_source_open(&source, comm, path, "features", "targets");
  if (status != HS_OK) return status;
  hs_partition_t partition = hs_partition_make(source.info.rows, 4, hs_rank(comm), hs_ranks(comm));
  status = hs_shard_load(shard, &source, &partition, &options);
  hs_source_close(&source);
  return status;
}

/* ---- scaling ---- */

static void expected(hs_scaling_t scaling, long double *shift, long double *scale)
{
  long double all = 0;
  for (int j = 0; j < COLUMNS; j++) {
    long double mean = 0, square = 0, deviation = 0;
    for (int k = 0; k < ROWS; k++) mean += (long double)table[k * COLUMNS + j] / ROWS;
    for (int k = 0; k < ROWS; k++) {
      long double x = table[k * COLUMNS + j];
      deviation += (x - mean) * (x - mean);
      square += x * x;
    }
    all += deviation / ROWS / COLUMNS;
    bool centred = scaling != HS_SCALING_NONE && scaling != HS_SCALING_UNIT_NORM;
    shift[j] = centred ? mean : 0;
    scale[j] = 1;
    if (scaling == HS_SCALING_ZSCORE && (j == 0 || j == 2)) scale[j] = sqrtl(deviation / ROWS);
    if (scaling == HS_SCALING_UNIT_NORM && j < 4) scale[j] = sqrtl(square);
  }
  for (int j = 0; j < COLUMNS && scaling == HS_SCALING_COMMON; j++) scale[j] = sqrtl(all);
}

static void write_regression(void)
{
  double targets[2 * ROWS];
  for (int e = 0; e < 2 * ROWS; e++) targets[e] = noise(4, e);
  hid_t file = begin_file();
  if (file >= 0) {
    maker_doubles(file, "features", ROWS, COLUMNS, table);
    maker_doubles(file, "targets", ROWS, 2, targets);
  }
  end_file(file);
}

/* The mean of a column near 1e9 carries rounding of 1e-7, one part in 1e7 of its spread. */
static bool scaled_right(const hs_shard_t *shard, hs_scaling_t scaling)
{
  long double shift[COLUMNS], scale[COLUMNS];
  bool good = true;
  expected(scaling, shift, scale);
  for (int j = 0; j < COLUMNS; j++) {
    bool rounded = scaling == HS_SCALING_COMMON || (scaling == HS_SCALING_ZSCORE && j == 2);
    double slack = rounded ? 1e-6 : 1e-13;
    good = good && fabsl(shard->shift[j] - shift[j]) <= 1e-15L * fabsl(shift[j]);
    good = good && fabsl(shard->scale[j] / scale[j] - 1) <= slack;
  }
  const double *X = shard->X;
  for (int64_t k = 0; k < shard->rows; k++, X += shard->d) {
    for (int j = 0; j < COLUMNS; j++) {
      double raw = table[(shard->row0 + k) * COLUMNS + j];
      good = good && X[j] == (raw - shard->shift[j]) / shard->scale[j] && isfinite(X[j]);
    }
    good = good && X[COLUMNS] == 1;
  }
  return good && shard->d == COLUMNS + 1 && shard->bias;
}

static void test_scaling(void)
{
  static const char *const names[] = {"auto", "none", "center", "zscore", "unit-norm", "common"};
  write_regression();
  for (int scaling = HS_SCALING_NONE; scaling <= HS_SCALING_COMMON; scaling++) {
    hs_shard_options_t options = plain(HS_SQUARED);
    hs_shard_t *shard;
    options.scaling = (hs_scaling_t)scaling;
    bool good = load(MPI_COMM_WORLD, options, &shard) == HS_OK;
    char name[80];
    snprintf(name, sizeof name, "scaling %s: shift, scale and rows", names[scaling]);
    hs_check(MPI_COMM_WORLD, good && scaled_right(shard, (hs_scaling_t)scaling), name);
    hs_shard_free(&shard);
  }
}

/* A nearly constant column has nothing to tell and must not be blown up to size 1. */
static void test_nearly_constant(void)
{
  hs_shard_options_t options = plain(HS_SQUARED);
  hs_shard_t *shard;
  options.scaling = HS_SCALING_ZSCORE;
  bool good = load(MPI_COMM_WORLD, options, &shard) == HS_OK;
  for (int64_t k = 0; good && k < shard->rows; k++) {
    const double *x = (const double *)shard->X + k * shard->d;
    good = fabs(x[0]) < 5 && x[1] == 0 && fabs(x[2]) < 5 && fabs(x[3]) < 0.01 && x[4] == 0;
  }
  hs_check(MPI_COMM_WORLD, good, "constant and nearly constant columns become zero or next to it");
  hs_shard_free(&shard);
}

/* Every rank loads the whole file by itself, too: the same rows must come out. Without statistics these are the
 * same bits; with them the order of the sums may move the last ones. */
static bool same_as_serial(hs_shard_options_t options, double slack)
{
  hs_shard_t *shared = NULL, *serial = NULL;
  bool good = load(MPI_COMM_WORLD, options, &shared) == HS_OK;
  good = load(MPI_COMM_SELF, options, &serial) == HS_OK && good;
  for (int64_t e = 0; good && e < shared->rows * shared->d; e++) {
    int64_t at = shared->row0 * shared->d + e;
    double mine = options.precision == HS_SINGLE ? (double)((float *)shared->X)[e] : ((double *)shared->X)[e];
    double truth =
        options.precision == HS_SINGLE ? (double)((float *)serial->X)[at] : ((double *)serial->X)[at];
    good = fabs(mine - truth) <= slack;
  }
  good = good && serial->rows == ROWS && serial->outputs == 2 &&
         memcmp(shared->Y, serial->Y + 2 * shared->row0, (size_t)(2 * shared->rows) * sizeof(double)) == 0;
  hs_shard_free(&shared);
  hs_shard_free(&serial);
  return good;
}

static void test_same_rows(void)
{
  hs_shard_options_t options = plain(HS_SQUARED);
  hs_check(MPI_COMM_WORLD, same_as_serial(options, 0), "rows as on one rank, the same bits");
  options.precision = HS_SINGLE;
  hs_check(MPI_COMM_WORLD, same_as_serial(options, 0), "rows as on one rank, single precision");
  options.scaling = HS_SCALING_ZSCORE;
  options.precision = HS_DOUBLE;
  hs_check(MPI_COMM_WORLD, same_as_serial(options, 1e-6), "rows as on one rank, statistics from all ranks");
  const double shift[COLUMNS] = {1, 2, 1e9, 1e9, -4}, scale[COLUMNS] = {3, 0.1, 7, 1, 11};
  options.shift = shift;
  options.scale = scale;
  hs_check(MPI_COMM_WORLD, same_as_serial(options, 0), "rows as on one rank, scaling of a trained model");
}

/* ---- classes ---- */

/* Label of row k: sorted, so that no rank sees all of them. */
static long long label_of(int k, int n, int classes)
{
  static const long long values[] = {-3, 7, 40};
  return values[k * classes / n];
}

static void write_labels(int n, int classes)
{
  long long labels[ROWS];
  for (int k = 0; k < n; k++) labels[k] = label_of(k, n, classes);
  hid_t file = begin_file();
  if (file >= 0) {
    maker_doubles(file, "features", n, COLUMNS, table);
    maker_labels(file, "targets", n, labels);
  }
  end_file(file);
}

static bool classes_right(hs_loss_kind_t loss, int n, int classes, int outputs, double off)
{
  static const char *const names[] = {"-3", "7", "40"};
  hs_shard_t *shard;
  bool good = load(MPI_COMM_WORLD, plain(loss), &shard) == HS_OK && shard->classes.count == classes &&
              shard->outputs == outputs;
  for (int c = 0; good && c < classes; c++)
    good = shard->classes.values[c] == label_of((c * n + classes - 1) / classes, n, classes) &&
           strcmp(shard->classes.names[c], names[c]) == 0;
  for (int64_t k = 0; good && k < shard->rows; k++) {
    int index = (int)(shard->row0 + k) * classes / n;
    good = shard->labels[k] == index;
    for (int c = 0; c < outputs; c++)
      good = good && shard->Y[k * outputs + c] == (outputs == 1 ? 2 * index - 1 : c == index ? 1 : off);
  }
  hs_shard_free(&shard);
  return good;
}

static void test_classes(void)
{
  write_labels(ROWS, 3);
  hs_check(MPI_COMM_WORLD, classes_right(HS_SQUARED, ROWS, 3, 3, 0), "3 classes, squared: one-hot");
  hs_check(MPI_COMM_WORLD, classes_right(HS_SOFTMAX, ROWS, 3, 3, 0), "3 classes, softmax: one-hot");
  hs_check(MPI_COMM_WORLD, classes_right(HS_LOGISTIC, ROWS, 3, 3, -1), "3 classes, logistic: +1 and -1");
  hs_check(MPI_COMM_WORLD, classes_right(HS_SQUARED_HINGE, ROWS, 3, 3, -1), "3 classes, hinge: +1 and -1");
  write_labels(ROWS, 2);
  hs_check(MPI_COMM_WORLD, classes_right(HS_LOGISTIC, ROWS, 2, 1, -1), "2 classes, logistic: one output");
  hs_check(MPI_COMM_WORLD, classes_right(HS_SOFTMAX, ROWS, 2, 2, 0), "2 classes, softmax: two outputs");
}

/* Classes of a file are those that it names, also where a rank, or the file, has no row of one. */
static void test_named(void)
{
  static const char *const names[] = {"ash", "birch", "cedar", "dogwood"};
  long long labels[ROWS];
  for (int wrong = 0; wrong < 2; wrong++) {
    for (int k = 0; k < ROWS; k++) labels[k] = k < 20 ? 2 : 0;
    if (wrong) labels[ROWS - 1] = 4;
    hid_t file = begin_file();
    if (file >= 0) {
      maker_doubles(file, "features", ROWS, COLUMNS, table);
      maker_labels(file, "targets", ROWS, labels);
      maker_texts(file, "classes", 4, names);
    }
    end_file(file);
    hs_shard_t *shard;
    hs_status_t status = load(MPI_COMM_WORLD, plain(HS_SOFTMAX), &shard);
    bool good = wrong == 0 && status == HS_OK && shard->classes.count == 4 && shard->outputs == 4;
    for (int64_t k = 0; good && k < shard->rows; k++)
      good = shard->labels[k] == (shard->row0 + k < 20 ? 2 : 0);
    good = good && strcmp(shard->classes.names[3], "dogwood") == 0;
    if (wrong == 0) hs_check(MPI_COMM_WORLD, good, "named classes, some without rows");
    if (wrong == 1)
      hs_check(MPI_COMM_WORLD,
               status == HS_BAD_DATA && shard == NULL && strstr(hs_error_message(), "row 22") != NULL &&
                   strstr(hs_error_message(), path) != NULL,
               "a label outside the named classes: refused on every rank, with its row");
    hs_shard_free(&shard);
  }
}

/* ---- what is refused ---- */

static void check_refused(hs_loss_kind_t loss, const char *text, const char *name)
{
  hs_shard_t *shard;
  hs_status_t status = load(MPI_COMM_WORLD, plain(loss), &shard);
  const char *message = hs_error_message();
  bool told = strstr(message, path) != NULL && strstr(message, text) != NULL;
  hs_check(MPI_COMM_WORLD, status == HS_BAD_DATA && shard == NULL && told, name);
}

static void test_refused(void)
{
  double features[ROWS * COLUMNS], targets[ROWS];
  for (int fault = 0; fault < 4; fault++) {
    memcpy(features, table, sizeof features);
    for (int k = 0; k < ROWS; k++) targets[k] = noise(5, k);
    if (fault == 0) features[(ROWS - 1) * COLUMNS + 2] = NAN;
    if (fault == 1) targets[0] = INFINITY;
    hid_t file = begin_file();
    if (file >= 0) {
      maker_doubles(file, "features", ROWS, COLUMNS, features);
      maker_doubles(file, "targets", fault == 2 ? ROWS - 1 : ROWS, 0, targets);
    }
    end_file(file);
    if (fault == 0) check_refused(HS_SQUARED, "row 22, column 2", "NaN on the last rank");
    if (fault == 1) check_refused(HS_SQUARED, "row 0", "an infinite target on the first rank");
    if (fault == 2) check_refused(HS_SQUARED, "22 rows", "fewer targets than rows");
    if (fault == 3) check_refused(HS_LOGISTIC, "logistic", "float targets with a loss for classes");
  }
  write_labels(ROWS, 1);
  check_refused(HS_SQUARED, "-3", "one class");
}

static void test_few_rows(void)
{
  write_labels(2, 2);
  hs_check(MPI_COMM_WORLD, classes_right(HS_LOGISTIC, 2, 2, 1, -1), "2 rows, perhaps fewer than ranks");
  hs_shard_options_t options = plain(HS_SQUARED);
  options.scaling = HS_SCALING_ZSCORE;
  hs_shard_t *shard;
  bool good = load(MPI_COMM_WORLD, options, &shard) == HS_OK;
  double half = fabs(table[0] - table[COLUMNS]) / 2, mean = (table[0] + table[COLUMNS]) / 2;
  good = good && fabs(shard->shift[0] - mean) <= 1e-14 && fabs(shard->scale[0] / half - 1) <= 1e-13;
  hs_check(MPI_COMM_WORLD, good, "2 rows: mean and half their distance");
  hs_shard_free(&shard);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  fill_table();
  choose_path();
  test_scaling();
  test_nearly_constant();
  test_same_rows();
  test_classes();
  test_named();
  test_refused();
  test_few_rows();
  if (hs_rank(MPI_COMM_WORLD) == 0) remove(path);
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
