#include "mpi/train/gate_rounds.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/run/run_rounds.h"
#include "mpi/admm/certificate.h"
#include "mpi/comm/agree.h"
#include "mpi/pricing/gated_price.h"
#include "mpi/pricing/relu_price.h"

/* ---- the table ---- */

static hs_gate_round_t *row_of_round(hs_gate_rounds_t *rounds)
{
  return &rounds->table[rounds->round];
}

/* The row of this round, which a second solve of it fills in once more. */
static hs_status_t make_row(hs_gate_rounds_t *rounds)
{
  if (rounds->rows > rounds->round) return HS_OK;
  if (rounds->rows == rounds->room) {
    int64_t room = 2 * rounds->room + 8;
    hs_gate_round_t *table = hs_alloc((size_t)room, sizeof *table, "rounds of gates");
    if (table == NULL) return HS_NO_MEMORY;
    for (int64_t k = 0; k < rounds->rows; k++) table[k] = rounds->table[k];
    hs_free(rounds->table);
    rounds->table = table;
    rounds->room = room;
  }
  rounds->table[rounds->rows++] = (hs_gate_round_t){.round = rounds->round, .best_price = NAN};
  return HS_OK;
}

static bool is_on(const hs_gate_rounds_t *rounds, const double *u, int gate)
{
  int64_t size = (int64_t)rounds->setup->problem.d * rounds->setup->problem.outputs;
  for (int64_t e = 0; e < size; e++)
    if (u[gate * size + e] != 0) return true;
  return false;
}

static hs_status_t take_row(hs_gate_rounds_t *rounds, const hs_solution_t *solution)
{
  hs_status_t status = make_row(rounds);
  if (status != HS_OK) return status;
  hs_gate_round_t *row = row_of_round(rounds);
  row->gates = rounds->setup->problem.gates;
  row->active = 0;
  for (int i = 0; i < row->gates; i++) row->active += is_on(rounds, solution->u, i);
  row->iteration = rounds->behind.iteration + solution->last.iteration;
  row->objective = solution->last.primal;
  row->dual = solution->last.dual;
  return HS_OK;
}

hs_status_t hs_gate_rounds_write(const hs_gate_rounds_t *rounds)
{
  if (rounds->rows == 0) return HS_OK;
  bool relu = rounds->settings->model.price == HS_PRICE_RELU;
  hs_run_rounds_t table = {
      .count = rounds->rows, .round = rounds->table, .price = relu ? (char *)"relu" : (char *)"gated"};
  return hs_run_write_rounds(rounds->outputs->run, &table);
}

/* Row and words of the round that has been solved, and searched if that was due. Rank 0 acts. */
static void tell(hs_gate_rounds_t *rounds)
{
  const hs_gate_round_t *row = row_of_round(rounds);
  hs_outputs_t *outputs = rounds->outputs;
  char search[96] = "no search";
  if (isfinite(row->best_price))
    snprintf(search, sizeof search, "best price %.4g beta, %" PRId64 " added", row->best_price, row->added);
  hs_log("round %-2" PRId64 ": %" PRId64 " of %" PRId64 " gates are on, objective %.8g; %s; %.2f s",
         row->round, row->active, row->gates, row->objective, search, row->seconds);
  if (outputs->rank == 0 && outputs->status == HS_OK) outputs->status = hs_gate_rounds_write(rounds);
}

/* ---- life ---- */

hs_status_t hs_gate_rounds_create(hs_gate_rounds_t *rounds, hs_setup_t *setup, hs_outputs_t *outputs)
{
  *rounds = (hs_gate_rounds_t){.setup = setup,
                               .outputs = outputs,
                               .settings = setup->settings,
                               .objective = INFINITY,
                               .saved_at = MPI_Wtime()};
  if (hs_checkpoint_found(outputs->checkpoint)) {
    hs_status_t status = hs_gate_rounds_restore(rounds);
    if (status == HS_OK && outputs->rank == 0) status = hs_gate_rounds_write(rounds);
    return hs_agree(setup->comm, status);
  }
  rounds->start = hs_alloc((size_t)setup->problem.weights, sizeof(double), "rounds of gates");
  return hs_agree(setup->comm, rounds->start != NULL ? HS_OK : HS_NO_MEMORY);
}

