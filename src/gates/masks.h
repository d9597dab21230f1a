/* masks.h: the 0/1 masks of the gates, packed.
 *
 * Bit i of row k is 1[x_k . g_i >= 0]. Rows are packed on their own, 64 gates to a word:
 *     bit = bits[k * words + i / 64] >> (i % 64) & 1
 * Bits beyond the last gate are 0.
 */
#ifndef HS_GATES_MASKS_H
#define HS_GATES_MASKS_H

#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"

typedef struct hs_masks {
  int64_t rows;
  int gates;
  int words;      /* per row: ceil(gates / 64) */
  uint64_t *bits; /* rows x words, owned */
} hs_masks_t;

/* Masks of the gates G (gates x d, row-major, double) on the rows of X (rows x d, row-major, of the given
 * precision). The dot products are accumulated in double whatever the precision. Not collective. */
hs_status_t hs_masks_create(hs_masks_t *masks, hs_precision_t precision, int64_t rows, int d, const void *X,
                            int gates, const double *G);

/* Keep the gates listed in keep[0..kept-1] (ascending), drop the others. Not collective. */
hs_status_t hs_masks_select(hs_masks_t *masks, int kept, const int *keep);

void hs_masks_free(hs_masks_t *masks);

static inline int hs_mask_bit(const hs_masks_t *masks, int64_t row, int gate)
{
  return (int)(masks->bits[row * masks->words + gate / 64] >> (gate % 64) & 1);
}

#endif
