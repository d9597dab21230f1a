/* spill.h: rows that do not fit in memory, sorted into buckets of a temporary file on their way.
 *
 * A bucket holds the rows of `window` neighbouring positions, in any order; its place in the file is known
 * beforehand, because every position comes exactly once. The file has no name: it goes when it is closed,
 * also when the program is killed. Not collective.
 */
#ifndef HS_IMPORT_SPILL_H
#define HS_IMPORT_SPILL_H

#include <stdint.h>

#include "base/status.h"

typedef struct hs_spill hs_spill_t;

/* Positions 0 .. rows-1 in buckets of `window`, records of `record` bytes, about `memory` bytes of buffers.
 *   scratch  the file lies in the folder of this path. HS_IO when it cannot be made */
hs_status_t hs_spill_open(hs_spill_t **out, const char *scratch, int64_t rows, int64_t window, int64_t record,
                          int64_t memory);

/* Where to put the `record` bytes of this position; valid until the next call. NULL on failure. */
void *hs_spill_put(hs_spill_t *spill, int64_t position, hs_status_t *status);

/* After the last put. */
hs_status_t hs_spill_flush(hs_spill_t *spill);

/* The next record in the order of buckets, and its position. Call it `rows` times after hs_spill_flush. */
const void *hs_spill_get(hs_spill_t *spill, int64_t *position, hs_status_t *status);

/* Accepts NULL; *spill becomes NULL. */
void hs_spill_close(hs_spill_t **spill);

#endif
