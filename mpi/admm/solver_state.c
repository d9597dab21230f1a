/* solver_state.c: a solve as numbers and arrays. What a field is for stands in solver.h; here is only its place. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/history_log.h"
#include "mpi/admm/solver.h"
#include "mpi/comm/agree.h"

/* Real numbers: of the solver, of the penalty with its window, of the last row. */
enum {
  BEST_PRIMAL,
  BEST_LOSS,
  BEST_DUAL,
  RESIDUAL,
  RHO,
  RHO_START,
  BLOCKS,
  CHECKED_GAP,
  TRAFFIC_BYTES,
  ONE_BLOCK,
  TRIAL_GAP,
  PROGRESS_GAP,
  TRIAL_SPENT,
  BALANCE,
  ROW = BALANCE + HS_PENALTY_WINDOW,
  NUMBERS = ROW + HS_HISTORY_NUMBERS
};

enum {
  EXACT_AFTER,
  FACTORINGS,
  FACTOR_NEXT,
  RHO_FIXED,
  RHO_MEASURED,
  FALL_BACKS,
  TRAFFIC_CALLS,
  TRIAL_ON,
  TRIAL_FAILS,
  TRIAL_WAIT,
  TRIAL_READY,
  TRIAL_PATTERN,
  TRIAL_SAME,
  TRIAL_WANTED,
  TRIAL_MADE,
  PROGRESS_AT,
  PLAIN_UNTIL,
  PLAIN_LENGTH,
  ANDERSON,
  COUNTS = ANDERSON + HS_ANDERSON_COUNTS
};

typedef struct saved {
  double numbers[NUMBERS];
  int64_t counts[COUNTS];
} saved_t;

static void pack(const hs_solver_t *solver, saved_t *saved)
{
  const hs_penalty_t *penalty = &solver->penalty;
  double *numbers = saved->numbers;
  numbers[BEST_PRIMAL] = solver->best.primal;
  numbers[BEST_LOSS] = solver->best.loss;
  numbers[BEST_DUAL] = solver->best.dual;
  numbers[RESIDUAL] = solver->residual;
  numbers[RHO] = penalty->rho;
  numbers[RHO_START] = penalty->start;
  numbers[BLOCKS] = penalty->blocks;
  numbers[CHECKED_GAP] = penalty->checked_gap;
  numbers[TRAFFIC_BYTES] = solver->traffic.bytes;
  numbers[ONE_BLOCK] = penalty->one_block;
  numbers[TRIAL_GAP] = solver->trial.gap;
  numbers[TRIAL_SPENT] = solver->trial.spent;
  numbers[PROGRESS_GAP] = solver->progress_gap;
  memcpy(numbers + BALANCE, penalty->balance, sizeof penalty->balance);
  hs_history_to_numbers(&solver->row, numbers + ROW);
  int64_t *counts = saved->counts;
  counts[EXACT_AFTER] = solver->exact_after;
  counts[FACTORINGS] = solver->factorings;
  counts[FACTOR_NEXT] = solver->factor_next;
  counts[RHO_FIXED] = penalty->fixed;
  counts[RHO_MEASURED] = penalty->measured;
  counts[FALL_BACKS] = penalty->fall_backs;
  counts[TRAFFIC_CALLS] = solver->traffic.calls;
  const hs_attempt_t *trial = &solver->trial;
  counts[PROGRESS_AT] = solver->progress_at;
  counts[PLAIN_UNTIL] = solver->plain_until;
  counts[PLAIN_LENGTH] = solver->plain_length;
  counts[TRIAL_ON] = trial->on;
  counts[TRIAL_FAILS] = trial->fails;
  counts[TRIAL_WAIT] = trial->wait;
  counts[TRIAL_READY] = trial->ready;
  counts[TRIAL_PATTERN] = trial->pattern;
  counts[TRIAL_SAME] = trial->same;
  counts[TRIAL_WANTED] = trial->wanted;
  counts[TRIAL_MADE] = solver->finish != NULL ? hs_finish_made(solver->finish) : 0;
  hs_anderson_get_counts(solver->anderson, counts + ANDERSON);
}

