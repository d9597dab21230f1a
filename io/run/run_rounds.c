#include "io/run/run_rounds.h"

#include <assert.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/run/run_layout.h"

#define GROUP "gate_rounds"

static_assert(sizeof(hs_gate_round_t) == 8 * HS_GATE_ROUND_FIELDS, "a field of 8 bytes for each data set");

static const struct {
  const char *name;
  bool integer;
} fields[HS_GATE_ROUND_FIELDS] = {
    {"round", true},       {"gates", true},      {"active", true}, {"added", true},    {"iteration", true},
    {"best_price", false}, {"objective", false}, {"dual", false},  {"seconds", false},
};

static hid_t type_of(int field)
{
  return fields[field].integer ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
}

/* Selects one field of an array of rounds in memory; the caller closes it. */
static hid_t column_of(int64_t count, int field)
{
  hsize_t extent[2] = {(hsize_t)count, HS_GATE_ROUND_FIELDS};
  hsize_t start[2] = {0, (hsize_t)field}, some[2] = {(hsize_t)count, 1};
  hid_t space = H5Screate_simple(2, extent, NULL);
  if (space >= 0) H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, some, NULL);
  return space;
}

static hs_status_t put_field(hid_t group, int field, const hs_run_rounds_t *rounds)
{
  hsize_t extent = (hsize_t)rounds->count;
  hid_t space = H5Screate_simple(1, &extent, NULL), memory = column_of(rounds->count, field);
  hid_t set =
      H5Dcreate2(group, fields[field].name, type_of(field), space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = set >= 0 && H5Dwrite(set, type_of(field), memory, space, H5P_DEFAULT, rounds->round) >= 0;
  if (set >= 0) H5Dclose(set);
  H5Sclose(memory);
  H5Sclose(space);
  return good ? HS_OK : HS_IO;
}

hs_status_t hs_run_put_rounds(hid_t file, const hs_run_rounds_t *rounds)
{
  if (hs_run_has(file, GROUP) && H5Ldelete(file, GROUP, H5P_DEFAULT) < 0) return HS_IO;
  hid_t group = H5Gcreate2(file, GROUP, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hs_status_t status = hs_h5_write_text(group, "price", rounds->price);
  for (int f = 0; f < HS_GATE_ROUND_FIELDS && status == HS_OK; f++) status = put_field(group, f, rounds);
  H5Gclose(group);
  return status;
}

/* ---- reading ---- */

static hs_status_t damaged(const char *file, const char *what)
{
  return hs_fail(HS_BAD_DATA, file, GROUP, "%s is missing or has another length (the file is damaged)", what);
}

static hs_status_t get_field(hid_t group, const char *file, int field, hs_run_rounds_t *rounds)
{
  hid_t set = hs_run_has(group, fields[field].name) ? H5Dopen2(group, fields[field].name, H5P_DEFAULT) : -1;
  if (set < 0) return damaged(file, fields[field].name);
  hid_t space = H5Dget_space(set), memory = column_of(rounds->count, field);
  bool good = H5Sget_simple_extent_ndims(space) == 1 &&
              H5Sget_simple_extent_npoints(space) == rounds->count &&
              H5Dread(set, type_of(field), memory, space, H5P_DEFAULT, rounds->round) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(set);
  return good ? HS_OK : damaged(file, fields[field].name);
}

static int64_t length_of(hid_t group)
{
  hid_t set = hs_run_has(group, fields[0].name) ? H5Dopen2(group, fields[0].name, H5P_DEFAULT) : -1;
  if (set < 0) return 0;
  hid_t space = H5Dget_space(set);
  int64_t length = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  H5Dclose(set);
  return length;
}

static hs_status_t get_rounds(hid_t file, const char *name, hs_run_rounds_t *rounds)
{
  hid_t group = H5Gopen2(file, GROUP, H5P_DEFAULT);
  if (group < 0) return damaged(name, "the group");
  rounds->count = length_of(group);
  rounds->round = hs_alloc((size_t)rounds->count, sizeof *rounds->round, "rounds of gates");
  hs_status_t status = rounds->round != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK && !hs_h5_read_text(group, "price", &rounds->price)) status = damaged(name, "price");
  for (int f = 0; f < HS_GATE_ROUND_FIELDS && status == HS_OK; f++)
    status = get_field(group, name, f, rounds);
  H5Gclose(group);
  return status;
}

hs_status_t hs_run_read_rounds(const char *name, hs_run_rounds_t *rounds)
{
  *rounds = (hs_run_rounds_t){0};
  hid_t file;
  hs_status_t status = hs_run_open_to_read(name, &file);
  if (status != HS_OK) return status;
  if (hs_run_has(file, GROUP)) status = get_rounds(file, name, rounds);
  H5Fclose(file);
  if (status != HS_OK) hs_run_rounds_clear(rounds);
  return status;
}

void hs_run_rounds_clear(hs_run_rounds_t *rounds)
{
  hs_free(rounds->round);
  hs_free(rounds->price);
  *rounds = (hs_run_rounds_t){0};
}
