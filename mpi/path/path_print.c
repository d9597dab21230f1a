/* path_print.c: what a path tells on the screen. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "mpi/comm/agree.h"
#include "mpi/path/path_run.h"

#define LIVE_SECONDS 0.1 /* between two states of the live line */

static bool has_classes(const hs_path_run_t *run)
{
  return run->setup.shard->classes.count > 0;
}

void hs_path_print_banner(const hs_path_run_t *run, const hs_provenance_t *provenance)
{
  const hs_problem_t *problem = &run->setup.problem;
  int64_t rows = run->validation.shard->partition.rows;
  hs_setup_print_problem(&run->setup, provenance);
  if (run->setup.held_out > 0)
    hs_log("choice  : by %" PRId64 " other rows of that file, held out (path.hold_out %g)", rows,
           run->setup.held_out);
  else
    hs_log("choice  : by %s: %" PRId64 " rows", run->validation.source.path, rows);
  hs_log("penalty : %d values of beta from beta_max (%.6g) down to %.6g = %.4g x beta_max", run->points,
         problem->beta_max, problem->beta, problem->beta / problem->beta_max);
  hs_setup_print_solver(&run->setup);
}

void hs_path_print_resumed(const hs_path_run_t *run)
{
  const hs_checkpoint_t *checkpoint = run->outputs.checkpoint;
  if (!hs_checkpoint_found(checkpoint)) return;
  hs_log("resumed : from %s, with %d of %d points done%s", hs_checkpoint_path(checkpoint), run->done,
         run->points,
         hs_checkpoint_writers(checkpoint) == hs_ranks(run->comm)
             ? ""
             : ", on another number of ranks (the same to rounding)");
}

void hs_path_print_heading(const hs_path_run_t *run)
{
  hs_log("%6s %10s %15s %15s %9s %6s %6s %11s %11s %9s %8s", "point", "beta/max", "objective", "lower bound",
         "rel. gap", "iter", "active", "train loss", "valid. loss", has_classes(run) ? "accuracy" : "R2",
         "seconds");
}

void hs_path_print_point(const hs_path_run_t *run, int k)
{
  const hs_path_point_t *point = &run->point[k];
  double rows = (double)run->setup.shard->partition.rows;
  double others = (double)run->validation.shard->partition.rows;
  hs_log_live(NULL);
  hs_log("%6d %10.4e %15.8e %15.8e %9.2e %6" PRId64 "%c%5" PRId64 " %11.5g %11.5g %9.4f %8.2f", k + 1,
         point->beta_relative, point->primal, point->dual, point->relative_gap, point->iterations,
         point->relative_gap <= run->options.tolerance ? ' ' : '!', point->active_groups,
         point->train_loss / rows, point->validation_loss / others, point->validation_score,
         run->behind.seconds);
}

void hs_path_print_live(hs_path_run_t *run, const hs_history_row_t *row)
{
  double seconds = MPI_Wtime() - run->begin;
  if (!hs_log_is_live() || seconds - run->live_at < LIVE_SECONDS) return;
  run->live_at = seconds;
  hs_log_live("%6d of %d  iteration %" PRId64 "  gap %.1e (goal %.0e)  %.1f s", run->done + 1, run->points,
              row->iteration, row->relative_gap, run->options.tolerance, seconds);
}

static void print_choice(const hs_path_run_t *run, const hs_run_path_t *path, const char *what, int64_t k)
{
  const hs_path_point_t *point = &path->point[k];
  hs_log("%-8s: point %" PRId64 ", beta %.6g = %.4g x beta_max: %s %.4f +- %.4f, mean loss %.5g, %" PRId64
         " groups on",
         what, k + 1, point->beta, point->beta_relative, has_classes(run) ? "accuracy" : "R2",
         point->validation_score, point->validation_error,
         point->validation_loss / (double)path->validation_rows, point->active_groups);
}

static void print_status(const hs_path_run_t *run)
{
  static const char *const reasons[] = {"converged: the gap reached its goal at every point",
                                        "points marked ! stopped at solver.max_iterations",
                                        "stopped at solver.max_seconds", "stopped by a signal"};
  hs_log("status  : %s; %d of %d points", reasons[run->stop], run->done, run->points);
}

static void print_checkpoint(const hs_path_run_t *run)
{
  if (run->stop != HS_STOP_SECONDS && run->stop != HS_STOP_SIGNAL) return;
  hs_log("          %s: the same command goes on from there (with a larger budget if one was used up)",
         hs_checkpoint_path(run->outputs.checkpoint));
}

void hs_path_print_summary(const hs_path_run_t *run, const hs_run_path_t *path,
                           const hs_network_result_t *network)
{
  const hs_path_point_t *point = &path->point[path->chosen];
  int64_t iterations = 0, factorings = 0;
  for (int k = 0; k < run->done; k++) {
    iterations += run->point[k].iterations;
    factorings += run->point[k].factorings;
  }
  double seconds = run->behind.seconds;
  print_status(run);
  print_choice(run, path, "chosen", path->chosen);
  if (path->best != path->chosen) print_choice(run, path, "best", path->best);
  if (path->one_error != path->chosen) print_choice(run, path, "1 error", path->one_error);
  hs_log("bracket : %.8g <= optimum of the gated problem <= %.8g (relative gap %.2e, certified in double)",
         point->dual, point->primal, point->relative_gap);
  if (network->record.starts > 0) hs_network_stage_print(network);
  hs_log("time    : %.2f s = set-up %.2f + %" PRId64 " iterations at %d points %.2f (%.1f a point, %" PRId64
         " factorings); peak memory %.0f MB on all ranks",
         seconds, run->setup_seconds, iterations, run->done, seconds - run->setup_seconds,
         (double)iterations / run->done, factorings, (double)run->outputs.times.peak_bytes / 1e6);
  hs_log("saved   : %s", run->settings->output.run);
  print_checkpoint(run);
  if (run->setup.held_out > 0 && run->stop == HS_STOP_CONVERGED)
    hs_log("          to train on all rows: halfspace train with model.beta=%.6g", point->beta_relative);
}
