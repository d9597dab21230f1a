/* run_layout.h: names in the run file that its writer and its reader share. Not for others. */
#ifndef HS_IO_RUN_RUN_LAYOUT_H
#define HS_IO_RUN_RUN_LAYOUT_H

#include <assert.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/history.h"

/* A history row is HS_HISTORY_FIELDS numbers of 8 bytes, in this order: an array of rows is a matrix with one
 * column per data set, and HDF5 picks the columns out. */
#define HS_HISTORY_FIELDS 13
static_assert(sizeof(hs_history_row_t) == 8 * HS_HISTORY_FIELDS, "a field of 8 bytes for each data set");

typedef struct hs_history_field {
  const char *name;
  bool integer;
} hs_history_field_t;

extern const hs_history_field_t hs_history_fields[HS_HISTORY_FIELDS];

/* HDF5 type of a field in memory and in the file. */
static inline hid_t hs_history_type(int field)
{
  return hs_history_fields[field].integer ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
}

/* Data space that selects one column of `rows` history rows in memory; the caller closes it. */
hid_t hs_history_column(int64_t rows, int field);

#endif
