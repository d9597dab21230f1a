/* solves.c: whole solves of generated problems, FISTA beside them. */
#include <math.h>

#include "mpi/bench/fista.h"
#include "mpi/bench/gemm.h"
#include "mpi/bench/sections.h"
#include "mpi/bench/timing.h"
#include "mpi/bench/trial.h"
#include "mpi/comm/agree.h"

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
static const hs_trial_plan_t plan_b = {.kind = HS_GAUSSIAN,
                                       .n = 20000,
                                       .d = 50,
                                       .scaling = HS_SCALING_UNIT_NORM,
                                       .precision = HS_DOUBLE,
                                       .loss = HS_SQUARED,
                                       .gates = 200,
                                       .tolerance = 1e-6};
static const hs_trial_plan_t plan_c = {.kind = HS_PROTOTYPES,
                                       .n = 60000,
                                       .d = 784,
                                       .scaling = HS_SCALING_NONE,
                                       .precision = HS_SINGLE,
                                       .loss = HS_SQUARED,
                                       .gates = 50,
                                       .tolerance = 1e-5};

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
    status = hs_trial_solve(&trial, goals[i].beta, hs_solve, bench->repeats, &own);
    if (status == HS_OK) status = hs_trial_solve(&trial, goals[i].beta, hs_fista, bench->repeats, &fista);
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

static void forward(void *context)
{
  hs_gemm_forward(context);
}

static void adjoint(void *context)
{
  hs_gemm_adjoint(context);
}

/* Time of the two bare GEMMs of an iteration, on all ranks at once; of the slowest rank. Collective. */
static hs_status_t time_gemms(hs_bench_t *bench, const hs_trial_t *trial, double *seconds)
{
  static hs_task_t *const tasks[] = {forward, adjoint};
  hs_gemm_t gemm;
  const hs_shard_t *shard = trial->shard;
  hs_status_t status =
      hs_gemm_create(&gemm, shard->rows, shard->d, trial->gates.count, shard->precision, shard->X);
  status = hs_agree(bench->comm, status);
  double each[2] = {0, 0};
  if (status == HS_OK) {
    HS_MPI(MPI_Barrier(bench->comm));
    hs_time_tasks(2, tasks, &gemm, bench->seconds / 2, each);
    double both = each[0] + each[1];
    HS_MPI(MPI_Allreduce(&both, seconds, 1, MPI_DOUBLE, MPI_MAX, bench->comm));
  }
  hs_gemm_free(&gemm);
  return status;
}

/* Solve between two measurements of the GEMMs, so that other load on the machine tells on both. Collective. */
static hs_status_t solve_beside_gemms(hs_bench_t *bench, const hs_trial_t *trial, double beta,
                                      hs_outcome_t *outcome, double *gemms)
{
  double before = 0, after = 0;
  hs_status_t status = time_gemms(bench, trial, &before);
  if (status == HS_OK) status = hs_trial_solve(trial, beta, hs_solve, bench->repeats, outcome);
  if (status == HS_OK) status = time_gemms(bench, trial, &after);
  *gemms = fmin(before, after);
  return status;
}

hs_status_t hs_bench_b(hs_bench_t *bench)
{
  static const goal_t goals[] = {{0.1, NAN, 100}, {0.01, NAN, 135}};
  static const hs_column_t columns[] = {{"beta", "beta"},
                                        {"iterations", "iterations"},
                                        {"goal", "goal"},
                                        {"met", ""},
                                        {"seconds", "seconds"},
                                        {"gemm_seconds", "GEMMs, ms"},
                                        {"ratio", "ratio"},
                                        {"ratio_goal", "goal"},
                                        {"ratio_met", ""},
                                        {"fista_iterations", "FISTA"},
                                        {"fista_seconds", "seconds"},
                                        {"fista_ratio", "FISTA / ours"}};
  hs_trial_t trial;
  hs_status_t status = hs_trial_create(&trial, bench->comm, &plan_b);
  if (status != HS_OK) return status;
  hs_results_t *results = &bench->results;
  hs_results_table(results, "B",
                   "20000 x 50, 200 gates, gap 1e-6; ratio = seconds / (iterations x the GEMMs of a rank)",
                   columns, sizeof columns / sizeof *columns);
  for (int i = 0; i < 2 && status == HS_OK; i++) {
    hs_outcome_t own, fista;
    double gemms;
    status = solve_beside_gemms(bench, &trial, goals[i].beta, &own, &gemms);
    if (status == HS_OK) status = hs_trial_solve(&trial, goals[i].beta, hs_fista, 1, &fista);
    if (status != HS_OK) break;
    double ratio = own.seconds / (own.tight * gemms), rival = fista.seconds - fista.setup_seconds;
    hs_results_number(results, goals[i].beta, -6);
    hs_results_number(results, own.tight, 0);
    hs_results_goal(results, own.tight, goals[i].tight, 0, false);
    hs_results_number(results, own.seconds, 3);
    hs_results_number(results, 1e3 * gemms, 2);
    hs_results_number(results, ratio, 2);
    hs_results_goal(results, ratio, 2.5, 1, false);
    hs_results_number(results, fista.tight, 0);
    hs_results_number(results, rival, 3);
    hs_results_number(results, rival / own.seconds, 1);
  }
  hs_results_end(results);
  hs_trial_free(&trial);
  return status;
}

