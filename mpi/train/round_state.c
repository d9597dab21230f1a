/* round_state.c: rounds of gates as numbers and arrays. What a field is for stands in gate_rounds.h; here is only its
 * place. */
#include <string.h>

#include "base/memory.h"
#include "model/history_log.h"
#include "mpi/comm/agree.h"
#include "mpi/train/gate_rounds.h"

enum { ROUND, LAST, SOLVED, GATES, ROWS, FACTORINGS, COUNTS };
enum {
  OBJECTIVE,
  LOSS,
  SETUP_SECONDS,
  ENDED,
  BEHIND = ENDED + HS_HISTORY_NUMBERS,
  NUMBERS = BEHIND + HS_HISTORY_NUMBERS
};

static void pack(hs_gate_rounds_t *rounds)
{
  int64_t *counts = rounds->counts;
  double *numbers = rounds->numbers;
  counts[ROUND] = rounds->round;
  counts[LAST] = rounds->last;
  counts[SOLVED] = rounds->solved;
  counts[GATES] = rounds->setup->gates.count;
  counts[ROWS] = rounds->rows;
  counts[FACTORINGS] = rounds->factorings;
  numbers[OBJECTIVE] = rounds->objective;
  numbers[LOSS] = rounds->loss;
  numbers[SETUP_SECONDS] = rounds->setup_seconds;
  hs_history_to_numbers(&rounds->ended, numbers + ENDED);
  hs_history_to_numbers(&rounds->behind, numbers + BEHIND);
}

static void unpack(hs_gate_rounds_t *rounds)
{
  const int64_t *counts = rounds->counts;
  const double *numbers = rounds->numbers;
  rounds->round = counts[ROUND];
  rounds->last = counts[LAST] != 0;
  rounds->solved = counts[SOLVED] != 0;
  rounds->resumed = !rounds->solved;
  rounds->factorings = counts[FACTORINGS];
  rounds->objective = numbers[OBJECTIVE];
  rounds->loss = numbers[LOSS];
  rounds->setup_seconds = numbers[SETUP_SECONDS];
  hs_history_from_numbers(numbers + ENDED, &rounds->ended);
  hs_history_from_numbers(numbers + BEHIND, &rounds->behind);
}

static hs_status_t make_lists(hs_gate_rounds_t *rounds)
{
  static const char what[] = "rounds of gates";
  if (rounds->state == NULL) rounds->state = hs_alloc(1, sizeof *rounds->state, what);
  if (rounds->counts == NULL) rounds->counts = hs_alloc(COUNTS, sizeof *rounds->counts, what);
  if (rounds->numbers == NULL) rounds->numbers = hs_alloc(NUMBERS, sizeof *rounds->numbers, what);
  bool made = rounds->state != NULL && rounds->counts != NULL && rounds->numbers != NULL;
  return made ? HS_OK : HS_NO_MEMORY;
}

/* Of fixed shape; they tell the shapes of the others. */
static void describe_saved(hs_gate_rounds_t *rounds)
{
  hs_state_t *state = rounds->state;
  state->count = 0;
  hs_state_add(state, HS_STORED_SAME, "round_counts", -1, HS_STORED_INT64, 1, COUNTS, rounds->counts);
  hs_state_add(state, HS_STORED_SAME, "round_numbers", -1, HS_STORED_DOUBLE, 1, NUMBERS, rounds->numbers);
}

static void describe_weights(hs_gate_rounds_t *rounds)
{
  const hs_problem_t *problem = &rounds->setup->problem;
  hs_state_add(rounds->state, HS_STORED_SAME, "round_start", -1, HS_STORED_DOUBLE, 1, problem->weights,
               rounds->start);
}

/* Rounds are numbers of 8 bytes, some of them integers: they are stored as they lie in memory. */
static void describe_table(hs_gate_rounds_t *rounds)
{
  if (rounds->rows > 0)
    hs_state_add(rounds->state, HS_STORED_SAME, "round_table", -1, HS_STORED_INT64, rounds->rows,
                 HS_GATE_ROUND_FIELDS, rounds->table);
}

