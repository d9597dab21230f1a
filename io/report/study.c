#include "io/report/study.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define PROPORTIONAL 0.05 /* rows per rank of a weak study may be off by this share */
#define MOST_NAMED 3      /* runs that a message names */

const char *const hs_study_part_names[HS_STUDY_PARTS] = {"compute",      "communication", "set-up",
                                                         "reading data", "run file",      "checkpoints"};
const char *const hs_study_part_keys[HS_STUDY_PARTS] = {"compute_seconds",  "comm_seconds",
                                                        "setup_seconds",    "load_seconds",
                                                        "run_file_seconds", "checkpoint_seconds"};

const char *hs_study_name(hs_study_kind_t kind)
{
  static const char *const names[] = {"strong scaling", "weak scaling", "scaling over rows"};
  return names[kind];
}

const char *hs_study_key(hs_study_kind_t kind)
{
  static const char *const keys[] = {"strong", "weak", "rows"};
  return keys[kind];
}

static int64_t ranks_of(const hs_report_run_t *run)
{
  return run->summary.provenance.ranks;
}

static int64_t rows_of(const hs_report_run_t *run)
{
  return run->summary.facts.rows;
}

static double x_of(hs_study_kind_t kind, const hs_report_run_t *run)
{
  return (double)(kind == HS_STUDY_ROWS ? rows_of(run) : ranks_of(run));
}

/* Would the run belong to a study of this kind that the first run belongs to? */
static bool fits(hs_study_kind_t kind, const hs_report_run_t *first, const hs_report_run_t *run)
{
  if (kind == HS_STUDY_STRONG) return rows_of(run) == rows_of(first);
  if (kind == HS_STUDY_ROWS) return ranks_of(run) == ranks_of(first);
  double share = (double)rows_of(run) / (double)ranks_of(run);
  double wanted = (double)rows_of(first) / (double)ranks_of(first);
  return fabs(share - wanted) <= PROPORTIONAL * wanted;
}

/* How many runs fit; 0 if they are all at one x, which is no study. */
static int count_fitting(hs_study_kind_t kind, const hs_report_run_t *first, int count,
                         const hs_report_run_t *runs)
{
  int fitting = 0;
  bool differ = false;
  for (int i = 0; i < count; i++) {
    if (!fits(kind, first, &runs[i])) continue;
    fitting++;
    differ = differ || x_of(kind, &runs[i]) != x_of(kind, first);
  }
  return differ ? fitting : 0;
}

/* The kind and the run that most runs fit to; their number, 0 when no two runs make a study. Exact
 * agreement of rows or ranks goes before proportions. */
static int best_kind(int count, const hs_report_run_t *runs, hs_study_kind_t *kind,
                     const hs_report_run_t **first)
{
  static const hs_study_kind_t order[] = {HS_STUDY_STRONG, HS_STUDY_ROWS, HS_STUDY_WEAK};
  int best = 0;
  for (int o = 0; o < 3; o++)
    for (int i = 0; i < count; i++) {
      int fitting = count_fitting(order[o], &runs[i], count, runs);
      if (fitting <= best) continue;
      best = fitting;
      *kind = order[o];
      *first = &runs[i];
    }
  return best;
}

/* "a.h5 (4 ranks, 1000 rows), b.h5 (...) and 3 more" */
static void name_misfits(hs_study_kind_t kind, const hs_report_run_t *first, int count,
                         const hs_report_run_t *runs, char *text, size_t size)
{
  int named = 0, more = 0;
  size_t used = 0;
  text[0] = '\0';
  for (int i = 0; i < count; i++) {
    if (first != NULL && fits(kind, first, &runs[i])) continue;
    if (named == MOST_NAMED) {
      more++;
      continue;
    }
    int wrote = snprintf(text + used, size - used, "%s%.60s (%" PRId64 " rank%s, %" PRId64 " rows)",
                         named++ > 0 ? ", " : "", runs[i].label, ranks_of(&runs[i]),
                         ranks_of(&runs[i]) == 1 ? "" : "s", rows_of(&runs[i]));
    if (wrote > 0 && used + (size_t)wrote < size) used += (size_t)wrote;
  }
  if (more > 0) snprintf(text + used, size - used, " and %d more", more);
}

