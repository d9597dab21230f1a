/* print.h: a plan as tables for a reader, or as JSON for a program. Not collective. */
#ifndef HS_MPI_PLAN_PRINT_H
#define HS_MPI_PLAN_PRINT_H

#include <stdio.h>

#include "mpi/plan/forecast.h"

typedef struct hs_plan {
  const char *data; /* name of the data file; NULL: given by numbers */
  hs_problem_size_t size;
  hs_footprint_t footprint;
  hs_rates_t rates;
  int count;
  const hs_forecast_t *forecasts; /* one for each number of ranks, ascending */
} hs_plan_t;

void hs_plan_print(FILE *stream, const hs_plan_t *plan, bool json);

#endif
