#include "io/run/run_network.h"

#include <assert.h>
#include <stdio.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/hdf5/records.h"
#include "io/run/run_layout.h"

static const char penalty[] = "beta sum_k |w_k| |a_k| = beta/2 (|W1|^2 + |W2|^2), weight decay, of balanced "
                              "layers; |a_k| over all outputs";

#define KINDS (HS_START_RANDOM_ADAM + 1)

static_assert(sizeof(hs_start_record_t) == 8 * 8, "a field of 8 bytes for each data set");
static const hs_record_field_t start_fields[8] = {{"kind", true},       {"number", true},  {"start", false},
                                                  {"end", false},       {"neurons", true}, {"left", true},
                                                  {"iterations", true}, {"seconds", false}};

static_assert(sizeof(hs_round_record_t) == 6 * 8, "a field of 8 bytes for each data set");
static const hs_record_field_t round_fields[6] = {{"round", true},  {"neurons", true}, {"objective", false},
                                                  {"lower", false}, {"price", false},  {"seconds", false}};

/* ---- writing ---- */

static hs_status_t put_table(hid_t parent, const char *name, int fields, const hs_record_field_t *field,
                             int64_t rows, const void *records)
{
  hid_t group = H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hs_status_t status = hs_h5_write_records(group, fields, field, rows, records);
  H5Gclose(group);
  return status;
}

/* What the kinds of starts are called, beside their columns. */
static hs_status_t put_names(hid_t parent)
{
  char *names[KINDS];
  for (int k = 0; k < KINDS; k++) names[k] = (char *)(uintptr_t)hs_start_name(k);
  hid_t group = H5Gopen2(parent, "starts", H5P_DEFAULT);
  hs_status_t status = group >= 0 ? hs_h5_write_texts(group, "names", KINDS, names) : HS_IO;
  if (group >= 0) H5Gclose(group);
  return status;
}

hs_status_t hs_run_put_network(hid_t file, const hs_network_record_t *record)
{
  if (hs_run_has(file, "network") && H5Ldelete(file, "network", H5P_DEFAULT) < 0) return HS_IO;
  hid_t group = H5Gcreate2(file, "network", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return HS_IO;
  hs_status_t status = hs_h5_write_text(group, "penalty", penalty);
  if (status == HS_OK) status = hs_h5_write_int(group, "chosen", record->chosen);
  if (status == HS_OK) status = hs_h5_write_text(group, "ended", record->ended);
  if (status == HS_OK) status = put_table(group, "starts", 8, start_fields, record->starts, record->start);
  if (status == HS_OK) status = put_names(group);
  if (status == HS_OK) status = put_table(group, "rounds", 6, round_fields, record->rounds, record->round);
  H5Gclose(group);
  return status;
}

/* ---- reading ---- */

static hs_status_t damaged(const char *file, const char *what)
{
  return hs_fail(HS_BAD_DATA, file, "network", "%s is missing or has another length (the file is damaged)",
                 what);
}

static hs_status_t get_table(hid_t parent, const char *file, const char *name, int fields,
                             const hs_record_field_t *field, int *rows, void **records)
{
  hid_t group = hs_run_has(parent, name) ? H5Gopen2(parent, name, H5P_DEFAULT) : -1;
  if (group < 0) return damaged(file, name);
  int64_t count;
  hs_status_t status = hs_h5_read_records(group, file, "network", fields, field, &count, records);
  *rows = status == HS_OK ? (int)count : 0;
  H5Gclose(group);
  return status;
}

static bool kinds_are_known(const hs_network_record_t *record)
{
  for (int k = 0; k < record->starts; k++)
    if (record->start[k].kind < 0 || record->start[k].kind >= KINDS) return false;
  return true;
}

static hs_status_t get_network(hid_t file, const char *name, hs_network_record_t *record)
{
  hid_t group = H5Gopen2(file, "network", H5P_DEFAULT);
  if (group < 0) return damaged(name, "the group");
  int64_t chosen = -1;
  char *ended = NULL;
  void *starts = NULL, *rounds = NULL;
  hs_status_t status = HS_OK;
  if (!hs_h5_read_int(group, "chosen", &chosen) || !hs_h5_read_text(group, "ended", &ended))
    status = damaged(name, "an attribute");
  if (status == HS_OK) status = get_table(group, name, "starts", 8, start_fields, &record->starts, &starts);
  if (status == HS_OK) status = get_table(group, name, "rounds", 6, round_fields, &record->rounds, &rounds);
  record->start = starts;
  record->round = rounds;
  record->chosen = (int)chosen;
  if (ended != NULL) snprintf(record->ended, sizeof record->ended, "%s", ended);
  if (status == HS_OK && (chosen < -1 || chosen >= record->starts))
    status = damaged(name, "the chosen start");
  if (status == HS_OK && !kinds_are_known(record)) status = damaged(name, "the kind of a start");
  hs_free(ended);
  H5Gclose(group);
  return status;
}

hs_status_t hs_run_read_network(const char *name, hs_network_record_t *record)
{
  *record = (hs_network_record_t){.chosen = -1};
  hid_t file;
  hs_status_t status = hs_run_open_to_read(name, &file);
  if (status != HS_OK) return status;
  if (hs_run_has(file, "network")) status = get_network(file, name, record);
  H5Fclose(file);
  if (status != HS_OK) hs_network_record_clear(record);
  return status;
}
