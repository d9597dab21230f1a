/* train_network.h: from the gated solution to a real ReLU network with a bracket on the global optimum (DESIGN 5).
 *
 *   1. starts: sign map, cone decompositions of the gated weights, random neurons; each through a local method
 *   2. neuron column generation from the best of them, with the neurons of all as columns
 *   3. bounds: searches for the highest price (estimated), branch and bound or a quadratic bound (proved); a direction that
 *      the proof finds above beta becomes a column, and 2. goes on, until bound and value meet or time is up
 *
 * Each step keeps the best network so far: the objective never rises. Everything is replicated but the rows; the seed decides
 * what is random. Time limits, where they are hit, make results depend on the speed of the machine.
 */
#ifndef HS_MPI_NETWORK_TRAIN_NETWORK_H
#define HS_MPI_NETWORK_TRAIN_NETWORK_H

#include "model/model.h"
#include "mpi/network/relu_problem.h"
#include "network/bracket.h"
#include "network/record.h"
#include "settings/settings.h"

typedef struct hs_network_options {
  hs_init_t init; /* random: the local methods alone, without column generation */
  int64_t width;  /* neurons of a random start; 0: automatic */
  int64_t restarts;
  hs_local_method_t method; /* of the random starts */
  int64_t seed;
  int64_t rounds;       /* of column generation; 0: none */
  double tolerance;     /* of the estimated bracket, relative */
  double max_seconds;   /* of steps 1 (but for random starts) and 2; 0: no limit */
  int64_t starts;       /* behind the estimated bound; 0: none */
  double proof_seconds; /* 0: no proof */
} hs_network_options_t;

typedef struct hs_network_result {
  hs_neurons_t neurons; /* balanced, pruned; owned */
  hs_relu_value_t value;
  hs_network_record_t record; /* owned */
  hs_bracket_t bracket;       /* gates_lower is left alone */
  bool interrupted;           /* by a signal: what there was by then */
  double local_seconds, columns_seconds, bounds_seconds;
} hs_network_result_t;

/* The options that the settings stand for. */
hs_network_options_t hs_network_options(const hs_settings_t *settings);

/* gated: gates and weights of the gated model, whose neurons are replaced by those of the sign map; its beta is that of the
 * problem. Progress goes to the log. *result is cleared on failure. Collective. */
hs_status_t hs_train_network(const hs_relu_problem_t *problem, hs_model_t *gated,
                             const hs_network_options_t *options, hs_network_result_t *result);
void hs_network_result_free(hs_network_result_t *result);

#endif
