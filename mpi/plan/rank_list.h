/* rank_list.h: the rank counts that a plan is made for. Not collective. */
#ifndef HS_MPI_PLAN_RANK_LIST_H
#define HS_MPI_PLAN_RANK_LIST_H

#include <stdint.h>

#include "base/status.h"

#define HS_RANK_LIST_MOST 32

typedef struct hs_rank_list {
  int count;
  int ranks[HS_RANK_LIST_MOST]; /* ascending, each once */
} hs_rank_list_t;

/* "64,128,256", "64:4096" (doubling) or both mixed: "1,2,64:4096"; NULL: 1, 2, 4, ... 4096, as far as there are
 * rows. HS_BAD_USAGE where the text is no such list, or asks for more ranks than rows. */
hs_status_t hs_rank_list_parse(hs_rank_list_t *list, const char *text, int64_t rows);

#endif
