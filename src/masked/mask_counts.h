/* mask_counts.h: numbers of gates that are open in both of two rows, for many rows at a time.
 *
 * The masks of up to HS_KERNEL_TILE rows are laid out word after word, so that loops run over rows.
 */
#ifndef HS_MASKED_MASK_COUNTS_H
#define HS_MASKED_MASK_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "masked/kernel.h"

#define HS_COUNT_PAST 4 /* elements past the end of a slice, and of counts, that may be touched */

/* shared[k] = number of gates open in both rows, for the first rows of a slice against one row.
 *   slice   words x HS_KERNEL_TILE, and HS_COUNT_PAST more
 *   own     words
 *   shared  rows, and HS_COUNT_PAST more */
typedef void hs_count_shared_t(int rows, int words, const uint64_t *slice, const uint64_t *own,
                               uint32_t *shared);

/* The fastest one of this processor. */
hs_count_shared_t *hs_count_shared_choose(void);

/* The slice of some rows whose masks are packed as in gates/masks.h.   masks  rows x words */
void hs_slice_masks(const uint64_t *masks, int rows, int words, uint64_t *slice);

#endif
