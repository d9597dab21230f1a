/* path_state.c: a run along a path as numbers and arrays. What a field is for stands in path_run.h and warm_start.h.
 *
 * The state is that of the start of the point in hand: a point that was cut off is done again, from the same bits. */
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/path/path_run.h"

enum { DONE, WARM_POINTS, KEPT, BLOCKS, KIND, COUNTS };
enum { SUITED_BETA, SUITED_RHO, NUMBERS };

/* The penalty goes in as it lies in memory: one of another shape has another length, and is refused. */
#define PENALTY ((int64_t)((sizeof(hs_penalty_t) + 7) / 8))

typedef struct saved {
  int64_t counts[COUNTS];
  double numbers[NUMBERS];
  double behind[HS_HISTORY_NUMBERS];
  double penalty[PENALTY];
} saved_t;

static void describe_saved(saved_t *saved, hs_state_t *state)
{
  hs_state_add(state, HS_STORED_SAME, "path_counts", -1, HS_STORED_INT64, 1, COUNTS, saved->counts);
  hs_state_add(state, HS_STORED_SAME, "path_numbers", -1, HS_STORED_DOUBLE, 1, NUMBERS, saved->numbers);
  hs_state_add(state, HS_STORED_SAME, "path_behind", -1, HS_STORED_DOUBLE, 1, HS_HISTORY_NUMBERS,
               saved->behind);
  hs_state_add(state, HS_STORED_SAME, "path_penalty", -1, HS_STORED_DOUBLE, 1, PENALTY, saved->penalty);
}

/* Points are numbers of 8 bytes, some of them integers: they are stored as they lie in memory. */
static void describe_points(hs_path_run_t *run, const saved_t *saved, hs_state_t *state)
{
  const int64_t *counts = saved->counts;
  hs_kept_weights_t *kept = &run->kept;
  if (counts[DONE] == 0) return;
  hs_state_add(state, HS_STORED_SAME, "points", -1, HS_STORED_INT64, counts[DONE], HS_PATH_POINT_FIELDS,
               run->point);
  hs_state_add(state, HS_STORED_SAME, "kept_point", -1, HS_STORED_INT64, 1, counts[KEPT], kept->point);
  hs_state_add(state, HS_STORED_SAME, "kept_first", -1, HS_STORED_INT64, 1, counts[KEPT] + 1, kept->first);
  hs_state_add(state, HS_STORED_SAME, "kept_gate", -1, HS_STORED_INT64, 1, counts[BLOCKS], kept->gate);
  hs_state_add(state, HS_STORED_SAME, "kept_weights", -1, HS_STORED_DOUBLE, counts[BLOCKS], kept->size,
               kept->weights);
}

static void describe_start(hs_path_run_t *run, const saved_t *saved, hs_state_t *state)
{
  hs_warm_start_t *warm = &run->warm;
  int C = run->setup.problem.outputs;
  if (saved->counts[DONE] == 0) return;
  hs_state_add(state, HS_STORED_SAME, "z", -1, HS_STORED_DOUBLE, 1, warm->weights, warm->z);
  hs_state_add(state, HS_STORED_SAME, "old_z", -1, HS_STORED_DOUBLE, 1, warm->weights, warm->old_z);
  hs_state_add(state, HS_STORED_ROWS, "p", -1, HS_STORED_DOUBLE, 0, C, warm->p);
  hs_state_add(state, HS_STORED_ROWS, "old_p", -1, HS_STORED_DOUBLE, 0, C, warm->old_p);
  hs_state_add(state, HS_STORED_ROWS, "curvature", -1, HS_STORED_DOUBLE, 0, 1, warm->curvature);
}

/* Rows of a reduced problem are cut otherwise than those of the data. */
static void cut(hs_path_run_t *run)
{
  const hs_reduction_t *reduction = run->solver->reduction;
  if (reduction != NULL) hs_checkpoint_cut(run->outputs.checkpoint, reduction->first_row);
}

/* The first point, where it was cut off, is done again from the beginning. */
static void pack(const hs_path_run_t *run, saved_t *saved)
{
  memset(saved, 0, sizeof *saved);
  saved->counts[KIND] = run->solver->kind;
  if (run->warm.points == 0) return;
  saved->counts[DONE] = run->done;
  saved->counts[WARM_POINTS] = run->warm.points;
  saved->counts[KEPT] = run->kept.count;
  saved->counts[BLOCKS] = run->kept.blocks;
  saved->numbers[SUITED_BETA] = run->warm.suited_beta;
  saved->numbers[SUITED_RHO] = run->warm.suited_rho;
  hs_history_to_numbers(&run->behind, saved->behind);
  memcpy(saved->penalty, &run->warm.penalty, sizeof run->warm.penalty);
}

