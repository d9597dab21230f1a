/* sign_map.h: a ReLU network from the gated one (DESIGN 5, step 1).
 *
 * The weights of gate i are split into rank-one parts sigma_r a_r b_r' (one part, |u_i| u_i/|u_i|, for one
 * output), and each part becomes the neuron
 *     max(0, s x'a_r sqrt(sigma_r)) * (s sqrt(sigma_r) b_r)           s = +1 or -1
 * with the sign s under which the neuron is on for most samples where the gate is on and off where it is off.
 * If that is so for all samples the neuron computes exactly what the part did. The layers are balanced, so
 * that weight decay beta/2 (|W1|^2 + |W2|^2) of the network equals beta sum |W1_k| |W2_k|.
 */
#ifndef HS_MPI_NETWORK_SIGN_MAP_H
#define HS_MPI_NETWORK_SIGN_MAP_H

#include <mpi.h>

#include "model/model.h"
#include "mpi/data/shard.h"

/* Fill W1, W2 and neurons of a model that has gates and weights, on the rows of the shard (the training
 * data). The network is replicated. Collective. */
hs_status_t hs_sign_map(hs_model_t *model, MPI_Comm comm, const hs_shard_t *shard);

#endif
