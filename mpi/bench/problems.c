/* problems.c: two problems of the design, to a gap and to an objective, in seconds and in bare matrix products. */
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
  double iterations; /* to the gap */
  double seconds;    /* on two ranks, to an objective that is near the optimum */
} goal_t;

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
static const goal_t goals_b[] = {{0.1, 100, 0.5}, {0.01, 135, 0.7}};
static const goal_t goals_c[] = {{0.1, 90, 3}};
enum { GOALS_B = 2, GOALS_C = 1 };

#define RATIO_GOAL 2.5 /* seconds over those of the bare products of the iterations */

typedef struct solved {
  hs_outcome_t own, fista;
  double gemms; /* seconds */
  double gap;   /* of the reference objective */
} solved_t;

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
static hs_status_t solve(hs_bench_t *bench, const hs_trial_t *trial, double beta, bool fista,
                         solved_t *solved)
{
  hs_trial_run_t run = {
      .solver = hs_solve, .x_update = HS_X_BLOCK_KERNEL, .beta = beta, .repeats = bench->repeats};
  double before = 0, after = 0;
  *solved = (solved_t){0};
  hs_status_t status = hs_trial_optimum(trial, &run, &run.optimum, &solved->gap);
  if (status == HS_OK) status = time_gemms(bench, trial, &before);
  if (status == HS_OK) status = hs_trial_solve(trial, &run, &solved->own);
  if (status == HS_OK) status = time_gemms(bench, trial, &after);
  solved->gemms = fmin(before, after);
  run.solver = hs_fista;
  run.repeats = 1;
  if (status == HS_OK && fista) status = hs_trial_solve(trial, &run, &solved->fista);
  return status;
}

static hs_status_t solve_all(hs_bench_t *bench, const hs_trial_plan_t *plan, int count, const goal_t *goals,
                             bool fista, solved_t *solved)
{
  hs_trial_t trial;
  hs_status_t status = hs_trial_create(&trial, bench->comm, plan);
  if (status != HS_OK) return status;
  for (int i = 0; i < count && status == HS_OK; i++)
    status = solve(bench, &trial, goals[i].beta, fista, &solved[i]);
  hs_trial_free(&trial);
  return status;
}

/* The seconds after FISTA's power iteration, which is not counted: other ways to find its step are cheaper. */
static double after_setup(const hs_outcome_t *outcome, double seconds)
{
  return seconds - outcome->setup_seconds;
}

/* The way to the optimum itself, a known one: no certificate is waited for. */
static void print_near(hs_bench_t *bench, const char *name, int count, const goal_t *goals,
                       const solved_t *solved, bool fista)
{
  static const hs_column_t columns[] = {{"beta", "beta"},
                                        {"iterations", "iterations"},
                                        {"seconds", "seconds"},
                                        {"goal", "goal"},
                                        {"met", ""},
                                        {"ratio", "ratio"},
                                        {"reference_gap", "reference"},
                                        {"fista_iterations", "FISTA"},
                                        {"fista_seconds", "seconds"},
                                        {"fista_ratio", "FISTA / ours"}};
  hs_results_t *results = &bench->results;
  hs_results_table(
      results, name,
      "to an objective within 1e-6 of the optimum, which is known to the gap in column reference; "
      "ratio as above",
      columns, sizeof columns / sizeof *columns - (fista ? 0 : 3));
  for (int i = 0; i < count; i++) {
    const hs_outcome_t *own = &solved[i].own, *other = &solved[i].fista;
    double rival = after_setup(other, other->near_seconds);
    hs_results_number(results, goals[i].beta, -6);
    hs_results_number(results, own->near, 0);
    hs_results_number(results, own->near_seconds, 3);
    hs_results_goal(results, own->near_seconds, bench->ranks == 2 ? goals[i].seconds : NAN, 1, false);
    hs_results_number(results, own->near_seconds / (own->near * solved[i].gemms), 2);
    hs_results_number(results, solved[i].gap, -2);
    if (!fista) continue;
    hs_results_number(results, other->near, 0);
    hs_results_number(results, rival, 3);
    hs_results_number(results, rival / own->near_seconds, 1);
  }
  hs_results_end(results);
}

