#include "io/report/ratios_table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "io/report/style.h"

#define WIDTH 9 /* of a column of ratios */

double hs_ratio_beta(const hs_ratio_point_t *point)
{
  return point->run->summary.facts.beta / point->run->summary.facts.beta_max;
}

const char *hs_ratio_lower_kind(const hs_ratio_point_t *point)
{
  if (!isfinite(point->lower)) return "none";
  return point->proved ? "proved" : "estimated";
}

/* ---- the log ---- */

/* Headers of the columns of ratios, in two lines. */
static const char *const upper[HS_RATIO_KINDS] = {"gated",  "sign",   "",       "margin", "then",
                                                  "column", "L-BFGS", "L-BFGS", "Adam",   "Adam"};
static const char *const under[HS_RATIO_KINDS] = {"optimum", "map",  "cones",  "cones", "local",
                                                  "gener.",  "best", "median", "best",  "median"};

/* A text of columns, as many as there are. */
static void put_columns(const hs_ratios_t *ratios, const char *const *texts, char *line, size_t size)
{
  size_t used = 0;
  line[0] = '\0';
  for (int k = 0; k < HS_RATIO_KINDS && used + WIDTH + 2 < size; k++)
    if (hs_ratios_have(ratios, (hs_ratio_kind_t)k))
      used += (size_t)snprintf(line + used, size - used, " %*.*s", WIDTH, WIDTH, texts[k]);
}

static void log_point(const hs_ratios_t *ratios, const hs_ratio_point_t *point)
{
  char cells[HS_RATIO_KINDS][32], line[256], shape[32], lower[32], beta[32];
  const char *texts[HS_RATIO_KINDS];
  for (int k = 0; k < HS_RATIO_KINDS; k++) {
    hs_text_number(point->ratio[k], 5, cells[k]);
    texts[k] = cells[k][0] != '\0' ? cells[k] : "-";
  }
  put_columns(ratios, texts, line, sizeof line);
  hs_text_number(point->shape, 3, shape);
  hs_text_number(point->lower, 6, lower);
  hs_text_number(hs_ratio_beta(point), 3, beta);
  hs_log("%8" PRId64 " %6" PRId64 " %8s %8s %11s %-9s%s  %s", point->rows, point->columns, shape, beta, lower,
         hs_ratio_lower_kind(point), line, point->run->label);
}

static void log_kind(const hs_ratios_t *ratios, int kind)
{
  const hs_ratio_summary_t *summary = &ratios->summary[kind];
  char low[32], median[32], high[32], constant[32];
  hs_text_number(summary->low, 5, low);
  hs_text_number(summary->median, 5, median);
  hs_text_number(summary->high, 5, high);
  hs_text_number(summary->constant, 4, constant);
  hs_log("%-28s %5d %9s %9s %9s %9s", hs_ratio_names[kind], summary->count, low, median, high, constant);
}

void hs_ratios_log(const hs_ratios_t *ratios)
{
  char heading[256], line[256];
  hs_ratios_heading(ratios, heading, sizeof heading);
  hs_log("%s", heading);
  hs_log("objective / lower bound on the global optimum p* (1: the global optimum)");
  put_columns(ratios, upper, line, sizeof line);
  hs_log("%8s %6s %8s %8s %11s %-9s%s", "", "", "", "beta/", "p* at", "which", line);
  put_columns(ratios, under, line, sizeof line);
  hs_log("%8s %6s %8s %8s %11s %-9s%s  %s", "n", "d", "n/d", "beta_max", "least", "is", line, "run");
  for (int i = 0; i < ratios->points; i++) log_point(ratios, &ratios->point[i]);
  hs_log("%-28s %5s %9s %9s %9s %9s", "over all runs", "runs", "least", "median", "largest", "C");
  for (int k = 0; k < HS_RATIO_KINDS; k++)
    if (hs_ratios_have(ratios, (hs_ratio_kind_t)k)) log_kind(ratios, k);
  hs_log("C: the largest ratio / sqrt(log 2n)");
}

/* ---- JSON ---- */

static void json_values(hs_json_t *json, const char *key, const double *values)
{
  hs_json_open(json, key, '{');
  for (int k = 0; k < HS_RATIO_KINDS; k++) hs_json_double(json, hs_ratio_keys[k], values[k]);
  hs_json_close(json);
}

static void json_point(hs_json_t *json, const hs_ratio_point_t *point)
{
  hs_json_open(json, NULL, '{');
  hs_json_text(json, "run", point->run->path);
  hs_json_text(json, "stop", point->run->summary.stop);
  hs_json_int(json, "rows", point->rows);
  hs_json_int(json, "columns", point->columns);
  hs_json_double(json, "rows_per_column", point->shape);
  hs_json_double(json, "beta", point->run->summary.facts.beta);
  hs_json_double(json, "beta_relative", hs_ratio_beta(point));
  hs_json_double(json, "claim", hs_ratio_claim((double)point->rows));
  hs_json_double(json, "lower", point->lower);
  hs_json_text(json, "lower_kind", hs_ratio_lower_kind(point));
  hs_json_double(json, "gates_lower", point->dual);
  json_values(json, "objectives", point->objective);
  json_values(json, "ratios", point->ratio);
  hs_json_close(json);
}

static void json_kind(hs_json_t *json, const char *key, const hs_ratio_summary_t *summary)
{
  hs_json_open(json, key, '{');
  hs_json_int(json, "count", summary->count);
  hs_json_double(json, "least", summary->low);
  hs_json_double(json, "median", summary->median);
  hs_json_double(json, "largest", summary->high);
  hs_json_double(json, "constant", summary->constant);
  hs_json_close(json);
}

void hs_ratios_json(const hs_ratios_t *ratios, FILE *stream)
{
  hs_json_t json = hs_json_start(stream);
  hs_json_open(&json, NULL, '{');
  hs_json_open(&json, "points", '[');
  for (int i = 0; i < ratios->points; i++) json_point(&json, &ratios->point[i]);
  hs_json_close(&json);
  hs_json_open(&json, "kinds", '{');
  for (int k = 0; k < HS_RATIO_KINDS; k++) json_kind(&json, hs_ratio_keys[k], &ratios->summary[k]);
  hs_json_close(&json);
  hs_json_close(&json);
}
