/* cone_map.h: a ReLU network from the gated one by cone decomposition, the step of the papers (Kim & Pilanci 2024; Mishkin,
 * Sahiner & Pilanci 2022; FORMULATIONS.md 1.3, 5.3).
 *
 * K_i = {v : S_i X v >= 0}, S_i = +1 on the rows where gate i is on and -1 where it is off: in this cone max(0, x'v) is
 * what the gated network makes of v, exactly. With a direction e_i inside of it any weights are a difference of two:
 *
 *     u = v - w,   w = t e_i,   v = u + t e_i,   t = max_k (-(S_i X u)_k)_+ / (S_i X e_i)_k
 *
 * and so is -u, which gives u = w - v; the smaller t of the two is taken. v becomes a neuron of output +1, w one of -1.
 * Several outputs: the weights of a gate are split into rank-one parts sigma a b' first (rank_one.h), each a is decomposed,
 * and the shares of e_i of all parts are one neuron.
 *
 * The network computes what the gated one does on the training rows. Its norm grows by no more than 2 sum sigma t:
 *     P_G - gap <= F(network) <= L + beta sum sigma + 2 beta sum sigma t        (sum sigma = sum |u_i| for one output)
 */
#ifndef HS_MPI_NETWORK_CONE_MAP_H
#define HS_MPI_NETWORK_CONE_MAP_H

#include <mpi.h>

#include "model/model.h"
#include "mpi/comm/reduce.h"
#include "mpi/data/shard.h"
#include "mpi/network/margin.h"
#include "network/neurons.h"

typedef enum hs_cone_direction {
  HS_CONE_GATE,  /* e_i = g_i / |g_i| */
  HS_CONE_MARGIN /* the direction of largest margin of the gate's mask (margin.h) */
} hs_cone_direction_t;

typedef struct hs_cone_report {
  double before; /* sum sigma: sum |u_i| for one output, the sum of the nuclear norms for more */
  double after;  /* sum |w_k| |a_k| of the network */
  double shift;  /* sum sigma t */
  int left_out; /* gates that could not be decomposed: e_i not in K_i, or on its boundary at a row where that matters.
                    Their parts became neurons by the majority of signs, as in sign_map.h: not exact */
  hs_margin_report_t margin; /* of HS_CONE_MARGIN */
} hs_cone_report_t;

/* Decompose a model that has gates and weights, on the rows of the shard (the training data).
 *   max_seconds  for the directions of HS_CONE_MARGIN, to the usual tolerance of margin.h; 0: no limit
 *   neurons      initialised; receives the network, balanced, the same on all ranks
 * HS_NO_MEMORY, HS_NUMERICAL on all ranks if on one. Collective. */
hs_status_t hs_cone_map(const hs_model_t *model, MPI_Comm comm, const hs_shard_t *shard,
                        hs_cone_direction_t direction, double max_seconds, hs_neurons_t *neurons,
                        hs_cone_report_t *report, hs_traffic_t *traffic);

#endif
