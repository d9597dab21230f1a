/* runs.h: the runs of a report, read from their files and named. Not collective. */
#ifndef HS_IO_REPORT_RUNS_H
#define HS_IO_REPORT_RUNS_H

#include "io/run/run_file.h"

/* One run as reports show it. Labels are UTF-8 without control characters. */
typedef struct hs_report_run {
  const char *path;  /* borrowed */
  char *label;       /* the file's name, or the path where that is needed to tell runs apart */
  char *short_label; /* at most HS_LABEL_MOST characters of it, without .h5, for pictures */
  hs_run_summary_t summary;
  int64_t entries; /* of the history, at least 1 */
  hs_history_row_t *history;
  char *data;               /* name of the training data's file, clean; "" if not known */
  double tolerance;         /* relative gap that was aimed at; NAN: not known */
  double iteration_seconds; /* see hs_iteration_seconds */
} hs_report_run_t;

#define HS_LABEL_MOST 36

/* Read the runs at the paths; *runs is an array of *read <= count, in their order (hs_report_runs_free). A
 * run that has no iteration yet is left out with a warning, HS_BAD_DATA if none remains. On failure *runs
 * is NULL. */
hs_status_t hs_report_runs_read(int count, const char *const *paths, int *read, hs_report_run_t **runs);

void hs_report_runs_free(int count, hs_report_run_t *runs);

/* The name of the data that all runs were trained on, "" if there is none. */
const char *hs_report_common_data(int count, const hs_report_run_t *runs);

/* Median seconds between iterations, which is not moved by some slow ones: new factors, checkpoints, a busy
 * machine. NAN with fewer than two entries, and when memory is short. */
double hs_iteration_seconds(int64_t entries, const hs_history_row_t *history);

bool hs_report_converged(const hs_report_run_t *run);

/* What became of the run: "converged", "still running", "out of iterations", ... */
const char *hs_report_stop_text(const hs_report_run_t *run);

#endif
