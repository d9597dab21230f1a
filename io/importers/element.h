/* element.h: numbers of a file's type as doubles. Not collective. */
#ifndef HS_IMPORT_ELEMENT_H
#define HS_IMPORT_ELEMENT_H

#include "io/importers/array.h"

size_t hs_element_bytes(hs_element_t element);

/* "uint8", "float32", ... */
const char *hs_element_name(hs_element_t element);

/* values[k] = the k-th of `count` elements at `from` (any alignment), which lie `stride` elements apart. */
void hs_element_convert(hs_element_t element, bool big_endian, const unsigned char *from, int64_t stride,
                        int64_t count, double *values);

#endif