#define NEEDED                                                                                               \
  "a study needs the same rows on different ranks, rows in proportion to ranks, or different rows on the "   \
  "same ranks"

static hs_status_t refuse(int count, const hs_report_run_t *runs, int fitting, hs_study_kind_t kind,
                          const hs_report_run_t *first)
{
  char misfits[400];
  if (fitting > count / 2) {
    name_misfits(kind, first, count, runs, misfits, sizeof misfits);
    return hs_fail(HS_BAD_USAGE, NULL, NULL, "no scaling study: %d of %d runs are one of %s, but not %s",
                   fitting, count, hs_study_name(kind), misfits);
  }
  name_misfits(kind, NULL, count, runs, misfits, sizeof misfits);
  return hs_fail(HS_BAD_USAGE, NULL, NULL, "no scaling study: %s (%s)", misfits, NEEDED);
}

static hs_status_t recognise(int count, const hs_report_run_t *runs, hs_study_kind_t *kind)
{
  if (count == 1)
    return hs_fail(HS_BAD_USAGE, runs[0].path, NULL, "one run is no scaling study (%s)", NEEDED);
  const hs_report_run_t *first = NULL;
  int fitting = best_kind(count, runs, kind, &first);
  if (fitting == count) return HS_OK;
  bool same = true;
  for (int i = 1; i < count; i++)
    same = same && ranks_of(&runs[i]) == ranks_of(&runs[0]) && rows_of(&runs[i]) == rows_of(&runs[0]);
  if (same)
    return hs_fail(HS_BAD_USAGE, NULL, NULL,
                   "no scaling study: all %d runs have %" PRId64 " rows and %" PRId64 " rank%s (%s)", count,
                   rows_of(&runs[0]), ranks_of(&runs[0]), ranks_of(&runs[0]) == 1 ? "" : "s", NEEDED);
  return refuse(count, runs, fitting, *kind, first);
}

static hs_status_t check_run(const hs_report_run_t *run)
{
  if (rows_of(run) <= 0 || ranks_of(run) <= 0)
    return hs_fail(HS_BAD_DATA, run->path, NULL,
                   "does not tell its rows and ranks, so it cannot be a point of a scaling study");
  if (!(run->iteration_seconds > 0))
    return hs_fail(HS_BAD_DATA, run->path, NULL,
                   "has no measurable time between iterations (a point of a scaling study needs two "
                   "iterations at least)");
  return HS_OK;
}

static double known(double seconds)
{
  return isfinite(seconds) && seconds >= 0 ? seconds : NAN;
}

static double or_zero(double value)
{
  return isfinite(value) ? value : 0;
}

static void fill_parts(hs_study_point_t *point)
{
  const hs_run_times_t *times = &point->run->summary.times;
  const hs_history_row_t *last = &point->run->history[point->run->entries - 1];
  double *part = point->part;
  part[HS_PART_COMM] = known(last->comm_seconds);
  part[HS_PART_SETUP] = known(times->setup_seconds);
  part[HS_PART_LOAD] = known(times->load_seconds);
  part[HS_PART_RUN_FILE] = known(times->run_file_seconds);
  part[HS_PART_CHECKPOINT] = known(times->checkpoint_seconds);
  part[HS_PART_COMPUTE] = fmax(0, last->seconds - or_zero(part[HS_PART_COMM]) - or_zero(part[HS_PART_SETUP]) -
                                      or_zero(part[HS_PART_CHECKPOINT]));
}

