#include "mpi/checkpoint/state.h"

#include <assert.h>
#include <stdio.h>

void hs_state_add(hs_state_t *state, hs_stored_kind_t kind, const char *name, int index,
                  hs_stored_type_t type, int64_t rows, int64_t columns, void *data)
{
  assert(state->count < HS_CHECKPOINT_ARRAYS);
  hs_state_item_t *item = &state->item[state->count++];
  *item = (hs_state_item_t){.kind = kind, .type = type, .rows = rows, .columns = columns, .data = data};
  if (index >= 0)
    snprintf(item->name, sizeof item->name, "%.12s%02d", name, index);
  else
    snprintf(item->name, sizeof item->name, "%.23s", name);
}
