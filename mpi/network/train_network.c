#include "mpi/network/train_network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "mpi/bounds/bound_network.h"
#include "mpi/comm/agree.h"
#include "mpi/network/column_generation.h"
#include "mpi/network/starts.h"

#define WORTH                                                                                                \
  0.1 /* a price above beta is worth another column if it is this share of what the proof left open */
#define ROUNDING 1e-9     /* a price above beta by less of it is rounding */
#define FIRST_LOOK 0.05   /* of the time for proofs: a first one, which sees whether a column is missing */
#define ROUNDS_BETWEEN 10 /* of column generation after a proof has found a new column */
#define FINER 0.1         /* columns are generated to so much of the width that the proof is to reach */
#define PROOFS 20         /* at most, each after new columns */

/* All that the steps share. */
typedef struct build {
  const hs_relu_problem_t *problem;
  const hs_network_options_t *options;
  hs_network_result_t *result;
  double *theta; /* rows x C: the residual behind the bounds */
  double *w;     /* d: direction of the highest price at theta */
  hs_traffic_t traffic;
  double columns_begin; /* MPI_Wtime */
  double
      map_seconds; /* that count against the limit, with those of column generation; random starts do not */
} build_t;

hs_network_options_t hs_network_options(const hs_settings_t *settings)
{
  return (hs_network_options_t){.init = settings->model.init,
                                .width = settings->model.width,
                                .restarts = settings->model.restarts,
                                .method = settings->network.method,
                                .seed = settings->seed,
                                .rounds = settings->network.rounds,
                                .tolerance = settings->network.tolerance,
                                .max_seconds = settings->network.max_seconds,
                                .starts = settings->bounds.starts,
                                .proof_seconds = settings->bounds.max_seconds};
}

/* Seconds left of a limit (0: none), at least 1: the same on all ranks. Collective. */
static double seconds_left(const build_t *build, double limit, double begin)
{
  double left = limit > 0 ? fmax(1, limit - (MPI_Wtime() - begin)) : 0;
  HS_MPI(MPI_Bcast(&left, 1, MPI_DOUBLE, 0, build->problem->comm));
  return left;
}

/* Has a signal come to any rank? Collective. */
static bool interrupted(build_t *build)
{
  int asked = hs_interrupted();
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &asked, 1, MPI_INT, MPI_MAX, build->problem->comm));
  build->result->interrupted |= asked != 0;
  return build->result->interrupted;
}

/* ---- column generation ---- */

static bool observe(void *context, const hs_columns_round_t *round)
{
  build_t *build = context;
  hs_network_record_t *record = &build->result->record;
  hs_round_record_t row = {.round = record->rounds + 1,
                           .neurons = round->neurons,
                           .objective = round->objective,
                           .lower = round->lower,
                           .price = round->price,
                           .seconds = MPI_Wtime() - build->columns_begin};
  hs_log("  %5" PRId64 " %7" PRId64 " %16.9g %16.9g %9.2e %12.8f %8.2f", row.round, row.neurons,
         row.objective, row.lower, (row.objective - row.lower) / fabs(row.objective), row.price, row.seconds);
  return hs_network_record_round(record, &row) != HS_OK;
}

/* theta, w and the estimate are those of the report. */
static void take(build_t *build, const hs_columns_report_t *report)
{
  hs_bracket_t *bracket = &build->result->bracket;
  build->result->value = report->end;
  memcpy(build->w, report->best_w, (size_t)build->problem->shard->d * sizeof *build->w);
  snprintf(build->result->record.ended, sizeof build->result->record.ended, "%s",
           hs_columns_end_name(report->ended));
  build->result->interrupted |= report->ended == HS_COLUMNS_INTERRUPTED;
  if (report->starts == 0 || report->lower <= bracket->estimated) return;
  bracket->estimated = report->lower;
  bracket->starts = report->starts;
  bracket->price = report->Z / build->problem->beta;
}

/* Improve the network by so many rounds. Collective. */
static hs_status_t columns(build_t *build, int64_t rounds, double tolerance)
{
  const hs_network_options_t *options = build->options;
  hs_network_result_t *result = build->result;
  double begin = build->columns_begin - build->map_seconds;
  hs_columns_options_t how = {.rounds = rounds,
                              .tolerance = tolerance,
                              .final_starts = options->starts,
                              .seed = options->seed,
                              .max_seconds = seconds_left(build, options->max_seconds, begin),
                              .observe = observe,
                              .context = build};
  hs_columns_report_t report;
  hs_status_t status =
      hs_column_generation(build->problem, &result->neurons, &how, build->theta, &report, &build->traffic);
  if (status == HS_OK) take(build, &report);
  hs_columns_report_free(&report);
  return status;
}

static hs_status_t first_columns(build_t *build, const hs_neurons_t *others)
{
  hs_neurons_t *neurons = &build->result->neurons;
  hs_status_t status = HS_OK;
  for (int k = 0; k < others->count && status == HS_OK; k++)
    status = hs_neurons_add(neurons, others->W1 + (int64_t)k * others->d, NULL);
  status = hs_agree(build->problem->comm, status);
  hs_log("columns : neurons priced by their residual, a Lasso over them in each round");
  hs_log("  %5s %7s %16s %16s %9s %12s %8s", "round", "neurons", "objective", "lower estimate", "rel. gap",
         "price/beta", "seconds");
  return status == HS_OK ? columns(build, build->options->rounds, build->options->tolerance) : status;
}

/* ---- bounds ---- */