hs_status_t hs_bench_c(hs_bench_t *bench)
{
  const double beta = 0.1, goal = 90;
  static const hs_column_t columns[] = {
      {"beta", "beta"}, {"iterations_1e-3", "1e-3"}, {"iterations", "1e-5"},         {"goal", "goal"},
      {"met", ""},      {"seconds", "seconds"},      {"relative_gap", "gap reached"}};
  hs_trial_t trial;
  hs_outcome_t outcome;
  hs_status_t status = hs_trial_create(&trial, bench->comm, &plan_c);
  if (status == HS_OK) status = hs_trial_solve(&trial, beta, hs_solve, 1, &outcome);
  hs_trial_free(&trial);
  if (status != HS_OK) return status;
  hs_results_table(&bench->results, "C",
                   "60000 x 784 non-negative, 50 gates, single precision: iterations to gaps 1e-3 and 1e-5",
                   columns, sizeof columns / sizeof *columns);
  hs_results_number(&bench->results, beta, -6);
  hs_results_number(&bench->results, outcome.loose, 0);
  hs_results_number(&bench->results, outcome.tight, 0);
  hs_results_goal(&bench->results, outcome.tight, goal, 0, false);
  hs_results_number(&bench->results, outcome.seconds, 3);
  hs_results_number(&bench->results, outcome.relative_gap, -3);
  hs_results_end(&bench->results);
  return HS_OK;
}

/* B on the ranks of one communicator. Collective over it. */
static hs_status_t solve_b(hs_bench_t *bench, MPI_Comm comm, hs_outcome_t *outcome)
{
  hs_trial_t trial;
  hs_status_t status = hs_trial_create(&trial, comm, &plan_b);
  if (status == HS_OK) status = hs_trial_solve(&trial, 0.1, hs_solve, bench->repeats, outcome);
  hs_trial_free(&trial);
  return status;
}

static void print_scaling(hs_bench_t *bench, const hs_outcome_t *one, const hs_outcome_t *all)
{
  static const hs_column_t columns[] = {{"ranks", "ranks"},
                                        {"iterations", "iterations"},
                                        {"seconds", "seconds"},
                                        {"objective", "objective"},
                                        {"speed_up", "speed-up"},
                                        {"goal", "goal"},
                                        {"met", ""}};
  hs_results_table(&bench->results, "scaling", "problem B, beta 0.1, on one rank and on all", columns,
                   sizeof columns / sizeof *columns);
  for (int i = 0; i < (bench->ranks > 1 ? 2 : 1); i++) {
    const hs_outcome_t *outcome = i == 0 ? one : all;
    double speed_up = one->seconds / outcome->seconds;
    hs_results_number(&bench->results, i == 0 ? 1 : bench->ranks, 0);
    hs_results_number(&bench->results, outcome->tight, 0);
    hs_results_number(&bench->results, outcome->seconds, 3);
    hs_results_number(&bench->results, outcome->primal, -10);
    hs_results_number(&bench->results, speed_up, 2);
    hs_results_goal(&bench->results, speed_up, i == 1 && bench->ranks == 2 ? 1.7 : NAN, 1, true);
  }
  hs_results_end(&bench->results);
}

hs_status_t hs_bench_scaling(hs_bench_t *bench)
{
  hs_outcome_t one = {0}, all = {0};
  MPI_Comm first;
  HS_MPI(MPI_Comm_split(bench->comm, bench->rank == 0 ? 0 : MPI_UNDEFINED, 0, &first));
  hs_status_t status = HS_OK;
  if (bench->rank == 0) {
    status = solve_b(bench, first, &one);
    HS_MPI(MPI_Comm_free(&first));
  }
  hs_wait_for_all(bench->comm);
  status = hs_agree(bench->comm, status);
  if (status == HS_OK && bench->ranks > 1) status = solve_b(bench, bench->comm, &all);
  if (status == HS_OK) print_scaling(bench, &one, &all);
  return status;
}
