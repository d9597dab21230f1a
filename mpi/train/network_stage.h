/* network_stage.h: the ReLU network after the convex solution: what `train` and `path` share. */
#ifndef HS_MPI_TRAIN_NETWORK_STAGE_H
#define HS_MPI_TRAIN_NETWORK_STAGE_H

#include "model/model.h"
#include "mpi/network/train_network.h"
#include "mpi/train/setup.h"

/* Train the network of a model that has gates and weights (mpi/network/train_network.h), and put its neurons into the model.
 *   gates_lower  proved bound of the gated problem, for the bracket
 * *result is cleared on failure. Collective. */
hs_status_t hs_network_stage(const hs_setup_t *setup, hs_model_t *model, double gates_lower,
                             hs_network_result_t *result);

/* What it came to, on the log. Not collective. */
void hs_network_stage_print(const hs_network_result_t *result);

#endif
