#include "io/importers/element.h"

#include <string.h>

size_t hs_element_bytes(hs_element_t element)
{
  static const size_t bytes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
  return bytes[element];
}

const char *hs_element_name(hs_element_t element)
{
  static const char *const names[] = {"uint8", "int8",   "uint16", "int16",   "uint32",
                                      "int32", "uint64", "int64",  "float32", "float64"};
  return names[element];
}

/* The bits of one element, whatever the order of bytes in the file and in this machine. */
static uint64_t bits_of(const unsigned char *from, size_t bytes, bool big_endian)
{
  uint64_t bits = 0;
  for (size_t k = 0; k < bytes; k++) bits = bits << 8 | from[big_endian ? k : bytes - 1 - k];
  return bits;
}

static double as_double(hs_element_t element, uint64_t bits)
{
  switch (element) {
  case HS_ELEMENT_U8:
  case HS_ELEMENT_U16:
  case HS_ELEMENT_U32:
  case HS_ELEMENT_U64:
    return (double)bits;
  case HS_ELEMENT_I8:
    return (double)(int8_t)bits;
  case HS_ELEMENT_I16:
    return (double)(int16_t)bits;
  case HS_ELEMENT_I32:
    return (double)(int32_t)bits;
  case HS_ELEMENT_I64:
    return (double)(int64_t)bits;
  case HS_ELEMENT_F32: {
    float value;
    uint32_t half = (uint32_t)bits;
    memcpy(&value, &half, sizeof value);
    return (double)value;
  }
  case HS_ELEMENT_F64: {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  }
  return 0.0;
}

void hs_element_convert(hs_element_t element, bool big_endian, const unsigned char *from, int64_t stride,
                        int64_t count, double *values)
{
  size_t bytes = hs_element_bytes(element);
  if (element == HS_ELEMENT_U8 && stride == 1) {
    for (int64_t k = 0; k < count; k++) values[k] = (double)from[k];
    return;
  }
  for (int64_t k = 0; k < count; k++, from += (size_t)stride * bytes)
    values[k] = as_double(element, bits_of(from, bytes, big_endian));
}
