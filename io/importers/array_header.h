/* array_header.h: the headers of IDX and NPY files. Not collective. */
#ifndef HS_IMPORT_ARRAY_HEADER_H
#define HS_IMPORT_ARRAY_HEADER_H

#include "io/importers/array.h"

/* Read the header; the bytes then stand at the first element. HS_BAD_DATA: a wrong magic number, a type or
 * shape that cannot be read, a header cut short, zero rows. */
hs_status_t hs_array_read_idx(hs_array_form_t *form, hs_bytes_t *bytes);
hs_status_t hs_array_read_npy(hs_array_form_t *form, hs_bytes_t *bytes);

#endif
