/* solves.c: iterations of small generated problems, FISTA beside them. */
#include <math.h>

#include "mpi/bench/fista.h"
#include "mpi/bench/sections.h"
#include "mpi/bench/trial.h"

/* A solve and what it should take. */
typedef struct goal {
  double beta;
  double loose, tight; /* iterations; NAN: no goal */
} goal_t;

static const hs_trial_plan_t gaussian = {.kind = HS_GAUSSIAN,
                                         .n = 4000,
                                         .d = 10,
                                         .scaling = HS_SCALING_NONE,
                                         .precision = HS_DOUBLE,
                                         .loss = HS_SQUARED,
                                         .gates = 50,
                                         .block_rows = 500,
                                         .tolerance = 1e-6};
static const hs_trial_plan_t logistic = {.kind = HS_GAUSSIAN,
                                         .n = 4000,
                                         .d = 10,
                                         .sign = true,
                                         .scaling = HS_SCALING_NONE,
                                         .precision = HS_DOUBLE,
                                         .loss = HS_LOGISTIC,
                                         .gates = 50,
                                         .block_rows = 500,
                                         .tolerance = 1e-6};
/* Ours, on blocks of rows. */
static hs_trial_run_t own_run(double beta, int repeats)
{
  return (hs_trial_run_t){
      .solver = hs_solve, .x_update = HS_X_BLOCK_KERNEL, .beta = beta, .repeats = repeats};
}

/* beta to seconds in the table of compare. */
static void print_solve(hs_results_t *results, const goal_t *goal, const hs_outcome_t *outcome)
{
  hs_results_number(results, goal->beta, -6);
  hs_results_number(results, outcome->loose, 0);
  hs_results_goal(results, outcome->loose, goal->loose, 0, false);
  hs_results_number(results, outcome->tight, 0);
  hs_results_goal(results, outcome->tight, goal->tight, 0, false);
  hs_results_number(results, outcome->seconds, 3);
}

/* FISTA's power iteration is not counted: other ways to find its step are cheaper. */
static void print_fista(hs_results_t *results, const hs_outcome_t *outcome, double seconds)
{
  double own = outcome->seconds - outcome->setup_seconds;
  hs_results_number(results, outcome->loose, 0);
  hs_results_number(results, outcome->tight, 0);
  hs_results_number(results, own, 3);
  hs_results_number(results, own / seconds, 1);
}

static hs_status_t compare(hs_bench_t *bench, const hs_trial_plan_t *plan, const goal_t *goals, int count,
                           const char *name, const char *title)
{
  static const hs_column_t columns[] = {{"beta", "beta"},
                                        {"iterations_1e-3", "1e-3"},
                                        {"goal_1e-3", "goal"},
                                        {"met_1e-3", ""},
                                        {"iterations", "1e-6"},
                                        {"goal", "goal"},
                                        {"met", ""},
                                        {"seconds", "seconds"},
                                        {"fista_iterations_1e-3", "FISTA 1e-3"},
                                        {"fista_iterations", "1e-6"},
                                        {"fista_seconds", "seconds"},
                                        {"fista_ratio", "FISTA / ours"}};
  hs_trial_t trial;
  hs_status_t status = hs_trial_create(&trial, bench->comm, plan);
  if (status != HS_OK) return status;
  hs_results_table(&bench->results, name, title, columns, sizeof columns / sizeof *columns);
  for (int i = 0; i < count && status == HS_OK; i++) {
    hs_outcome_t own, fista;
    hs_trial_run_t run = own_run(goals[i].beta, bench->repeats), rival = run;
    rival.solver = hs_fista;
    status = hs_trial_solve(&trial, &run, &own);
    if (status == HS_OK) status = hs_trial_solve(&trial, &rival, &fista);
    if (status != HS_OK) break;
    print_solve(&bench->results, &goals[i], &own);
    print_fista(&bench->results, &fista, own.seconds);
  }
  hs_results_end(&bench->results);
  hs_trial_free(&trial);
  return status;
}

hs_status_t hs_bench_gaussian(hs_bench_t *bench)
{
  static const goal_t goals[] = {{0.1, 50, 80}, {0.01, 60, 100}, {0.001, 70, 130}};
  return compare(bench, &gaussian, goals, 3, "gaussian",
                 "4000 x 10, 50 gates, squared loss, blocks of 500 rows: iterations to gaps 1e-3 and 1e-6");
}

hs_status_t hs_bench_logistic(hs_bench_t *bench)
{
  static const goal_t goals[] = {{0.01, 60, 160}};
  return compare(bench, &logistic, goals, 1, "logistic",
                 "4000 x 10, 50 gates, logistic loss, blocks of 500 rows: iterations to gaps 1e-3 and 1e-6");
}
