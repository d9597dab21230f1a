#include "mpi/train/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "mpi/admm/solve.h"
#include "mpi/comm/agree.h"
#include "mpi/polish/solve_polished.h"
#include "mpi/train/gate_rounds.h"
#include "mpi/train/make_model.h"
#include "mpi/train/network_stage.h"
#include "mpi/train/outputs.h"
#include "mpi/train/progress.h"
#include "mpi/train/provenance.h"
#include "mpi/train/setup.h"
#include "mpi/train/x_update_line.h"

/* One training run and all it holds. */
typedef struct train {
  MPI_Comm comm;
  int rank;
  const hs_settings_t *settings;
  hs_setup_t setup;
  hs_outputs_t outputs;
  hs_progress_t progress;
  hs_gate_rounds_t rounds; /* without model.gate_rounds: nothing behind */
  hs_solution_t solution;
  hs_polished_t polished;
  hs_model_t model;
  bool has_network;
  hs_network_result_t network; /* with has_network */
} train_t;

typedef hs_status_t open_t(hs_outputs_t *, const hs_identity_t *, const hs_partition_t *,
                           const hs_run_facts_t *, const hs_provenance_t *);

/* What the run writes, and what it goes on from; open is hs_outputs_open or hs_outputs_reopen. Collective. */
static hs_status_t open_outputs(train_t *train, open_t *open)
{
  hs_provenance_t provenance = hs_provenance_collect(train->comm);
  const hs_problem_t *problem = &train->setup.problem;
  if (train->rank == 0 && open == hs_outputs_open) {
    hs_setup_print_problem(&train->setup, &provenance);
    hs_log("penalty : beta %.6g = %.4g x beta_max (%.6g)", problem->beta, problem->beta / problem->beta_max,
           problem->beta_max);
    hs_setup_print_solver(&train->setup);
  }
  hs_identity_t identity = hs_setup_identity(&train->setup);
  hs_run_facts_t facts = hs_setup_facts(&train->setup);
  train->outputs.times.load_seconds = train->setup.load_seconds;
  return open(&train->outputs, &identity, &train->setup.shard->partition, &facts, &provenance);
}

/* What the run file says of the polish: while it goes on (end = NULL), and after it. Rank 0 acts. */
static void tell_polish(train_t *train, const char *end)
{
  const hs_polished_t *polished = &train->polished;
  bool has_rows = !polished->unfinished && (end == NULL || polished->report.steps > 0);
  int64_t behind = train->rounds.behind.iteration;
  hs_run_polish_t polish = {.from = has_rows ? behind + polished->iterations + 1 : 0,
                            .end = end,
                            .steps = polished->report.steps,
                            .seconds = polished->report.seconds};
  if (train->rank == 0) hs_outputs_polish(&train->outputs, &polish);
}

/* Is this the first row of the polish? */
static bool polish_begins(const train_t *train, const hs_history_row_t *row)
{
  const hs_polished_t *polished = &train->polished;
  return polished->begun && !polished->unfinished && !train->progress.newton &&
         row->iteration == polished->iterations + 1;
}

/* After every iteration: history, progress, and what this rank asks for. */
static int observe(void *context, const hs_history_row_t *row)
{
  train_t *train = context;
  if (polish_begins(train, row)) {
    hs_progress_newton(&train->progress);
    tell_polish(train, NULL);
  }
  if (train->rank == 0) {
    hs_history_row_t whole = hs_gate_rounds_row(&train->rounds, row);
    hs_outputs_row(&train->outputs, &whole);
    hs_progress_row(&train->progress, &whole);
  }
  bool stop = hs_interrupted() || train->outputs.status != HS_OK;
  return (stop ? HS_STOP : 0) | (hs_checkpoint_asked() ? HS_CHECKPOINT : 0);
}

static void print_resumed(const train_t *train, hs_x_kind_t kind)
{
  const hs_checkpoint_t *checkpoint = train->outputs.checkpoint;
  if (!hs_checkpoint_found(checkpoint)) return;
  int64_t writers = hs_checkpoint_writers(checkpoint), blocks = hs_checkpoint_blocks(checkpoint);
  hs_log("resumed : from %s, after iteration %" PRId64 "%s", hs_checkpoint_path(checkpoint),
         hs_checkpoint_iteration(checkpoint),
         writers == hs_ranks(train->comm) ? "" : ", on another number of ranks (the same to rounding)");
  if (kind == HS_X_BLOCK_KERNEL && blocks != train->setup.shard->partition.blocks)
    hs_log("          the rows are cut into %" PRId64 " blocks, not %" PRId64
           " as before: the iterates will differ, the optimum does not",
           train->setup.shard->partition.blocks, blocks);
}

