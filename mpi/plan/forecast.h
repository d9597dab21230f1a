/* forecast.h: what training needs on so many ranks. Not collective. */
#ifndef HS_MPI_PLAN_FORECAST_H
#define HS_MPI_PLAN_FORECAST_H

#include "mpi/plan/memory_plan.h"
#include "mpi/plan/rates.h"

/* A gap of 1e-3 takes about so many iterations. */
#define HS_FORECAST_ITERATIONS 50

typedef struct hs_forecast {
  int ranks;
  hs_share_t share;            /* of the rank with most rows */
  hs_memory_plan_t memory;     /* of that rank */
  double total_bytes;          /* peaks of all ranks added up */
  double flops, reduced_bytes; /* an iteration, of that rank; A u and A' w counted as matrix products */
  double read;                 /* seconds; NaN: not known */
  double setup;                /* gates, tables, kernels, Gram matrices, factors and inverses */
  double products, solves, vectors, reductions; /* of an iteration; solves: x-updates without messages */
  double iteration;                             /* their sum */
  double run;                                   /* set-up and iterations, with the renewals of the inverses */
} hs_forecast_t;

/* The rates hold a rehearsal of the kind that the problem gets on these ranks.
 *   reading  bytes a second that all ranks read together; NaN: as measured */
hs_forecast_t hs_forecast(const hs_problem_size_t *size, const hs_rates_t *rates, int ranks,
                          hs_footprint_t footprint, double reading);

/* How often the blocks are factored in a run of that length: rho or the curvatures change (penalty.h). */
int hs_forecast_factorings(const hs_problem_size_t *size);

#endif
