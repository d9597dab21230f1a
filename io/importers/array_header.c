#include "io/importers/array_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LONGEST_HEADER ((size_t)1 << 20)
#define LARGEST_ARRAY ((int64_t)1 << 58) /* elements; their bytes still fit in 63 bits */

static hs_status_t need(hs_bytes_t *bytes, void *to, size_t count)
{
  size_t got;
  hs_status_t status = hs_bytes_read(bytes, to, count, &got);
  if (status != HS_OK || got == count) return status;
  return hs_fail(HS_BAD_DATA, hs_bytes_path(bytes), NULL, "truncated: the file ends inside its header");
}

static hs_status_t check_shape(const hs_array_form_t *form, const char *path)
{
  int64_t total = 1;
  for (int k = 0; k < form->dimensions; k++) {
    int64_t size = form->size[k];
    if (size == 0)
      return hs_fail(HS_BAD_DATA, path, NULL, k == 0 ? "zero rows" : "dimension %d is zero", k + 1);
    if (size < 0 || size > LARGEST_ARRAY / total)
      return hs_fail(HS_BAD_DATA, path, NULL, "the shape in the header is impossibly large");
    total *= size;
  }
  return HS_OK;
}

/* 0 0 type dimensions, then one 32-bit big-endian size a dimension */
hs_status_t hs_array_read_idx(hs_array_form_t *form, hs_bytes_t *bytes)
{
  static const struct {
    unsigned char code;
    hs_element_t element;
  } types[] = {{0x08, HS_ELEMENT_U8},  {0x09, HS_ELEMENT_I8},  {0x0B, HS_ELEMENT_I16},
               {0x0C, HS_ELEMENT_I32}, {0x0D, HS_ELEMENT_F32}, {0x0E, HS_ELEMENT_F64}};
  unsigned char magic[4], size[4];
  const char *path = hs_bytes_path(bytes);
  hs_status_t status = need(bytes, magic, sizeof magic);
  if (status != HS_OK) return status;
  *form = (hs_array_form_t){.big_endian = true, .dimensions = magic[3]};
  int type = -1;
  for (int k = 0; k < 6; k++)
    if (types[k].code == magic[2]) type = k;
  if (magic[0] != 0 || magic[1] != 0 || type < 0)
    return hs_fail(HS_BAD_DATA, path, NULL,
                   "wrong magic number %02x%02x%02x%02x (IDX begins 00 00 TYPE DIMENSIONS)", magic[0],
                   magic[1], magic[2], magic[3]);
  if (form->dimensions < 1 || form->dimensions > HS_ARRAY_DIMENSIONS)
    return hs_fail(HS_BAD_DATA, path, NULL, "%d dimensions (1 to %d can be read)", form->dimensions,
                   HS_ARRAY_DIMENSIONS);
  form->element = types[type].element;
  for (int k = 0; k < form->dimensions; k++) {
    if ((status = need(bytes, size, sizeof size)) != HS_OK) return status;
    form->size[k] =
        (int64_t)((uint32_t)size[0] << 24 | (uint32_t)size[1] << 16 | (uint32_t)size[2] << 8 | size[3]);
  }
  form->offset = 4 + 4 * (int64_t)form->dimensions;
  return check_shape(form, path);
}

/* The text behind 'key': in a Python dictionary, or NULL. */
static const char *value_of(const char *header, const char *key)
{
  for (const char *at = header; (at = strstr(at, key)) != NULL; at++) {
    const char *after = at + strlen(key);
    if (at == header || (at[-1] != '\'' && at[-1] != '"') || *after != at[-1]) continue;
    for (after++; *after == ' '; after++) continue;
    if (*after != ':') continue;
    for (after++; *after == ' '; after++) continue;
    return after;
  }
  return NULL;
}

