/* problem.h: the distributed group lasso that training solves.
 *
 *   minimise over u    L(A u, Y) + beta sum_i ||u_i||                         DESIGN 2, (gated)
 *
 * Rows are spread over the ranks of comm, in blocks; weights are replicated.
 *   P gates   d features with bias   C outputs   n rows over all ranks, `rows` of them here
 */
#ifndef HS_MPI_ADMM_PROBLEM_H
#define HS_MPI_ADMM_PROBLEM_H

#include <mpi.h>
#include <stdint.h>

#include "base/status.h"
#include "group/group.h"
#include "loss/loss.h"
#include "masked/masked.h"
#include "mpi/data/gate_set.h"
#include "mpi/data/shard.h"

struct hs_reduction;

typedef struct hs_problem {
  MPI_Comm comm;           /* borrowed */
  const hs_shard_t *shard; /* borrowed */
  int gates, d, outputs;
  int64_t rows, weights; /* local rows; P d C */
  hs_loss_t loss;
  hs_groups_t groups;
  hs_masked_t *op;         /* owned: A and A' of the local rows */
  const hs_masks_t *masks; /* borrowed: of the local rows */
  struct hs_reduction
      *reduction; /* borrowed; NULL: the rows are those of the data. Else see mpi/gram/reduction.h */
  hs_group_work_t *group_work; /* owned */
  const double *Y;             /* borrowed from the shard */
  double beta, beta_max;
} hs_problem_t;

/* Build the operator and find beta_max = max_i ||A_i'(-grad L(0))||_*, the smallest beta whose solution is 0.
 *   relative_beta, absolute_beta  absolute wins when it is > 0
 * HS_BAD_DATA when beta_max is 0 (the zero network is optimal for every beta). Collective. */
hs_status_t hs_problem_create(hs_problem_t *problem, MPI_Comm comm, const hs_shard_t *shard,
                              const hs_gate_set_t *gates, hs_loss_t loss, hs_groups_t groups,
                              double relative_beta, double absolute_beta);
void hs_problem_free(hs_problem_t *problem);

/* a = A u and s = A' w over the rows of this rank, whatever they are; shapes as in masked.h. Not collective. */
void hs_problem_forward(const hs_problem_t *problem, const double *u, double *a);
void hs_problem_adjoint(const hs_problem_t *problem, const double *w, double *s);

/* sum_i ||u_i||, u is P blocks of d x C; *active counts groups that are not zero. Not collective. */
double hs_problem_norm(const hs_problem_t *problem, const double *u);

/* max_i ||s_i||_*. Not collective. */
double hs_problem_dual_norm(const hs_problem_t *problem, const double *s);

#endif
