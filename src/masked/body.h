/* body.h: both products for one element type and one instruction set. Included once for each, with
 *
 *     REAL          element type of the products
 *     VECTOR_BYTES  size of a vector register
 *     TARGET        function attribute that switches the instruction set on
 *     FMA(x, y, z)  x * y + z on vectors
 *     SPLAT(x)      a vector of equal elements
 *     NAME(stem)    stem with a suffix of its own
 *
 * defined; they are undefined again at the end.
 */
#include <stdbool.h>
#include <string.h>

#include "base/size.h"
#include "masked/operator.h"

#define LANES ((int)(VECTOR_BYTES / sizeof(REAL)))
#define VEC NAME(vec)
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef REAL VEC __attribute__((vector_size(VECTOR_BYTES), may_alias));

/* The features cut into chunks of `width` vectors; the last may have fewer. */
typedef struct NAME(cut) {
  int d, width, chunks;
} NAME(cut_t);

/* Features first .. first+count-1, in width vectors. */
typedef struct NAME(chunk) {
  int first, count, width;
} NAME(chunk_t);

static NAME(cut_t) NAME(cut)(int d, int width)
{
  int vectors = (d + LANES - 1) / LANES;
  return (NAME(cut_t)){d, width, (vectors + width - 1) / width};
}

INLINE NAME(chunk_t) NAME(chunk)(NAME(cut_t) cut, int chunk)
{
  int first = chunk * cut.width * LANES, left = cut.d - first;
  int count = left < cut.width * LANES ? left : cut.width * LANES;
  return (NAME(chunk_t)){first, count, (count + LANES - 1) / LANES};
}

static const VEC *NAME(panel)(const hs_masked_t *op, const hs_part_t *part, NAME(chunk_t) chunk)
{
  return (const VEC *)part->panels + (size_t)(chunk.first / LANES) * (size_t)op->block;
}

/* LANES features from the type of X, which has elements of `size` bytes. */
INLINE VEC NAME(load)(const void *x, const size_t size)
{
  VEC out = {0};
  if (size == sizeof(REAL)) {
    memcpy(&out, x, sizeof out);
  } else if (size == sizeof(float)) {
    for (int lane = 0; lane < LANES; lane++) out[lane] = (REAL)((const float *)x)[lane];
  } else {
    for (int lane = 0; lane < LANES; lane++) out[lane] = (REAL)((const double *)x)[lane];
  }
  return out;
}

/* The last features of a row, fewer than LANES, and zeros. A vector that overhangs into the next row is read
 * at once. */
INLINE VEC NAME(load_rest)(const void *x, const size_t size, VEC keep, int count, bool overhang)
{
  if (overhang) return NAME(load)(x, size) * keep;
  VEC out = {0};
  for (int lane = 0; lane < count; lane++)
    out[lane] = size == sizeof(float) ? (REAL)((const float *)x)[lane] : (REAL)((const double *)x)[lane];
  return out;
}

/* Rows first .. first+rows-1, from memory in their natural order: narrow strips of X would arrive at a
 * fraction of that rate. */
INLINE void NAME(fill)(const hs_masked_t *op, VEC *panels, int64_t first, int rows, NAME(cut_t) cut,
                       const size_t size)
{
  NAME(chunk_t) last = NAME(chunk)(cut, cut.chunks - 1);
  int rest = cut.d % LANES;
  size_t step = (size_t)cut.width * (size_t)op->block;
  VEC keep = {0};
  for (int lane = 0; lane < rest; lane++) keep[lane] = 1;
  for (int row = 0; row < rows; row++) {
    const char *x = (const char *)op->X + (size_t)(first + row) * (size_t)op->d * size;
    VEC *to = panels + (size_t)row * (size_t)cut.width;
    for (int i = 1; i < cut.chunks; i++, to += step)
      for (int v = 0; v < cut.width; v++, x += LANES * size) to[v] = NAME(load)(x, size);
    to = panels + step * (size_t)(cut.chunks - 1) + (size_t)row * (size_t)last.width;
    int full = last.count / LANES;
    for (int v = 0; v < full; v++, x += LANES * size) to[v] = NAME(load)(x, size);
    if (rest > 0) to[full] = NAME(load_rest)(x, size, keep, rest, first + row + LANES < op->rows);
  }
}

TARGET static void NAME(fill_panels)(const hs_masked_t *op, const hs_part_t *part, int64_t first, int rows,
                                     NAME(cut_t) cut)
{
  if (op->precision == HS_SINGLE)
    NAME(fill)(op, part->panels, first, rows, cut, sizeof(float));
  else
    NAME(fill)(op, part->panels, first, rows, cut, sizeof(double));
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
#undef SPLAT
#undef NAME
