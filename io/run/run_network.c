#include "io/run/run_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/run/run_layout.h"

static const char penalty[] = "beta sum_k |w_k| |a_k| = beta/2 (|W1|^2 + |W2|^2), weight decay, of balanced "
                              "layers; |a_k| over all outputs";

/* A field of a record: where it is in the structure, and whether it is an integer. */
typedef struct field {
  const char *name;
  size_t offset;
  enum { REAL, INTEGER, KIND } type;
} field_t;

#define START(name, type) #name, offsetof(hs_start_record_t, name), type
static const field_t start_fields[] = {{START(kind, KIND)},          {START(number, INTEGER)},
                                       {START(start, REAL)},         {START(end, REAL)},
                                       {START(neurons, INTEGER)},    {START(left, INTEGER)},
                                       {START(iterations, INTEGER)}, {START(seconds, REAL)}};
#define ROUND(name, type) #name, offsetof(hs_round_record_t, name), type
static const field_t round_fields[] = {{ROUND(round, INTEGER)},  {ROUND(neurons, INTEGER)},
                                       {ROUND(objective, REAL)}, {ROUND(lower, REAL)},
                                       {ROUND(price, REAL)},     {ROUND(seconds, REAL)}};
#define COUNT(fields) ((int)(sizeof(fields) / sizeof *(fields)))

/* ---- writing ---- */

static double number_of(const field_t *field, const char *record)
{
  const char *at = record + field->offset;
  if (field->type == KIND) return (double)*(const hs_start_kind_t *)at;
  return field->type == INTEGER ? (double)*(const int64_t *)at : *(const double *)at;
}

static hs_status_t put_field(hid_t group, const field_t *field, int64_t rows, const void *records,
                             size_t size)
{
  double *reals = hs_alloc((size_t)rows, sizeof *reals, "record of the network");
  int64_t *integers = hs_alloc((size_t)rows, sizeof *integers, "record of the network");
  hs_status_t status = reals != NULL && integers != NULL ? HS_OK : HS_NO_MEMORY;
  for (int64_t k = 0; k < rows && status == HS_OK; k++) {
    reals[k] = number_of(field, (const char *)records + (size_t)k * size);
    integers[k] = field->type == REAL ? 0 : (int64_t)reals[k];
  }
  if (status == HS_OK)
    status = field->type == REAL ? hs_h5_write_array(group, field->name, 1, &rows, reals)
                                 : hs_h5_write_array_int(group, field->name, 1, &rows, integers);
  hs_free(reals);
  hs_free(integers);
  return status;
}

/* A group of columns inside `parent`. */
static hs_status_t put_table(hid_t parent, const char *name, int fields, const field_t *field, int64_t rows,
                             const void *records, size_t size, hid_t *group)
{
  *group = H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hs_status_t status = *group >= 0 ? HS_OK : HS_IO;
  for (int f = 0; f < fields && status == HS_OK; f++)
    status = put_field(*group, &field[f], rows, records, size);
  return status;
}

static hs_status_t put_starts(hid_t parent, const hs_network_record_t *record)
{
  char *names[HS_START_RANDOM_ADAM + 1];
  hid_t group;
  hs_status_t status = put_table(parent, "starts", COUNT(start_fields), start_fields, record->starts,
                                 record->start, sizeof *record->start, &group);
  for (int k = 0; k <= HS_START_RANDOM_ADAM; k++)
    names[k] = (char *)(uintptr_t)hs_start_name((hs_start_kind_t)k);
  if (status == HS_OK) status = hs_h5_write_texts(group, "names", HS_START_RANDOM_ADAM + 1, names);
  if (group >= 0) H5Gclose(group);
  return status;
}

static hs_status_t put_rounds(hid_t parent, const hs_network_record_t *record)
{
  hid_t group;
  hs_status_t status = put_table(parent, "rounds", COUNT(round_fields), round_fields, record->rounds,
                                 record->round, sizeof *record->round, &group);
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
  if (status == HS_OK) status = put_starts(group, record);
  if (status == HS_OK) status = put_rounds(group, record);
  H5Gclose(group);
  return status;
}

/* ---- reading ---- */

static hs_status_t damaged(const char *file, const char *what)
{
  return hs_fail(HS_BAD_DATA, file, "network", "%s is missing or has another length (the file is damaged)",
                 what);
}

static void set_number(const field_t *field, char *record, double value)
{
  char *at = record + field->offset;
  if (field->type == KIND)
    *(hs_start_kind_t *)at =
        value >= 0 && value <= HS_START_RANDOM_ADAM ? (hs_start_kind_t)value : HS_START_SIGN_MAP;
  else if (field->type == INTEGER)
    *(int64_t *)at = (int64_t)value;
  else
    *(double *)at = value;
}

/* *rows < 0: not known yet. *records is allocated with the first field. */
static hs_status_t get_field(hid_t group, const char *file, const field_t *field, int *rows, size_t size,
                             void **records)
{
  int64_t shape[3] = {0};
  double *values = NULL;
  hs_status_t status = hs_h5_read_array(group, file, field->name, shape, &values);
  if (status == HS_OK && *rows < 0) {
    *rows = (int)shape[0];
    *records = hs_alloc((size_t)shape[0], size, "record of the network");
    if (*records == NULL) status = HS_NO_MEMORY;
  }
  if (status == HS_OK && (shape[0] != *rows || shape[1] != 1 || shape[2] != 1))
    status = damaged(file, field->name);
  for (int k = 0; k < *rows && status == HS_OK; k++)
    set_number(field, (char *)*records + (size_t)k * size, values[k]);
  hs_free(values);
  return status;
}

static hs_status_t get_table(hid_t parent, const char *file, const char *name, int fields,
                             const field_t *field, size_t size, int *rows, void **records)
{
  hid_t group = hs_run_has(parent, name) ? H5Gopen2(parent, name, H5P_DEFAULT) : -1;
  if (group < 0) return damaged(file, name);
  *rows = -1;
  hs_status_t status = HS_OK;
  for (int f = 0; f < fields && status == HS_OK; f++)
    status = get_field(group, file, &field[f], rows, size, records);
  if (status != HS_OK) *rows = 0;
  H5Gclose(group);
  return status;
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
  if (status == HS_OK)
    status = get_table(group, name, "starts", COUNT(start_fields), start_fields, sizeof *record->start,
                       &record->starts, &starts);
  if (status == HS_OK)
    status = get_table(group, name, "rounds", COUNT(round_fields), round_fields, sizeof *record->round,
                       &record->rounds, &rounds);
  record->start = starts;
  record->round = rounds;
  record->chosen = (int)chosen;
  if (ended != NULL) snprintf(record->ended, sizeof record->ended, "%s", ended);
  if (status == HS_OK && (chosen < -1 || chosen >= record->starts))
    status = damaged(name, "the chosen start");
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
