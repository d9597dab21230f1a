/* study.h: a scaling study made of runs: what kind it is, and its numbers.
 *
 *   strong   the same rows on different ranks               x = ranks
 *   weak     rows in proportion to ranks, within 5 %        x = ranks
 *   rows     different rows on the same ranks               x = rows
 *
 * Times are those of an iteration (hs_iteration_seconds), which does not depend on how many iterations a
 * run needed. Runs at the same x repeat a measurement: the fastest is the point. Not collective. /
 */
#ifndef HS_IO_REPORT_STUDY_H
#define HS_IO_REPORT_STUDY_H

#include "io/report/runs.h"

typedef enum hs_study_kind { HS_STUDY_STRONG, HS_STUDY_WEAK, HS_STUDY_ROWS } hs_study_kind_t;

/* Where the time of a run goes; together they are the whole of it. */
typedef enum hs_study_part {
  HS_PART_COMPUTE,    /* of the solve, without the set-up and the checkpoints that are known */
  HS_PART_COMM,       /* waiting in and doing reductions */
  HS_PART_SETUP,      /* kernels and factors before the first iteration */
  HS_PART_LOAD,       /* reading and scaling the data */
  HS_PART_RUN_FILE,   /* written by rank 0, mostly before and after the solve */
  HS_PART_CHECKPOINT, /* all of them */
  HS_STUDY_PARTS
} hs_study_part_t;

typedef struct hs_study_point {
  const hs_report_run_t *run; /* borrowed */
  int64_t ranks, rows;
  double x;
  double iteration_seconds;
  double solve_seconds;        /* from the first to the last iteration, with the set-up */
  double part[HS_STUDY_PARTS]; /* seconds, mean over ranks; NAN: not known */
  double bytes_per_rank;       /* NAN: not known */
  double rate;                 /* rows per second and rank */
  double efficiency;           /* rate, relative to the point of smallest x */
  double speedup;              /* efficiency * ranks / ranks of that point; NAN in a study over rows */
} hs_study_point_t;

typedef struct hs_study {
  hs_study_kind_t kind;
  int points;              /* at least 2, in the order of x */
  int repeats;             /* slower runs at the x of a point */
  hs_study_point_t *point; /* points, then repeats; owned */
  double slope;            /* least squares of log iteration_seconds over log x */
} hs_study_t;

/* Recognise and compute. HS_BAD_USAGE says what a study needs, or which runs do not fit; HS_BAD_DATA when
 * a run does not tell its rows or has no second iteration. The runs must outlive the study. */
hs_status_t hs_study_make(hs_study_t *study, int count, const hs_report_run_t *runs);
void hs_study_clear(hs_study_t *study);

const char *hs_study_name(hs_study_kind_t kind); /* "strong scaling", "weak scaling", "scaling over rows" */
const char *hs_study_key(hs_study_kind_t kind);  /* for programs: "strong", "weak", "rows" */

extern const char *const hs_study_part_names[HS_STUDY_PARTS]; /* for readers */
extern const char *const hs_study_part_keys[HS_STUDY_PARTS];  /* for programs: "compute_seconds", ... */

/* Seconds of all parts that are known. */
double hs_study_total(const hs_study_point_t *point);

/* Is the part known and not nothing, at any point? */
bool hs_study_has_part(const hs_study_t *study, hs_study_part_t part);

#endif
