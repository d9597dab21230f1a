/* format.h: what kind of file an input is, by its contents. Not collective. */
#ifndef HS_IMPORT_FORMAT_H
#define HS_IMPORT_FORMAT_H

#include "base/status.h"
#include "io/importers/options.h"

/* CSV, LIBSVM, IDX or NPY. HS_BAD_DATA for an empty file, and for bytes that are none of these: the message
 * names known foreign formats (HDF5, zip, xz, ...). `dimensions` receives those of an IDX file, else 0. */
hs_status_t hs_format_detect(hs_format_t *format, int *dimensions, const char *path);

#endif
