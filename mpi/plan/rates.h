/* rates.h: what this machine does, measured on made-up rows of the real shape, and read off for any number of rows.
 *
 * Rehearsals of growing size, the smallest near the smallest share asked for and the largest a second's work:
 * between them times are interpolated, so that what small shares gain from caches and lose to tables shows; beyond
 * the largest they grow in proportion to the rows.
 */
#ifndef HS_MPI_PLAN_RATES_H
#define HS_MPI_PLAN_RATES_H

#include "mpi/plan/network.h"
#include "mpi/plan/rehearsal.h"
#include "mpi/plan/x_rehearsal.h"

#define HS_REHEARSALS 6

typedef struct hs_rates {
  int count;
  hs_rehearsal_t rehearsal[HS_REHEARSALS]; /* rows ascending */
  hs_x_rehearsal_t x[HS_X_KINDS];          /* of the other kinds of x-update that are planned with */
  double weights;                          /* seconds of an iteration's work on weights alone */
  double anderson_weights;                 /* the same of the acceleration */
  double read_row; /* seconds a row to read and scale, all ranks at once; NaN: not measured */
  hs_network_t network;
  int ranks, on_node; /* that measured; of these on the node of the first */
} hs_rates_t;

typedef struct hs_rates_request {
  const hs_source_t *source; /* open data file, for the rate of reading; NULL: none */
  hs_scaling_t scaling;      /* of its features */
  bool kinds[HS_X_KINDS];    /* which are planned with */
  int64_t least, most;       /* smallest and largest share of rows that figures are wanted for */
  double seconds;            /* that the largest rehearsal may take */
  double latency, bandwidth; /* see network.h */
} hs_rates_request_t;

/* Measure. Collective. */
hs_status_t hs_rates_measure(hs_rates_t *rates, MPI_Comm comm, const hs_problem_size_t *size,
                             const hs_rates_request_t *request);

/* Seconds of a stage on so many rows, of which `fixed` do not depend on them. Not collective. */
double hs_rates_seconds(const hs_rates_t *rates, hs_stage_t stage, double fixed, int64_t rows);

/* Bytes of the second, small reduction of an iteration, of a solver that remembers `memory` steps. */
double hs_rates_small_bytes(const hs_rates_t *rates, int memory);

#endif
