/* column_generation.h: from any ReLU network to the global optimum, by adding neurons where the price is highest.
 *
 * In rounds, with unit directions w_k:                                                        PRICING.md 2
 *   1. the best outer weights of all directions at hand, a convex problem; directions with weight zero go (outer_weights.h)
 *   2. theta, the residual of that network; Z = max over |w| <= 1 of |theta'(Xw)_+|, by ascent from many starts (relu_price.h)
 *   3. lower bound on p* at theta beta / Z; done when objective and bound are close enough
 *   4. the best directions with a price above beta join
 * The objective never rises. Local search stalls where samples lie exactly on the hyperplanes of neurons, as they do at
 * optima; the convex problem over directions that are nearly the same does not.
 * Z is the best of a number of starts: the bound is an ESTIMATE, to be shown with that number. A proof takes theta to
 * mpi/bounds/relu_proof.h.
 */
#ifndef HS_MPI_NETWORK_COLUMN_GENERATION_H
#define HS_MPI_NETWORK_COLUMN_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "mpi/network/relu_problem.h"

/* After a round, on all ranks. */
typedef struct hs_columns_round {
  int round;        /* from 1 */
  int neurons;      /* of the best network */
  double objective; /* of the best network */
  double lower;     /* best estimate of a lower bound on p* */
  double price;     /* Z / beta of this round */
  double seconds;   /* since the start */
} hs_columns_round_t;

typedef struct hs_columns_options {
  int64_t rounds;   /* at most; 0: 100 */
  double tolerance; /* done when (objective - lower) / objective is no more than this */
  int64_t
      starts; /* of a round's price near the end, a quarter while Z > 1.05 beta; 0: 256. Doubled each time that
                         * the final price finds more than the rounds have */
  int64_t final_starts; /* of the price behind the reported bound; 0: the bound of a round is reported */
  int64_t seed;
  double max_seconds; /* 0: no limit. As rank 0's clock has it; the final price is counted in */
  /* Called on all ranks after each round; true on any of them ends the run in good order. May be NULL. */
  bool (*observe)(void *context, const hs_columns_round_t *round);
  void *context;
} hs_columns_options_t;

typedef enum hs_columns_end {
  HS_COLUMNS_TOLERANCE,   /* objective and estimated bound agree */
  HS_COLUMNS_PRICED_OUT,  /* no direction with a price above beta is found any more */
  HS_COLUMNS_ROUNDS,      /* out of rounds */
  HS_COLUMNS_TIME,        /* out of time */
  HS_COLUMNS_STALLED,     /* new directions no longer lower the objective, in double precision */
  HS_COLUMNS_STOPPED,     /* the observer asked */
  HS_COLUMNS_INTERRUPTED, /* a signal asked (base/interrupt.h) */
} hs_columns_end_t;

typedef struct hs_columns_report {
  int rounds, columns_added;
  hs_relu_value_t start, end;
  double lower; /* estimated lower bound on p*, at theta */
  double gap;   /* (end.objective - lower) / end.objective */
  double
      Z; /* the price behind it: largest |theta'(Xw)_+| found. Z / beta <= 1: optimal, as far as was seen */
  double *best_w; /* d, unit: where; owned */
  int64_t starts; /* ascents from theta behind Z, those of a round and of a final price */
  double seconds;
  hs_columns_end_t ended;
} hs_columns_report_t;

/* Run it.
 *   neurons  the same on all ranks. In: the start, of any scaling; directions with zero outer weights are columns, too. Out: the
 *            best network, without zero neurons, balanced. Its objective is not higher than that of the start
 *   theta    rows x C on this rank, out: the residual that the bound belongs to
 *   report   to be freed by hs_columns_report_free, also after a failure
 * A failure leaves the neurons as they were. Collective. */
hs_status_t hs_column_generation(const hs_relu_problem_t *problem, hs_neurons_t *neurons,
                                 const hs_columns_options_t *options, double *theta,
                                 hs_columns_report_t *report, hs_traffic_t *traffic);
void hs_columns_report_free(hs_columns_report_t *report);

/* "tolerance", "no more columns", "rounds", "time", "stalled", "stopped", "interrupted" */
const char *hs_columns_end_name(hs_columns_end_t end);

#endif
