/* records.h: an array of records as a group of columns, one 1-D data set per field. Not collective.
 *
 * A record is a structure of nothing but int64_t and double: a row of 8-byte numbers.
 */
#ifndef HS_IO_HDF5_RECORDS_H
#define HS_IO_HDF5_RECORDS_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* A field, in the order of the structure. */
typedef struct hs_record_field {
  const char *name;
  bool integer; /* int64_t; else double */
} hs_record_field_t;

/* A data set for each field in the group, which must not have them yet. HS_IO on failure. */
hs_status_t hs_h5_write_records(hid_t group, int fields, const hs_record_field_t *field, int64_t count,
                                const void *records);

/* *records is an array of *count, owned by the caller (hs_free). HS_BAD_DATA, with a message that names file and group, when
 * a field is missing or its length is not that of the first one.
 *   what  the group, for messages */
hs_status_t hs_h5_read_records(hid_t group, const char *file, const char *what, int fields,
                               const hs_record_field_t *field, int64_t *count, void **records);

#endif
