/* parts.h: which process writes which part of each array of a checkpoint. Not collective. */
#ifndef HS_MPI_CHECKPOINT_PARTS_H
#define HS_MPI_CHECKPOINT_PARTS_H

#include "mpi/checkpoint/state.h"

typedef struct hs_part {
  int64_t offset, bytes; /* in the array; bytes may be 0 */
} hs_part_t;

/*   first_row  entries writer and writer + 1 bound the rows of a writer
 * Arrays of rows are cut as the rows are; others into equal parts of at least 1 MiB, so that many ranks share large
 * ones and few touch small ones. What only rank 0 has it writes alone. */
hs_part_t hs_part_of(const hs_stored_array_t *array, const int64_t *first_row, int64_t writers,
                     int64_t writer);

#endif
