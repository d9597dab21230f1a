#include "io/report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "io/report/differences.h"
#include "io/report/page.h"
#include "io/report/path_plot.h"
#include "io/report/picture.h"
#include "io/report/plot.h"
#include "io/report/ratios.h"
#include "io/report/ratios_page.h"
#include "io/report/ratios_plot.h"
#include "io/report/ratios_table.h"
#include "io/report/runs.h"
#include "io/report/study.h"
#include "io/report/study_page.h"
#include "io/report/study_plot.h"
#include "io/report/study_table.h"

/* What the functions that draw get to see. */
typedef struct report {
  int count;
  hs_report_run_t *runs;
  hs_differences_t differences;
  hs_run_path_t path; /* of a single run that has one; else without points */
  hs_study_t study;   /* of hs_report_scaling alone */
  hs_ratios_t ratios; /* of hs_report_networks alone */
} report_t;

bool hs_report_kind(const char *path, hs_report_kind_t *kind)
{
  static const char *const endings[] = {".svg", ".png", ".html"};
  size_t length = strlen(path);
  for (int i = 0; i < 3; i++) {
    size_t ending = strlen(endings[i]);
    if (length <= ending || strcmp(path + length - ending, endings[i]) != 0) continue;
    *kind = (hs_report_kind_t)i;
    return true;
  }
  return false;
}

static bool runs_script(FILE *script, const void *context, hs_report_kind_t kind, const char *output)
{
  const report_t *report = context;
  return hs_plot_write(script, report->count, report->runs, kind, output);
}

static bool path_script(FILE *script, const void *context, hs_report_kind_t kind, const char *output)
{
  const report_t *report = context;
  const hs_report_run_t *run = &report->runs[0];
  hs_path_plot_write(script, &report->path, run->short_label, run->tolerance, run->summary.facts.rows, kind,
                     output);
  return true;
}

static bool runs_page(FILE *page, const void *context, FILE *svg)
{
  const report_t *report = context;
  return hs_page_write(page, report->count, report->runs, &report->differences, svg);
}

static bool study_script(FILE *script, const void *context, hs_report_kind_t kind, const char *output)
{
  const report_t *report = context;
  return hs_study_plot_write(script, &report->study, kind, output);
}

static bool study_page(FILE *page, const void *context, FILE *svg)
{
  const report_t *report = context;
  return hs_study_page_write(page, &report->study, report->runs, &report->differences, svg);
}

static bool ratios_script(FILE *script, const void *context, hs_report_kind_t kind, const char *output)
{
  const report_t *report = context;
  return hs_ratios_plot_write(script, &report->ratios, kind, output);
}

static bool ratios_page(FILE *page, const void *context, FILE *svg)
{
  const report_t *report = context;
  return hs_ratios_page_write(page, &report->ratios, report->runs, &report->differences, svg);
}

static hs_status_t begin(report_t *report, const hs_report_order_t *order)
{
  *report = (report_t){0};
  hs_status_t status = hs_report_runs_read(order->count, order->paths, &report->count, &report->runs);
  if (status == HS_OK) status = hs_differences_find(&report->differences, report->count, report->runs);
  if (status == HS_OK && report->count == 1) status = hs_run_read_path(report->runs[0].path, &report->path);
  return status;
}

static void end(report_t *report)
{
  hs_run_path_clear(&report->path);
  hs_study_clear(&report->study);
  hs_ratios_clear(&report->ratios);
  hs_differences_clear(&report->differences);
  hs_report_runs_free(report->count, report->runs);
}

static void json_bounds(hs_json_t *json, const hs_run_summary_t *summary)
{
  hs_json_open(json, "bounds", '{');
  for (int i = 0; i < summary->bounds; i++) {
    hs_json_open(json, summary->bound[i].name, '{');
    hs_json_double(json, "value", summary->bound[i].value);
    hs_json_text(json, "kind", summary->bound[i].kind);
    hs_json_close(json);
  }
  hs_json_close(json);
}

