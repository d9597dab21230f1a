/* random_start.h: random networks for the local methods to start from. */
#ifndef HS_MPI_NETWORK_RANDOM_START_H
#define HS_MPI_NETWORK_RANDOM_START_H

#include "mpi/network/relu_problem.h"

/* m neurons with standard normal entries in both layers, by (seed, restart, m) alone; then the second layer is scaled so
 * that the predictions are as large as the targets, |f(X)|_F = |Y|_F (all losses: class targets are of size 1, and so
 * are predictions that tell classes apart), and the layers are balanced. Unscaled where either size is zero.
 *   neurons  initialised; what it held is dropped
 * HS_NO_MEMORY on all ranks if on one. Collective. */
hs_status_t hs_random_start(const hs_relu_problem_t *problem, int64_t seed, int restart, int m,
                            hs_neurons_t *neurons, hs_traffic_t *traffic);

#endif
