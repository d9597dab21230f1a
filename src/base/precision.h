/* precision.h: the element type of features and masked products. Sums and certificates are always double. */
#ifndef HS_BASE_PRECISION_H
#define HS_BASE_PRECISION_H

#include <stddef.h>

typedef enum hs_precision { HS_SINGLE = 0, HS_DOUBLE = 1 } hs_precision_t;

static inline size_t hs_precision_bytes(hs_precision_t precision)
{
  return precision == HS_SINGLE ? sizeof(float) : sizeof(double);
}

#endif
