/* history.h: what is told of one iteration, on the screen and in the run file. All times in seconds. */
#ifndef HS_MODEL_HISTORY_H
#define HS_MODEL_HISTORY_H

#include <stdint.h>

typedef struct hs_history_row {
  int64_t iteration;      /* from 1 */
  double primal;          /* objective of the best weights so far: loss + beta * norms */
  double dual;            /* best lower bound so far */
  double gap;             /* primal - dual */
  double relative_gap;    /* gap / primal; 0 when both are 0 */
  double rho;             /* penalty used in this iteration */
  double primal_residual; /* sqrt(N rho) |z+ - z| */
  double dual_residual;   /* sqrt of the summed dw' K dw / rho */
  int64_t active_groups;
  double seconds;         /* since the solve began */
  double compute_seconds; /* cumulative, mean over ranks */
  double comm_seconds;    /* cumulative: waiting in and doing reductions, mean over ranks */
  double comm_bytes;      /* cumulative: payload of reductions of one rank */
} hs_history_row_t;

#endif