static bool read_type(const char *text, hs_array_form_t *form)
{
  static const struct {
    char code[3];
    hs_element_t element;
  } types[] = {{"u1", HS_ELEMENT_U8},  {"b1", HS_ELEMENT_U8},  {"i1", HS_ELEMENT_I8},  {"u2", HS_ELEMENT_U16},
               {"i2", HS_ELEMENT_I16}, {"u4", HS_ELEMENT_U32}, {"i4", HS_ELEMENT_I32}, {"u8", HS_ELEMENT_U64},
               {"i8", HS_ELEMENT_I64}, {"f4", HS_ELEMENT_F32}, {"f8", HS_ELEMENT_F64}};
  if (text == NULL || (*text != '\'' && *text != '"')) return false;
  char order = text[1];
  if (order != '<' && order != '>' && order != '|' && order != '=') return false;
  form->big_endian = order == '>';
  for (size_t k = 0; k < sizeof types / sizeof *types; k++)
    if (strncmp(text + 2, types[k].code, 2) == 0 && text[4] == *text) {
      form->element = types[k].element;
      return true;
    }
  return false;
}

static bool read_size(const char *text, hs_array_form_t *form)
{
  if (text == NULL || *text != '(') return false;
  text++;
  for (;;) {
    while (*text == ' ' || *text == ',') text++;
    if (*text == ')') return form->dimensions > 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 17 || form->dimensions == HS_ARRAY_DIMENSIONS) return false;
    form->size[form->dimensions++] = strtoll(text, NULL, 10);
    text += digits;
  }
}

static hs_status_t read_dictionary(hs_array_form_t *form, const char *header, const char *path)
{
  const char *order = value_of(header, "fortran_order");
  if (!read_type(value_of(header, "descr"), form))
    return hs_fail(HS_BAD_DATA, path, NULL,
                   "elements of another type than numbers of 1 to 8 bytes (save with .astype(\"float64\"))");
  if (order == NULL || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0))
    return hs_fail(HS_BAD_DATA, path, NULL, "the NPY header does not say fortran_order");
  if (!read_size(value_of(header, "shape"), form))
    return hs_fail(HS_BAD_DATA, path, NULL, "the shape in the NPY header must have 1 to %d sizes",
                   HS_ARRAY_DIMENSIONS);
  form->fortran = *order == 'T' && form->dimensions > 1;
  return check_shape(form, path);
}

/* \x93NUMPY, two bytes of version, the length of the header (2 bytes little-endian; 4 from version 2), and
 * the header: a Python dictionary */
hs_status_t hs_array_read_npy(hs_array_form_t *form, hs_bytes_t *bytes)
{
  unsigned char start[8], length_bytes[4] = {0};
  const char *path = hs_bytes_path(bytes);
  *form = (hs_array_form_t){0};
  hs_status_t status = need(bytes, start, sizeof start);
  if (status != HS_OK) return status;
  if (memcmp(start, "\x93NUMPY", 6) != 0)
    return hs_fail(HS_BAD_DATA, path, NULL, "wrong magic number (NPY begins with \\x93NUMPY)");
  if (start[6] < 1 || start[6] > 3)
    return hs_fail(HS_BAD_DATA, path, NULL, "NPY version %d (1, 2 and 3 can be read)", start[6]);
  size_t wide = start[6] == 1 ? 2 : 4;
  if ((status = need(bytes, length_bytes, wide)) != HS_OK) return status;
  size_t length = (size_t)length_bytes[0] | (size_t)length_bytes[1] << 8 | (size_t)length_bytes[2] << 16 |
                  (size_t)length_bytes[3] << 24;
  if (length > LONGEST_HEADER)
    return hs_fail(HS_BAD_DATA, path, NULL, "an NPY header of %zu bytes is not credible", length);
  char *header = hs_alloc(length + 1, 1, "NPY header");
  if (header == NULL) return HS_NO_MEMORY;
  status = need(bytes, header, length);
  if (status == HS_OK) status = read_dictionary(form, header, path);
  form->offset = (int64_t)(sizeof start + wide + length);
  hs_free(header);
  return status;
}
