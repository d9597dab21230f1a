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

/* Chunk number `chunk`: features first .. first+count-1 in width vectors. */
typedef struct NAME(chunk) {
  int first, count, width;
} NAME(chunk_t);

static int NAME(chunks)(int d, int widest)
{
  int vectors = (d + LANES - 1) / LANES;
  return (vectors + widest - 1) / widest;
}

static NAME(chunk_t) NAME(chunk)(int d, int chunks, int chunk)
{
  int64_t vectors = (d + LANES - 1) / LANES;
  int from = (int)(vectors * chunk / chunks), to = (int)(vectors * (chunk + 1) / chunks);
  int first = from * LANES, end = to * LANES < d ? to * LANES : d;
  return (NAME(chunk_t)){first, end - first, to - from};
}

/* Rows first .. first+rows-1 of the chunk into the panel.
 *
 * The chunk is a narrow strip of X, which memory delivers at a fraction of its rate. The next block is
 * therefore called for in its natural order, a strip's worth for every strip, while this one is in hand. */
TARGET static void NAME(fill_panel)(hs_masked_t *op, int64_t first, int rows, NAME(chunk_t) chunk)
{
  int stride = chunk.width * LANES;
  REAL *panel = op->panel;
  size_t size = hs_precision_bytes(op->precision), d = (size_t)op->d;
  const char *x = (const char *)op->X + ((size_t)first * d + (size_t)chunk.first) * size;
  const char *ahead = (const char *)op->X + ((size_t)(first + rows) * d + (size_t)rows * (size_t)chunk.first) * size;
  size_t strip = (size_t)chunk.count * size;
  for (int row = 0; row < rows; row++, panel += stride, x += d * size, ahead += strip) {
    for (size_t byte = 0; byte < strip; byte += 64) __builtin_prefetch(ahead + byte, 0, 2);
    if (op->precision == HS_SINGLE)
      for (int j = 0; j < chunk.count; j++) panel[j] = (REAL)((const float *)x)[j];
    else
      for (int j = 0; j < chunk.count; j++) panel[j] = (REAL)((const double *)x)[j];
    for (int j = chunk.count; j < stride; j++) panel[j] = 0;
  }
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
