/* gate_rounds.h: training in rounds that search for further gates (DESIGN 4, PRICING.md 1.3).
 *
 *   round 0    the problem over the gates that were sampled or given
 *   then       theta = -grad L(A u), the residual at its solution u; gates of the highest price there (model.price) are
 *              searched for; those with a price above beta are added, at most model.gate_add, gates without weights go;
 *              the next round begins from the old weights, zero on the new gates
 *   the end    after model.gate_rounds searches, when a round has lowered the objective by less than HS_ROUNDS_GAIN (or
 *              solver.tolerance, if that is larger) of it, or when no gate above beta is found
 *
 * Gates by the ReLU price are directions w of neurons with |theta'(Xw)_+| > beta. Joint and nuclear groups have use for all of
 * them, since the gated price of w is no smaller; with per-output groups, whose price is that of one output, some may stay off.
 *
 * beta is fixed by the gates of round 0, so all rounds lower one objective; beta_max stays theirs as well. No round ends
 * above the one before. Rounds are solved to HS_ROUNDS_TOLERANCE, or solver.tolerance if that is larger; the last one, once
 * more if need be, to solver.tolerance, and polished if wanted. solver.max_iterations and solver.max_seconds are budgets of
 * all rounds together.
 *
 * A checkpoint holds, besides the solver's state, the gates and the start of the round; or, at a budget that is used up
 * between two rounds, its solution. A run that is resumed goes on in its round, with the same bits.
 */
#ifndef HS_MPI_TRAIN_GATE_ROUNDS_H
#define HS_MPI_TRAIN_GATE_ROUNDS_H

#include "model/gate_round.h"
#include "mpi/admm/solve.h"
#include "mpi/train/outputs.h"
#include "mpi/train/setup.h"

#define HS_ROUNDS_GAIN 1e-3
#define HS_ROUNDS_TOLERANCE 1e-4

typedef struct hs_gate_rounds {
  hs_setup_t *setup;     /* borrowed: its gates and its problem change */
  hs_outputs_t *outputs; /* borrowed */
  const hs_settings_t *settings;
  int64_t round;
  bool last;               /* no search follows: solved to the tolerance of the run */
  bool solved;             /* start is the solution of the round, whose search is still to come */
  bool resumed;            /* the solver goes on from the checkpoint */
  double *start;           /* P x C x d, owned */
  double objective, loss;  /* of start; INFINITY in round 0 */
  hs_history_row_t ended;  /* of a solved round: the solver's last row */
  hs_history_row_t behind; /* clocks and counts of the rounds before */
  double setup_seconds;    /* of all rounds before: factors, and the searches */
  int64_t factorings;
  hs_gate_round_t *table; /* owned */
  int64_t rows, room;
  double saved_at;   /* MPI_Wtime of the last checkpoint known here */
  hs_state_t *state; /* what a checkpoint of the solver holds besides its own; owned */
  int64_t *counts;   /* owned, part of it */
  double *numbers;   /* owned, part of it */
} hs_gate_rounds_t;

/* Round 0, or where the checkpoint left off: gates and problem of the setup are those of its round then. To be freed,
 * whatever happened. Collective. */
hs_status_t hs_gate_rounds_create(hs_gate_rounds_t *rounds, hs_setup_t *setup, hs_outputs_t *outputs);
void hs_gate_rounds_free(hs_gate_rounds_t *rounds);

/* What the solve of this round is to do besides what the options say already: start, tolerance, budgets, checkpoints. False
 * when it is solved (of a resumed run); *solution is what is known of it then. Collective. */
hs_status_t hs_gate_rounds_prepare(hs_gate_rounds_t *rounds, hs_solve_options_t *options,
                                   hs_solution_t *solution, bool *solve);

/* The round is solved. Search, and on to the next one; or stay, where this was the end: solution->stop says why.
 *   solution  of the round; its weights are replaced by those of the start, were they better
 *   *more     another round is to be solved; *solution is freed then
 * Collective. */
hs_status_t hs_gate_rounds_next(hs_gate_rounds_t *rounds, hs_solution_t *solution, bool *more);

/* A row of the solver, counted on from the rounds before. Not collective. */
hs_history_row_t hs_gate_rounds_row(const hs_gate_rounds_t *rounds, const hs_history_row_t *row);

/* As hs_outputs_met_at, of the rows of this round, counted from its beginning. Collective. */
int64_t hs_gate_rounds_met_at(const hs_gate_rounds_t *rounds, double relative_gap);

/* The table, for the run file. Rank 0; not collective. */
hs_status_t hs_gate_rounds_write(const hs_gate_rounds_t *rounds);

/* ---- round_state.c ---- */

/* The lists of arrays, for the gates in hand. Not collective. */
hs_status_t hs_gate_rounds_describe(hs_gate_rounds_t *rounds);

/* Write a checkpoint of a solved round.
 *   stop  "running", or why the run ends here
 * Collective. */
hs_status_t hs_gate_rounds_save(hs_gate_rounds_t *rounds, const char *stop);

/* Take the round from the checkpoint that was found. Collective. */
hs_status_t hs_gate_rounds_restore(hs_gate_rounds_t *rounds);

#endif
