#include "mpi/network/column_generation.h"

#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/network/outer_shared.h"
#include "mpi/network/outer_weights.h"
#include "mpi/pricing/relu_price.h"

#define MOST_ROUNDS 100
#define STARTS 256
#define FAR 1.05 /* prices above this times beta are found with a quarter of the starts */
#define FEW                                                                                                  \
  50 /* neurons near which is searched from the first round on; near more of them only when prices are near beta: what
                         they find is fine detail */
#define MOST_ADDED 50 /* columns per round */
#define OVER 1e-9     /* a price above (1 + OVER) beta is above beta */
#define OUTER_TOLERANCE 1e-11
#define PATIENCE 6     /* rounds without progress */
#define PROGRESS 1e-13 /* relative */
#define FINAL_ROUND                                                                                          \
  1000000            /* the final prices' rounds are numbered from here: other starts than any round's */
#define RESERVED 0.5 /* share of the time that may be kept for the final price */

/* A lower bound on p*, and what it comes from. */
typedef struct bound {
  double lower, Z;
  int64_t starts;
  double *theta, *w; /* rows x C, d */
} bound_t;

typedef struct run {
  const hs_relu_problem_t *problem;
  const hs_columns_options_t *options;
  hs_columns_report_t *report;
  hs_traffic_t *traffic;
  double began;
  hs_neurons_t columns, best; /* unit directions; the best network */
  hs_relu_value_t best_value;
  hs_outer_weights_t weights;
  hs_price_t price;
  double *theta;         /* of the columns */
  bound_t round, final;  /* best of the rounds since the last final price; best of the final prices */
  int64_t starts;        /* per round, near the end */
  int finals;            /* final prices so far */
  double per_start;      /* seconds */
  double last_objective; /* of the round before */
  int patience;
} run_t;

static double seconds(const run_t *run)
{
  return MPI_Wtime() - run->began;
}

static hs_status_t create(run_t *run, double *theta)
{
  const hs_shard_t *shard = run->problem->shard;
  size_t entries = (size_t)shard->rows * (size_t)shard->outputs, d = (size_t)shard->d;
  hs_neurons_init(&run->columns, shard->d, shard->outputs);
  hs_neurons_init(&run->best, shard->d, shard->outputs);
  hs_outer_weights_init(&run->weights, run->problem);
  run->theta = hs_alloc(entries, sizeof(double), "residual");
  run->round = (bound_t){.lower = -INFINITY, .theta = hs_alloc(entries, sizeof(double), "residual")};
  run->final = (bound_t){.lower = -INFINITY, .theta = theta};
  run->round.w = hs_alloc(d, sizeof(double), "direction");
  run->final.w = run->report->best_w = hs_alloc(d, sizeof(double), "direction");
  bool good = run->theta != NULL && run->round.theta != NULL && run->round.w != NULL && run->final.w != NULL;
  return hs_agree(run->problem->comm, good ? HS_OK : HS_NO_MEMORY);
}

static void discard(run_t *run)
{
  hs_neurons_clear(&run->columns);
  hs_neurons_clear(&run->best);
  hs_outer_weights_free(&run->weights);
  hs_free(run->theta);
  hs_free(run->round.theta);
  hs_free(run->round.w);
}

/* ---- networks ---- */

/* The value of a network, as the first rank has it: its penalty is not summed over ranks. Collective. */
static hs_status_t evaluate(run_t *run, const hs_neurons_t *neurons, double *theta, hs_relu_value_t *value)
{
  hs_status_t status = hs_relu_evaluate(run->problem, neurons, theta, value, run->traffic);
  if (status == HS_OK) value->objective = hs_first_ranks(run->problem->comm, value->objective);
  return status;
}

/* Unit directions and the value of the start. A direction that is zero has nothing to offer. */
static hs_status_t take_start(run_t *run, const hs_neurons_t *neurons)
{
  hs_status_t status = evaluate(run, neurons, NULL, &run->best_value);
  run->report->start = run->best_value;
  if (status == HS_OK) status = hs_agree(run->problem->comm, hs_neurons_copy(&run->best, neurons));
  for (int k = 0; k < neurons->count && status == HS_OK; k++) {
    const double *w = neurons->W1 + (int64_t)k * neurons->d;
    bool zero = true;
    for (int j = 0; j < neurons->d; j++) zero = zero && w[j] == 0;
    if (!zero) status = hs_neurons_add(&run->columns, w, neurons->W2 + (int64_t)k * neurons->outputs);
  }
  hs_neurons_normalise(&run->columns);
  return hs_agree(run->problem->comm, status);
}

/* The best weights of the columns; those without go; theta; the best network so far. Collective. */
static hs_status_t solve_columns(run_t *run)
{
  hs_relu_value_t value;
  hs_status_t status =
      hs_outer_weights_solve(&run->weights, &run->columns, OUTER_TOLERANCE, NULL, run->traffic);
  if (status != HS_OK) return status;
  hs_outer_weights_drop(&run->weights, &run->columns);
  status = evaluate(run, &run->columns, run->theta, &value);
  if (status != HS_OK || !(value.objective <= run->best_value.objective)) return status;
  run->best_value = value;
  return hs_agree(run->problem->comm, hs_neurons_copy(&run->best, &run->columns));
}

