#include "mpi/path/path.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/path/path_run.h"
#include "mpi/train/make_model.h"
#include "mpi/train/network_stage.h"
#include "mpi/train/provenance.h"
#include "mpi/train/x_update_line.h"
#include "path/choose.h"
#include "path/grid.h"

#define KEEP_BYTES ((int64_t)64 << 20) /* of weights, that are kept of all points unless told otherwise */

/* ---- set-up ---- */

/* The values of beta, and room for what comes of them. */
static hs_status_t make_points(hs_path_run_t *run)
{
  const hs_settings_t *settings = run->settings;
  const hs_problem_t *problem = &run->setup.problem;
  if (problem->beta >= problem->beta_max)
    return hs_fail(HS_BAD_USAGE, NULL,
                   settings->model.beta_absolute > 0 ? "model.beta_absolute" : "model.beta",
                   "the path would end at %.6g, not below beta_max = %.6g, where it begins (a smaller one)",
                   problem->beta, problem->beta_max);
  run->points = (int)settings->path.points;
  run->beta = hs_alloc((size_t)run->points, sizeof *run->beta, "path");
  run->point = hs_alloc((size_t)run->points, sizeof *run->point, "path");
  if (run->beta == NULL || run->point == NULL) return HS_NO_MEMORY;
  hs_path_grid(run->points, problem->beta_max, problem->beta, run->beta);
  run->kept.gates = problem->gates;
  run->kept.size = (int64_t)problem->d * problem->outputs;
  bool small = (double)run->points * (double)problem->weights * sizeof(double) <= (double)KEEP_BYTES;
  run->keep_all = settings->path.weights == HS_KEEP_ALL || (settings->path.weights == HS_KEEP_AUTO && small);
  if (!run->keep_all && settings->path.choose == HS_CHOOSE_ONE_ERROR)
    return hs_fail(HS_BAD_USAGE, NULL, "path.choose",
                   "one-error needs the weights of all points, up to %.3g MB a rank (path.weights=all)",
                   (double)run->points * (double)problem->weights * 8e-6);
  return HS_OK;
}

/* Collective. */
static hs_status_t set_up(hs_path_run_t *run)
{
  const hs_settings_t *settings = run->settings;
  double held_out = settings->data.validation[0] == '\0' ? settings->path.hold_out : 0;
  if (settings->model.gate_rounds > 0)
    return hs_fail(HS_BAD_USAGE, NULL, NULL,
                   "model.gate_rounds = %" PRId64
                   ": a path keeps to the gates it begins with (set 0; or train at a value "
                   "of beta)",
                   settings->model.gate_rounds);
  hs_status_t status = hs_setup_create(&run->setup, run->comm, settings, held_out);
  if (status == HS_OK) status = hs_validation_create(&run->validation, &run->setup);
  if (status == HS_OK) status = hs_agree(run->comm, make_points(run));
  return status;
}

/* Collective. */
static hs_status_t open_outputs(hs_path_run_t *run)
{
  hs_provenance_t provenance = hs_provenance_collect(run->comm);
  hs_identity_t identity = hs_setup_identity(&run->setup);
  hs_run_facts_t facts = hs_setup_facts(&run->setup);
  run->outputs.times.load_seconds = run->setup.load_seconds;
  if (run->rank == 0) hs_path_print_banner(run, &provenance);
  return hs_outputs_open(&run->outputs, &identity, &run->setup.shard->partition, &facts, &provenance);
}

/* Collective. */
static hs_status_t create_solver(hs_path_run_t *run)
{
  const hs_settings_t *settings = run->settings;
  run->options = (hs_solve_options_t){.tolerance = settings->solver.tolerance,
                                      .max_iterations = settings->solver.max_iterations,
                                      .rho = settings->solver.rho,
                                      .anderson = (int)settings->solver.anderson,
                                      .x_update = settings->solver.x_update,
                                      .no_newton = true, /* near the solution it costs more than it saves */
                                      .blocks_given = settings->solver.block_rows > 0};
  run->begin = run->saved_at = MPI_Wtime();
  run->setup.problem.beta = run->beta[0];
  bool found = hs_checkpoint_found(run->outputs.checkpoint);
  hs_x_estimate_t estimates[HS_X_KINDS];
  hs_status_t status = hs_path_choose_kind(run, estimates);
  if (status == HS_OK && run->rank == 0)
    hs_x_update_print(settings->solver.x_update, run->options.x_update, estimates,
                      &run->setup.shard->partition);
  hs_log_live("building and inverting the kernels of the blocks ...");
  if (status == HS_OK) status = hs_solver_create(&run->solver, &run->setup.problem, &run->options);
  if (status != HS_OK) return status;
  run->setup_seconds = run->solver->setup_seconds;
  status = hs_agree(run->comm, hs_warm_start_create(&run->warm, run->solver));
  return status == HS_OK && found ? hs_path_restore_state(run) : status;
}

