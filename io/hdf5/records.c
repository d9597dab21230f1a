#include "io/hdf5/records.h"

#include "base/memory.h"

static hid_t type_of(const hs_record_field_t *field)
{
  return field->integer ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
}

/* Selects one field of an array of records in memory; the caller closes it. */
static hid_t column_of(int64_t count, int fields, int k)
{
  hsize_t extent[2] = {(hsize_t)count, (hsize_t)fields};
  hsize_t start[2] = {0, (hsize_t)k}, some[2] = {(hsize_t)count, 1};
  hid_t space = H5Screate_simple(2, extent, NULL);
  if (space >= 0) H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, some, NULL);
  return space;
}

static hs_status_t write_field(hid_t group, int fields, const hs_record_field_t *field, int k, int64_t count,
                               const void *records)
{
  hsize_t extent = (hsize_t)count;
  hid_t space = H5Screate_simple(1, &extent, NULL), memory = column_of(count, fields, k);
  hid_t set = H5Dcreate2(group, field->name, type_of(field), space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = set >= 0 && H5Dwrite(set, type_of(field), memory, space, H5P_DEFAULT, records) >= 0;
  if (set >= 0) H5Dclose(set);
  H5Sclose(memory);
  H5Sclose(space);
  return good ? HS_OK : HS_IO;
}

hs_status_t hs_h5_write_records(hid_t group, int fields, const hs_record_field_t *field, int64_t count,
                                const void *records)
{
  hs_status_t status = HS_OK;
  for (int k = 0; k < fields && status == HS_OK; k++)
    status = write_field(group, fields, &field[k], k, count, records);
  return status;
}

/* ---- reading ---- */

static hid_t open_set(hid_t group, const char *name)
{
  return H5Lexists(group, name, H5P_DEFAULT) > 0 ? H5Dopen2(group, name, H5P_DEFAULT) : -1;
}

static hs_status_t damaged(const char *file, const char *what, const char *name)
{
  return hs_fail(HS_BAD_DATA, file, what, "%s is missing or has another length (the file is damaged)", name);
}

/* -1: there is no such data set of one dimension. */
static int64_t length_of(hid_t group, const char *name)
{
  hid_t set = open_set(group, name);
  if (set < 0) return -1;
  hid_t space = H5Dget_space(set);
  int64_t length = H5Sget_simple_extent_ndims(space) == 1 ? H5Sget_simple_extent_npoints(space) : -1;
  H5Sclose(space);
  H5Dclose(set);
  return length;
}

static bool read_field(hid_t group, int fields, const hs_record_field_t *field, int k, int64_t count,
                       void *records)
{
  if (length_of(group, field->name) != count) return false;
  hid_t set = open_set(group, field->name), memory = column_of(count, fields, k);
  bool good = H5Dread(set, type_of(field), memory, H5S_ALL, H5P_DEFAULT, records) >= 0;
  H5Sclose(memory);
  H5Dclose(set);
  return good;
}

hs_status_t hs_h5_read_records(hid_t group, const char *file, const char *what, int fields,
                               const hs_record_field_t *field, int64_t *count, void **records)
{
  *records = NULL;
  *count = length_of(group, field[0].name);
  if (*count < 0) {
    *count = 0;
    return damaged(file, what, field[0].name);
  }
  void *all = hs_alloc((size_t)*count, 8 * (size_t)fields, what);
  hs_status_t status = all != NULL ? HS_OK : HS_NO_MEMORY;
  for (int k = 0; k < fields && status == HS_OK; k++)
    if (!read_field(group, fields, &field[k], k, *count, all)) status = damaged(file, what, field[k].name);
  if (status == HS_OK)
    *records = all;
  else
    hs_free(all);
  return status;
}