static void json_run(hs_json_t *json, const hs_report_run_t *run)
{
  const hs_run_facts_t *facts = &run->summary.facts;
  const hs_run_times_t *times = &run->summary.times;
  const hs_history_row_t *last = &run->history[run->entries - 1];
  hs_json_open(json, NULL, '{');
  hs_json_text(json, "run", run->path);
  hs_json_text(json, "stop", run->summary.stop);
  hs_json_int(json, "iterations", last->iteration);
  hs_json_double(json, "primal", last->primal);
  hs_json_double(json, "dual", last->dual);
  hs_json_double(json, "relative_gap", last->relative_gap);
  hs_json_int(json, "active_groups", last->active_groups);
  hs_json_double(json, "beta", facts->beta);
  hs_json_double(json, "beta_max", facts->beta_max);
  hs_json_double(json, "loss", run->summary.loss);
  hs_json_double(json, "rows", facts->rows > 0 ? (double)facts->rows : NAN);
  hs_json_int(json, "ranks", run->summary.provenance.ranks);
  hs_json_double(json, "seconds", last->seconds);
  hs_json_double(json, "iteration_seconds", run->iteration_seconds);
  hs_json_double(json, "comm_seconds", last->comm_seconds);
  hs_json_double(json, "setup_seconds", times->setup_seconds);
  hs_json_double(json, "load_seconds", times->load_seconds);
  hs_json_double(json, "run_file_seconds", times->run_file_seconds);
  hs_json_double(json, "checkpoint_seconds", times->checkpoint_seconds);
  hs_json_double(json, "peak_bytes", times->peak_bytes > 0 ? (double)times->peak_bytes : NAN);
  json_bounds(json, &run->summary);
  hs_json_close(json);
}

static void print_json(const report_t *report)
{
  hs_json_t json = hs_json_start(stdout);
  hs_json_open(&json, NULL, '{');
  hs_json_open(&json, "runs", '[');
  for (int i = 0; i < report->count; i++) json_run(&json, &report->runs[i]);
  hs_json_close(&json);
  hs_json_close(&json);
}

hs_status_t hs_report_write(const hs_report_order_t *order)
{
  report_t report;
  hs_status_t status = begin(&report, order);
  if (status == HS_OK && order->json) print_json(&report);
  if (status == HS_OK && order->output != NULL) {
    hs_picture_t picture = {&report, report.path.count > 0 ? path_script : runs_script, runs_page};
    status = hs_picture_write(&picture, order->output, order->kind);
    if (status == HS_OK)
      hs_log("report of %d run%s: %s", report.count, report.count > 1 ? "s" : "", order->output);
  }
  end(&report);
  return status;
}

/* What makes a study doubtful, though not impossible. */
static void warn(const report_t *report)
{
  char keys[256];
  hs_differences_of_work(&report->differences, keys, sizeof keys);
  if (keys[0] != '\0') hs_warn("the runs differ in %s: their iterations are not the same work", keys);
  for (int i = 0; i < report->count; i++)
    if (report->runs[i].summary.times.resumes > 0)
      hs_warn("%s: was resumed; its history may hold times of other numbers of ranks", report->runs[i].label);
}

hs_status_t hs_report_scaling(const hs_report_order_t *order)
{
  report_t report;
  hs_status_t status = begin(&report, order);
  if (status == HS_OK) status = hs_study_make(&report.study, report.count, report.runs);
  if (status == HS_OK) {
    warn(&report);
    if (order->json)
      hs_study_json(&report.study, stdout);
    else
      hs_study_log(&report.study);
  }
  if (status == HS_OK && order->output != NULL) {
    hs_picture_t picture = {&report, study_script, study_page};
    status = hs_picture_write(&picture, order->output, order->kind);
    if (status == HS_OK) hs_log("report of a study of %d runs: %s", report.count, order->output);
  }
  end(&report);
  return status;
}

hs_status_t hs_report_networks(const hs_report_order_t *order)
{
  report_t report;
  hs_status_t status = begin(&report, order);
  if (status == HS_OK) status = hs_ratios_read(&report.ratios, report.count, report.runs);
  if (status == HS_OK) {
    if (order->json)
      hs_ratios_json(&report.ratios, stdout);
    else
      hs_ratios_log(&report.ratios);
  }
  if (status == HS_OK && order->output != NULL) {
    hs_picture_t picture = {&report, ratios_script, ratios_page};
    status = hs_picture_write(&picture, order->output, order->kind);
    if (status == HS_OK)
      hs_log("report on the networks of %d run%s: %s", report.ratios.points,
             report.ratios.points > 1 ? "s" : "", order->output);
  }
  end(&report);
  return status;
}