hs_status_t hs_gate_rounds_describe(hs_gate_rounds_t *rounds)
{
  hs_gate_set_t *gates = &rounds->setup->gates;
  hs_status_t status = make_lists(rounds);
  if (status != HS_OK) return status;
  pack(rounds);
  describe_saved(rounds);
  hs_state_add(rounds->state, HS_STORED_SAME, "round_gates", -1, HS_STORED_DOUBLE, gates->count, gates->d,
               gates->G);
  describe_weights(rounds);
  describe_table(rounds);
  return HS_OK;
}

hs_status_t hs_gate_rounds_save(hs_gate_rounds_t *rounds, const char *stop)
{
  hs_status_t status = hs_agree(rounds->setup->comm, hs_gate_rounds_describe(rounds));
  if (status == HS_OK)
    status = hs_checkpoint_write(rounds->outputs->checkpoint, rounds->state,
                                 rounds->behind.iteration + rounds->ended.iteration,
                                 rounds->ended.relative_gap, stop);
  rounds->saved_at = MPI_Wtime();
  return status;
}

/* ---- reading ---- */

static hs_status_t read_list(const hs_gate_rounds_t *rounds)
{
  return hs_checkpoint_read(rounds->outputs->checkpoint, rounds->state);
}

static bool is_sound(const hs_gate_rounds_t *rounds)
{
  const int64_t *counts = rounds->counts;
  return counts[ROUND] >= 0 && counts[ROUND] <= rounds->settings->model.gate_rounds && counts[GATES] > 0 &&
         counts[ROWS] >= counts[ROUND] && counts[ROWS] <= counts[ROUND] + 1;
}

/* Gates of the round, as the problem's. Collective. */
static hs_status_t read_gates(hs_gate_rounds_t *rounds)
{
  hs_setup_t *setup = rounds->setup;
  int64_t count = rounds->counts[GATES];
  int d = setup->shard->d;
  double *G = hs_alloc((size_t)(count * d), sizeof *G, "gates");
  hs_status_t status = hs_agree(setup->comm, G != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    rounds->state->count = 0;
    hs_state_add(rounds->state, HS_STORED_SAME, "round_gates", -1, HS_STORED_DOUBLE, count, d, G);
    status = read_list(rounds);
  }
  if (status == HS_OK) status = hs_setup_use_gates(setup, count, G);
  hs_free(G);
  return status;
}

/* Collective. */
static hs_status_t read_arrays(hs_gate_rounds_t *rounds)
{
  static const char what[] = "rounds of gates";
  rounds->rows = rounds->room = rounds->counts[ROWS];
  hs_free(rounds->start);
  hs_free(rounds->table);
  rounds->start = hs_alloc((size_t)rounds->setup->problem.weights, sizeof(double), what);
  rounds->table = hs_alloc((size_t)rounds->rows, sizeof *rounds->table, what);
  bool made = rounds->start != NULL && rounds->table != NULL;
  hs_status_t status = hs_agree(rounds->setup->comm, made ? HS_OK : HS_NO_MEMORY);
  if (status != HS_OK) return status;
  rounds->state->count = 0;
  describe_weights(rounds);
  describe_table(rounds);
  return read_list(rounds);
}

hs_status_t hs_gate_rounds_restore(hs_gate_rounds_t *rounds)
{
  const char *path = hs_checkpoint_path(rounds->outputs->checkpoint);
  hs_status_t status = hs_agree(rounds->setup->comm, make_lists(rounds));
  if (status != HS_OK) return status;
  describe_saved(rounds);
  status = read_list(rounds);
  if (status == HS_OK && !is_sound(rounds))
    status = hs_fail(HS_BAD_DATA, path, "round_counts",
                     "the checkpoint is damaged (remove it to start from the beginning)");
  if (status == HS_OK) status = read_gates(rounds);
  if (status == HS_OK && rounds->setup->gates.count != rounds->counts[GATES])
    status = hs_fail(HS_BAD_DATA, path, "round_gates",
                     "the checkpoint is damaged (remove it to start from the beginning)");
  if (status == HS_OK) status = read_arrays(rounds);
  if (status == HS_OK) unpack(rounds);
  return status;
}
