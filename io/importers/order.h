/* order.h: where each row of an input goes: a seeded shuffle and a seeded split.
 *
 * Both are functions of the number of rows and the seed alone, so memory limits, formats and compression
 * change nothing. 16 bytes a row while it is made, 8 bytes after. Not collective.
 */
#ifndef HS_IMPORT_ORDER_H
#define HS_IMPORT_ORDER_H

#include <stdint.h>

#include "base/status.h"

typedef struct hs_order {
  int64_t rows[2]; /* in the first part and in the test part */
  int64_t *place;  /* [rows[0] + rows[1]]: position in its part; -1 - position in the test part. Owned.
                      NULL: everything stays where it is, in one part */
} hs_order_t;

/* Shuffle n rows (seed 0: keep the order) and cut off exactly `test` of them, chosen at random with the
 * seed (1 when it is 0). HS_NO_MEMORY is the only failure. 0 <= test <= n. */
hs_status_t hs_order_make(hs_order_t *order, int64_t n, int64_t test, uint64_t seed);

void hs_order_free(hs_order_t *order);

#endif