/* Newton's method did not get there. Go on with the iteration from the checkpoint at which it had been left, as a
 * resumed run does, and take the better of both. Collective. */
static hs_status_t go_on(train_t *train, hs_solve_options_t *options)
{
  hs_solution_t *solution = &train->solution, earlier = *solution;
  const hs_polish_report_t *report = &train->polished.report;
  *solution = (hs_solution_t){0};
  hs_log("polish  : %s after %" PRId64 " steps, at a gap of %.2e%s%s; plain iterations go on",
         hs_polish_end_name(report->end), report->steps, earlier.last.relative_gap,
         report->message[0] != '\0' ? ": " : "", report->message);
  hs_status_t status = open_outputs(train, hs_outputs_reopen);
  options->checkpoint = train->outputs.checkpoint;
  options->start = NULL;
  if (options->max_seconds > 0) options->max_seconds = fmax(1e-9, options->max_seconds - report->seconds);
  HS_MPI(MPI_Bcast(&options->max_seconds, 1, MPI_DOUBLE, 0, train->comm));
  hs_progress_begin(&train->progress, options->tolerance);
  if (status == HS_OK) status = hs_solve(&train->setup.problem, options, observe, train, solution);
  if (status == HS_OK && hs_solution_combine(&train->setup.problem, solution, &earlier)) {
    if (solution->last.relative_gap <= options->tolerance) solution->stop = HS_STOP_CONVERGED;
    observe(train, &solution->last);
  }
  if (status == HS_OK) train->polished.iterations = solution->last.iteration;
  hs_solution_free(&earlier);
  return status;
}

/* Collective. */
static hs_status_t solve_and_polish(train_t *train, hs_solve_options_t *options)
{
  hs_polished_t *polished = &train->polished;
  double handover = hs_polish_handover(options->tolerance);
  bool rounds = train->settings->model.gate_rounds > 0;
  int64_t met_at =
      rounds ? hs_gate_rounds_met_at(&train->rounds, handover) : hs_outputs_met_at(&train->outputs, handover);
  hs_status_t status =
      hs_solve_polished(&train->setup.problem, options, met_at, observe, train, &train->solution, polished);
  if (status == HS_OK && polished->unfinished) status = go_on(train, options);
  if (status == HS_OK && polished->begun) tell_polish(train, hs_polish_end_name(polished->report.end));
  return status;
}

/* The problem over the gates in hand. Collective. */
static hs_status_t solve_problem(train_t *train, hs_solve_options_t *options, bool quiet, bool polish)
{
  const hs_settings_t *settings = train->settings;
  hs_x_estimate_t estimates[HS_X_KINDS];
  hs_status_t status = hs_solve_choose(&train->setup.problem, options, &options->x_update, estimates);
  if (status != HS_OK) return status;
  if (train->rank == 0 && !quiet)
    hs_x_update_print(settings->solver.x_update, options->x_update, estimates,
                      &train->setup.shard->partition);
  if (!quiet) print_resumed(train, options->x_update);
  if (!quiet) hs_progress_begin(&train->progress, settings->solver.tolerance);
  hs_log_live("building and factoring the matrices of the x-update ...");
  if (polish) return solve_and_polish(train, options);
  return hs_solve(&train->setup.problem, options, observe, train, &train->solution);
}

/* The result in counts and clocks of the whole run. */
static void take_whole(train_t *train)
{
  const hs_gate_rounds_t *rounds = &train->rounds;
  hs_solution_t *solution = &train->solution;
  solution->last = hs_gate_rounds_row(rounds, &solution->last);
  solution->resumed_at += rounds->behind.iteration;
  solution->setup_seconds += rounds->setup_seconds;
  solution->factorings += (int)rounds->factorings;
  train->polished.iterations += rounds->behind.iteration;
  train->polished.seconds += rounds->behind.seconds;
}

