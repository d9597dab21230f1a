/* solver.h: all that a solve knows between two iterations, and its way into a checkpoint and back. */
#ifndef HS_MPI_ADMM_SOLVER_H
#define HS_MPI_ADMM_SOLVER_H

#include "mpi/admm/active_set.h"
#include "mpi/admm/anderson.h"
#include "mpi/admm/certificate.h"
#include "mpi/admm/finish.h"
#include "mpi/admm/iterate.h"
#include "mpi/admm/penalty.h"
#include "mpi/admm/solve.h"
#include "mpi/gram/reduction.h"
#include "mpi/x_update/x_update.h"

/* Newton steps that are tried out (finish.h), and where to return to. */
typedef struct hs_attempt {
  bool on;           /* the point of this iteration is one of Newton's */
  double gap;        /* relative gap that it has to beat */
  int fails;         /* points in a row that did not */
  int64_t wait;      /* iterations from a failure to the next attempt */
  double spent;      /* what the steps of this attempt have cost, in iterations */
  int64_t ready;     /* first iteration that may begin one */
  int64_t pattern;   /* groups of the last iteration, */
  int64_t same;      /* which have been the same for so many iterations, */
  int64_t wanted;    /* of so many that are wanted */
  double *z, *p, *a; /* the point that the iteration would have gone on from; owned, with room when needed */
} hs_attempt_t;

typedef struct hs_solver {
  const hs_problem_t *given;   /* the problem on the rows of the data */
  const hs_problem_t *problem; /* what is iterated on: the same, or reduced */
  const hs_solve_options_t *options;
  hs_x_kind_t kind;          /* of the x-update, never automatic */
  double iteration_seconds;  /* modelled, on one rank */
  hs_reduction_t *reduction; /* owned; NULL: none */
  hs_iterate_t x;
  hs_x_update_t *update;
  hs_anderson_t *anderson;
  hs_active_set_t *active_set;
  hs_penalty_t penalty;
  hs_finish_t *finish; /* owned; NULL: none */
  hs_attempt_t trial;
  double change;       /* |z+ - z|^2 of the last step */
  double progress_gap; /* relative gap when it last fell noticeably, */
  int64_t progress_at; /* and that iteration */
  int64_t plain_until; /* plain steps up to there: acceleration had led nowhere */
  int64_t plain_length;
  hs_certificate_t best;
  bool inexact;   /* bounds have to be confirmed: products in single precision, or a reduced problem */
  double *best_w; /* then: residual of the best dual bound */
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

/* A solver with its blocks factored, at zero, at the given weights or at the checkpoint that was found. The problem and the options are
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

/* Memory for a trial, once. Not collective. */
hs_status_t hs_solver_trial_room(hs_solver_t *solver);

/* Take everything but the factors of the blocks from the checkpoint that was found. Collective. */
hs_status_t hs_solver_restore(hs_solver_t *solver);

/* The kind of x-update that the checkpoint was found with. Collective. */
hs_status_t hs_solver_stored_kind(const hs_checkpoint_t *checkpoint, MPI_Comm comm, hs_x_kind_t *kind);

#endif
