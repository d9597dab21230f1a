/* groups.h: gates taken a few at a time, and the mask bits of every row in such a group as one small number.
 *
 * A sum over the open gates of a row is a sum over groups of one table entry each: the entry that belongs
 * to the row's pattern of open gates in the group. With b gates to a group a row costs P / b additions of
 * table entries instead of P multiplications ("four Russians"); the masks are fixed, so the patterns are
 * computed once.
 */
#ifndef HS_MASKED_GROUPS_H
#define HS_MASKED_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "gates/masks.h"

#define HS_GROUP_BITS 8 /* widest group: a pattern is a byte, and 256 table entries still fit the L2 cache */

/* `gates` gates in `count` runs of consecutive gates, of equal length or one less. */
typedef struct hs_groups {
  int gates;
  int count;
  int bits; /* of the widest group; its table has 2^bits entries */
} hs_groups_t;

/* The split that costs least when one set of tables serves `rows` rows: wide groups mean few additions per
 * row, but large tables, which only many rows repay. */
hs_groups_t hs_groups_split(int gates, int64_t rows);

/* Table entries of all groups together, at most, for any number of gates up to `room`. */
size_t hs_groups_entries(int room, int64_t rows);

/* First gate of a group; that of the group after the last is the number of gates. */
static inline int hs_group_first(const hs_groups_t *groups, int group)
{
  return (int)((int64_t)groups->gates * group / groups->count);
}

/* The patterns of all rows in a chosen set of gates. */
typedef struct hs_patterns {
  const hs_masks_t *masks; /* borrowed */
  int64_t table_rows;      /* rows that one set of tables serves, at most */
  hs_groups_t groups;      /* of the chosen gates; their number is groups.gates */
  int *gates;              /* the chosen gates, ascending; owned, room for all gates */
  int row_bytes;           /* room per row */
  uint8_t *of_row;         /* rows x groups.count: bit j is chosen gate hs_group_first(group) + j; owned */
  uint8_t *squeeze;        /* per byte of a mask row: its 256 values without the gates not chosen; owned */
  uint8_t *kept;           /* per byte of a mask row: how many of its gates are chosen; owned */
  int parts;               /* threads that read masks */
  uint64_t *lines;         /* for every part one mask row without the gates not chosen; owned */
} hs_patterns_t;

/* Room for any choice of at most `room` of the gates; nothing is chosen yet.
 *   parts  threads that may read masks at once
 * Not collective. */
hs_status_t hs_patterns_create(hs_patterns_t *patterns, const hs_masks_t *masks, int room, int64_t table_rows,
                               int parts);
void hs_patterns_free(hs_patterns_t *patterns);

/* Choose these gates (ascending, no more than there is room for) and read their bits from the masks; free
 * when they are chosen already. */
void hs_patterns_choose(hs_patterns_t *patterns, int chosen, const int *gates);

/* Bytes of patterns on `rows` rows of `gates` gates with room for a choice of at most `room`, read by `parts`
 * threads. */
size_t hs_patterns_bytes(int64_t rows, int gates, int room, int64_t table_rows, int parts);

#endif
