/* reading.h: how fast the data file arrives, as the loader takes it in. */
#ifndef HS_MPI_PLAN_READING_H
#define HS_MPI_PLAN_READING_H

#include "mpi/plan/problem_size.h"

/* Seconds a row and rank to read, convert and scale the first rows of the file (up to about 64 MB a rank as
 * doubles), all ranks of the source at once; the slowest counts. What the system still has in memory is read from
 * there, here as in training. Collective. */
hs_status_t hs_reading_measure(const hs_source_t *source, const hs_problem_size_t *size, hs_scaling_t scaling,
                               double *seconds_a_row);

#endif
