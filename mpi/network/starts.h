/* starts.h: networks to start from, each followed by its local method (steps 1 and 2 of DESIGN 5). */
#ifndef HS_MPI_NETWORK_STARTS_H
#define HS_MPI_NETWORK_STARTS_H

#include "mpi/network/train_network.h"

/* What the starts have led to. */
typedef struct hs_starts {
  hs_neurons_t best; /* the network of the lowest objective, balanced; owned */
  hs_relu_value_t value;
  hs_neurons_t others; /* neurons of the other networks, the largest ones: columns for a Lasso; owned */
  double map_seconds;  /* spent on the maps and their searches */
  bool interrupted;
} hs_starts_t;

/* Make and search all starts of the options. The maps of the gated solution come first: sign map, cones, max-margin cones; then
 * random networks. The search from a map has an eighth of options->max_seconds, the max-margin directions a quarter; random starts have no
 * limit of time.
 *   gated   its neurons are replaced by the sign map's
 *   record  receives a row per start, and which was chosen
 * *starts is cleared on failure. Collective. */
hs_status_t hs_starts_search(const hs_relu_problem_t *problem, hs_model_t *gated,
                             const hs_network_options_t *options, hs_starts_t *starts,
                             hs_network_record_t *record, hs_traffic_t *traffic);
void hs_starts_free(hs_starts_t *starts);

/* The neurons of a model. */
hs_status_t hs_neurons_of_model(const hs_model_t *model, hs_neurons_t *neurons);

#endif
