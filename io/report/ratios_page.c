#include "io/report/ratios_page.h"

#include <math.h>

#include "io/report/html.h"
#include "io/report/page.h"
#include "io/report/ratios_table.h"

#define LEADING 5 /* columns before those of the kinds */

static void put_runs(FILE *page, const hs_ratios_t *ratios, const char *title, bool objectives)
{
  const char *names[LEADING + HS_RATIO_KINDS + 3] = {">n", ">d", ">n/d", ">beta / beta_max", ">p* at least"};
  char cells[HS_RATIO_KINDS][48];
  int columns = LEADING;
  names[columns++] = "which is";
  for (int k = 0; k < HS_RATIO_KINDS; k++) {
    if (!hs_ratios_have(ratios, (hs_ratio_kind_t)k)) continue;
    snprintf(cells[k], sizeof cells[k], ">%s", hs_ratio_names[k]);
    names[columns++] = cells[k];
  }
  names[columns++] = "run";
  hs_html_table(page, title, columns, names);
  for (int i = 0; i < ratios->points; i++) {
    const hs_ratio_point_t *point = &ratios->point[i];
    hs_html_row(page);
    hs_html_count(page, point->rows);
    hs_html_count(page, point->columns);
    hs_html_number(page, point->shape, 3);
    hs_html_number(page, hs_ratio_beta(point), 3);
    hs_html_number(page, point->lower, 8);
    hs_html_cell(page, hs_ratio_lower_kind(point));
    for (int k = 0; k < HS_RATIO_KINDS; k++)
      if (hs_ratios_have(ratios, (hs_ratio_kind_t)k))
        hs_html_number(page, objectives ? point->objective[k] : point->ratio[k], objectives ? 8 : 6);
    hs_html_name(page, point->run->short_label, point->run->label);
    hs_html_row_end(page);
  }
  hs_html_table_end(page);
}

static void put_kinds(FILE *page, const hs_ratios_t *ratios)
{
  static const char *const names[] = {"network", ">runs", ">least", ">median", ">largest", ">C"};
  hs_html_table(page, "Objective / lower bound on the global optimum, over all runs", 6, names);
  for (int k = 0; k < HS_RATIO_KINDS; k++) {
    const hs_ratio_summary_t *summary = &ratios->summary[k];
    if (summary->count == 0) continue;
    hs_html_row(page);
    hs_html_cell(page, hs_ratio_names[k]);
    hs_html_count(page, summary->count);
    hs_html_number(page, summary->low, 6);
    hs_html_number(page, summary->median, 6);
    hs_html_number(page, summary->high, 6);
    hs_html_number(page, summary->constant, 4);
    hs_html_row_end(page);
  }
  hs_html_table_end(page);
}

static const char meaning[] =
    "<p>Every number of this table is an objective, loss + beta sum |w| |a|, divided by the lower bound on "
    "the "
    "global optimum p* that the run has: 1 is the global optimum, and a ratio tells at most how far a "
    "network "
    "is from it. C is the largest ratio / sqrt(log 2n). For Gaussian data with n/d fixed, networks rounded "
    "from "
    "the gated relaxation, and those of local methods, are within C sqrt(log 2n) of p* with high probability "
    "for some constant C (Kim and Pilanci 2024). An estimated bound rests on searches that may have missed "
    "something; a proved one does not. The gated optimum over a sample of gates is no bound on p*: it may "
    "lie "
    "on either side of 1.</p>\n";

bool hs_ratios_page_write(FILE *page, const hs_ratios_t *ratios, const hs_report_run_t *runs,
                          const hs_differences_t *differences, FILE *svg)
{
  char title[256];
  hs_ratios_heading(ratios, title, sizeof title);
  hs_html_begin(page, title);
  bool good = hs_html_picture(page, svg,
                              "Objectives of networks relative to the lower bound on the global optimum, "
                              "against the number of rows; the tables below hold all numbers.");
  put_kinds(page, ratios);
  fputs(meaning, page);
  put_runs(page, ratios, "Ratios", false);
  put_runs(page, ratios, "Objectives", true);
  hs_page_differences(page, runs, differences);
  hs_page_settings(page, differences->runs, runs);
  hs_html_end(page);
  return good && !ferror(page);
}
