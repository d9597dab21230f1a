/* make_file.c: HDF5 files that halfspace import never writes, for tests of reading and of refusing.
 *
 *   make_file KIND FILE.h5 [ROWS COLUMNS]
 *
 * Unless KIND says otherwise a file holds /features [12, 3] and float targets /targets [12].
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tests/support/data_maker.h"

#define ROWS 12
#define COLUMNS 3

static double features[ROWS * COLUMNS], targets[ROWS];
static long long labels[ROWS];

/* Some numbers without pattern, between -1 and 1. */
static double number(int index)
{
  return sin(12.9898 * index + 78.233 * (index % 7));
}

static void fill(void)
{
  for (int e = 0; e < ROWS * COLUMNS; e++) features[e] = number(e);
  for (int k = 0; k < ROWS; k++) {
    targets[k] = features[k * COLUMNS] > 0 ? features[k * COLUMNS] : 0.1 * number(100 + k);
    labels[k] = k % 3;
  }
}

static void write_texts(hid_t file, const char *name)
{
  static const char *const words[ROWS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  maker_set(file, name, type, type, 4, 3, words);
  H5Tclose(type);
}

static void write_cube(hid_t file, const char *name)
{
  hsize_t extent[3] = {4, COLUMNS, 3};
  hid_t space = H5Screate_simple(3, extent, NULL);
  hid_t set = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  maker_good(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, features), name);
  H5Dclose(set);
  H5Sclose(space);
}

static void write_features(hid_t file, const char *kind)
{
  if (strcmp(kind, "nan") == 0) features[ROWS * COLUMNS - 1] = NAN;
  if (strcmp(kind, "flat") == 0)
    maker_doubles(file, "features", ROWS, 0, features);
  else if (strcmp(kind, "text") == 0)
    write_texts(file, "features");
  else if (strcmp(kind, "cube") == 0)
    write_cube(file, "features");
  else if (strcmp(kind, "zero-rows") == 0)
    maker_doubles(file, "features", 0, COLUMNS, features);
  else if (strcmp(kind, "two-rows") == 0)
    maker_doubles(file, "features", 2, COLUMNS, features);
  else
    maker_doubles(file, "features", ROWS, COLUMNS, features);
}

static void write_targets(hid_t file, const char *kind)
{
  static const char *const names[] = {"ash", "birch"};
  bool one = strcmp(kind, "one-label") == 0, outside = strcmp(kind, "outside") == 0;
  for (int k = 0; k < ROWS && one; k++) labels[k] = 5;
  if (strcmp(kind, "infinite") == 0) targets[0] = INFINITY;
  if (outside) maker_texts(file, "classes", 2, names);
  if (one || outside || strcmp(kind, "labels") == 0)
    maker_labels(file, "targets", ROWS, labels);
  else if (strcmp(kind, "fewer-targets") == 0)
    maker_doubles(file, "targets", ROWS - 1, 0, targets);
  else if (strcmp(kind, "zero-rows") == 0)
    maker_doubles(file, "targets", 0, 0, targets);
  else if (strcmp(kind, "two-rows") == 0)
    maker_doubles(file, "targets", 2, 0, targets);
  else
    maker_doubles(file, "targets", ROWS, 0, targets);
}

/* Data sets with the names, types and attributes of somebody else. */
static void write_foreign(hid_t file)
{
  maker_set(file, "x", H5T_IEEE_F32BE, H5T_NATIVE_DOUBLE, ROWS, COLUMNS, features);
  hid_t group = H5Gcreate2(file, "labels", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  maker_set(group, "y", H5T_STD_U8LE, H5T_NATIVE_LLONG, ROWS, 0, labels);
  H5Gclose(group);
}

/* Gates in all directions, the last number of each that of the bias. */
static void write_gates(hid_t file, const char *kind, int rows, int columns)
{
  double *gates = calloc((size_t)(rows * columns), sizeof *gates);
  if (gates == NULL) exit(2);
  for (int e = 0; e < rows * columns; e++) gates[e] = number(1000 + 31 * e);
  if (strcmp(kind, "gates-nan") == 0) gates[0] = NAN;
  maker_doubles(file, "gates", rows, columns, gates);
  free(gates);
}

int main(int argc, char **argv)
{
  if (argc != 3 && argc != 5) {
    fputs("usage: make_file KIND FILE.h5 [ROWS COLUMNS]\n", stderr);
    return 2;
  }
  const char *kind = argv[1];
  fill();
  hid_t file = maker_create(argv[2]);
  if (strcmp(kind, "foreign") == 0) {
    write_foreign(file);
  } else if (strcmp(kind, "gates-cube") == 0) {
    write_cube(file, "gates");
  } else if (strncmp(kind, "gates", 5) == 0) {
    write_gates(file, kind, argc > 3 ? atoi(argv[3]) : 6, argc > 4 ? atoi(argv[4]) : COLUMNS + 1);
  } else {
    write_features(file, kind);
    write_targets(file, kind);
  }
  H5Fclose(file);
  return 0;
}