/* Without column generation: the residual of the network as it is. Collective. */
static hs_status_t estimate(build_t *build)
{
  hs_network_result_t *result = build->result;
  hs_status_t status =
      hs_relu_evaluate(build->problem, &result->neurons, build->theta, &result->value, &build->traffic);
  if (status != HS_OK || build->options->starts == 0 || interrupted(build)) return status;
  hs_log_live("searching for the highest price ...");
  return hs_bound_estimate(build->problem, build->theta, &result->neurons, build->options->starts,
                           build->options->seed, build->options->max_seconds, &result->bracket, build->w,
                           &build->traffic);
}

/* Relative width at which a proved bracket is called closed: that of the settings, but at least what proofs give in seconds. */
static double proof_goal(const build_t *build)
{
  const hs_shard_t *shard = build->problem->shard;
  double quick = shard->outputs > 1 ? 2e-4 : shard->d <= 4 ? 2e-6 : 1e-5;
  return fmin(build->options->tolerance, quick);
}

/* A direction above beta that the proof has found becomes a column, and the network gets better by it. *gained: the objective
 * fell. Collective. */
static hs_status_t improve(build_t *build, bool *gained)
{
  hs_network_result_t *result = build->result;
  double before = result->value.objective, goal = proof_goal(build);
  hs_status_t status = hs_agree(build->problem->comm, hs_neurons_add(&result->neurons, build->w, NULL));
  if (status == HS_OK) status = columns(build, ROUNDS_BETWEEN, goal * FINER);
  result->bracket.network = result->value.objective;
  *gained = status == HS_OK && result->value.objective < before;
  return status;
}

/* Has a proof met a direction so far above beta that a column there closes more of the bracket than a longer proof? */
static bool is_missing(const build_t *build, const hs_proof_outcome_t *outcome)
{
  double beta = build->problem->beta, open = outcome->upper - fmax(beta, outcome->attained);
  return build->result->record.rounds > 0 && outcome->attained - beta > fmax(WORTH * open, ROUNDING * beta);
}

/* Prove; add what the proof has found above beta to the network's columns, and prove again. A short proof comes first: a missing
 * column is met early. Collective. */
static hs_status_t prove(build_t *build)
{
  double limit = build->options->proof_seconds, begin = MPI_Wtime();
  hs_bracket_t *bracket = &build->result->bracket;
  bool goes_on = limit > 0, missing = true;
  hs_status_t status = HS_OK;
  for (int proof = 0; proof < PROOFS && goes_on && status == HS_OK && !interrupted(build); proof++) {
    hs_proof_outcome_t outcome;
    double left = seconds_left(build, limit, begin), look = missing ? fmin(left, FIRST_LOOK * limit) : left;
    hs_log_live("proving a lower bound on the global optimum ...");
    status = hs_bound_prove(build->problem, build->theta, look, proof_goal(build) / 2, bracket, build->w,
                            &outcome, &build->traffic);
    if (status != HS_OK) break;
    missing = hs_bracket_width(bracket, bracket->proved) > proof_goal(build) && is_missing(build, &outcome);
    bool gained = true;
    if (missing && !interrupted(build)) status = improve(build, &gained);
    left = seconds_left(build, limit, begin);
    goes_on = left > 1 && ((missing && gained) || (outcome.cut_short && look < left));
  }
  return status;
}

/* Collective. */
static hs_status_t bounds(build_t *build)
{
  hs_network_result_t *result = build->result;
  hs_status_t status = HS_OK;
  if (result->record.rounds == 0) status = estimate(build);
  result->bracket.network = result->value.objective;
  if (status == HS_OK && !interrupted(build)) status = prove(build);
  result->bracket.network = result->value.objective;
  result->bracket.neurons = result->neurons.count;
  hs_log_live(NULL);
  return status;
}

/* ---- all of it ---- */

/* Collective. */
static hs_status_t run(build_t *build, hs_model_t *gated)
{
  const hs_network_options_t *options = build->options;
  hs_network_result_t *result = build->result;
  hs_starts_t starts;
  double begin = MPI_Wtime();
  hs_status_t status =
      hs_starts_search(build->problem, gated, options, &starts, &result->record, &build->traffic);
  if (status != HS_OK) return status;
  result->interrupted = starts.interrupted;
  result->value = starts.value;
  status = hs_agree(build->problem->comm, hs_neurons_copy(&result->neurons, &starts.best));
  build->columns_begin = MPI_Wtime();
  result->local_seconds = build->columns_begin - begin;
  build->map_seconds = starts.map_seconds;
  if (status == HS_OK && options->init != HS_INIT_RANDOM && options->rounds > 0 && !interrupted(build))
    status = first_columns(build, &starts.others);
  hs_starts_free(&starts);
  begin = MPI_Wtime();
  result->columns_seconds = begin - build->columns_begin;
  if (status == HS_OK) status = bounds(build);
  result->bounds_seconds = MPI_Wtime() - begin;
  return status;
}

hs_status_t hs_train_network(const hs_relu_problem_t *problem, hs_model_t *gated,
                             const hs_network_options_t *options, hs_network_result_t *result)
{
  const hs_shard_t *shard = problem->shard;
  build_t build = {.problem = problem, .options = options, .result = result};
  *result = (hs_network_result_t){.bracket = hs_bracket_none(), .record = {.chosen = -1}};
  hs_neurons_init(&result->neurons, shard->d, shard->outputs);
  build.theta = hs_alloc((size_t)shard->rows * (size_t)shard->outputs, sizeof(double), "residual");
  build.w = hs_alloc((size_t)shard->d, sizeof(double), "direction");
  hs_status_t status = hs_agree(problem->comm, build.theta != NULL && build.w != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = run(&build, gated);
  hs_free(build.theta);
  hs_free(build.w);
  if (status != HS_OK) hs_network_result_free(result);
  return status;
}

void hs_network_result_free(hs_network_result_t *result)
{
  hs_neurons_clear(&result->neurons);
  hs_network_record_clear(&result->record);
}
