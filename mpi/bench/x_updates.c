/* x_updates.c: the four x-updates beside each other, what the automatic choice makes of them, and how well the model
 * of the cost tells their seconds. */
#include <math.h>

#include "mpi/bench/sections.h"
#include "mpi/bench/trial.h"
#include "mpi/comm/agree.h"

#define BETA 0.01
#define TOO_LONG 15.0   /* seconds by the model: left out */
#define OUT_OF_RACE 3.0 /* times as slow as the best one in the first round: measured once */
#define RATIO_GOAL 1.5
#define MOST_SHAPES 8

typedef struct entry {
  hs_outcome_t outcome[HS_X_KINDS]; /* seconds are NAN where the kind was left out or did not get there */
  hs_x_estimate_t estimates[HS_X_KINDS];
  hs_x_kind_t chosen;
  double best; /* seconds */
} entry_t;

#define GAUSSIAN_PLAN(rows, features, count)                                                                 \
  {                                                                                                          \
    .kind = HS_GAUSSIAN, .n = rows, .d = features, .scaling = HS_SCALING_NONE, .precision = HS_DOUBLE,       \
    .loss = HS_SQUARED, .gates = count, .tolerance = 1e-6                                                    \
  }
#define MANY_OUTPUTS_PLAN(rows, features, count, C)                                                          \
  {                                                                                                          \
    .kind = HS_GAUSSIAN, .n = rows, .d = features, .outputs = C, .scaling = HS_SCALING_NONE,                 \
    .precision = HS_DOUBLE, .loss = HS_SQUARED, .gates = count, .tolerance = 1e-6                            \
  }
#define CLASSES_PLAN(rows, features, count, of)                                                              \
  {                                                                                                          \
    .kind = HS_GAUSSIAN, .n = rows, .d = features, .sign = true, .scaling = HS_SCALING_NONE,                 \
    .precision = HS_DOUBLE, .loss = of, .gates = count, .tolerance = 1e-6                                    \
  }

static const hs_trial_plan_t plans[] = {
    GAUSSIAN_PLAN(4000, 10, 50),  GAUSSIAN_PLAN(2000, 20, 400),       GAUSSIAN_PLAN(100000, 20, 20),
    GAUSSIAN_PLAN(20000, 50, 60), MANY_OUTPUTS_PLAN(5000, 20, 50, 3), CLASSES_PLAN(4000, 10, 50, HS_SOFTMAX)};
static const hs_trial_plan_t small_plans[] = {
    GAUSSIAN_PLAN(2000, 10, 50), GAUSSIAN_PLAN(600, 20, 100),        GAUSSIAN_PLAN(30000, 10, 20),
    GAUSSIAN_PLAN(2000, 30, 20), MANY_OUTPUTS_PLAN(1500, 15, 30, 3), CLASSES_PLAN(1500, 10, 20, HS_LOGISTIC)};

static const char *loss_name(const hs_trial_plan_t *plan)
{
  return plan->loss == HS_SQUARED ? "squared" : plan->loss == HS_SOFTMAX ? "softmax" : "logistic";
}

static void print_shape(hs_results_t *results, const hs_trial_plan_t *plan)
{
  if (plan->outputs > 1)
    hs_results_text(results, "%lld x %d, P %lld, C %d", (long long)plan->n, plan->d, (long long)plan->gates,
                    plan->outputs);
  else if (plan->loss != HS_SQUARED)
    hs_results_text(results, "%lld x %d, P %lld, %s", (long long)plan->n, plan->d, (long long)plan->gates,
                    loss_name(plan));
  else
    hs_results_text(results, "%lld x %d, P %lld", (long long)plan->n, plan->d, (long long)plan->gates);
}

/* Collective. */
static hs_status_t measure_kind(const hs_trial_t *trial, hs_x_kind_t kind, bool first, hs_outcome_t *outcome)
{
  hs_trial_run_t run = {.solver = hs_solve, .x_update = kind, .beta = BETA, .repeats = 1};
  hs_outcome_t next;
  hs_status_t status = hs_trial_solve(trial, &run, &next);
  if (status != HS_OK) return status;
  if (isnan(next.tight)) next.seconds = NAN;
  if (first || next.seconds < outcome->seconds) *outcome = next;
  return HS_OK;
}

/* Rank 0 knows how long things took. Collective. */
static bool is_worth_it(const hs_trial_t *trial, const entry_t *entry, hs_x_kind_t kind, bool first)
{
  const hs_x_estimate_t *estimate = &entry->estimates[kind];
  int worth = first ? estimate->possible && estimate->seconds <= TOO_LONG
                    : kind == entry->chosen || entry->outcome[kind].seconds <= OUT_OF_RACE * entry->best;
  HS_MPI(MPI_Bcast(&worth, 1, MPI_INT, 0, trial->comm));
  return worth != 0;
}

/* All kinds once. Collective. */
static hs_status_t measure_round(const hs_trial_t *trial, bool first, entry_t *entry)
{
  for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++) {
    if (!is_worth_it(trial, entry, (hs_x_kind_t)kind, first)) continue;
    hs_status_t status = measure_kind(trial, (hs_x_kind_t)kind, first, &entry->outcome[kind]);
    if (status != HS_OK) return status;
  }
  for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++)
    entry->best = fmin(entry->best, entry->outcome[kind].seconds);
  return HS_OK;
}

