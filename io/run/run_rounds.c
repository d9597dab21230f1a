#include "io/run/run_rounds.h"

#include <assert.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/hdf5/records.h"
#include "io/run/run_layout.h"

#define GROUP "gate_rounds"

static_assert(sizeof(hs_gate_round_t) == 8 * HS_GATE_ROUND_FIELDS, "a field of 8 bytes for each data set");

static const hs_record_field_t fields[HS_GATE_ROUND_FIELDS] = {
    {"round", true},       {"gates", true},      {"active", true}, {"added", true},    {"iteration", true},
    {"best_price", false}, {"objective", false}, {"dual", false},  {"seconds", false},
};

hs_status_t hs_run_put_rounds(hid_t file, const hs_run_rounds_t *rounds)
{
  if (hs_run_has(file, GROUP) && H5Ldelete(file, GROUP, H5P_DEFAULT) < 0) return HS_IO;
  hid_t group = H5Gcreate2(file, GROUP, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hs_status_t status = hs_h5_write_text(group, "price", rounds->price);
  if (status == HS_OK)
    status = hs_h5_write_records(group, HS_GATE_ROUND_FIELDS, fields, rounds->count, rounds->round);
  H5Gclose(group);
  return status;
}

/* ---- reading ---- */

static hs_status_t damaged(const char *file, const char *what)
{
  return hs_fail(HS_BAD_DATA, file, GROUP, "%s is missing or has another length (the file is damaged)", what);
}

static hs_status_t get_rounds(hid_t file, const char *name, hs_run_rounds_t *rounds)
{
  hid_t group = H5Gopen2(file, GROUP, H5P_DEFAULT);
  if (group < 0) return damaged(name, "the group");
  void *rows = NULL;
  hs_status_t status =
      hs_h5_read_records(group, name, GROUP, HS_GATE_ROUND_FIELDS, fields, &rounds->count, &rows);
  rounds->round = rows;
  if (status == HS_OK && !hs_h5_read_text(group, "price", &rounds->price)) status = damaged(name, "price");
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