/* ---- the points ---- */

/* History, progress, and what this rank asks for. The rows of a point go on from those before it. */
static int observe(void *context, const hs_history_row_t *row)
{
  hs_path_run_t *run = context;
  hs_history_row_t whole = *row;
  whole.iteration += run->behind.iteration;
  whole.seconds = MPI_Wtime() - run->begin;
  whole.compute_seconds += run->behind.compute_seconds;
  whole.comm_seconds += run->behind.comm_seconds;
  whole.comm_bytes += run->behind.comm_bytes;
  run->latest = whole;
  if (run->rank == 0) {
    hs_outputs_row(&run->outputs, &whole);
    hs_path_print_live(run, row);
  }
  run->asked = hs_checkpoint_asked() || run->asked;
  return hs_interrupted() || run->outputs.status != HS_OK ? HS_STOP : HS_GO_ON;
}

/* The point that the solver has just ended, with its score. Collective. */
static hs_status_t take_point(hs_path_run_t *run, const hs_solution_t *solution)
{
  hs_path_point_t *point = &run->point[run->done];
  const hs_problem_t *problem = &run->setup.problem;
  const double *u = run->solver->x.best_z;
  hs_score_t score;
  hs_status_t status = hs_validation_score(&run->validation, &run->setup, u, &score);
  if (status != HS_OK) return status;
  bool classes = run->setup.shard->classes.count > 0;
  *point = (hs_path_point_t){.beta = problem->beta,
                             .beta_relative = problem->beta / problem->beta_max,
                             .primal = solution->last.primal,
                             .dual = solution->last.dual,
                             .relative_gap = solution->last.relative_gap,
                             .first_iteration = run->behind.iteration + 1,
                             .iterations = solution->last.iteration,
                             .factorings = solution->factorings + run->warm.factorings,
                             .active_groups = solution->last.active_groups,
                             .seconds = MPI_Wtime() - run->begin - run->behind.seconds,
                             .train_loss = solution->loss,
                             .validation_loss = score.loss,
                             .validation_score = classes ? score.accuracy : score.r2,
                             .validation_error = score.standard_error};
  run->behind = run->latest;
  run->behind.seconds = MPI_Wtime() - run->begin;
  run->done += 1;
  bool best = hs_path_best(run->done, run->point) == run->done - 1;
  if (!run->keep_all && best) hs_kept_weights_clear(&run->kept);
  if (run->keep_all || best) status = hs_kept_weights_add(&run->kept, run->done - 1, u);
  return hs_agree(run->comm, status);
}

/* What the run file says of the path. Borrows from the run. */
static hs_run_path_t describe(hs_path_run_t *run)
{
  bool classes = run->setup.shard->classes.count > 0;
  hs_run_path_t path = {.wanted = run->points,
                        .count = run->done,
                        .point = run->point,
                        .chosen = -1,
                        .best = -1,
                        .one_error = -1,
                        .validation_rows = run->validation.shard->partition.rows,
                        .choose = run->settings->path.choose == HS_CHOOSE_BEST ? "best" : "one-error",
                        .score = classes ? "accuracy" : "r2",
                        .validation = (char *)run->validation.source.path};
  if (run->done == 0) return path;
  path.best = hs_path_best(run->done, run->point);
  path.one_error = hs_path_within_error(run->done, run->point);
  path.chosen = run->settings->path.choose == HS_CHOOSE_BEST ? path.best : path.one_error;
  return path;
}

