/* progress.h: what a run tells of its iterations. Rank 0 speaks; not collective. */
#ifndef HS_MPI_TRAIN_PROGRESS_H
#define HS_MPI_TRAIN_PROGRESS_H

#include <stdbool.h>

#include "model/history.h"

#define HS_PROGRESS_WINDOW 16

typedef struct hs_progress {
  double tolerance;
  double gaps[HS_PROGRESS_WINDOW], times[HS_PROGRESS_WINDOW]; /* of the last iterations, a ring */
  double live_at;                                             /* seconds of the last live line */
  double printed_at;                                          /* seconds of the last printed row */
  double printed_rho;
  int64_t printed; /* iteration last printed */
  hs_history_row_t latest;
  bool newton; /* the rows are steps of the polish now */
} hs_progress_t;

/* Print the heading of the table. */
void hs_progress_begin(hs_progress_t *progress, double tolerance);

/* A table row for the first iterations, at milestones (10, 20, 50, 100, ...) and otherwise about every second; on a terminal a live line between them,
 * with the rate and an estimate of the time left. */
void hs_progress_row(hs_progress_t *progress, const hs_history_row_t *row);

/* From now on rows are Newton steps: few, and all of them are printed. The row before them is printed, too. */
void hs_progress_newton(hs_progress_t *progress);

/* The last row, if it has not been printed, and the end of the live line. */
void hs_progress_end(hs_progress_t *progress, const hs_history_row_t *last);

/* "1 h 02 min", "3 min 10 s", "4.2 s" */
const char *hs_progress_duration(double seconds, char text[32]);

#endif
