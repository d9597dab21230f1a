/* state.h: what a checkpoint holds: a list of named arrays that live somewhere in memory.
 *
 * The owner of a state describes it once; the same list serves for writing and for reading back in place.
 *   same   replicated: equal on all ranks
 *   rows   of the local rows, `columns` numbers each; in the file they stand in global order
 *   root   rank 0 alone has it
 * Not collective, but all ranks make the same list. Memory is borrowed.
 */
#ifndef HS_MPI_CHECKPOINT_STATE_H
#define HS_MPI_CHECKPOINT_STATE_H

#include <stdint.h>

#include "io/checkpoint/checkpoint_file.h"

typedef struct hs_state_item {
  char name[HS_CHECKPOINT_NAME];
  hs_stored_kind_t kind;
  hs_stored_type_t type;
  int64_t rows, columns; /* same, root: the shape; rows: columns alone */
  void *data;
} hs_state_item_t;

typedef struct hs_state {
  int count;
  hs_state_item_t item[HS_CHECKPOINT_ARRAYS];
} hs_state_t;

/* index >= 0 is added to the name: "dfp" and 3 are "dfp03"; -1: none. Lists longer than HS_CHECKPOINT_ARRAYS are a
 * mistake of the program and end it. */
void hs_state_add(hs_state_t *state, hs_stored_kind_t kind, const char *name, int index,
                  hs_stored_type_t type, int64_t rows, int64_t columns, void *data);

#endif