/* Between two points: is a checkpoint due, is the time over? Rank 0 looks at its clock for all. Collective. */
static hs_status_t pause(hs_path_run_t *run)
{
  const hs_settings_t *settings = run->settings;
  double now = MPI_Wtime(), every = settings->output.checkpoint_seconds;
  int flags[2] = {run->asked, 0};
  if (run->rank == 0) {
    flags[0] = flags[0] || (every > 0 && now - run->saved_at >= every);
    flags[1] = settings->solver.max_seconds > 0 && now - run->begin >= settings->solver.max_seconds;
  }
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, flags, 2, MPI_INT, MPI_MAX, run->comm));
  if (flags[1]) run->stop = HS_STOP_SECONDS;
  run->asked = false;
  return flags[0] && !flags[1] ? hs_path_save_state(run, "running") : HS_OK;
}

/* To the start of the next point. Collective. */
static hs_status_t move_on(hs_path_run_t *run)
{
  hs_status_t status = hs_warm_start_next(&run->warm, run->solver, run->beta, run->done - 1);
  if (status == HS_OK && run->rank == 0) {
    hs_run_path_t path = describe(run);
    status = hs_run_write_path(run->outputs.run, &path, NULL, false);
  }
  status = hs_agree(run->comm, status);
  return status == HS_OK ? pause(run) : status;
}

/* One point of the path. Collective. */
static hs_status_t solve_point(hs_path_run_t *run)
{
  hs_solution_t solution;
  double seconds = run->settings->solver.max_seconds;
  run->setup.problem.beta = run->beta[run->done];
  if (run->done > 0) hs_solver_continue(run->solver);
  run->options.max_seconds = seconds > 0 ? fmax(seconds - (MPI_Wtime() - run->begin), 1e-9) : 0;
  hs_status_t status = hs_solver_run(run->solver, observe, run, &solution);
  if (status != HS_OK) return status;
  bool unfinished = solution.stop == HS_STOP_SIGNAL || solution.stop == HS_STOP_SECONDS;
  if (unfinished || solution.stop == HS_STOP_ITERATIONS) run->stop = solution.stop;
  if (unfinished && run->done > 0) return HS_OK;
  status = take_point(run, &solution);
  if (status == HS_OK && run->rank == 0) hs_path_print_point(run, run->done - 1);
  return status;
}

static bool ended(const hs_path_run_t *run)
{
  return run->stop == HS_STOP_SIGNAL || run->stop == HS_STOP_SECONDS;
}

/* A path that had stopped at a budget of seconds that is still used up adds nothing. Collective. */
static hs_status_t solve(hs_path_run_t *run)
{
  hs_status_t status = HS_OK;
  for (int k = 0; k < run->done; k++)
    if (run->point[k].relative_gap > run->options.tolerance) run->stop = HS_STOP_ITERATIONS;
  if (run->rank == 0) {
    hs_path_print_resumed(run);
    hs_path_print_heading(run);
  }
  if (run->resumed_at > 0) status = pause(run);
  while (status == HS_OK && !ended(run) && run->done < run->points) {
    status = solve_point(run);
    if (status == HS_OK && !ended(run) && run->done < run->points) status = move_on(run);
  }
  hs_log_live(NULL);
  status = hs_agree(run->comm, status != HS_OK ? status : run->outputs.status);
  if (status == HS_OK && ended(run)) status = hs_path_save_state(run, hs_stop_name(run->stop));
  return status;
}

/* ---- the end ---- */

/* Collective. */
static hs_status_t choose_model(hs_path_run_t *run, const hs_run_path_t *path, hs_model_t *model,
                                hs_network_result_t *network)
{
  const hs_path_point_t *point = &run->point[path->chosen];
  double *u = hs_alloc((size_t)run->setup.problem.weights, sizeof *u, "weights");
  hs_status_t status = u != NULL ? HS_OK : HS_NO_MEMORY;
  run->setup.problem.beta = point->beta;
  if (status == HS_OK && !hs_kept_weights_get(&run->kept, path->chosen, u))
    status = hs_fail(HS_NUMERICAL, NULL, "path", "the weights of the chosen point are not there");
  if (status == HS_OK) status = hs_make_model(model, &run->setup, u, point->primal);
  hs_free(u);
  status = hs_agree(run->comm, status);
  bool relu = run->settings->model.activation == HS_RELU && run->stop != HS_STOP_SIGNAL;
  if (status == HS_OK && relu) status = hs_network_stage(&run->setup, model, point->dual, network);
  if (network->interrupted) run->stop = HS_STOP_SIGNAL;
  return status;
}

