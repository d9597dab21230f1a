/* gram_sums.h: sums of outer products over runs of rows, in double, for one instruction set.
 *
 * A bucket is a symmetric d x d matrix: `side` rows of `side` elements, d rounded up to whole vectors, of which
 * the upper triangle counts, row by row from the vector that holds the diagonal. Rows and elements beyond d are 0
 * or the products of padding. One body of code (gram_body.h) is compiled for every instruction set.
 */
#ifndef HS_MASKED_GRAM_SUMS_H
#define HS_MASKED_GRAM_SUMS_H

#include <stddef.h>
#include <stdint.h>

typedef struct hs_gram_sums {
  int lanes; /* doubles of a vector */

  /* bucket = sum over the run of w_k x_k'.
   *   x, w    rows of `side` elements from aligned memory; w = x without weights
   *   offset  of every row of the run: elements from the start of x and w
   *   count   0: the bucket becomes 0 */
  void (*sum)(const double *x, const double *w, const uint32_t *offset, int count, int side, double *bucket);

  /* The sum of the upper half of the buckets into the first of them, and the upper half onto the lower:
   *     bucket[half] = sum of bucket[half + p] over all p,   bucket[p] += bucket[half + p] for start <= p < half
   * in the rows row .. end-1 of the buckets.
   *   stride  doubles from one bucket to the next */
  void (*fold)(double *buckets, size_t stride, int half, int start, int row, int end, int side);
} hs_gram_sums_t;

extern const hs_gram_sums_t hs_gram_sums_baseline;
#ifdef __x86_64__
extern const hs_gram_sums_t hs_gram_sums_avx2, hs_gram_sums_avx512;
#endif

/* The widest instruction set of this processor. */
hs_gram_sums_t hs_gram_sums_choose(void);

#endif
