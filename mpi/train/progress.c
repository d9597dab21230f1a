#include "mpi/train/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/log.h"

#define FIRST_ROWS 5      /* always printed */
#define LIVE_SECONDS 0.1  /* between two states of the live line */
#define ROW_SECONDS 1.0   /* at least this long between rows after them ... */
#define ROW_ITERATIONS 10 /* ... and on round numbers of iterations, unless one takes this long itself */

const char *hs_progress_duration(double seconds, char text[32])
{
  long whole = lround(seconds);
  if (!(seconds < 1e7))
    snprintf(text, 32, "a long time");
  else if (whole >= 3600)
    snprintf(text, 32, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
  else if (whole >= 60)
    snprintf(text, 32, "%ld min %02ld s", whole / 60, whole % 60);
  else
    snprintf(text, 32, "%.1f s", seconds);
  return text;
}

void hs_progress_begin(hs_progress_t *progress, double tolerance)
{
  *progress = (hs_progress_t){.tolerance = tolerance, .printed_at = -ROW_SECONDS};
  hs_log("%6s %15s %15s %9s %10s  %6s %6s %9s", "iter", "objective", "lower bound", "rel. gap", "rho",
         "active", "comm %", "seconds");
}

static void print_row(hs_progress_t *progress, const hs_history_row_t *row)
{
  double share = 100 * row->comm_seconds / fmax(row->comm_seconds + row->compute_seconds, 1e-9);
  hs_log("%6" PRId64 " %15.8e %15.8e %9.2e %10.3e%c %6" PRId64 " %6.1f %9.2f", row->iteration, row->primal,
         row->dual, row->relative_gap, row->rho,
         row->rho == progress->printed_rho || row->iteration == 1 ? ' ' : '*', row->active_groups, share,
         row->seconds);
  progress->printed_at = row->seconds;
  progress->printed_rho = row->rho;
  progress->printed = row->iteration;
}

/* The gap falls about geometrically: extrapolate its logarithm over the window. NAN: no estimate yet. */
static double seconds_left(const hs_progress_t *progress, const hs_history_row_t *row)
{
  if (row->iteration <= HS_PROGRESS_WINDOW) return NAN;
  int oldest = (int)((row->iteration + 1) % HS_PROGRESS_WINDOW);
  double fall = log(progress->gaps[oldest] / row->relative_gap),
         time = row->seconds - progress->times[oldest];
  double wanted = log(row->relative_gap / progress->tolerance);
  return fall > 1e-6 ? wanted / fall * time : NAN;
}

static void print_live(hs_progress_t *progress, const hs_history_row_t *row)
{
  if (row->seconds - progress->live_at < LIVE_SECONDS || row->relative_gap <= progress->tolerance) return;
  progress->live_at = row->seconds;
  double left = seconds_left(progress, row);
  char text[32];
  hs_log_live("%6" PRId64 "  objective %.6e  gap %.1e (goal %.0e)  %.1f iterations/s  %s%s", row->iteration,
              row->primal, row->relative_gap, progress->tolerance,
              (double)row->iteration / fmax(row->seconds, 1e-9), isfinite(left) ? "about " : "",
              isfinite(left) ? hs_progress_duration(left, text) : "...");
}

/* 10, 20, 50, 100, 200, 500, ... */
static bool is_milestone(int64_t iteration)
{
  while (iteration >= 10 && iteration % 10 == 0) iteration /= 10;
  return iteration == 1 || iteration == 2 || iteration == 5;
}

void hs_progress_row(hs_progress_t *progress, const hs_history_row_t *row)
{
  int slot = (int)(row->iteration % HS_PROGRESS_WINDOW);
  progress->gaps[slot] = row->relative_gap;
  progress->times[slot] = row->seconds;
  double pause = row->seconds - progress->printed_at;
  progress->latest = *row;
  bool round = row->iteration % ROW_ITERATIONS == 0 || pause >= ROW_SECONDS * ROW_ITERATIONS;
  if (progress->newton || row->iteration <= FIRST_ROWS || is_milestone(row->iteration) ||
      (pause >= ROW_SECONDS && round))
    print_row(progress, row);
  else if (hs_log_is_live())
    print_live(progress, row);
}

void hs_progress_newton(hs_progress_t *progress)
{
  hs_log_live(NULL);
  if (progress->printed != progress->latest.iteration) print_row(progress, &progress->latest);
  progress->newton = true;
  hs_log("%6s", "Newton");
}

void hs_progress_end(hs_progress_t *progress, const hs_history_row_t *last)
{
  hs_log_live(NULL);
  if (progress->printed != last->iteration) print_row(progress, last);
}
