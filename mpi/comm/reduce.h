/* reduce.h: sums over ranks, counted and timed: every reduction of the iteration goes through here. */
#ifndef HS_MPI_COMM_REDUCE_H
#define HS_MPI_COMM_REDUCE_H

#include <mpi.h>
#include <stdint.h>

typedef struct hs_traffic {
  double seconds; /* in reductions, waiting included */
  double bytes;   /* payload that this rank put in */
  int64_t calls;
} hs_traffic_t;

/* values[0..count-1] = sum over ranks, in place, the same bits on all ranks. In pieces where count exceeds
 * the 32 bits of MPI. Collective. */
void hs_sum(MPI_Comm comm, double *values, int64_t count, hs_traffic_t *traffic);

#endif