/* Round after round of gates. Collective. */
static hs_status_t solve_rounds(train_t *train, hs_solve_options_t *options)
{
  hs_gate_rounds_t *rounds = &train->rounds;
  hs_status_t status = hs_gate_rounds_create(rounds, &train->setup, &train->outputs);
  bool quiet = false, more = true, solve;
  while (status == HS_OK && more) {
    status = hs_gate_rounds_prepare(rounds, options, &train->solution, &solve);
    if (status == HS_OK && solve)
      status = solve_problem(train, options, quiet, rounds->last && train->settings->solver.polish);
    if (status == HS_OK && solve) hs_progress_end(&train->progress, &train->progress.latest);
    if (status == HS_OK) status = hs_gate_rounds_next(rounds, &train->solution, &more);
    quiet = quiet || solve;
  }
  if (status == HS_OK && train->rank == 0) {
    hs_run_facts_t facts = hs_setup_facts(&train->setup);
    status = hs_run_write_facts(train->outputs.run, &facts);
    if (status == HS_OK) status = hs_gate_rounds_write(rounds);
  }
  if (status == HS_OK) take_whole(train);
  return hs_agree(train->comm, status);
}

/* Collective. */
static hs_status_t solve(train_t *train)
{
  const hs_settings_t *settings = train->settings;
  hs_solve_options_t options = {.tolerance = settings->solver.tolerance,
                                .max_iterations = settings->solver.max_iterations,
                                .max_seconds = settings->solver.max_seconds,
                                .rho = settings->solver.rho,
                                .anderson = (int)settings->solver.anderson,
                                .no_newton = !settings->solver.newton,
                                .x_update = settings->solver.x_update,
                                .blocks_given = settings->solver.block_rows > 0,
                                .checkpoint = train->outputs.checkpoint,
                                .checkpoint_seconds = settings->output.checkpoint_seconds,
                                .keep_converged = settings->model.activation == HS_RELU};
  hs_status_t status = settings->model.gate_rounds > 0
                           ? solve_rounds(train, &options)
                           : solve_problem(train, &options, false, settings->solver.polish);
  if (status == HS_OK) hs_progress_end(&train->progress, &train->solution.last);
  return hs_agree(train->comm, status != HS_OK ? status : train->outputs.status);
}

/* What was used where, for the run file. Rank 0. */
static hs_status_t save_method(train_t *train)
{
  hs_run_method_t method =
      hs_setup_method(&train->setup, train->solution.x_update, train->polished.report.improved);
  return hs_run_write_method(train->outputs.run, &method);
}

/* Collective. */
static hs_status_t save(train_t *train)
{
  hs_status_t status = hs_agree(train->comm, train->rank == 0 ? save_method(train) : HS_OK);
  if (status != HS_OK) return status;
  const hs_solution_t *solution = &train->solution;
  double mine = (double)hs_peak_bytes(), total;
  HS_MPI(MPI_Allreduce(&mine, &total, 1, MPI_DOUBLE, MPI_SUM, train->comm));
  train->outputs.times.peak_bytes = (int64_t)total;
  train->outputs.times.setup_seconds = solution->setup_seconds;
  hs_bracket_t bracket = hs_bracket_none();
  bracket.gates_lower = solution->last.dual;
  return hs_outputs_save(
      &train->outputs, &train->model, train->has_network ? &train->network.bracket : &bracket,
      train->has_network ? &train->network.record : NULL, hs_stop_name(solution->stop), solution->loss);
}

/* Iterations, and their seconds, without the steps of the polish. */
static int64_t iterations_of(const train_t *train)
{
  return train->polished.begun ? train->polished.iterations : train->solution.last.iteration;
}

static double seconds_of(const train_t *train)
{
  bool apart = train->polished.begun && !train->polished.unfinished;
  return apart ? train->polished.seconds : train->solution.last.seconds;
}

static void print_polish(const train_t *train)
{
  const hs_polish_report_t *report = &train->polished.report;
  if (!train->polished.begun) return;
  hs_log("polish  : %" PRId64 " Newton steps in %.2f s (%" PRId64 " systems factored, %" PRId64
         " products in the others), end: %s%s%s",
         report->steps, report->seconds, report->factorings, report->products,
         hs_polish_end_name(report->end), report->message[0] != '\0' ? ": " : "", report->message);
}

