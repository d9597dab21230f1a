/* array.h: IDX and NPY files: numbers of one type in an array of any shape, read row by row.
 *
 * The first dimension counts rows; the others together are the features of a row. Elements of any type and
 * byte order become doubles. Not collective.
 */
#ifndef HS_IMPORT_ARRAY_H
#define HS_IMPORT_ARRAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "io/importers/bytes.h"
#include "io/importers/options.h"

#define HS_ARRAY_DIMENSIONS 8

typedef enum hs_element {
  HS_ELEMENT_U8,
  HS_ELEMENT_I8,
  HS_ELEMENT_U16,
  HS_ELEMENT_I16,
  HS_ELEMENT_U32,
  HS_ELEMENT_I32,
  HS_ELEMENT_U64,
  HS_ELEMENT_I64,
  HS_ELEMENT_F32,
  HS_ELEMENT_F64
} hs_element_t;

typedef struct hs_array_form {
  hs_element_t element;
  bool big_endian, fortran; /* fortran: the first index runs fastest */
  int dimensions;
  int64_t size[HS_ARRAY_DIMENSIONS];
  int64_t offset; /* of the first element, in bytes */
} hs_array_form_t;

typedef struct hs_array hs_array_t;

/* Read the header, and make sure that the file is as long as the header says (compressed files are
 * decompressed once for that). `path` is borrowed until hs_array_close.
 *   scratch  a path whose folder takes a temporary file, needed when a compressed NPY is in Fortran order */
hs_status_t hs_array_open(hs_array_t **out, const char *path, hs_format_t format, const char *scratch);

const hs_array_form_t *hs_array_form(const hs_array_t *array);

/* Rows, and elements of a row. */
int64_t hs_array_rows(const hs_array_t *array);
int64_t hs_array_width(const hs_array_t *array);

/* "uint8 60000 x 28 x 28, gzip" */
void hs_array_describe(const hs_array_t *array, char *text, size_t size);

/* The next row, hs_array_width doubles; call it at most hs_array_rows times after opening or rewinding. */
hs_status_t hs_array_next(hs_array_t *array, double *row);

hs_status_t hs_array_rewind(hs_array_t *array);

/* Accepts NULL; *array becomes NULL. */
void hs_array_close(hs_array_t **array);

#endif