/* Kinds take turns, so that other load on the machine tells on all of them. Collective. */
static hs_status_t measure(hs_bench_t *bench, const hs_trial_plan_t *plan, entry_t *entry)
{
  hs_trial_t trial;
  hs_status_t status = hs_trial_create(&trial, bench->comm, plan);
  if (status != HS_OK) return status;
  *entry = (entry_t){.best = NAN};
  for (int kind = 0; kind < HS_X_KINDS; kind++)
    entry->outcome[kind] =
        (hs_outcome_t){.seconds = NAN, .tight = NAN, .setup_seconds = NAN, .factorings = NAN};
  status = hs_trial_choose(&trial, BETA, &entry->chosen, entry->estimates);
  for (int repeat = 0; repeat < bench->repeats && status == HS_OK; repeat++)
    status = measure_round(&trial, repeat == 0, entry);
  hs_trial_free(&trial);
  return status;
}

static void print_kinds(hs_results_t *results, const char *name, int count, const hs_trial_plan_t *shapes,
                        const entry_t *entries)
{
  static const hs_column_t columns[] = {{"shape", "shape"},
                                        {"block_kernel_iterations", "block-kernel"},
                                        {"block_kernel_seconds", "s"},
                                        {"block_gram_iterations", "block-gram"},
                                        {"block_gram_seconds", "s"},
                                        {"global_kernel_iterations", "global-kernel"},
                                        {"global_kernel_seconds", "s"},
                                        {"global_gram_iterations", "global-gram"},
                                        {"global_gram_seconds", "s"},
                                        {"auto", "auto"},
                                        {"ratio", "/ best"},
                                        {"goal", "goal"},
                                        {"met", ""}};
  hs_results_table(results, name, "iterations and seconds to a gap of 1e-6, beta 0.01, set-up included",
                   columns, sizeof columns / sizeof *columns);
  for (int i = 0; i < count; i++) {
    const entry_t *entry = &entries[i];
    double ratio = entry->outcome[entry->chosen].seconds / entry->best;
    print_shape(results, &shapes[i]);
    for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++) {
      hs_results_number(results, entry->outcome[kind].tight, 0);
      hs_results_number(results, entry->outcome[kind].seconds, 3);
    }
    hs_results_text(results, "%s", hs_x_name(entry->chosen));
    hs_results_number(results, ratio, 2);
    hs_results_goal(results, ratio, RATIO_GOAL, 1, false);
  }
  hs_results_end(results);
}

static void print_model(hs_results_t *results, const char *name, int count, const hs_trial_plan_t *shapes,
                        const entry_t *entries)
{
  static const hs_column_t columns[] = {{"shape", "shape"},
                                        {"x_update", "x-update"},
                                        {"setup_seconds", "set-up s"},
                                        {"setup_model", "model"},
                                        {"factorings", "factorings"},
                                        {"iterations", "iterations"},
                                        {"iterations_model", "model"},
                                        {"milliseconds", "ms each"},
                                        {"milliseconds_model", "model"},
                                        {"seconds", "seconds"},
                                        {"seconds_model", "model"}};
  hs_results_table(results, name, "the same beside the model that chooses", columns,
                   sizeof columns / sizeof *columns);
  for (int i = 0; i < count; i++)
    for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++) {
      const hs_outcome_t *outcome = &entries[i].outcome[kind];
      const hs_x_estimate_t *estimate = &entries[i].estimates[kind];
      print_shape(results, &shapes[i]);
      hs_results_text(results, "%s", hs_x_name((hs_x_kind_t)kind));
      hs_results_number(results, outcome->setup_seconds, 3);
      hs_results_number(results, estimate->setup, 3);
      hs_results_number(results, outcome->factorings, 0);
      hs_results_number(results, outcome->tight, 0);
      hs_results_number(results, estimate->iterations, 0);
      hs_results_number(results, 1e3 * (outcome->seconds - outcome->setup_seconds) / outcome->tight, 2);
      hs_results_number(results, 1e3 * estimate->iteration, 2);
      hs_results_number(results, outcome->seconds, 3);
      hs_results_number(results, estimate->seconds, 3);
    }
  hs_results_end(results);
}

static hs_status_t compare(hs_bench_t *bench, const char *name, const char *model_name, int count,
                           const hs_trial_plan_t *shapes)
{
  entry_t entries[MOST_SHAPES];
  hs_status_t status = HS_OK;
  for (int i = 0; i < count && status == HS_OK; i++) status = measure(bench, &shapes[i], &entries[i]);
  if (status != HS_OK) return status;
  print_kinds(&bench->results, name, count, shapes, entries);
  print_model(&bench->results, model_name, count, shapes, entries);
  return HS_OK;
}

hs_status_t hs_bench_x_updates(hs_bench_t *bench)
{
  return compare(bench, "x_updates", "x_updates_model", sizeof plans / sizeof *plans, plans);
}

hs_status_t hs_bench_x_updates_small(hs_bench_t *bench)
{
  return compare(bench, "x_updates_small", "x_updates_small_model", sizeof small_plans / sizeof *small_plans,
                 small_plans);
}