/* What the last price has found becomes columns with zero weights. */
static hs_status_t add_columns(run_t *run)
{
  const hs_neurons_t *found = &run->price.found;
  hs_status_t status = HS_OK;
  for (int k = 0; k < found->count && status == HS_OK; k++)
    status = hs_neurons_add(&run->columns, found->W1 + (int64_t)k * found->d, NULL);
  run->report->columns_added += found->count;
  return hs_agree(run->problem->comm, status);
}

/* ---- bounds ---- */

/* run->price at a residual. Collective. */
static hs_status_t find_price(run_t *run, const double *theta, int64_t starts, int64_t round, bool near)
{
  double limit = run->options->max_seconds, began = MPI_Wtime();
  hs_price_options_t options = {.starts = starts, .seed = run->options->seed, .round = round};
  options.above = run->problem->beta * (1 + OVER);
  options.keep = MOST_ADDED;
  if (run->columns.count > 0 && near) options.near = &run->columns;
  if (limit > 0)
    options.max_seconds = hs_first_ranks(run->problem->comm, fmax(limit - seconds(run), 0.02 * limit));
  hs_price_free(&run->price);
  hs_status_t status = hs_relu_price(run->problem, theta, &options, &run->price, run->traffic);
  if (status == HS_OK && run->price.starts > 0)
    run->per_start = (MPI_Wtime() - began) / (double)run->price.starts;
  return status;
}

/* *bound := the bound at theta with the last price, if that is better. Collective. */
static void take_bound(run_t *run, bound_t *bound, const double *theta)
{
  const hs_shard_t *shard = run->problem->shard;
  double Z = run->price.best;
  double here = hs_relu_dual(run->problem, theta, fmax(Z, run->problem->beta), run->traffic);
  double lower = hs_first_ranks(run->problem->comm, here);
  if (!(lower > bound->lower)) return;
  bound->lower = lower;
  bound->Z = Z;
  bound->starts = run->price.starts;
  memcpy(bound->theta, theta, (size_t)shard->rows * (size_t)shard->outputs * sizeof *theta);
  if (run->price.best_w != NULL) memcpy(bound->w, run->price.best_w, (size_t)shard->d * sizeof(double));
}

/* p* is no more than any network's objective: an estimate above that is none. */
static double best_lower(const run_t *run)
{
  return fmin(fmax(run->round.lower, run->final.lower), run->best_value.objective);
}

static double gap(const run_t *run, double lower)
{
  double objective = run->best_value.objective;
  return objective > lower ? (objective - lower) / fabs(objective) : 0;
}

/* The best bound of the rounds, if it is the best at all, becomes a final one: with as many starts as that takes. What
 * this price finds may be columns. Collective. */
static hs_status_t confirm(run_t *run)
{
  if (run->round.lower <= run->final.lower) return HS_OK;
  hs_status_t status =
      find_price(run, run->round.theta, run->options->final_starts, FINAL_ROUND + run->finals++, true);
  if (status != HS_OK) return status;
  run->price.starts += run->round.starts; /* the round's were others */
  if (run->price.best < run->round.Z) {
    run->price.best = run->round.Z;
    if (run->price.best_w != NULL)
      memcpy(run->price.best_w, run->round.w, (size_t)run->problem->shard->d * sizeof(double));
  }
  take_bound(run, &run->final, run->round.theta);
  run->round.lower = -INFINITY;
  return HS_OK;
}

/* The best bound of the rounds as it is. */
static void accept_unconfirmed(run_t *run)
{
  const hs_shard_t *shard = run->problem->shard;
  bound_t *to = &run->final, *from = &run->round;
  if (from->lower <= to->lower) return;
  to->lower = from->lower;
  to->Z = from->Z;
  to->starts = from->starts;
  memcpy(to->theta, from->theta, (size_t)shard->rows * (size_t)shard->outputs * sizeof(double));
  memcpy(to->w, from->w, (size_t)shard->d * sizeof(double));
}

/* ---- rounds ---- */

/* Solve, price, bound. Collective. */
static hs_status_t one_round(run_t *run)
{
  double before = best_lower(run);
  hs_status_t status = solve_columns(run);
  if (status != HS_OK) return status;
  double Z = run->price.best, beta = run->problem->beta; /* of the round before */
  bool far = run->report->rounds == 0 || Z > FAR * beta;
  int64_t starts = far ? hs_max64(run->starts / 4, 1) : run->starts;
  bool near = !far || run->columns.count <= FEW;
  status = find_price(run, run->theta, starts, run->report->rounds++, near);
  if (status != HS_OK) return status;
  take_bound(run, &run->round, run->theta);
  double objective = run->best_value.objective;
  bool progress = run->last_objective - objective > PROGRESS * objective ||
                  best_lower(run) - before > PROGRESS * objective;
  run->patience = progress ? PATIENCE : run->patience - 1;
  run->last_objective = objective;
  return HS_OK;
}