void hs_gate_rounds_free(hs_gate_rounds_t *rounds)
{
  hs_free(rounds->start);
  hs_free(rounds->table);
  hs_free(rounds->state);
  hs_free(rounds->counts);
  hs_free(rounds->numbers);
  *rounds = (hs_gate_rounds_t){0};
}

/* ---- before a solve ---- */

static double round_tolerance(const hs_gate_rounds_t *rounds)
{
  double tolerance = rounds->settings->solver.tolerance;
  return rounds->last ? tolerance : fmax(tolerance, HS_ROUNDS_TOLERANCE);
}

/* What is left of the budget of seconds after so many, by the clock of rank 0. Collective. */
static double seconds_left(const hs_gate_rounds_t *rounds, double spent)
{
  double left = rounds->settings->solver.max_seconds - spent;
  HS_MPI(MPI_Bcast(&left, 1, MPI_DOUBLE, 0, rounds->setup->comm));
  return left;
}

/* A round may have ended on an iteration over reduced rows: checkpoints are of the data's again. */
static hs_status_t cut_as_data(const hs_gate_rounds_t *rounds)
{
  const hs_partition_t *partition = &rounds->setup->shard->partition;
  int ranks = hs_ranks(rounds->setup->comm);
  int64_t *first_row = hs_alloc((size_t)ranks + 1, sizeof *first_row, "rows of the ranks");
  if (first_row == NULL) return HS_NO_MEMORY;
  for (int r = 0; r <= ranks; r++) first_row[r] = hs_partition_first_row(partition, r);
  hs_checkpoint_cut(rounds->outputs->checkpoint, first_row);
  hs_free(first_row);
  return HS_OK;
}

/* The solution of a round that a checkpoint holds. */
static hs_status_t recall(const hs_gate_rounds_t *rounds, hs_solution_t *solution)
{
  size_t weights = (size_t)rounds->setup->problem.weights;
  *solution = (hs_solution_t){.last = rounds->ended,
                              .loss = rounds->loss,
                              .resumed_at = rounds->ended.iteration,
                              .stop = HS_STOP_CONVERGED};
  solution->u = hs_alloc(weights, sizeof(double), "rounds of gates");
  if (solution->u == NULL) return HS_NO_MEMORY;
  memcpy(solution->u, rounds->start, weights * sizeof(double));
  return HS_OK;
}

hs_status_t hs_gate_rounds_prepare(hs_gate_rounds_t *rounds, hs_solve_options_t *options,
                                   hs_solution_t *solution, bool *solve)
{
  *solve = !rounds->solved;
  if (rounds->solved) return hs_agree(rounds->setup->comm, recall(rounds, solution));
  const hs_settings_t *settings = rounds->settings;
  hs_status_t status = cut_as_data(rounds);
  if (status == HS_OK) status = hs_gate_rounds_describe(rounds);
  status = hs_agree(rounds->setup->comm, status);
  options->tolerance = round_tolerance(rounds);
  options->max_iterations = settings->solver.max_iterations - rounds->behind.iteration;
  if (settings->solver.max_seconds > 0)
    options->max_seconds = fmax(1e-9, seconds_left(rounds, rounds->behind.seconds));
  options->x_update = settings->solver.x_update;
  options->start = rounds->resumed ? NULL : rounds->start;
  options->also = rounds->state;
  options->iterations_before = rounds->behind.iteration;
  return status;
}

hs_history_row_t hs_gate_rounds_row(const hs_gate_rounds_t *rounds, const hs_history_row_t *row)
{
  const hs_history_row_t *behind = &rounds->behind;
  hs_history_row_t whole = *row;
  whole.iteration += behind->iteration;
  whole.seconds += behind->seconds;
  whole.compute_seconds += behind->compute_seconds;
  whole.comm_seconds += behind->comm_seconds;
  whole.comm_bytes += behind->comm_bytes;
  return whole;
}