/* Rank 0. */
static hs_status_t write_path(hs_path_run_t *run, const hs_run_path_t *path)
{
  const hs_problem_t *problem = &run->setup.problem;
  const hs_kept_weights_t *kept = &run->kept;
  hs_run_facts_t facts = hs_setup_facts(&run->setup);
  hs_run_path_weights_t weights = {.gates = problem->gates,
                                   .d = problem->d,
                                   .outputs = problem->outputs,
                                   .G = run->setup.gates.G,
                                   .count = kept->count,
                                   .point = kept->point,
                                   .first = kept->first,
                                   .gate = kept->gate,
                                   .values = kept->weights};
  hs_status_t status = hs_run_write_facts(run->outputs.run, &facts);
  if (status == HS_OK) status = hs_run_write_path(run->outputs.run, path, &weights, true);
  return status;
}

/* Collective. */
static hs_status_t save(hs_path_run_t *run, const hs_run_path_t *path, const hs_model_t *model,
                        const hs_network_result_t *network)
{
  const hs_path_point_t *point = &run->point[path->chosen];
  double mine = (double)hs_peak_bytes(), total;
  HS_MPI(MPI_Allreduce(&mine, &total, 1, MPI_DOUBLE, MPI_SUM, run->comm));
  run->outputs.times.peak_bytes = (int64_t)total;
  run->outputs.times.setup_seconds = run->setup_seconds;
  bool has_network = network->record.starts > 0;
  hs_bracket_t bracket = has_network ? network->bracket : hs_bracket_none();
  bracket.gates_lower = point->dual;
  hs_run_method_t method = hs_setup_method(&run->setup, run->options.x_update, false);
  hs_status_t status = run->rank == 0 ? write_path(run, path) : HS_OK;
  if (status == HS_OK && run->rank == 0) status = hs_run_write_method(run->outputs.run, &method);
  status = hs_agree(run->comm, status);
  if (status == HS_OK)
    status = hs_outputs_save(&run->outputs, model, &bracket, has_network ? &network->record : NULL,
                             hs_stop_name(run->stop), point->train_loss);
  if (status == HS_OK && !ended(run)) hs_checkpoint_remove(run->outputs.checkpoint);
  return status;
}

static void release(hs_path_run_t *run)
{
  hs_warm_start_free(&run->warm);
  hs_solver_free(&run->solver);
  hs_validation_free(&run->validation);
  hs_setup_free(&run->setup);
  hs_kept_weights_free(&run->kept);
  hs_outputs_release(&run->outputs);
  hs_free(run->beta);
  hs_free(run->point);
}

/* Model, run file and summary. Collective. */
static hs_status_t finish(hs_path_run_t *run)
{
  hs_model_t model = {0};
  hs_network_result_t network = {0};
  hs_run_path_t path = describe(run);
  hs_status_t status = choose_model(run, &path, &model, &network);
  if (status == HS_OK) status = save(run, &path, &model, &network);
  if (status == HS_OK && run->rank == 0) hs_path_print_summary(run, &path, &network);
  hs_model_clear(&model);
  hs_network_result_free(&network);
  if (status != HS_OK || run->stop == HS_STOP_CONVERGED) return status;
  return run->stop == HS_STOP_SIGNAL ? HS_INTERRUPTED : HS_BUDGET;
}

hs_status_t hs_path(MPI_Comm comm, const hs_settings_t *settings)
{
  hs_path_run_t run = {.comm = comm, .rank = hs_rank(comm), .settings = settings, .stop = HS_STOP_CONVERGED};
  hs_settings_warn_idle(settings);
  hs_interrupt_watch();
  hs_status_t status = hs_outputs_claim(&run.outputs, comm, settings);
  if (status == HS_OK) status = set_up(&run);
  if (status == HS_OK) status = open_outputs(&run);
  if (status == HS_OK) status = create_solver(&run);
  if (status == HS_OK) status = solve(&run);
  if (status == HS_OK) status = finish(&run);
  release(&run);
  return status;
}
