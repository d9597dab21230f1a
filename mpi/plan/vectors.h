/* vectors.h: what an iteration does besides products and block solves, timed on this process. Not collective. */
#ifndef HS_MPI_PLAN_VECTORS_H
#define HS_MPI_PLAN_VECTORS_H

#include "mpi/bench/timing.h"
#include "mpi/plan/problem_size.h"

/* Seconds of a step of the acceleration with a full memory, on so many weights and entries of rows; 0 where
 * memory is 0.
 *   between  called with its context before every step, not timed: leaves the caches as the rest of an iteration
 *            does; NULL: nothing */
hs_status_t hs_time_anderson(int memory, int64_t weights, int64_t entries, hs_task_t *between, void *context,
                             double *seconds);

/* Seconds of the work on weights alone, which every rank does in full: proximal map and dual norm. */
hs_status_t hs_time_weights(const hs_problem_size_t *size, double *seconds);

#endif