int64_t hs_gate_rounds_met_at(const hs_gate_rounds_t *rounds, double relative_gap)
{
  const hs_history_log_t *history = &rounds->outputs->history;
  int64_t met_at = 0, before = rounds->behind.iteration;
  for (int64_t k = 0; k < history->count && met_at == 0; k++)
    if (history->rows[k].iteration > before && history->rows[k].relative_gap <= relative_gap)
      met_at = history->rows[k].iteration - before;
  HS_MPI(MPI_Bcast(&met_at, 1, MPI_INT64_T, 0, rounds->setup->comm));
  return met_at;
}

/* ---- after a solve ---- */

/* No round ends above its start: rounding, in single precision that of the products, could lead there. */
static void keep_better(const hs_gate_rounds_t *rounds, hs_solution_t *solution)
{
  hs_history_row_t *last = &solution->last;
  if (!(last->primal > rounds->objective)) return;
  memcpy(solution->u, rounds->start, (size_t)rounds->setup->problem.weights * sizeof(double));
  solution->loss = rounds->loss;
  last->primal = rounds->objective;
  hs_certificate_t bounds = {.primal = last->primal, .dual = last->dual};
  last->gap = bounds.primal - bounds.dual;
  last->relative_gap = hs_certificate_relative_gap(&bounds);
}

/* Gates that were found: count x d. */
typedef struct found {
  int count;
  double best; /* price, relative to beta */
  double *G;   /* owned */
} found_t;

static hs_status_t take_found(found_t *found, int count, int d, const double *G)
{
  found->count = count;
  found->G = hs_alloc((size_t)count * (size_t)d, sizeof(double), "gates");
  if (found->G == NULL) return HS_NO_MEMORY;
  if (count > 0) memcpy(found->G, G, (size_t)count * (size_t)d * sizeof(double));
  return HS_OK;
}

/* Collective. */
static hs_status_t search_gated(const hs_gate_rounds_t *rounds, const double *theta, found_t *found,
                                hs_traffic_t *traffic)
{
  const hs_problem_t *problem = &rounds->setup->problem;
  hs_gate_search_t search = {.searches = rounds->settings->model.gate_batch,
                             .seed = rounds->settings->seed,
                             .round = rounds->round,
                             .above = problem->beta,
                             .keep = (int)rounds->settings->model.gate_add};
  hs_gate_prices_t prices;
  hs_status_t status =
      hs_gated_price(problem->comm, problem->shard, problem->groups, theta, &search, &prices, traffic);
  if (status != HS_OK) return status;
  found->best = prices.best / problem->beta;
  status = take_found(found, prices.count, problem->d, prices.G);
  hs_gate_prices_free(&prices);
  return hs_agree(problem->comm, status);
}

/* Directions of neurons, as gates. Collective. */
static hs_status_t search_relu(const hs_gate_rounds_t *rounds, const double *theta, found_t *found,
                               hs_traffic_t *traffic)
{
  const hs_problem_t *problem = &rounds->setup->problem;
  hs_relu_problem_t network = {
      .comm = problem->comm, .shard = problem->shard, .loss = problem->loss, .beta = problem->beta};
  hs_price_options_t options = {.starts = rounds->settings->model.gate_batch,
                                .seed = rounds->settings->seed,
                                .round = rounds->round,
                                .above = problem->beta,
                                .keep = (int)rounds->settings->model.gate_add};
  hs_price_t price;
  hs_status_t status = hs_relu_price(&network, theta, &options, &price, traffic);
  if (status != HS_OK) return status;
  found->best = price.best / problem->beta;
  status = take_found(found, price.found.count, problem->d, price.found.W1);
  hs_price_free(&price);
  return hs_agree(problem->comm, status);
}