static hs_study_point_t make_point(hs_study_kind_t kind, const hs_report_run_t *run)
{
  hs_study_point_t point = {.run = run,
                            .ranks = ranks_of(run),
                            .rows = rows_of(run),
                            .x = x_of(kind, run),
                            .iteration_seconds = run->iteration_seconds,
                            .solve_seconds = run->history[run->entries - 1].seconds};
  int64_t bytes = run->summary.times.peak_bytes;
  point.bytes_per_rank = bytes > 0 ? (double)bytes / (double)point.ranks : NAN;
  point.rate = (double)point.rows / (point.iteration_seconds * (double)point.ranks);
  fill_parts(&point);
  return point;
}

/* By x, the fastest first. */
static int compare(const void *a, const void *b)
{
  const hs_study_point_t *p = a, *q = b;
  if (p->x != q->x) return p->x < q->x ? -1 : 1;
  return (p->iteration_seconds > q->iteration_seconds) - (p->iteration_seconds < q->iteration_seconds);
}

/* Sorted runs into points and, behind them, repeats. scratch has room for as many. */
static void part_repeats(hs_study_t *study, int count, hs_study_point_t *scratch)
{
  for (int i = 0; i < count; i++)
    if (i > 0 && study->point[i].x == study->point[i - 1].x)
      scratch[study->repeats++] = study->point[i];
    else
      study->point[study->points++] = study->point[i];
  memcpy(study->point + study->points, scratch, (size_t)study->repeats * sizeof *scratch);
}

static void compute(hs_study_t *study)
{
  const hs_study_point_t base = study->point[0];
  for (int i = 0; i < study->points + study->repeats; i++) {
    hs_study_point_t *point = &study->point[i];
    point->efficiency = point->rate / base.rate;
    point->speedup =
        study->kind == HS_STUDY_ROWS ? NAN : point->efficiency * (double)point->ranks / (double)base.ranks;
  }
  double x = 0, y = 0, xx = 0, xy = 0, n = study->points;
  for (int i = 0; i < study->points; i++) {
    x += log(study->point[i].x) / n;
    y += log(study->point[i].iteration_seconds) / n;
  }
  for (int i = 0; i < study->points; i++) {
    double dx = log(study->point[i].x) - x, dy = log(study->point[i].iteration_seconds) - y;
    xx += dx * dx;
    xy += dx * dy;
  }
  study->slope = xy / xx;
}

hs_status_t hs_study_make(hs_study_t *study, int count, const hs_report_run_t *runs)
{
  *study = (hs_study_t){0};
  hs_status_t status = HS_OK;
  for (int i = 0; i < count && status == HS_OK; i++) status = check_run(&runs[i]);
  if (status == HS_OK) status = recognise(count, runs, &study->kind);
  if (status != HS_OK) return status;
  study->point = hs_alloc((size_t)count, sizeof *study->point, "points of the study");
  hs_study_point_t *scratch = hs_alloc((size_t)count, sizeof *scratch, "points of the study");
  if (study->point != NULL && scratch != NULL) {
    for (int i = 0; i < count; i++) study->point[i] = make_point(study->kind, &runs[i]);
    qsort(study->point, (size_t)count, sizeof *study->point, compare);
    part_repeats(study, count, scratch);
    compute(study);
  } else {
    hs_study_clear(study);
    status = HS_NO_MEMORY;
  }
  hs_free(scratch);
  return status;
}

void hs_study_clear(hs_study_t *study)
{
  hs_free(study->point);
  *study = (hs_study_t){0};
}

double hs_study_total(const hs_study_point_t *point)
{
  double total = 0;
  for (int p = 0; p < HS_STUDY_PARTS; p++) total += or_zero(point->part[p]);
  return total;
}

bool hs_study_has_part(const hs_study_t *study, hs_study_part_t part)
{
  for (int i = 0; i < study->points; i++)
    if (study->point[i].part[part] > 0) return true;
  return false;
}
