/* rank_one.h: the weights of a gate as a sum of rank-one parts, each of which a single neuron can hold. Not collective. */
#ifndef HS_MPI_NETWORK_RANK_ONE_H
#define HS_MPI_NETWORK_RANK_ONE_H

#include "base/status.h"

/* U = sum_r sigma_r a_r b_r' with |a_r| = |b_r| = 1, sigma descending: the singular value decomposition; for one output
 * simply |u|, u/|u|, 1. Parts below `least` times the first one are left out; U = 0 has none.
 *   weights  U, d x C column-major
 *   sigma, A, B   room for min(d, C) parts: min(d, C), min(d, C) x d and min(d, C) x C row-major
 * HS_NO_MEMORY, HS_NUMERICAL. */
hs_status_t hs_rank_one_split(int d, int C, const double *weights, double least, int *count, double *sigma,
                              double *A, double *B);

#endif
