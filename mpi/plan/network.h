/* network.h: what an Allreduce costs on so many ranks.
 *
 *   seconds = 2 ceil(log2 R) latency + 2 (R - 1)/R bytes/bandwidth
 *
 * the cost of a reduce-scatter followed by an allgather (Rabenseifner 2004), the best order known for long
 * vectors. The bandwidth is what one rank sends and receives, the arithmetic of the sum included. Where a node
 * holds many ranks, MPI sums within the node first, and the figure is close to that of the node's network.
 */
#ifndef HS_MPI_PLAN_NETWORK_H
#define HS_MPI_PLAN_NETWORK_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef enum hs_network_source {
  HS_NETWORK_ASSUMED,
  HS_NETWORK_MEASURED,
  HS_NETWORK_GIVEN
} hs_network_source_t;

typedef struct hs_network {
  double latency, bandwidth; /* seconds a step, bytes a second */
  hs_network_source_t latency_source, bandwidth_source;
} hs_network_t;

/* Measured between the ranks of comm with the reductions of an iteration, if there are several; else assumed.
 *   latency, bandwidth  taken instead; NaN: not given
 *   large, small        numbers of doubles in the two reductions
 * Collective. */
hs_status_t hs_network_find(hs_network_t *network, MPI_Comm comm, double latency, double bandwidth,
                            int64_t large, int64_t small);

/* Seconds of an Allreduce of so many bytes; 0 on one rank. Not collective. */
double hs_network_seconds(const hs_network_t *network, int ranks, double bytes);

/* "assumed", "measured", "given" */
const char *hs_network_source_name(hs_network_source_t source);

#endif