/* By the residual theta = -grad L(A u). Collective. */
static hs_status_t search(const hs_gate_rounds_t *rounds, const double *u, found_t *found,
                          hs_traffic_t *traffic)
{
  const hs_problem_t *problem = &rounds->setup->problem;
  int64_t entries = problem->rows * problem->outputs;
  double *theta = hs_alloc((size_t)entries, sizeof *theta, "residual");
  hs_status_t status = hs_agree(problem->comm, theta != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    hs_log_live("searching for gates ...");
    hs_problem_forward(problem, u, theta);
    hs_loss_gradient(problem->loss, problem->rows, problem->outputs, theta, problem->Y, theta);
    for (int64_t k = 0; k < entries; k++) theta[k] = -theta[k];
    bool relu = rounds->settings->model.price == HS_PRICE_RELU;
    status = (relu ? search_relu : search_gated)(rounds, theta, found, traffic);
    hs_log_live(NULL);
  }
  hs_free(theta);
  return status;
}

/* The gates that are on, then those that were found, as the problem's; and the start over them. Collective. */
static hs_status_t change_gates(hs_gate_rounds_t *rounds, const double *u, const found_t *found,
                                int64_t *added)
{
  hs_setup_t *setup = rounds->setup;
  int gates = setup->problem.gates, d = setup->problem.d, kept = 0;
  int64_t size = (int64_t)d * setup->problem.outputs;
  size_t most = (size_t)(gates + found->count);
  double *G = hs_alloc(most * (size_t)d, sizeof *G, "gates");
  double *start = hs_alloc(most * (size_t)size, sizeof *start, "rounds of gates");
  hs_status_t status = hs_agree(setup->comm, G != NULL && start != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    for (int i = 0; i < gates; i++) {
      if (!is_on(rounds, u, i)) continue;
      memcpy(G + (int64_t)kept * d, setup->gates.G + (int64_t)i * d, (size_t)d * sizeof *G);
      memcpy(start + kept++ * size, u + i * size, (size_t)size * sizeof *start);
    }
    memcpy(G + (int64_t)kept * d, found->G, (size_t)found->count * (size_t)d * sizeof *G);
    status = hs_setup_use_gates(setup, kept + found->count, G);
    *added = setup->gates.count - kept; /* repeated masks have gone: later ones, hence new ones */
  }
  hs_free(G);
  hs_free(rounds->start);
  rounds->start = start;
  return status;
}

/* Clocks and counts of the round are behind. */
static void close_round(hs_gate_rounds_t *rounds, const hs_solution_t *solution)
{
  rounds->behind = hs_gate_rounds_row(rounds, &solution->last);
  rounds->setup_seconds += solution->setup_seconds;
  rounds->factorings += solution->factorings;
  rounds->objective = solution->last.primal;
  rounds->loss = solution->loss;
  rounds->resumed = rounds->solved = false;
  rounds->ended = (hs_history_row_t){0};
}

/* Solve once more over the same gates, to the tolerance of the run. */
static void finish_on_same_gates(hs_gate_rounds_t *rounds, hs_solution_t *solution)
{
  hs_free(rounds->start);
  rounds->start = solution->u;
  solution->u = NULL;
  close_round(rounds, solution);
  rounds->last = true;
}

/* Is the solution of this round good enough for the run? */
static bool is_good_enough(const hs_gate_rounds_t *rounds, const hs_solution_t *solution)
{
  const hs_settings_t *settings = rounds->settings;
  return rounds->last ||
         (!settings->solver.polish && solution->last.relative_gap <= settings->solver.tolerance);
}

/* Has a signal come, or is a budget used up? Then the run ends here, and goes on with the search. Collective. */
static bool has_to_stop(const hs_gate_rounds_t *rounds, hs_solution_t *solution)
{
  const hs_settings_t *settings = rounds->settings;
  int asked = hs_interrupted() || rounds->outputs->status != HS_OK;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &asked, 1, MPI_INT, MPI_MAX, rounds->setup->comm));
  int64_t iterations = rounds->behind.iteration + solution->last.iteration;
  double seconds = rounds->behind.seconds + solution->last.seconds;
  if (asked)
    solution->stop = HS_STOP_SIGNAL;
  else if (iterations >= settings->solver.max_iterations)
    solution->stop = HS_STOP_ITERATIONS;
  else if (settings->solver.max_seconds > 0 && seconds_left(rounds, seconds) <= 0)
    solution->stop = HS_STOP_SECONDS;
  return solution->stop != HS_STOP_CONVERGED;
}

