/* timing.h: fair clocks: things that are compared take turns, and the shortest time of each counts. */
#ifndef HS_MPI_BENCH_TIMING_H
#define HS_MPI_BENCH_TIMING_H

#include <mpi.h>

typedef void hs_task_t(void *context);

/* After one round that does not count: rounds of all tasks in turn until `seconds` have passed, at least three.
 *   shortest  `count` times in seconds
 * Not collective. */
void hs_time_tasks(int count, hs_task_t *const *tasks, void *context, double seconds, double *shortest);

/* A barrier at which ranks sleep rather than spin, so that a rank that still measures has the machine to
 * itself. Collective. */
void hs_wait_for_all(MPI_Comm comm);

#endif