/* Clocks go on from the last row. */
static hs_status_t unpack(const saved_t *saved, hs_solver_t *solver)
{
  hs_penalty_t *penalty = &solver->penalty;
  const double *numbers = saved->numbers;
  const int64_t *counts = saved->counts;
  solver->best = (hs_certificate_t){
      .primal = numbers[BEST_PRIMAL], .loss = numbers[BEST_LOSS], .dual = numbers[BEST_DUAL]};
  solver->residual = numbers[RESIDUAL];
  penalty->rho = numbers[RHO];
  penalty->start = numbers[RHO_START];
  penalty->blocks = numbers[BLOCKS];
  penalty->checked_gap = numbers[CHECKED_GAP];
  penalty->fixed = counts[RHO_FIXED] != 0;
  penalty->measured = counts[RHO_MEASURED] != 0;
  penalty->fall_backs = (int)counts[FALL_BACKS];
  penalty->one_block = numbers[ONE_BLOCK];
  memcpy(penalty->balance, numbers + BALANCE, sizeof penalty->balance);
  hs_attempt_t *trial = &solver->trial;
  trial->spent = numbers[TRIAL_SPENT];
  solver->progress_gap = numbers[PROGRESS_GAP];
  solver->progress_at = counts[PROGRESS_AT];
  solver->plain_until = counts[PLAIN_UNTIL];
  solver->plain_length = counts[PLAIN_LENGTH];
  trial->gap = numbers[TRIAL_GAP];
  trial->on = counts[TRIAL_ON] != 0;
  trial->fails = (int)counts[TRIAL_FAILS];
  trial->wait = counts[TRIAL_WAIT];
  trial->ready = counts[TRIAL_READY];
  trial->pattern = counts[TRIAL_PATTERN];
  trial->same = counts[TRIAL_SAME];
  trial->wanted = counts[TRIAL_WANTED];
  if (solver->finish != NULL) hs_finish_was_made(solver->finish, counts[TRIAL_MADE]);
  hs_history_from_numbers(numbers + ROW, &solver->row);
  solver->exact_after = counts[EXACT_AFTER];
  solver->factorings = (int)counts[FACTORINGS];
  solver->factor_next = counts[FACTOR_NEXT] != 0;
  solver->begin -= solver->row.seconds;
  solver->traffic = (hs_traffic_t){
      .seconds = solver->row.comm_seconds, .bytes = numbers[TRAFFIC_BYTES], .calls = counts[TRAFFIC_CALLS]};
  if (trial->on && hs_solver_trial_room(solver) != HS_OK) return HS_NO_MEMORY;
  return hs_anderson_set_counts(solver->anderson, counts + ANDERSON);
}

static void describe_saved(saved_t *saved, hs_state_t *state)
{
  hs_state_add(state, HS_STORED_SAME, "numbers", -1, HS_STORED_DOUBLE, 1, NUMBERS, saved->numbers);
  hs_state_add(state, HS_STORED_SAME, "counts", -1, HS_STORED_INT64, 1, COUNTS, saved->counts);
}

static void describe_weights(hs_solver_t *solver, hs_state_t *state)
{
  hs_iterate_t *x = &solver->x;
  int64_t weights = solver->problem->weights;
  hs_state_add(state, HS_STORED_SAME, "z", -1, HS_STORED_DOUBLE, 1, weights, x->z);
  hs_state_add(state, HS_STORED_SAME, "best_z", -1, HS_STORED_DOUBLE, 1, weights, x->best_z);
}

static void describe_arrays(hs_solver_t *solver, hs_state_t *state)
{
  hs_iterate_t *x = &solver->x;
  int C = solver->problem->outputs;
  describe_weights(solver, state);
  hs_state_add(state, HS_STORED_ROWS, "p", -1, HS_STORED_DOUBLE, 0, C, x->p);
  hs_state_add(state, HS_STORED_ROWS, "a", -1, HS_STORED_DOUBLE, 0, C, x->a);
  hs_state_add(state, HS_STORED_ROWS, "curvature", -1, HS_STORED_DOUBLE, 0, 1, x->curvature);
  if (solver->best_w != NULL)
    hs_state_add(state, HS_STORED_ROWS, "best_w", -1, HS_STORED_DOUBLE, 0, C, solver->best_w);
  if (solver->trial.on) {
    const hs_attempt_t *trial = &solver->trial;
    hs_state_add(state, HS_STORED_SAME, "trial_z", -1, HS_STORED_DOUBLE, 1, solver->problem->weights,
                 trial->z);
    hs_state_add(state, HS_STORED_ROWS, "trial_p", -1, HS_STORED_DOUBLE, 0, C, trial->p);
    hs_state_add(state, HS_STORED_ROWS, "trial_a", -1, HS_STORED_DOUBLE, 0, C, trial->a);
  }
  hs_anderson_describe(solver->anderson, C, state);
  hs_active_set_describe(solver->active_set, state);
}

