/* block_count.h: into how many blocks the rows are cut. Not collective. */
#ifndef HS_MPI_ADMM_BLOCK_COUNT_H
#define HS_MPI_ADMM_BLOCK_COUNT_H

#include <stdint.h>

/* Larger blocks need fewer iterations, but cost more to factor (n n_b^2 flops) and to apply (n n_b numbers
 * per iteration). The count minimises a model of the whole solve and depends on the problem alone, not on
 * ranks or machine, so that a run has the same history wherever it runs.
 *   block_rows > 0: what the user asked for; 0: automatic */
int64_t hs_block_count(int64_t n, int d, int64_t gates, int outputs, int64_t block_rows);

#endif