/* Is there a reason to end that has nothing to do with the numbers? Collective. */
static bool must_end(run_t *run)
{
  const hs_columns_options_t *options = run->options;
  hs_columns_round_t row = {run->report->rounds,
                            run->best.count,
                            run->best_value.objective,
                            best_lower(run),
                            run->price.best / run->problem->beta,
                            seconds(run)};
  double left = options->max_seconds - seconds(run);
  double kept = fmin(run->per_start * (double)options->final_starts, RESERVED * options->max_seconds);
  int late = hs_rank(run->problem->comm) == 0 && options->max_seconds > 0 && left <= kept;
  int reasons[3] = {hs_interrupted(), options->observe != NULL && options->observe(options->context, &row),
                    late};
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, reasons, 3, MPI_INT, MPI_MAX, run->problem->comm));
  const hs_columns_end_t ends[3] = {HS_COLUMNS_INTERRUPTED, HS_COLUMNS_STOPPED, HS_COLUMNS_TIME};
  for (int i = 0; i < 3; i++) {
    if (!reasons[i]) continue;
    run->report->ended = ends[i];
    return true;
  }
  run->report->ended = HS_COLUMNS_ROUNDS;
  return run->report->rounds >= (options->rounds > 0 ? options->rounds : MOST_ROUNDS);
}

/* Are objective and bound close enough, or is nothing left to add? The price is that of the round, or a final one. */
static bool looks_done(run_t *run)
{
  if (gap(run, best_lower(run)) <= run->options->tolerance)
    run->report->ended = HS_COLUMNS_TOLERANCE;
  else if (run->price.found.count == 0)
    run->report->ended = HS_COLUMNS_PRICED_OUT;
  else if (run->patience <= 0)
    run->report->ended = HS_COLUMNS_STALLED;
  else
    return false;
  return true;
}

/* One round after the other; on return, report->ended says why. Collective. */
static hs_status_t rounds(run_t *run)
{
  for (;;) {
    hs_status_t status = one_round(run);
    if (status != HS_OK || must_end(run)) return status;
    if (looks_done(run)) {
      if (run->options->final_starts == 0 || run->report->ended == HS_COLUMNS_STALLED) return HS_OK;
      status = confirm(run);
      if (status != HS_OK || looks_done(run)) return status;
      run->starts = hs_min64(2 * run->starts, hs_max64(run->options->final_starts, run->starts));
    }
    status = add_columns(run);
    if (status != HS_OK) return status;
  }
}

/* The bound that is reported, and the network. Collective. */
static hs_status_t finish(run_t *run, hs_neurons_t *neurons)
{
  hs_columns_report_t *report = run->report;
  hs_status_t status = HS_OK;
  if (run->options->final_starts == 0 || report->ended == HS_COLUMNS_INTERRUPTED)
    accept_unconfirmed(run);
  else
    status = confirm(run);
  if (status != HS_OK) return status;
  hs_neurons_balance(&run->best);
  hs_neurons_prune(&run->best, 0);
  hs_relu_value_t end;
  status = evaluate(run, &run->best, NULL, &end);
  if (status == HS_OK) status = hs_agree(run->problem->comm, hs_neurons_copy(neurons, &run->best));
  report->end = end;
  report->lower = fmin(run->final.lower, end.objective);
  report->Z = run->final.Z;
  report->starts = run->final.starts;
  report->gap = gap(run, report->lower);
  bool ran_out = report->ended == HS_COLUMNS_ROUNDS || report->ended == HS_COLUMNS_TIME;
  if (ran_out && report->gap <= run->options->tolerance) report->ended = HS_COLUMNS_TOLERANCE;
  report->seconds = seconds(run);
  return status;
}

hs_status_t hs_column_generation(const hs_relu_problem_t *problem, hs_neurons_t *neurons,
                                 const hs_columns_options_t *options, double *theta,
                                 hs_columns_report_t *report, hs_traffic_t *traffic)
{
  *report = (hs_columns_report_t){0};
  run_t run = {.problem = problem, .options = options, .report = report, .traffic = traffic};
  run.began = MPI_Wtime();
  run.starts = options->starts > 0 ? options->starts : STARTS;
  run.patience = PATIENCE;
  run.last_objective = INFINITY;
  hs_status_t status = create(&run, theta);
  if (status == HS_OK) status = take_start(&run, neurons);
  if (status == HS_OK) status = rounds(&run);
  if (status == HS_OK) status = finish(&run, neurons);
  hs_price_free(&run.price);
  discard(&run);
  return status;
}

void hs_columns_report_free(hs_columns_report_t *report)
{
  hs_free(report->best_w);
  report->best_w = NULL;
}

const char *hs_columns_end_name(hs_columns_end_t end)
{
  static const char *const names[] = {"tolerance", "no more columns", "rounds",     "time",
                                      "stalled",   "stopped",         "interrupted"};
  return names[end];
}