static void add_others(const hs_state_t *also, hs_state_t *state)
{
  for (int i = 0; also != NULL && i < also->count; i++) {
    const hs_state_item_t *item = &also->item[i];
    hs_state_add(state, item->kind, item->name, -1, item->type, item->rows, item->columns, item->data);
  }
}

hs_status_t hs_solver_save(hs_solver_t *solver, const char *stop)
{
  hs_checkpoint_t *checkpoint = solver->options->checkpoint;
  if (checkpoint == NULL) return HS_OK;
  saved_t saved = {0};
  pack(solver, &saved);
  hs_state_t *state = hs_alloc(1, sizeof *state, "checkpoint");
  hs_status_t status = hs_agree(solver->problem->comm, state != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    int64_t kind = solver->kind;
    describe_saved(&saved, state);
    describe_arrays(solver, state);
    hs_state_add(state, HS_STORED_SAME, "x_update", -1, HS_STORED_INT64, 1, 1, &kind);
    add_others(solver->options->also, state);
    status =
        hs_checkpoint_write(checkpoint, state, solver->options->iterations_before + solver->row.iteration,
                            solver->row.relative_gap, stop);
  }
  hs_free(state);
  solver->saved_at = MPI_Wtime();
  return status;
}

hs_status_t hs_solver_stored_kind(const hs_checkpoint_t *checkpoint, MPI_Comm comm, hs_x_kind_t *kind)
{
  int64_t stored = HS_X_BLOCK_KERNEL;
  hs_state_t *state = hs_alloc(1, sizeof *state, "checkpoint");
  hs_status_t status = hs_agree(comm, state != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    hs_state_add(state, HS_STORED_SAME, "x_update", -1, HS_STORED_INT64, 1, 1, &stored);
    status = hs_checkpoint_read(checkpoint, state);
  }
  if (status == HS_OK && (stored < HS_X_BLOCK_KERNEL || stored > HS_X_GLOBAL_GRAM))
    status = hs_fail(HS_BAD_DATA, NULL, "x_update", "the checkpoint holds an impossible x-update");
  *kind = (hs_x_kind_t)stored;
  hs_free(state);
  return status;
}

/* Rows that were reduced rank by rank are others on another number of ranks: only the weights can be taken, and the
 * predictions follow from them. */
static bool rows_differ(const hs_solver_t *solver)
{
  const hs_reduction_t *reduction = solver->reduction;
  return reduction != NULL && !reduction->global &&
         hs_checkpoint_writers(solver->options->checkpoint) != hs_ranks(solver->problem->comm);
}

static void predict(hs_solver_t *solver)
{
  hs_iterate_t *x = &solver->x;
  double bound = hs_loss_curvature(solver->problem->loss);
  hs_problem_forward(solver->problem, x->z, x->a);
  memcpy(x->p, x->a, (size_t)solver->entries * sizeof(double));
  for (int64_t k = 0; k < solver->problem->rows; k++) x->curvature[k] = bound;
  solver->best.dual = -INFINITY; /* its residual is not there to confirm it */
  solver->residual = INFINITY;
  solver->trial.on = false;
  hs_anderson_reset(solver->anderson, solver->problem->outputs, x->curvature);
}

/* Numbers first: they tell which arrays follow. */
hs_status_t hs_solver_restore(hs_solver_t *solver)
{
  MPI_Comm comm = solver->problem->comm;
  const hs_checkpoint_t *checkpoint = solver->options->checkpoint;
  saved_t saved = {0};
  hs_state_t *state = hs_alloc(1, sizeof *state, "checkpoint");
  hs_status_t status = hs_agree(comm, state != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    describe_saved(&saved, state);
    status = hs_checkpoint_read(checkpoint, state);
  }
  if (status == HS_OK) status = hs_agree(comm, unpack(&saved, solver));
  if (status == HS_OK) {
    state->count = 0;
    if (rows_differ(solver))
      describe_weights(solver, state);
    else
      describe_arrays(solver, state);
    status = hs_checkpoint_read(checkpoint, state);
  }
  if (status == HS_OK && rows_differ(solver)) predict(solver);
  if (status == HS_OK) hs_active_set_restored(solver->active_set);
  hs_free(state);
  return status;
}