static void print_b(hs_results_t *results, const solved_t *solved)
{
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
  hs_results_table(results, "B",
                   "20000 x 50, 200 gates, gap 1e-6; ratio = seconds / (iterations x the GEMMs of a rank)",
                   columns, sizeof columns / sizeof *columns);
  for (int i = 0; i < GOALS_B; i++) {
    const hs_outcome_t *own = &solved[i].own, *fista = &solved[i].fista;
    double ratio = own->seconds / (own->tight * solved[i].gemms), rival = after_setup(fista, fista->seconds);
    hs_results_number(results, goals_b[i].beta, -6);
    hs_results_number(results, own->tight, 0);
    hs_results_goal(results, own->tight, goals_b[i].iterations, 0, false);
    hs_results_number(results, own->seconds, 3);
    hs_results_number(results, 1e3 * solved[i].gemms, 2);
    hs_results_number(results, ratio, 2);
    hs_results_goal(results, ratio, RATIO_GOAL, 1, false);
    hs_results_number(results, fista->tight, 0);
    hs_results_number(results, rival, 3);
    hs_results_number(results, rival / own->seconds, 1);
  }
  hs_results_end(results);
}

hs_status_t hs_bench_b(hs_bench_t *bench)
{
  solved_t solved[GOALS_B];
  hs_status_t status = solve_all(bench, &plan_b, GOALS_B, goals_b, true, solved);
  if (status != HS_OK) return status;
  print_b(&bench->results, solved);
  print_near(bench, "B_near", GOALS_B, goals_b, solved, true);
  return HS_OK;
}

static void print_c(hs_results_t *results, const solved_t *solved)
{
  static const hs_column_t columns[] = {{"beta", "beta"},
                                        {"iterations_1e-3", "1e-3"},
                                        {"iterations", "1e-5"},
                                        {"goal", "goal"},
                                        {"met", ""},
                                        {"seconds", "seconds"},
                                        {"gemm_seconds", "GEMMs, ms"},
                                        {"ratio", "ratio"},
                                        {"relative_gap", "gap reached"}};
  hs_results_table(results, "C",
                   "60000 x 784 non-negative, 50 gates, single precision: iterations to gaps 1e-3 and 1e-5; "
                   "ratio as of B",
                   columns, sizeof columns / sizeof *columns);
  for (int i = 0; i < GOALS_C; i++) {
    const hs_outcome_t *own = &solved[i].own;
    hs_results_number(results, goals_c[i].beta, -6);
    hs_results_number(results, own->loose, 0);
    hs_results_number(results, own->tight, 0);
    hs_results_goal(results, own->tight, goals_c[i].iterations, 0, false);
    hs_results_number(results, own->seconds, 3);
    hs_results_number(results, 1e3 * solved[i].gemms, 2);
    hs_results_number(results, own->seconds / (own->tight * solved[i].gemms), 2);
    hs_results_number(results, own->relative_gap, -3);
  }
  hs_results_end(results);
}

hs_status_t hs_bench_c(hs_bench_t *bench)
{
  solved_t solved[GOALS_C];
  hs_status_t status = solve_all(bench, &plan_c, GOALS_C, goals_c, false, solved);
  if (status != HS_OK) return status;
  print_c(&bench->results, solved);
  print_near(bench, "C_near", GOALS_C, goals_c, solved, false);
  return HS_OK;
}

/* B on the ranks of one communicator. Collective over it. */
static hs_status_t solve_b(hs_bench_t *bench, MPI_Comm comm, hs_outcome_t *outcome)
{
  hs_trial_t trial;
  hs_trial_run_t run = {
      .solver = hs_solve, .x_update = HS_X_BLOCK_KERNEL, .beta = 0.1, .repeats = bench->repeats};
  hs_status_t status = hs_trial_create(&trial, comm, &plan_b);
  if (status == HS_OK) status = hs_trial_solve(&trial, &run, outcome);
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
