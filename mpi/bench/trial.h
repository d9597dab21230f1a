/* trial.h: one training problem on generated data, solved and timed. */
#ifndef HS_MPI_BENCH_TRIAL_H
#define HS_MPI_BENCH_TRIAL_H

#include "mpi/admm/solve.h"

typedef struct hs_trial_plan {
  hs_synthetic_kind_t kind;
  int64_t n;
  int d; /* no bias column */
  int outputs; /* 0, 1: as the generator has them; more, for gaussian regression: differences of ReLU features besides */
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

/* The interface that hs_solve and hs_fista share. */
typedef hs_status_t hs_solve_function_t(const hs_problem_t *problem, const hs_solve_options_t *options,
                                        hs_observer_t *observer, void *context, hs_solution_t *solution);

typedef struct hs_trial_run {
  hs_solve_function_t *solver;
  hs_x_kind_t x_update; /* of hs_solve, not HS_X_AUTO */
  double beta;          /* relative to beta_max */
  double optimum;       /* to tell how near an objective is to it, see hs_trial_optimum; 0: not told */
  int repeats;
} hs_trial_run_t;

#define HS_TRIAL_LOOSE 1e-3 /* the relative gap that a first number of iterations is told for */
#define HS_TRIAL_NEAR 1e-6  /* the distance from the optimum, relative to it */

typedef struct hs_outcome {
  double loose, tight; /* iterations to the loose gap and to the tolerance; NAN: not reached */
  double near; /* iterations to an objective that near to the optimum; NAN: not reached, or not asked for */
  double seconds;       /* shortest over the repeats, set-up included, on rank 0 */
  double near_seconds;  /* the same until the objective is near; NAN as `near` */
  double setup_seconds; /* of the shortest run */
  double factorings;
  double primal, relative_gap;
} hs_outcome_t;

/* Data and gates. Collective over comm. */
hs_status_t hs_trial_create(hs_trial_t *trial, MPI_Comm comm, const hs_trial_plan_t *plan);
void hs_trial_free(hs_trial_t *trial);

/* Solve. Collective. */
hs_status_t hs_trial_solve(const hs_trial_t *trial, const hs_trial_run_t *run, hs_outcome_t *outcome);

/* The lowest objective of a long solve with the x-update and beta of `run`, and its relative gap, which says how much
 * lower the optimum may lie: at most 1e-10, in single precision 1e-8, where the data allow it. Collective. */
hs_status_t hs_trial_optimum(const hs_trial_t *trial, const hs_trial_run_t *run, double *optimum,
                             double *gap);

/* What HS_X_AUTO stands for, and the model's estimates (hs_solve_choose). Collective. */
hs_status_t hs_trial_choose(const hs_trial_t *trial, double beta, hs_x_kind_t *kind,
                            hs_x_estimate_t *estimates);

#endif
