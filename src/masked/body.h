/* body.h: both products for one element type and one instruction set. Included once for each, with
 *
 *     REAL          element type of the products
 *     VECTOR_BYTES  size of a vector register
 *     TARGET        function attribute that switches the instruction set on
 *     FMA(x, y, z)  x * y + z on vectors
 *     NAME(stem)    stem with a suffix of its own
 *
 * defined; they are undefined again at the end.
 */
#include <string.h>

#include "base/size.h"
#include "masked/operator.h"

#define LANES ((int)(VECTOR_BYTES / sizeof(REAL)))
#define VEC NAME(vec)
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef REAL VEC __attribute__((vector_size(VECTOR_BYTES), may_alias));

/* The features cut into chunks of equal width in vectors, or one more for the first few. */
typedef struct NAME(cut) {
  int d, chunks, width, wider;
} NAME(cut_t);

/* Features first .. first+count-1, in width vectors. */
typedef struct NAME(chunk) {
  int first, count, width;
} NAME(chunk_t);

static NAME(cut_t) NAME(cut)(int d, int widest)
{
  int vectors = (d + LANES - 1) / LANES, chunks = (vectors + widest - 1) / widest;
  return (NAME(cut_t)){d, chunks, vectors / chunks, vectors % chunks};
}

INLINE NAME(chunk_t) NAME(chunk)(NAME(cut_t) cut, int chunk)
{
  int from = chunk * cut.width + (chunk < cut.wider ? chunk : cut.wider);
  int width = cut.width + (chunk < cut.wider), end = (from + width) * LANES;
  return (NAME(chunk_t)){from * LANES, (end < cut.d ? end : cut.d) - from * LANES, width};
}

static const VEC *NAME(panel)(const hs_masked_t *op, NAME(chunk_t) chunk)
{
  return (const VEC *)op->panels + (size_t)(chunk.first / LANES) * (size_t)op->block;
}

/* LANES features, or the first `count` of them and zeros, from the type of X. */
INLINE VEC NAME(load)(const char *x, size_t size, int count)
{
  VEC out = {0};
  if (size == sizeof(REAL) && count == LANES) {
    memcpy(&out, x, sizeof out);
  } else if (size == sizeof(float)) {
    float part[LANES];
    memcpy(part, x, (size_t)count * sizeof *part);
    for (int lane = 0; lane < count; lane++) out[lane] = (REAL)part[lane];
  } else {
    double part[LANES];
    memcpy(part, x, (size_t)count * sizeof *part);
    for (int lane = 0; lane < count; lane++) out[lane] = (REAL)part[lane];
  }
  return out;
}

/* One row of X, elements of `size` bytes, into its places in the panels. */
INLINE void NAME(fill_row)(const hs_masked_t *op, int64_t first, int row, NAME(cut_t) cut, const size_t size)
{
  const char *x = (const char *)op->X + (size_t)(first + row) * (size_t)op->d * size;
  for (int i = 0; i < cut.chunks; i++) {
    NAME(chunk_t) chunk = NAME(chunk)(cut, i);
    VEC *to = (VEC *)NAME(panel)(op, chunk) + (size_t)row * (size_t)chunk.width;
    int full = chunk.count / LANES, left = chunk.count % LANES;
    for (int v = 0; v < full; v++, x += LANES * size) to[v] = NAME(load)(x, size, LANES);
    if (left > 0) to[full] = NAME(load)(x, size, left);
  }
}

/* Rows first .. first+rows-1, from memory in their natural order: narrow strips of X would arrive at a
 * fraction of that rate. */
TARGET static void NAME(fill_panels)(hs_masked_t *op, int64_t first, int rows, NAME(cut_t) cut)
{
  if (op->precision == HS_SINGLE)
    for (int row = 0; row < rows; row++) NAME(fill_row)(op, first, row, cut, sizeof(float));
  else
    for (int row = 0; row < rows; row++) NAME(fill_row)(op, first, row, cut, sizeof(double));
}

#include "masked/adjoint_body.h"
#include "masked/forward_body.h"

#undef LANES
#undef VEC
#undef INLINE
#undef REAL
#undef VECTOR_BYTES
#undef TARGET
#undef FMA
#undef NAME
