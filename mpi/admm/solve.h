/* solve.h: the compressed consensus iteration with a certificate in every step (DESIGN 3).
 *
 *   w   = -grad L(p)                                   local
 *   s   = sum over ranks of A' w                       one masked product, ONE Allreduce
 *   z+  = prox_{beta/(N rho)}( z + s/(N rho) )         replicated
 *   v_b = M_b ( p_b - A_b (2 z+ - z) )                 one masked product, local
 *   p+  = p - v / lambda                               local
 *   (z, p, A z) <- Anderson( (z, p) -> (z+, p+) )      a second, small Allreduce (under 1 kB)
 *
 * For the squared loss w = Y - p, lambda = 1: this is consensus ADMM with exact x-updates, all of whose local
 * variables collapse to one residual w per row. For other losses p - w/lambda is the centre of the quadratic
 * model of the loss at p; w is always the negative gradient at some prediction, hence always in the domain of
 * the dual, and s certifies it in every iteration.
 */
#ifndef HS_MPI_ADMM_SOLVE_H
#define HS_MPI_ADMM_SOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/history.h"
#include "mpi/admm/problem.h"
#include "mpi/checkpoint/checkpoint.h"
#include "mpi/x_update/choose.h"
#include "settings/settings.h"

typedef struct hs_solve_options {
  double tolerance; /* relative duality gap */
  int64_t max_iterations;
  double max_seconds;          /* 0: none */
  double rho;                  /* > 0: fixed; 0: automatic and adaptive */
  int anderson;                /* memory, 0: off */
  hs_x_kind_t x_update;        /* HS_X_AUTO: hs_solve_choose */
  bool no_newton;              /* no Newton steps on the groups that are on (finish.h) */
  bool blocks_given;           /* the user has fixed the rows of a block: automatic means block-kernel then */
  hs_checkpoint_t *checkpoint; /* borrowed; NULL: none. One that was found is gone on from */
  double checkpoint_seconds;   /* between checkpoints; 0: only when asked for, and at the end */
  bool keep_converged;    /* a checkpoint at the goal as well: more work follows, which a signal may end */
  const double *start;    /* P x C x d, the same on all ranks: weights to begin from, whose objective is never
                                  exceeded, whatever checkpoint was found; NULL: that checkpoint, or zero */
  const hs_state_t *also; /* what belongs into its checkpoints besides, `same` or `root`; NULL: nothing */
  int64_t iterations_before; /* of earlier solves: checkpoints count on from there */
} hs_solve_options_t;

typedef enum hs_stop { HS_STOP_CONVERGED, HS_STOP_ITERATIONS, HS_STOP_SECONDS, HS_STOP_SIGNAL } hs_stop_t;

/* "converged", "iterations", "seconds", "signal" */
const char *hs_stop_name(hs_stop_t stop);

typedef struct hs_solution {
  double *u;             /* P x C x d, the weights of the lowest objective, replicated; owned */
  hs_history_row_t last; /* of the last iteration; primal belongs to u */
  double loss;           /* L(A u, Y) */
  double setup_seconds;  /* kernels and factors of the start, largest over ranks; part of last.seconds */
  int factorings;        /* how often the blocks were factored */
  int64_t resumed_at;    /* iteration of the checkpoint, 0: none */
  hs_x_kind_t x_update;  /* that was used */
  hs_stop_t stop;
} hs_solution_t;

/* The x-update that a solve would use, and what the alternatives are estimated to cost (mpi/x_update/choose.h): that
 * of the options, or that of the checkpoint that was found, or the model's choice.
 *   estimates  HS_X_KINDS of them
 * Collective. */
hs_status_t hs_solve_choose(const hs_problem_t *problem, const hs_solve_options_t *options, hs_x_kind_t *kind,
                            hs_x_estimate_t *estimates);

/* Called after every iteration on every rank; only rank 0 has all times. The answer may differ between ranks: what
 * one asks for is done. A second call for the same iteration replaces the row: single precision, recomputed in
 * double at the end. */
typedef enum hs_request { HS_GO_ON = 0, HS_STOP = 1, HS_CHECKPOINT = 2 } hs_request_t; /* may be added */
typedef int hs_observer_t(void *context, const hs_history_row_t *row);

/* Solve from zero, from given weights or from a checkpoint. Where a budget or a request ends it, a checkpoint is written. Collective.
 * *solution is cleared on failure.
 * HS_NUMERICAL: the objective became NaN or a block could not be factored. */
hs_status_t hs_solve(const hs_problem_t *problem, const hs_solve_options_t *options, hs_observer_t *observer,
                     void *context, hs_solution_t *solution);

void hs_solution_free(hs_solution_t *solution);

#endif
