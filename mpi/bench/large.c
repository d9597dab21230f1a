/* large.c: many rows, few weights: what one pass over the data is worth. */
#include <math.h>

#include "mpi/bench/sections.h"
#include "mpi/bench/trial.h"

#define BETA 0.001
#define GOAL 3.0 /* times as fast as blocks of rows */

static const hs_trial_plan_t plan = {.kind = HS_GAUSSIAN,
                                     .n = 1000000,
                                     .d = 20,
                                     .scaling = HS_SCALING_NONE,
                                     .precision = HS_DOUBLE,
                                     .loss = HS_SQUARED,
                                     .gates = 50,
                                     .tolerance = 1e-6};
static const hs_x_kind_t kinds[] = {HS_X_BLOCK_KERNEL, HS_X_BLOCK_GRAM, HS_X_GLOBAL_GRAM};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void print(hs_results_t *results, const hs_outcome_t *outcomes)
{
  static const hs_column_t columns[] = {{"x_update", "x-update"},
                                        {"setup_seconds", "set-up s"},
                                        {"iterations", "iterations"},
                                        {"milliseconds", "ms each"},
                                        {"seconds", "seconds"},
                                        {"speed_up", "speed-up"},
                                        {"goal", "goal"},
                                        {"met", ""}};
  hs_results_table(results, "large", "1000000 x 20, 50 gates, beta 0.001, gap 1e-6, set-up included", columns,
                   sizeof columns / sizeof *columns);
  for (int i = 0; i < KINDS; i++) {
    const hs_outcome_t *outcome = &outcomes[i];
    double speed_up = outcomes[0].seconds / outcome->seconds;
    hs_results_text(results, "%s", hs_x_name(kinds[i]));
    hs_results_number(results, outcome->setup_seconds, 2);
    hs_results_number(results, outcome->tight, 0);
    hs_results_number(results, 1e3 * (outcome->seconds - outcome->setup_seconds) / outcome->tight, 2);
    hs_results_number(results, outcome->seconds, 2);
    hs_results_number(results, speed_up, 1);
    hs_results_goal(results, speed_up, kinds[i] == HS_X_GLOBAL_GRAM ? GOAL : NAN, 1, true);
  }
  hs_results_end(results);
}

hs_status_t hs_bench_large(hs_bench_t *bench)
{
  hs_trial_t trial;
  hs_outcome_t outcomes[KINDS];
  hs_status_t status = hs_trial_create(&trial, bench->comm, &plan);
  if (status != HS_OK) return status;
  for (int i = 0; i < KINDS && status == HS_OK; i++) {
    hs_trial_run_t run = {.solver = hs_solve, .x_update = kinds[i], .beta = BETA, .repeats = bench->repeats};
    status = hs_trial_solve(&trial, &run, &outcomes[i]);
  }
  hs_trial_free(&trial);
  if (status == HS_OK) print(&bench->results, outcomes);
  return status;
}