/* A checkpoint of the solved round: the run stops here, or it is time for one. Collective. */
static hs_status_t save_solved(hs_gate_rounds_t *rounds, const hs_solution_t *solution, const char *stop)
{
  memcpy(rounds->start, solution->u, (size_t)rounds->setup->problem.weights * sizeof(double));
  double objective = rounds->objective, loss = rounds->loss;
  rounds->solved = true;
  rounds->ended = solution->last;
  rounds->loss = solution->loss;
  hs_status_t status = hs_gate_rounds_save(rounds, stop);
  rounds->objective = objective;
  rounds->loss = loss;
  rounds->solved = false;
  return status;
}

/* By the clock of rank 0. Collective. */
static bool checkpoint_is_due(const hs_gate_rounds_t *rounds)
{
  double every = rounds->settings->output.checkpoint_seconds;
  int due = hs_checkpoint_asked() || (every > 0 && MPI_Wtime() - rounds->saved_at >= every);
  HS_MPI(MPI_Bcast(&due, 1, MPI_INT, 0, rounds->setup->comm));
  return due != 0;
}

/* Search, and on to the gates of the next round; or, without any, to the end. Collective. */
static hs_status_t go_on(hs_gate_rounds_t *rounds, hs_solution_t *solution, bool *more)
{
  double begin = MPI_Wtime();
  hs_traffic_t traffic = {0};
  found_t found = {0};
  hs_gate_round_t *row = row_of_round(rounds);
  hs_status_t status = search(rounds, solution->u, &found, &traffic);
  if (status != HS_OK) return status;
  row->best_price = found.best;
  *more = found.count > 0 || !is_good_enough(rounds, solution);
  if (found.count > 0) {
    status = change_gates(rounds, solution->u, &found, &row->added);
    if (status == HS_OK) close_round(rounds, solution);
    rounds->last = row->added == 0 || rounds->round + 1 == rounds->settings->model.gate_rounds;
  } else if (*more) {
    finish_on_same_gates(rounds, solution);
  }
  hs_free(found.G);
  double seconds = MPI_Wtime() - begin;
  row->seconds += seconds;
  if (*more) {
    rounds->behind.seconds += seconds;
    rounds->behind.comm_seconds += traffic.seconds;
    rounds->behind.comm_bytes += traffic.bytes;
    rounds->setup_seconds += seconds;
  }
  tell(rounds);
  rounds->round += row->added > 0;
  return status;
}

/* Has this round lowered the objective enough to go on? */
static bool has_gained(const hs_gate_rounds_t *rounds, const hs_solution_t *solution)
{
  double least = fmax(HS_ROUNDS_GAIN, rounds->settings->solver.tolerance);
  return rounds->objective - solution->last.primal >= least * solution->last.primal;
}

hs_status_t hs_gate_rounds_next(hs_gate_rounds_t *rounds, hs_solution_t *solution, bool *more)
{
  *more = false;
  keep_better(rounds, solution);
  hs_status_t status = hs_agree(rounds->setup->comm, take_row(rounds, solution));
  if (status != HS_OK) return status;
  if (!rounds->solved) row_of_round(rounds)->seconds += solution->last.seconds;
  bool gained = has_gained(rounds, solution);
  if (rounds->last || solution->stop != HS_STOP_CONVERGED || (!gained && is_good_enough(rounds, solution))) {
    tell(rounds);
    return HS_OK;
  }
  if (has_to_stop(rounds, solution)) {
    tell(rounds);
    return save_solved(rounds, solution, hs_stop_name(solution->stop));
  }
  if (checkpoint_is_due(rounds)) status = save_solved(rounds, solution, "running");
  if (status == HS_OK && gained) {
    status = go_on(rounds, solution, more);
  } else if (status == HS_OK) {
    *more = true;
    finish_on_same_gates(rounds, solution);
  }
  if (*more) hs_solution_free(solution);
  return status;
}
