/* made_up.h: rows of the real shape that are as good as any for measuring how long things take. */
#ifndef HS_MPI_PLAN_MADE_UP_H
#define HS_MPI_PLAN_MADE_UP_H

#include <mpi.h>

#include "mpi/plan/problem_size.h"

/* Rows as the loader would give them, `rows` in `blocks` blocks for each rank of comm. To be freed with hs_shard_free,
 * also after a failure: HS_NO_MEMORY. Not collective. */
hs_status_t hs_made_up_shard(hs_shard_t **shard, const hs_problem_size_t *size, MPI_Comm comm, int64_t rows,
                             int64_t blocks);

#endif
