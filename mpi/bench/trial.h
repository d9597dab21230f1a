/* trial.h: one training problem on generated data, solved and timed. */
#ifndef HS_MPI_BENCH_TRIAL_H
#define HS_MPI_BENCH_TRIAL_H

#include "mpi/admm/solve.h"

typedef struct hs_trial_plan {
  hs_synthetic_kind_t kind;
  int64_t n;
  int d;     /* no bias column */
  bool sign; /* targets are classes */
  hs_scaling_t scaling;
  hs_precision_t precision;
  hs_loss_kind_t loss;
  int64_t gates, block_rows; /* block_rows 0: automatic */
  double tolerance;
} hs_trial_plan_t;

typedef struct hs_trial {
  const hs_trial_plan_t *plan; /* borrowed */
  MPI_Comm comm;               /* borrowed */
  hs_synthetic_t *synthetic;
  hs_shard_t *shard;
  hs_gate_set_t gates;
} hs_trial_t;

#define HS_TRIAL_LOOSE 1e-3 /* the relative gap that a first number of iterations is told for */

typedef struct hs_outcome {
  double loose, tight; /* iterations to the loose gap and to the tolerance; NAN: not reached */
  double seconds;      /* shortest over the repeats, set-up included, on rank 0 */
  double setup_seconds;
  double primal, relative_gap;
} hs_outcome_t;

/* The interface that hs_solve and hs_fista share. */
typedef hs_status_t hs_solve_function_t(const hs_problem_t *problem, const hs_solve_options_t *options,
                                        hs_observer_t *observer, void *context, hs_solution_t *solution);

/* Data and gates. Collective over comm. */
hs_status_t hs_trial_create(hs_trial_t *trial, MPI_Comm comm, const hs_trial_plan_t *plan);
void hs_trial_free(hs_trial_t *trial);

/* Solve `repeats` times at beta relative to beta_max. Collective. */
hs_status_t hs_trial_solve(const hs_trial_t *trial, double beta, hs_solve_function_t *solver, int repeats,
                           hs_outcome_t *outcome);

#endif
