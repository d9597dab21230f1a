/* solver.h: all that a solve knows between two iterations, and its way into a checkpoint and back. */
#ifndef HS_MPI_ADMM_SOLVER_H
#define HS_MPI_ADMM_SOLVER_H

#include "block/block_inverse.h"
#include "mpi/admm/anderson.h"
#include "mpi/admm/certificate.h"
#include "mpi/admm/iterate.h"
#include "mpi/admm/penalty.h"
#include "mpi/admm/solve.h"

typedef struct hs_solver {
  const hs_problem_t *problem;
  const hs_solve_options_t *options;
  hs_iterate_t x;
  hs_block_inverse_t *inverse;
  hs_anderson_t *anderson;
  hs_penalty_t penalty;
  hs_certificate_t best;
  double *best_w; /* residual of the best dual bound; single precision only */
  double *sums;
  int64_t entries;      /* rows x C on this rank */
  double begin;         /* MPI_Wtime at the start; of a run that goes on, as if it had never paused */
  double setup_seconds; /* largest over ranks */
  hs_traffic_t traffic;
  double residual;      /* |f|^2 of the last accepted step */
  int requests;         /* of the observer on this rank */
  double saved_at;      /* MPI_Wtime of the last checkpoint, or of the start */
  hs_history_row_t row; /* of the last iteration */
  bool factor_next;     /* rho or the curvatures have changed */
  int64_t exact_after;  /* no exact certificate before this iteration */
  int factorings;
  int64_t active;
  double scale; /* of w, into the dual feasible set */
  double dual_linear, dual_square;
} hs_solver_t;

/* A solver with its blocks factored, at zero or at the checkpoint that was found. The problem and the options are
 * borrowed until it is freed. *solver is NULL on failure. Collective. */
hs_status_t hs_solver_create(hs_solver_t **solver, const hs_problem_t *problem,
                             const hs_solve_options_t *options);
void hs_solver_free(hs_solver_t **solver);

/* Iterate to the goal or a budget. The weights of the lowest objective are solver->x.best_z; solution->u stays
 * NULL. Collective. */
hs_status_t hs_solver_run(hs_solver_t *solver, hs_observer_t *observer, void *context,
                          hs_solution_t *solution);

/* Before another run from where the last one ended, for a problem whose beta has been changed: bounds, history and
 * the memory of the acceleration are cleared; iterate, penalty and factors stay. Not collective. */
void hs_solver_continue(hs_solver_t *solver);

/* Write a checkpoint of the point that the next iteration starts from. Nothing without options->checkpoint.
 *   stop  "running", or why the run ends here
 * Collective. */
hs_status_t hs_solver_save(hs_solver_t *solver, const char *stop);

/* Take everything but the factors of the blocks from the checkpoint that was found. Collective. */
hs_status_t hs_solver_restore(hs_solver_t *solver);

#endif
