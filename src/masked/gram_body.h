/* gram_body.h: sums over runs for one instruction set. Included once by each file gram_sums_*.c, with
 *
 *     VECTOR_BYTES  size of a vector register
 *     TARGET        function attribute that switches the instruction set on
 *     FMA(x, y, z)  x * y + z on vectors
 *     SPLAT(x)      a vector of equal elements
 *
 * defined. With L doubles to a vector, the upper triangle is cut into tiles of L rows and up to three vectors: their
 * 3 L sums, three vectors and a factor fill 16 registers for L = 4, and fit into 32 for L = 8. A tile goes through
 * all rows of the run before the next one, and its sums stay in registers.
 */
#include "masked/gram_sums.h"

#define LANES ((int)(VECTOR_BYTES / sizeof(double)))
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef double vec_t __attribute__((vector_size(VECTOR_BYTES), may_alias));

/* The tile of the rows of vector `row` and of the vectors column .. column+width-1. */
INLINE void sum_tile(const double *x, const double *w, const uint32_t *offset, int count, int side, int row,
                     int column, double *bucket, const int width)
{
  vec_t sums[LANES * 3];
  for (int i = 0; i < LANES * width; i++) sums[i] = (vec_t){0};
  x += column * LANES;
  w += row * LANES;
  for (int k = 0; k < count; k++) {
    const vec_t *vectors = (const vec_t *)(x + offset[k]);
    const double *factors = w + offset[k];
    vec_t of_row[3];
    for (int v = 0; v < width; v++) of_row[v] = vectors[v];
    for (int a = 0; a < LANES; a++) {
      vec_t factor = SPLAT(factors[a]);
      for (int v = 0; v < width; v++) sums[a * width + v] = FMA(factor, of_row[v], sums[a * width + v]);
    }
  }
  bucket += (size_t)(row * LANES) * (size_t)side + (size_t)(column * LANES);
  for (int a = 0; a < LANES; a++, bucket += side)
    for (int v = 0; v < width; v++) ((vec_t *)bucket)[v] = sums[a * width + v];
}

/* The last corner of the triangle: the rows of two vectors, three tiles of one vector. */
INLINE void sum_corner(const double *x, const double *w, const uint32_t *offset, int count, int side, int row,
                       double *bucket)
{
  vec_t sums[LANES * 3];
  for (int i = 0; i < LANES * 3; i++) sums[i] = (vec_t){0};
  x += row * LANES;
  w += row * LANES;
  for (int k = 0; k < count; k++) {
    const vec_t *vectors = (const vec_t *)(x + offset[k]);
    const double *factors = w + offset[k];
    vec_t first = vectors[0], second = vectors[1];
    for (int a = 0; a < LANES; a++) {
      vec_t factor = SPLAT(factors[a]);
      sums[2 * a] = FMA(factor, first, sums[2 * a]);
      sums[2 * a + 1] = FMA(factor, second, sums[2 * a + 1]);
    }
    for (int a = 0; a < LANES; a++)
      sums[2 * LANES + a] = FMA(SPLAT(factors[LANES + a]), second, sums[2 * LANES + a]);
  }
  bucket += (size_t)(row * LANES) * (size_t)side + (size_t)(row * LANES);
  for (int a = 0; a < LANES; a++, bucket += side) {
    ((vec_t *)bucket)[0] = sums[2 * a];
    ((vec_t *)bucket)[1] = sums[2 * a + 1];
  }
  for (int a = 0; a < LANES; a++, bucket += side) ((vec_t *)bucket)[1] = sums[2 * LANES + a];
}

TARGET static void sum(const double *x, const double *w, const uint32_t *offset, int count, int side,
                       double *bucket)
{
  int vectors = side / LANES;
  for (int row = 0; row < vectors - 2; row++) {
    int column = row, left = vectors - row; /* in threes and twos: one vector would leave the units waiting */
    for (; left > 4 || left == 3; left -= 3, column += 3)
      sum_tile(x, w, offset, count, side, row, column, bucket, 3);
    for (; left > 0; left -= 2, column += 2) sum_tile(x, w, offset, count, side, row, column, bucket, 2);
  }
  if (vectors >= 2)
    sum_corner(x, w, offset, count, side, vectors - 2, bucket);
  else
    sum_tile(x, w, offset, count, side, 0, 0, bucket, 1);
}

#define PIECE 6

/* `width` vectors of one row of all buckets. */
INLINE void fold_piece(double *upper, double *lower, size_t stride, int half, int start, const int width)
{
  vec_t total[PIECE], *first = (vec_t *)upper;
  for (int v = 0; v < width; v++) total[v] = first[v];
  if (start == 0)
    for (int v = 0; v < width; v++) ((vec_t *)lower)[v] += total[v];
  for (int pattern = 1; pattern < half; pattern++) {
    upper += stride;
    lower += stride;
    for (int v = 0; v < width; v++) {
      vec_t moved = ((vec_t *)upper)[v];
      total[v] += moved;
      ((vec_t *)lower)[v] += moved;
    }
  }
  for (int v = 0; v < width; v++) first[v] = total[v];
}

TARGET static void fold(double *buckets, size_t stride, int half, int start, int row, int end, int side)
{
  buckets += (size_t)row * (size_t)side;
  double *upper = buckets + (size_t)half * stride;
  for (; row < end; row++, buckets += side, upper += side) {
    int element = row / LANES * LANES;
    for (; element + PIECE * LANES <= side; element += PIECE * LANES)
      fold_piece(upper + element, buckets + element, stride, half, start, PIECE);
    for (; element + 2 * LANES <= side; element += 2 * LANES)
      fold_piece(upper + element, buckets + element, stride, half, start, 2);
    if (element < side) fold_piece(upper + element, buckets + element, stride, half, start, 1);
  }
}
