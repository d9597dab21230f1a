#include "io/report/study_page.h"

#include <math.h>

#include "io/report/html.h"
#include "io/report/page.h"
#include "io/report/study_plot.h"
#include "io/report/study_table.h"

static void put_scaling_row(FILE *page, const hs_study_t *study, const hs_study_point_t *point)
{
  hs_html_row(page);
  hs_html_count(page, point->ranks);
  hs_html_count(page, point->rows);
  hs_html_number(page, 1e3 * point->iteration_seconds, 4);
  if (study->kind != HS_STUDY_ROWS) {
    hs_html_number(page, point->speedup, 4);
    hs_html_number(page, 100 * point->efficiency, 4);
  }
  hs_html_number(page, point->rate, 4);
  hs_html_number(page, 1e9 / (point->rate * (double)point->ranks), 4);
  hs_html_count(page, point->run->history[point->run->entries - 1].iteration);
  hs_html_number(page, point->solve_seconds, 4);
  hs_html_bytes(page, point->bytes_per_rank);
  hs_html_cell(page, hs_report_stop_text(point->run));
  hs_html_name(page, point->run->short_label, point->run->label);
  hs_html_row_end(page);
}

static void put_scaling(FILE *page, const hs_study_t *study, const char *title, int from, int to)
{
  static const char *const parallel[] = {
      ">ranks",    ">rows",       ">ms / iteration", ">speed-up",        ">efficiency %", ">rows / s / rank",
      ">ns / row", ">iterations", ">solve s",        ">memory per rank", "status",        "run"};
  static const char *const rows[] = {">ranks",    ">rows",       ">ms / iteration", ">rows / s / rank",
                                     ">ns / row", ">iterations", ">solve s",        ">memory per rank",
                                     "status",    "run"};
  bool over_rows = study->kind == HS_STUDY_ROWS;
  hs_html_table(page, title, over_rows ? 10 : 12, over_rows ? rows : parallel);
  for (int i = from; i < to; i++) put_scaling_row(page, study, &study->point[i]);
  hs_html_table_end(page);
}

static void put_parts(FILE *page, const hs_study_t *study)
{
  char cells[HS_STUDY_PARTS][32];
  const char *names[HS_STUDY_PARTS + 3] = {">ranks", ">rows"};
  hs_study_part_t parts[HS_STUDY_PARTS];
  int count = 0;
  for (int p = 0; p < HS_STUDY_PARTS; p++) {
    if (!hs_study_has_part(study, (hs_study_part_t)p)) continue;
    parts[count] = (hs_study_part_t)p;
    snprintf(cells[count], sizeof cells[count], ">%s s", hs_study_part_names[p]);
    names[2 + count] = cells[count];
    count++;
  }
  names[2 + count] = ">together s";
  hs_html_table(page, "Where the time of a run goes", count + 3, names);
  for (int i = 0; i < study->points; i++) {
    const hs_study_point_t *point = &study->point[i];
    hs_html_row(page);
    hs_html_count(page, point->ranks);
    hs_html_count(page, point->rows);
    for (int k = 0; k < count; k++) hs_html_number(page, point->part[parts[k]], 3);
    hs_html_number(page, hs_study_total(point), 3);
    hs_html_row_end(page);
  }
  hs_html_table_end(page);
}

bool hs_study_page_write(FILE *page, const hs_study_t *study, const hs_report_run_t *runs,
                         const hs_differences_t *differences, FILE *svg)
{
  char title[256], verdict[256];
  hs_study_heading(study, title, sizeof title);
  hs_study_verdict(study, verdict, sizeof verdict);
  hs_html_begin(page, title);
  fputs("<p>", page);
  hs_html_text(page, verdict);
  fputs("</p>\n", page);
  bool good = hs_html_picture(page, svg,
                              "Time of an iteration, efficiency, where the time goes, iterations and memory; "
                              "the tables below hold all numbers.");
  put_scaling(page, study, "Points", 0, study->points);
  fputs(
      "<p>The time of an iteration is the median of one run, which slow single iterations do not move.</p>\n",
      page);
  if (study->repeats > 0)
    put_scaling(page, study, "Slower repeats", study->points, study->points + study->repeats);
  put_parts(page, study);
  fputs("<p>Communication is waiting in and doing reductions, mean over ranks. Times that a run file does "
        "not tell are "
        "left empty, and counted as compute where they are part of the solve.</p>\n",
        page);
  hs_page_differences(page, runs, differences);
  hs_page_settings(page, differences->runs, runs);
  hs_html_end(page);
  return good && !ferror(page);
}
