#include "io/report/ratios.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/report/style.h"
#include "io/run/run_network.h"

#define ALIKE 1.05 /* n/d that differ by less belong together */

const char *const hs_ratio_names[HS_RATIO_KINDS] = {"gated optimum",
                                                    "rounded: sign map",
                                                    "rounded: cones",
                                                    "rounded: max-margin cones",
                                                    "rounded, then local method",
                                                    "column generation",
                                                    "L-BFGS, best random start",
                                                    "L-BFGS, median",
                                                    "Adam, best random start",
                                                    "Adam, median"};
const char *const hs_ratio_keys[HS_RATIO_KINDS] = {
    "gated",      "sign_map",     "cones",     "margin_cones", "polished", "column_generation",
    "lbfgs_best", "lbfgs_median", "adam_best", "adam_median"};

double hs_ratio_claim(double rows)
{
  return sqrt(log(2 * rows));
}

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double hs_ratio_median(int count, double *values)
{
  if (count == 0) return NAN;
  qsort(values, (size_t)count, sizeof *values, compare);
  return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* ---- one run ---- */

static double bound_of(const hs_run_summary_t *summary, const char *name)
{
  for (int i = 0; i < summary->bounds; i++)
    if (strcmp(summary->bound[i].name, name) == 0) return summary->bound[i].value;
  return NAN;
}

/* Best of the rounded networks, before (end = false) or after the local method. Only one kind, or all three (kind < 0). */
static double rounded(const hs_network_record_t *record, int kind, bool end)
{
  double best = NAN;
  for (int k = 0; k < record->starts; k++) {
    const hs_start_record_t *start = &record->start[k];
    if (kind < 0 ? start->kind > HS_START_MARGIN_CONES : (int)start->kind != kind) continue;
    best = fmin(best, end ? start->end : start->start);
  }
  return best;
}

/* Best and median of a local method from random starts; values has room for all starts. */
static void from_random(const hs_network_record_t *record, hs_start_kind_t kind, double *values, double *best,
                        double *median)
{
  int count = 0;
  for (int k = 0; k < record->starts; k++)
    if (record->start[k].kind == kind && isfinite(record->start[k].end))
      values[count++] = record->start[k].end;
  *median = hs_ratio_median(count, values);
  *best = count > 0 ? values[0] : NAN;
}

/* The best network of the run: that of the bound, or of any start. */
static double best_network(const hs_run_summary_t *summary, const hs_network_record_t *record)
{
  double best = bound_of(summary, "network");
  for (int k = 0; k < record->starts; k++)
    best = fmin(best, fmin(record->start[k].start, record->start[k].end));
  return best;
}

static void choose_lower(hs_ratio_point_t *point, double best)
{
  double proved = bound_of(&point->run->summary, "global_lower");
  double estimated = bound_of(&point->run->summary, "global_lower_estimated");
  bool close = best - proved <= HS_RATIO_CLOSE * best; /* false when not known */
  point->proved = proved > 0 && (close || !(estimated > 0));
  point->lower = point->proved ? proved : estimated > 0 ? estimated : NAN;
}

hs_status_t hs_ratio_point(hs_ratio_point_t *point, const hs_report_run_t *run, int64_t columns,
                           const hs_network_record_t *record)
{
  double *values = hs_alloc((size_t)record->starts, sizeof *values, "objectives of starts");
  if (values == NULL) return HS_NO_MEMORY;
  const hs_run_summary_t *summary = &run->summary;
  *point = (hs_ratio_point_t){.run = run, .rows = summary->facts.rows, .columns = columns};
  point->shape = (double)point->rows / (double)columns;
  point->dual = bound_of(summary, "gates_lower");
  double *objective = point->objective;
  objective[HS_RATIO_GATED] = run->history[run->entries - 1].primal;
  objective[HS_RATIO_SIGN_MAP] = rounded(record, HS_START_SIGN_MAP, false);
  objective[HS_RATIO_CONES] = rounded(record, HS_START_CONES, false);
  objective[HS_RATIO_MARGIN_CONES] = rounded(record, HS_START_MARGIN_CONES, false);
  objective[HS_RATIO_POLISHED] = rounded(record, -1, true);
  bool generated = record->rounds > 0 || record->ended[0] != '\0';
  objective[HS_RATIO_GENERATED] = generated ? bound_of(summary, "network") : NAN;
  from_random(record, HS_START_RANDOM_LBFGS, values, &objective[HS_RATIO_LBFGS],
              &objective[HS_RATIO_LBFGS_MEDIAN]);
  from_random(record, HS_START_RANDOM_ADAM, values, &objective[HS_RATIO_ADAM],
              &objective[HS_RATIO_ADAM_MEDIAN]);
  choose_lower(point, best_network(summary, record));
  for (int k = 0; k < HS_RATIO_KINDS; k++) point->ratio[k] = objective[k] / point->lower;
  hs_free(values);
  return HS_OK;
}

/* ---- all of them ---- */

static int by_shape(const void *a, const void *b)
{
  const hs_ratio_point_t *p = a, *q = b;
  return (p->shape > q->shape) - (p->shape < q->shape);
}

static int by_size(const void *a, const void *b)
{
  const hs_ratio_point_t *p = a, *q = b;
  if (p->rows != q->rows) return p->rows < q->rows ? -1 : 1;
  if (p->columns != q->columns) return p->columns < q->columns ? -1 : 1;
  return strcmp(p->run->path, q->run->path);
}

/* The largest step of n/d inside a panel, and before which point it is; 0 when all are alike. */
static int largest_step(const hs_ratios_t *ratios, int *panel)
{
  int found = 0;
  double largest = ALIKE;
  for (int p = 0; p < ratios->panels; p++)
    for (int i = 1; i < ratios->panel[p].count; i++) {
      const hs_ratio_point_t *point = &ratios->point[ratios->panel[p].first + i];
      double step = point->shape / point[-1].shape;
      if (step <= largest) continue;
      largest = step;
      found = i;
      *panel = p;
    }
  return found;
}

/* Points in the order of n/d: cut where the steps are largest. */
static void cut_into_panels(hs_ratios_t *ratios)
{
  hs_ratio_panel_t *panel = ratios->panel;
  ratios->panels = 1;
  panel[0] = (hs_ratio_panel_t){.first = 0, .count = ratios->points};
  for (int p = 0; ratios->panels < HS_RATIO_PANELS;) {
    int at = largest_step(ratios, &p);
    if (at == 0) break;
    memmove(&panel[p + 1], &panel[p], (size_t)(ratios->panels - p) * sizeof *panel);
    ratios->panels++;
    panel[p].count = at;
    panel[p + 1].first += at;
    panel[p + 1].count -= at;
  }
  for (int p = 0; p < ratios->panels; p++) {
    panel[p].low = ratios->point[panel[p].first].shape;
    panel[p].high = ratios->point[panel[p].first + panel[p].count - 1].shape;
    qsort(ratios->point + panel[p].first, (size_t)panel[p].count, sizeof *ratios->point, by_size);
  }
}

static void summarise(hs_ratios_t *ratios, hs_ratio_kind_t kind, double *values)
{
  hs_ratio_summary_t *summary = &ratios->summary[kind];
  *summary = (hs_ratio_summary_t){.constant = NAN};
  for (int i = 0; i < ratios->points; i++) {
    const hs_ratio_point_t *point = &ratios->point[i];
    if (!isfinite(point->ratio[kind])) continue;
    values[summary->count++] = point->ratio[kind];
    summary->constant = fmax(summary->constant, point->ratio[kind] / hs_ratio_claim((double)point->rows));
  }
  summary->median = hs_ratio_median(summary->count, values);
  summary->low = summary->count > 0 ? values[0] : NAN;
  summary->high = summary->count > 0 ? values[summary->count - 1] : NAN;
}

hs_status_t hs_ratios_arrange(hs_ratios_t *ratios)
{
  ratios->panels = 0;
  double *values = hs_alloc((size_t)ratios->points, sizeof *values, "ratios");
  if (values == NULL) return HS_NO_MEMORY;
  for (int k = 0; k < HS_RATIO_KINDS; k++) summarise(ratios, (hs_ratio_kind_t)k, values);
  hs_free(values);
  if (ratios->points == 0) return HS_OK;
  qsort(ratios->point, (size_t)ratios->points, sizeof *ratios->point, by_shape);
  cut_into_panels(ratios);
  return HS_OK;
}

/* ---- from files ---- */

static void leave_out(const hs_report_run_t *run, const char *why)
{
  hs_warn("%s: %s: left out", run->path, why);
}

static hs_status_t add(hs_ratios_t *ratios, const hs_report_run_t *run)
{
  hs_network_record_t record;
  hs_status_t status = hs_run_read_network(run->path, &record);
  if (status != HS_OK) return status;
  hs_model_t model = {0};
  if (record.starts == 0)
    leave_out(run, "tells of no ReLU network (model.activation=relu)");
  else if (!run->summary.has_model || run->summary.facts.rows <= 0)
    leave_out(run, "does not tell its rows and features yet");
  else
    status = hs_run_read_model(run->path, &model);
  if (status == HS_OK && model.d > 0) {
    hs_ratio_point_t *point = &ratios->point[ratios->points];
    status = hs_ratio_point(point, run, model.d, &record);
    if (status == HS_OK) ratios->points++;
    if (status == HS_OK && !isfinite(point->lower))
      hs_warn("%s: has no lower bound on the global optimum (bounds.starts): no ratios", run->path);
  }
  hs_model_clear(&model);
  hs_network_record_clear(&record);
  return status;
}

hs_status_t hs_ratios_read(hs_ratios_t *ratios, int count, const hs_report_run_t *runs)
{
  *ratios = (hs_ratios_t){0};
  ratios->point = hs_alloc((size_t)count, sizeof *ratios->point, "runs");
  hs_status_t status = ratios->point != NULL ? HS_OK : HS_NO_MEMORY;
  for (int i = 0; i < count && status == HS_OK; i++) status = add(ratios, &runs[i]);
  if (status == HS_OK && ratios->points == 0)
    status = hs_fail(HS_BAD_DATA, NULL, NULL,
                     "no run tells how its ReLU network came about: there is nothing to compare (train with "
                     "model.activation=relu)");
  if (status == HS_OK) status = hs_ratios_arrange(ratios);
  if (status != HS_OK) hs_ratios_clear(ratios);
  return status;
}

void hs_ratios_clear(hs_ratios_t *ratios)
{
  hs_free(ratios->point);
  *ratios = (hs_ratios_t){0};
}

/* ---- for tables and pictures ---- */

bool hs_ratios_have(const hs_ratios_t *ratios, hs_ratio_kind_t kind)
{
  for (int i = 0; i < ratios->points; i++)
    if (isfinite(ratios->point[i].objective[kind])) return true;
  return false;
}

/* Two digits: n/d is seldom exact. */
static void text_of_shape(double shape, char text[32])
{
  hs_text_number(shape, 2, text);
  char *dot = strchr(text, '.');
  if (dot != NULL && strcmp(dot, ".0") == 0) *dot = '\0';
}

void hs_ratio_panel_title(const hs_ratio_panel_t *panel, char *text, size_t size)
{
  char low[32], high[32];
  bool alike = panel->high <= panel->low * ALIKE;
  text_of_shape(alike ? sqrt(panel->low * panel->high) : panel->low, low);
  text_of_shape(panel->high, high);
  if (alike)
    snprintf(text, size, "n/d = %s", low);
  else
    snprintf(text, size, "n/d from %s to %s", low, high);
}

void hs_ratios_heading(const hs_ratios_t *ratios, char *text, size_t size)
{
  int64_t low = ratios->point[0].rows, high = low;
  for (int i = 1; i < ratios->points; i++) {
    if (ratios->point[i].rows < low) low = ratios->point[i].rows;
    if (ratios->point[i].rows > high) high = ratios->point[i].rows;
  }
  if (ratios->points == 1)
    snprintf(text, size, "Networks and the global optimum: one run, n = %" PRId64 ", d = %" PRId64, low,
             ratios->point[0].columns);
  else if (low == high)
    snprintf(text, size, "Networks and the global optimum: %d runs, n = %" PRId64, ratios->points, low);
  else
    snprintf(text, size, "Networks and the global optimum: %d runs, n = %" PRId64 " to %" PRId64,
             ratios->points, low, high);
}
