/* features.h: sums over all rows of the features that neurons make.
 *
 *   H = (X W1')_+        n x K, one column per neuron, made slab by slab and never stored
 *
 * Directions are taken as they are; callers that want unit ones normalise first. Products in double, threads as in
 * base/threads.h, each function one Allreduce or none.
 */
#ifndef HS_MPI_NETWORK_FEATURES_H
#define HS_MPI_NETWORK_FEATURES_H

#include "mpi/network/relu_problem.h"

/* Gram matrices   Q_m = H' diag(v_m) H,  m = 0 .. kinds-1, of the rows and columns `first` and beyond.
 *   V      rows x kinds on this rank, row-major: the weights v_m; NULL: ones, and kinds is 1
 *   first  columns below it are known to Q: only rows and columns from there on are written
 *   Q      kinds matrices of K x K, one after the other, symmetric; the same bits on all ranks
 * HS_NO_MEMORY on all ranks if on one. Collective. */
hs_status_t hs_features_gram(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, int first,
                             int kinds, const double *V, double *Q, hs_traffic_t *traffic);

/* B = H'T for the columns `first` and beyond.
 *   T  rows x C on this rank, row-major
 *   B  K x C; rows below `first` stay as they are; the same bits on all ranks
 * Collective, as above. */
hs_status_t hs_features_project(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, int first,
                                const double *T, double *B, hs_traffic_t *traffic);

/* The network's predictions: scores = H W2, rows x C on this rank. HS_NO_MEMORY on this rank alone. Not collective. */
hs_status_t hs_features_predict(const hs_relu_problem_t *problem, const hs_neurons_t *neurons,
                                double *scores);

#endif
