#include "io/run/run_history.h"

#include <stdbool.h>

#include "base/memory.h"
#include "base/size.h"

/* Entries of a data set that are stored together, and half the number of such chunks in a node of their index: with
 * these, a file of few rows has 20 kB, where the library's own choice of nodes alone makes it twice that; 100000 rows
 * take 10 % more than their numbers, and adding to them costs a tenth of writing the file. */
#define CHUNK 64
#define INDEX_HALF_NODE 8

static const struct {
  const char *name;
  bool integer;
} fields[HS_HISTORY_FIELDS] = {
    {"iteration", true},
    {"primal", false},
    {"dual", false},
    {"gap", false},
    {"relative_gap", false},
    {"rho", false},
    {"primal_residual", false},
    {"dual_residual", false},
    {"active_groups", true},
    {"seconds", false},
    {"compute_seconds", false},
    {"comm_seconds", false},
    {"comm_bytes", false},
};

/* HDF5 type of a field in memory and in the file. */
static hid_t type_of(int field)
{
  return fields[field].integer ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
}

/* Data space that selects one column of `rows` history rows in memory; the caller closes it. */
static hid_t column_of(int64_t rows, int field)
{
  hsize_t extent[2] = {(hsize_t)rows, HS_HISTORY_FIELDS};
  hsize_t start[2] = {0, (hsize_t)field}, count[2] = {(hsize_t)rows, 1};
  hid_t space = H5Screate_simple(2, extent, NULL);
  if (space >= 0 && rows > 0) H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  return space;
}

/* ---- writing ---- */

hid_t hs_run_history_file_properties(void)
{
  hid_t properties = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_istore_k(properties, INDEX_HALF_NODE);
  return properties;
}

static void none_open(hs_run_history_t *history)
{
  for (int f = 0; f < HS_HISTORY_FIELDS; f++) history->set[f] = -1;
}

hs_status_t hs_run_history_create(hs_run_history_t *history, hid_t file)
{
  none_open(history);
  hid_t group = H5Gcreate2(file, "history", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hsize_t none = 0, endless = H5S_UNLIMITED, chunk = CHUNK;
  hid_t space = H5Screate_simple(1, &none, &endless), layout = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(layout, 1, &chunk);
  hs_status_t status = HS_OK;
  for (int f = 0; f < HS_HISTORY_FIELDS; f++) {
    history->set[f] = H5Dcreate2(group, fields[f].name, type_of(f), space, H5P_DEFAULT, layout, H5P_DEFAULT);
    if (history->set[f] < 0) status = HS_IO;
  }
  H5Pclose(layout);
  H5Sclose(space);
  H5Gclose(group);
  return status;
}

hs_status_t hs_run_history_open(hs_run_history_t *history, hid_t file)
{
  none_open(history);
  hid_t group = H5Gopen2(file, "history", H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hs_status_t status = HS_OK;
  for (int f = 0; f < HS_HISTORY_FIELDS; f++) {
    history->set[f] = H5Dopen2(group, fields[f].name, H5P_DEFAULT);
    if (history->set[f] < 0) status = HS_IO;
  }
  H5Gclose(group);
  return status;
}

void hs_run_history_close(hs_run_history_t *history)
{
  for (int f = 0; f < HS_HISTORY_FIELDS; f++)
    if (history->set[f] >= 0) H5Dclose(history->set[f]);
  none_open(history);
}

static bool put_column(hid_t set, int field, int64_t start, int64_t count, const hs_history_row_t *rows)
{
  hsize_t total = (hsize_t)(start + count), first = (hsize_t)start, some = (hsize_t)count;
  if (H5Dset_extent(set, &total) < 0) return false;
  if (count == 0) return true;
  hid_t space = H5Dget_space(set), memory = column_of(count, field);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &some, NULL) >= 0 &&
              H5Dwrite(set, type_of(field), memory, space, H5P_DEFAULT, rows) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return good;
}

hs_status_t hs_run_history_put(const hs_run_history_t *history, int64_t start, int64_t count,
                               const hs_history_row_t *rows)
{
  for (int f = 0; f < HS_HISTORY_FIELDS; f++)
    if (!put_column(history->set[f], f, start, count, rows)) return HS_IO;
  return HS_OK;
}

/* ---- reading ---- */

static int64_t length_of(hid_t set)
{
  hid_t space = H5Dget_space(set);
  int64_t length = H5Sget_simple_extent_ndims(space) == 1 ? H5Sget_simple_extent_npoints(space) : 0;
  H5Sclose(space);
  return length;
}

/* One field of the first `rows` rows. */
static bool get_column(hid_t set, int field, int64_t rows, hs_history_row_t *history)
{
  hsize_t start = 0, count = (hsize_t)rows;
  hid_t memory = column_of(rows, field), space = H5Dget_space(set);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
              H5Dread(set, type_of(field), memory, space, H5P_DEFAULT, history) >= 0;
  H5Sclose(space);
  H5Sclose(memory);
  return good;
}

/* Data sets of different lengths, or zeros at the end, are found in files of other writers that grow in place: whole
 * rows count. Iterations count from 1. */
static hs_status_t get_rows(const hs_run_history_t *from, const char *path, int64_t *rows,
                            hs_history_row_t **history)
{
  int64_t shortest = INT64_MAX;
  for (int f = 0; f < HS_HISTORY_FIELDS; f++) {
    if (from->set[f] < 0)
      return hs_fail(HS_BAD_DATA, path, fields[f].name, "this part of the history is missing");
    shortest = hs_min64(shortest, length_of(from->set[f]));
  }
  *history = hs_alloc((size_t)shortest, sizeof **history, "history");
  if (*history == NULL) return HS_NO_MEMORY;
  for (int f = 0; f < HS_HISTORY_FIELDS && shortest > 0; f++)
    if (!get_column(from->set[f], f, shortest, *history))
      return hs_fail(HS_BAD_DATA, path, fields[f].name, "cannot be read (the file is damaged)");
  while (shortest > 0 && (*history)[shortest - 1].iteration == 0) shortest--;
  *rows = shortest;
  return HS_OK;
}

hs_status_t hs_run_history_get(hid_t file, const char *path, int64_t *rows, hs_history_row_t **history)
{
  *rows = 0;
  *history = NULL;
  hid_t group = H5Gopen2(file, "history", H5P_DEFAULT);
  if (group < 0) return hs_fail(HS_BAD_DATA, path, "history", "is not a group (the file is damaged)");
  H5Gclose(group);
  hs_run_history_t from;
  hs_run_history_open(&from, file);
  hs_status_t status = get_rows(&from, path, rows, history);
  hs_run_history_close(&from);
  if (status != HS_OK) {
    hs_free(*history);
    *history = NULL;
  }
  return status;
}
