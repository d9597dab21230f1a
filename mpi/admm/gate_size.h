/* gate_size.h: how far the masked gradient of a gate can move when the residual moves.
 *
 *     ||A_i' w - A_i' w'||_* <= size_i |w - w'|,     size_i = min( |D_i X|_F, |X|_2 ) >= |D_i X|_2
 *
 * for the dual norm of any kind of group, none of which exceeds the Frobenius norm. Both are proven bounds, a little
 * above their value for rounding: the first is close where one direction dominates (features that are not negative),
 * the second where there is none; it needs a d x d Gram matrix and is left out above 256 features.
 */
#ifndef HS_MPI_ADMM_GATE_SIZE_H
#define HS_MPI_ADMM_GATE_SIZE_H

#include "mpi/admm/problem.h"
#include "mpi/comm/reduce.h"

/* Numbers of scratch space that hs_gate_sizes needs. */
int64_t hs_gate_sizes_work(int gates, int d);

/*   size  P numbers, the same on all ranks    work  as above
 * Collective. */
void hs_gate_sizes(const hs_problem_t *problem, double *size, double *work, hs_traffic_t *traffic);

#endif
