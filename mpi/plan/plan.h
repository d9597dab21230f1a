/* plan.h: what a training run will need, before it is submitted: memory, flops, bytes, time for any number of ranks.
 *
 * Sizes come from the header of the data file or from the command line, rates from measurements on this machine.
 */
#ifndef HS_MPI_PLAN_PLAN_H
#define HS_MPI_PLAN_PLAN_H

#include "mpi/plan/problem_size.h"

typedef struct hs_plan_options {
  hs_given_size_t given;     /* with rows and features, no data file is opened */
  const char *ranks;         /* see rank_list.h; NULL: 1, 2, 4, ... 4096 */
  double latency, bandwidth; /* see network.h; NaN: measured or assumed */
  double reading;            /* bytes a second that all ranks read together; NaN: as measured */
  double seconds;            /* that the largest measurement may take */
  bool json;
} hs_plan_options_t;

/* Measure for a few seconds and print on the standard output of rank 0. Collective. */
hs_status_t hs_plan_run(MPI_Comm comm, const hs_settings_t *settings, const hs_plan_options_t *options);

#endif