hs_status_t hs_path_save_state(hs_path_run_t *run, const char *stop)
{
  saved_t saved;
  pack(run, &saved);
  cut(run);
  bool any = saved.counts[DONE] > 0;
  hs_state_t *state = hs_alloc(1, sizeof *state, "checkpoint");
  hs_status_t status = hs_agree(run->comm, state != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    int64_t iteration = any ? run->behind.iteration : 0;
    hs_history_log_t *history = &run->outputs.history;
    while (history->count > 0 && history->rows[history->count - 1].iteration > iteration) history->count--;
    describe_saved(&saved, state);
    describe_points(run, &saved, state);
    describe_start(run, &saved, state);
    status = hs_checkpoint_write(run->outputs.checkpoint, state, iteration,
                                 any ? run->behind.relative_gap : 1, stop);
  }
  hs_free(state);
  run->saved_at = MPI_Wtime();
  return status;
}

/* Collective. */
static hs_status_t read_saved(const hs_path_run_t *run, saved_t *saved, hs_state_t *state)
{
  describe_saved(saved, state);
  hs_status_t status = hs_checkpoint_read(run->outputs.checkpoint, state);
  if (status != HS_BAD_DATA) return status;
  hs_error_clear();
  return hs_fail(HS_BAD_USAGE, hs_checkpoint_path(run->outputs.checkpoint), NULL,
                 "is the checkpoint of a single training, not of a path, or of another version (remove it to "
                 "start anew, "
                 "or give another output.run)");
}

static bool is_sound(const hs_path_run_t *run, const saved_t *saved)
{
  const int64_t *counts = saved->counts;
  return counts[DONE] >= 0 && counts[DONE] < run->points && counts[KEPT] >= 0 &&
         counts[KEPT] <= counts[DONE] && counts[BLOCKS] >= 0 &&
         counts[BLOCKS] <= counts[KEPT] * run->kept.gates;
}

hs_status_t hs_path_stored_kind(hs_path_run_t *run, hs_x_kind_t *kind)
{
  saved_t saved = {0};
  hs_state_t *state = hs_alloc(1, sizeof *state, "checkpoint");
  hs_status_t status = hs_agree(run->comm, state != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = read_saved(run, &saved, state);
  if (status == HS_OK) *kind = (hs_x_kind_t)saved.counts[KIND];
  hs_free(state);
  return status;
}

static void unpack(hs_path_run_t *run, const saved_t *saved)
{
  run->done = run->resumed_at = (int)saved->counts[DONE];
  run->warm.points = (int)saved->counts[WARM_POINTS];
  run->warm.suited_beta = saved->numbers[SUITED_BETA];
  run->warm.suited_rho = saved->numbers[SUITED_RHO];
  memcpy(&run->warm.penalty, saved->penalty, sizeof run->warm.penalty);
  hs_history_from_numbers(saved->behind, &run->behind);
  run->latest = run->behind;
  run->begin -= run->behind.seconds;
}

hs_status_t hs_path_restore_state(hs_path_run_t *run)
{
  saved_t saved = {0};
  hs_state_t *state = hs_alloc(1, sizeof *state, "checkpoint");
  hs_status_t status = hs_agree(run->comm, state != NULL ? HS_OK : HS_NO_MEMORY);
  cut(run);
  if (status == HS_OK) status = read_saved(run, &saved, state);
  if (status == HS_OK && !is_sound(run, &saved))
    status = hs_fail(HS_BAD_DATA, hs_checkpoint_path(run->outputs.checkpoint), "path_counts",
                     "the checkpoint is damaged (remove it to start from the beginning)");
  if (status == HS_OK)
    status =
        hs_agree(run->comm, hs_kept_weights_resize(&run->kept, saved.counts[KEPT], saved.counts[BLOCKS]));
  if (status == HS_OK && saved.counts[DONE] > 0) {
    state->count = 0;
    describe_points(run, &saved, state);
    describe_start(run, &saved, state);
    status = hs_checkpoint_read(run->outputs.checkpoint, state);
    if (status == HS_OK) unpack(run, &saved);
    if (status == HS_OK) status = hs_warm_start_restore(&run->warm, run->solver);
  }
  hs_free(state);
  return status;
}