static void print_checkpoint(const train_t *train)
{
  hs_checkpoint_cost_t cost = hs_checkpoint_cost(train->outputs.checkpoint);
  bool goes_on = train->solution.stop != HS_STOP_CONVERGED;
  if (cost.written > 0)
    hs_log("         %s%s: %" PRId64 " checkpoint%s in %.2f s, %.1f MB",
           goes_on ? " " : " no longer needed: ", hs_checkpoint_path(train->outputs.checkpoint), cost.written,
           cost.written == 1 ? "" : "s", cost.seconds, (double)cost.bytes / 1e6);
  if (goes_on && train->solution.resumed_at == iterations_of(train))
    hs_warn("the budget had been used up before: no iteration was added");
  if (goes_on)
    hs_log(
        "          the same command goes on from the checkpoint (with a larger budget if one was used up)");
}

static void print_summary(const train_t *train)
{
  const hs_solution_t *solution = &train->solution;
  const hs_history_row_t *last = &solution->last;
  static const char *const reasons[] = {"converged: the gap reached its goal",
                                        "stopped at solver.max_iterations", "stopped at solver.max_seconds",
                                        "stopped by a signal"};
  int64_t iterations = iterations_of(train);
  double solving = seconds_of(train) - solution->setup_seconds;
  hs_log("status  : %s after %" PRId64 " iterations", reasons[solution->stop], last->iteration);
  print_polish(train);
  int digits = last->relative_gap < 1e-7 ? 14 : 8;
  hs_log("bracket : %.*g <= optimum of the gated problem <= %.*g (relative gap %.2e, certified in double)",
         digits, last->dual, digits, last->primal, last->relative_gap);
  hs_log("weights : %d of %d gates are on; mean loss %.6g a row", train->model.gates,
         train->setup.problem.gates, solution->loss / (double)train->setup.shard->partition.rows);
  if (train->has_network) hs_network_stage_print(&train->network);
  const char *before = train->rounds.behind.iteration > 0 ? "set-up and gate searches" : "set-up";
  hs_log("time    : %.2f s = %s %.2f + %" PRId64
         " iterations %.2f (%.1f ms each, %d factorings, reductions %.1f %%); "
         "peak memory %.0f MB on all ranks",
         last->seconds, before, solution->setup_seconds, iterations, solving,
         1e3 * solving / (double)iterations, solution->factorings,
         100 * last->comm_seconds / fmax(last->seconds, 1e-9), (double)train->outputs.times.peak_bytes / 1e6);
  hs_log("saved   : %s", train->settings->output.run);
  print_checkpoint(train);
}

static void release(train_t *train)
{
  hs_solution_free(&train->solution);
  hs_gate_rounds_free(&train->rounds);
  hs_setup_free(&train->setup);
  hs_model_clear(&train->model);
  hs_network_result_free(&train->network);
  hs_outputs_release(&train->outputs);
}

/* A signal leaves little time: what takes long waits for the end. */
static bool is_interrupted(const train_t *train)
{
  return train->solution.stop == HS_STOP_SIGNAL;
}

/* A signal that comes now ends the run as one during the iteration does: the checkpoint stays, and the same command makes the
 * network again. Collective. */
static hs_status_t train_network(train_t *train)
{
  hs_status_t status =
      hs_network_stage(&train->setup, &train->model, train->solution.last.dual, &train->network);
  train->has_network = status == HS_OK;
  if (train->network.interrupted) train->solution.stop = HS_STOP_SIGNAL;
  return status;
}

hs_status_t hs_train(MPI_Comm comm, const hs_settings_t *settings)
{
  train_t train = {.comm = comm, .rank = hs_rank(comm), .settings = settings};
  hs_settings_warn_idle(settings);
  hs_interrupt_watch();
  hs_status_t status = hs_outputs_claim(&train.outputs, comm, settings);
  if (status == HS_OK) status = hs_setup_create(&train.setup, comm, settings, 0);
  if (status == HS_OK) status = open_outputs(&train, hs_outputs_open);
  if (status == HS_OK) status = solve(&train);
  if (status == HS_OK)
    status = hs_agree(
        comm, hs_make_model(&train.model, &train.setup, train.solution.u, train.solution.last.primal));
  if (status == HS_OK && settings->model.activation == HS_RELU && !is_interrupted(&train))
    status = train_network(&train);
  if (status == HS_OK) status = save(&train);
  if (status == HS_OK) print_summary(&train);
  if (status == HS_OK && train.solution.stop != HS_STOP_CONVERGED)
    status = is_interrupted(&train) ? HS_INTERRUPTED : HS_BUDGET;
  release(&train);
  return status;
}
