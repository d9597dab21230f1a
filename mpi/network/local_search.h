/* local_search.h: the network's local methods: from some neurons to a stationary point (DESIGN 5, step 2).
 *
 * The weights of both layers move; the objective is that of relu_gradient.h. At a stationary point the layers are
 * balanced of themselves: w_k'(dF/dw_k) - a_k'(dF/da_k) = beta (|w_k|^2 - |a_k|^2).
 */
#ifndef HS_MPI_NETWORK_LOCAL_SEARCH_H
#define HS_MPI_NETWORK_LOCAL_SEARCH_H

#include "mpi/network/relu_problem.h"
#include "settings/settings.h"

typedef struct hs_local_options {
  hs_local_method_t method; /* HS_LOCAL_BOTH: L-BFGS from where Adam ended */
  int64_t max_iterations;   /* of each method; 0: 5000 of L-BFGS, 2000 of Adam */
  double tolerance;         /* L-BFGS: stop when 10 iterations gain less than this share of the value */
  double max_seconds;       /* 0: no limit */
} hs_local_options_t;

typedef enum hs_local_stop {
  HS_LOCAL_CONVERGED,  /* no more progress, or none to be had */
  HS_LOCAL_ITERATIONS, /* max_iterations */
  HS_LOCAL_TIME,       /* max_seconds */
  HS_LOCAL_INTERRUPTED /* by a signal (base/interrupt.h) on any rank */
} hs_local_stop_t;

typedef struct hs_local_report {
  hs_relu_value_t start,
      end; /* of the balanced networks, by hs_relu_evaluate; end.objective <= start.objective */
  int64_t iterations, evaluations;
  double seconds; /* of this rank */
  hs_local_stop_t stop;
} hs_local_report_t;

/* Search from the neurons, which become the network found: balanced, without those that are on for no row or whose size
 * |w_k| |a_k| is negligible, or what they were, balanced, if nothing better was found. A neuron whose a_k is zero counts
 * as none: give it a small one. Neurons are the same on all ranks before and after. A limit of time or a signal ends the
 * search early with what there is, and is no failure. HS_NO_MEMORY, HS_NUMERICAL (a value that is not finite): the
 * neurons are left balanced. Collective. */
hs_status_t hs_local_search(const hs_relu_problem_t *problem, hs_neurons_t *neurons,
                            const hs_local_options_t *options, hs_local_report_t *report,
                            hs_traffic_t *traffic);

/* "converged", "iterations", "time", "interrupted" */
const char *hs_local_stop_name(hs_local_stop_t stop);

#endif
