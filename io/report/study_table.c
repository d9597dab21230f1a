#include "io/report/study_table.h"

#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "base/log.h"
#include "io/report/study_plot.h"
#include "io/report/style.h"

void hs_study_verdict(const hs_study_t *study, char *text, size_t size)
{
  const hs_study_point_t *first = &study->point[0], *last = &study->point[study->points - 1];
  if (study->kind == HS_STUDY_ROWS)
    snprintf(text, size, "The time of an iteration grows as rows to the power %.3f (1 is proportional).",
             study->slope);
  else
    snprintf(text, size,
             "Parallel efficiency on %" PRId64 " ranks: %.1f %%, %s-up %.2f, relative to %" PRId64 " rank%s.",
             last->ranks, 100 * last->efficiency, study->kind == HS_STUDY_WEAK ? "scaled speed" : "speed",
             last->speedup, first->ranks, first->ranks == 1 ? "" : "s");
}

static void log_point(const hs_study_t *study, const hs_study_point_t *point)
{
  char milliseconds[32], solve[32], memory[32] = "-", gains[48];
  const hs_history_row_t *end = &point->run->history[point->run->entries - 1];
  hs_text_number(1e3 * point->iteration_seconds, 4, milliseconds);
  hs_text_number(point->solve_seconds, 4, solve);
  hs_unit_t unit = hs_unit_bytes(point->bytes_per_rank);
  if (isfinite(point->bytes_per_rank))
    snprintf(memory, sizeof memory, "%.3g %s", point->bytes_per_rank * unit.factor, unit.name);
  if (study->kind == HS_STUDY_ROWS)
    snprintf(gains, sizeof gains, "%10.2f %12.4g", 1e9 / (point->rate * (double)point->ranks), point->rate);
  else
    snprintf(gains, sizeof gains, "%10.2f %12.1f", point->speedup, 100 * point->efficiency);
  hs_log("%6" PRId64 " %11" PRId64 " %14s %s %10" PRId64 " %9s %6.1f %12s  %s%s%s", point->ranks, point->rows,
         milliseconds, gains, end->iteration, solve,
         end->seconds > 0 ? 100 * end->comm_seconds / end->seconds : 0, memory, point->run->label,
         hs_report_converged(point->run) ? "" : ", ",
         hs_report_converged(point->run) ? "" : hs_report_stop_text(point->run));
}

void hs_study_log(const hs_study_t *study)
{
  char text[256];
  bool rows = study->kind == HS_STUDY_ROWS;
  hs_study_heading(study, text, sizeof text);
  hs_log("%s", text);
  hs_log("%6s %11s %14s %10s %12s %10s %9s %6s %12s  %s", "ranks", "rows", "ms/iteration",
         rows ? "ns/row" : "speed-up", rows ? "rows/s/rank" : "efficiency %", "iterations", "solve s",
         "comm %", "memory/rank", "run");
  for (int i = 0; i < study->points; i++) log_point(study, &study->point[i]);
  if (study->repeats > 0) {
    hs_log("slower repeats:");
    for (int i = 0; i < study->repeats; i++) log_point(study, &study->point[study->points + i]);
  }
  hs_study_verdict(study, text, sizeof text);
  hs_log("%s", text);
}

static void json_points(hs_json_t *json, const char *key, const hs_study_t *study, int from, int to)
{
  hs_json_open(json, key, '[');
  for (int i = from; i < to; i++) {
    const hs_study_point_t *point = &study->point[i];
    const hs_report_run_t *run = point->run;
    hs_json_open(json, NULL, '{');
    hs_json_text(json, "run", run->path);
    hs_json_int(json, "ranks", point->ranks);
    hs_json_int(json, "threads", run->summary.provenance.threads);
    hs_json_int(json, "rows", point->rows);
    hs_json_text(json, "stop", run->summary.stop);
    hs_json_int(json, "iterations", run->history[run->entries - 1].iteration);
    hs_json_double(json, "iteration_seconds", point->iteration_seconds);
    hs_json_double(json, "solve_seconds", point->solve_seconds);
    hs_json_double(json, "speedup", point->speedup);
    hs_json_double(json, "efficiency", point->efficiency);
    hs_json_double(json, "rows_per_second_and_rank", point->rate);
    for (int p = 0; p < HS_STUDY_PARTS; p++) hs_json_double(json, hs_study_part_keys[p], point->part[p]);
    hs_json_double(json, "bytes_per_rank", point->bytes_per_rank);
    hs_json_close(json);
  }
  hs_json_close(json);
}

void hs_study_json(const hs_study_t *study, FILE *stream)
{
  hs_json_t json = hs_json_start(stream);
  hs_json_open(&json, NULL, '{');
  hs_json_text(&json, "kind", hs_study_key(study->kind));
  hs_json_double(&json, "slope", study->slope);
  json_points(&json, "points", study, 0, study->points);
  json_points(&json, "repeats", study, study->points, study->points + study->repeats);
  hs_json_close(&json);
}
