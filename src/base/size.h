/* size.h: integer widths. Global counts are int64_t; BLAS, MPI and HDF5 boundaries are crossed here. */
#ifndef HS_BASE_SIZE_H
#define HS_BASE_SIZE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* *narrow = wide, or HS_BAD_DATA with a message naming `what` when it does not fit the 32 bits of BLAS. */
static inline hs_status_t hs_to_int(int64_t wide, int *narrow, const char *what)
{
  if (wide < 0 || wide > INT_MAX)
    return hs_fail(HS_BAD_DATA, NULL, what, "%lld exceeds the 32-bit sizes of BLAS (at most %d)",
                   (long long)wide, INT_MAX);
  *narrow = (int)wide;
  return HS_OK;
}

static inline int64_t hs_min64(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static inline int64_t hs_max64(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

#endif
