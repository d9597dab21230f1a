/* distributed.h: a problem of direct.h, cut into the rows of each rank and handed to the program. */
#ifndef HS_TESTS_SUPPORT_DISTRIBUTED_H
#define HS_TESTS_SUPPORT_DISTRIBUTED_H

#include "base/memory.h"
#include "mpi/admm/problem.h"
#include "mpi/admm/solve.h"
#include "mpi/comm/agree.h"
#include "tests/support/direct.h"

typedef struct distributed {
  hs_shard_t *shard;
  hs_gate_set_t gates;
  hs_problem_t problem;
} distributed_t;

/* The rows of this rank as the loader would give them, unscaled; the bias is a column like any other. */
static inline hs_shard_t *distributed_shard(MPI_Comm comm, const direct_t *p, int64_t blocks,
                                            hs_precision_t precision)
{
  hs_shard_t *shard = hs_alloc(1, sizeof *shard, "shard");
  if (shard == NULL) abort();
  shard->partition = hs_partition_make(p->n, blocks, hs_rank(comm), hs_ranks(comm));
  shard->row0 = hs_partition_first_row(&shard->partition, shard->partition.rank);
  shard->rows = hs_partition_first_row(&shard->partition, shard->partition.rank + 1) - shard->row0;
  shard->features = shard->d = p->d;
  shard->precision = precision;
  shard->outputs = p->outputs;
  size_t count = (size_t)shard->rows * (size_t)p->d, values = (size_t)shard->rows * (size_t)p->outputs;
  shard->X = hs_alloc(count, hs_precision_bytes(precision), "features");
  shard->Y = hs_alloc(values, sizeof(double), "targets");
  shard->shift = hs_alloc((size_t)p->d, sizeof(double), "shift");
  shard->scale = hs_alloc((size_t)p->d, sizeof(double), "scale");
  if (shard->X == NULL || shard->Y == NULL || shard->shift == NULL || shard->scale == NULL) abort();
  for (int j = 0; j < p->d; j++) shard->scale[j] = 1;
  const double *x = p->X + shard->row0 * p->d;
  for (size_t e = 0; e < count; e++) {
    if (precision == HS_SINGLE)
      ((float *)shard->X)[e] = (float)x[e];
    else
      ((double *)shard->X)[e] = x[e];
  }
  memcpy(shard->Y, p->Y + shard->row0 * p->outputs, values * sizeof(double));
  return shard;
}

/* Sets p->beta from the relative beta. No gate may be empty or repeated, or the program would drop it. The
 * parts borrow from each other: *x must not be copied. */
static inline void distributed_make(distributed_t *x, MPI_Comm comm, direct_t *p, double relative_beta,
                                    int64_t blocks, hs_precision_t precision)
{
  *x = (distributed_t){.shard = distributed_shard(comm, p, blocks, precision)};
  hs_status_t status = hs_gate_set_given(&x->gates, comm, x->shard, p->gates, p->G);
  if (status == HS_OK && x->gates.count != p->gates) status = HS_BAD_DATA;
  if (status == HS_OK)
    status = hs_problem_create(&x->problem, comm, x->shard, &x->gates, p->loss, p->groups, relative_beta, 0);
  if (status != HS_OK) {
    fprintf(stderr, "no problem: %s, %d of %d gates\n", hs_error_message(), x->gates.count, p->gates);
    MPI_Abort(comm, 1);
  }
  p->beta = x->problem.beta;
}

static inline void distributed_free(distributed_t *x)
{
  hs_problem_free(&x->problem);
  hs_gate_set_free(&x->gates);
  hs_shard_free(&x->shard);
}

/* Solve by the x-update of this kind and report through *solution; true when the gap reached the tolerance. */
static inline bool distributed_solve_by(const distributed_t *x, hs_x_kind_t kind, double tolerance,
                                        hs_solution_t *solution)
{
  hs_solve_options_t options = {
      .tolerance = tolerance, .max_iterations = 20000, .anderson = 10, .x_update = kind};
  hs_status_t status = hs_solve(&x->problem, &options, NULL, NULL, solution);
  if (status != HS_OK) fprintf(stderr, "solve: %s\n", hs_error_message());
  return status == HS_OK && solution->stop == HS_STOP_CONVERGED;
}

/* By blocks of rows. */
static inline bool distributed_solve(const distributed_t *x, double tolerance, hs_solution_t *solution)
{
  return distributed_solve_by(x, HS_X_BLOCK_KERNEL, tolerance, solution);
}

#endif
