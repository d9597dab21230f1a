#include "io/report/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "io/report/html.h"

static void put_results(FILE *page, int count, const hs_report_run_t *runs)
{
  static const char *const names[] = {"run",        "status",       ">iterations",      ">seconds",
                                      ">objective", ">lower bound", ">relative gap",    ">active groups",
                                      ">gates",     ">beta",        ">beta / beta_max", ">mean loss"};
  hs_html_table(page, "Results", 12, names);
  for (int i = 0; i < count; i++) {
    const hs_report_run_t *run = &runs[i];
    const hs_run_facts_t *facts = &run->summary.facts;
    const hs_history_row_t *last = &run->history[run->entries - 1];
    hs_html_row(page);
    hs_html_name(page, run->short_label, run->label);
    hs_html_cell(page, hs_report_stop_text(run));
    hs_html_count(page, last->iteration);
    hs_html_number(page, last->seconds, 4);
    hs_html_number(page, last->primal, 9);
    hs_html_number(page, last->dual, 9);
    hs_html_number(page, last->relative_gap, 3);
    hs_html_count(page, last->active_groups);
    hs_html_count(page, facts->gates);
    hs_html_number(page, facts->beta, 4);
    hs_html_number(page, facts->beta / facts->beta_max, 4);
    hs_html_number(page, facts->rows > 0 ? run->summary.loss / (double)facts->rows : NAN, 6);
    hs_html_row_end(page);
  }
  hs_html_table_end(page);
}

/* Columns of the table of times: what a file may not tell is shown where at least one does. */
enum {
  ROWS,
  RANKS,
  THREADS,
  EACH,
  LOAD,
  SETUP,
  COMM,
  RUN_FILE,
  CHECKPOINTS,
  CHECKPOINT,
  SIZE,
  RESUMES,
  MEMORY,
  COLUMNS
};

static double time_of(const hs_report_run_t *run, int column)
{
  const hs_run_times_t *times = &run->summary.times;
  const hs_history_row_t *last = &run->history[run->entries - 1];
  const double values[COLUMNS] = {
      [ROWS] = (double)run->summary.facts.rows,
      [RANKS] = (double)run->summary.provenance.ranks,
      [THREADS] = (double)run->summary.provenance.threads,
      [EACH] = 1e3 * run->iteration_seconds,
      [LOAD] = times->load_seconds,
      [SETUP] = times->setup_seconds,
      [COMM] = last->seconds > 0 ? 100 * last->comm_seconds / last->seconds : NAN,
      [RUN_FILE] = times->run_file_seconds,
      [CHECKPOINTS] = (double)times->checkpoints,
      [CHECKPOINT] = times->checkpoints > 0 ? times->checkpoint_seconds : NAN,
      [SIZE] = times->checkpoints > 0 ? (double)times->checkpoint_bytes : NAN,
      [RESUMES] = (double)times->resumes,
      [MEMORY] = times->peak_bytes > 0 ? (double)times->peak_bytes : NAN,
  };
  return values[column] >= 0 ? values[column] : NAN;
}

static bool any_known(int count, const hs_report_run_t *runs, int column)
{
  for (int i = 0; i < count; i++)
    if (isfinite(time_of(&runs[i], column))) return true;
  return false;
}

static void put_time(FILE *page, int column, double value)
{
  if (column == SIZE || column == MEMORY)
    hs_html_bytes(page, value);
  else if (column == EACH || column == LOAD || column == SETUP || column == COMM || column == RUN_FILE ||
           column == CHECKPOINT)
    hs_html_number(page, value, column == EACH ? 4 : 3);
  else
    hs_html_count(page, isfinite(value) ? (int64_t)value : -1);
}

static void put_times(FILE *page, int count, const hs_report_run_t *runs)
{
  static const char *const titles[COLUMNS] = {
      ">rows",       ">ranks",           ">threads",          ">ms / iteration", ">reading data s",
      ">set-up s",   ">communication %", ">run file s",       ">checkpoints",    ">checkpoints s",
      ">checkpoint", ">resumes",         ">memory, all ranks"};
  const char *names[COLUMNS + 1] = {"run"};
  int columns = 1, shown[COLUMNS];
  for (int c = 0; c < COLUMNS; c++) {
    if (!any_known(count, runs, c)) continue;
    shown[columns - 1] = c;
    names[columns++] = titles[c];
  }
  hs_html_table(page, "Times and memory", columns, names);
  for (int i = 0; i < count; i++) {
    hs_html_row(page);
    hs_html_name(page, runs[i].short_label, runs[i].label);
    for (int c = 0; c < columns - 1; c++) put_time(page, shown[c], time_of(&runs[i], shown[c]));
    hs_html_row_end(page);
  }
  hs_html_table_end(page);
  fputs("<p>The time of an iteration is the median. Communication is waiting in and doing reductions, as a "
        "share of the "
        "solve, mean over ranks. Empty: not known.</p>\n",
        page);
}

static void put_bounds(FILE *page, int count, const hs_report_run_t *runs)
{
  static const char *const names[] = {"run", "bound", ">value", "kind", "of what"};
  int total = 0;
  for (int i = 0; i < count; i++) total += runs[i].summary.bounds;
  if (total == 0) return;
  hs_html_table(page, "Bounds", 5, names);
  for (int i = 0; i < count; i++)
    for (int b = 0; b < runs[i].summary.bounds; b++) {
      const hs_run_bound_t *bound = &runs[i].summary.bound[b];
      hs_html_row(page);
      hs_html_name(page, runs[i].short_label, runs[i].label);
      hs_html_cell(page, bound->name);
      hs_html_number(page, bound->value, 9);
      hs_html_cell(page, bound->kind);
      hs_html_cell(page, bound->about);
      hs_html_row_end(page);
    }
  hs_html_table_end(page);
}

void hs_page_differences(FILE *page, const hs_report_run_t *runs, const hs_differences_t *differences)
{
  if (differences->count == 0) return;
  const char **names = hs_alloc((size_t)differences->count + 1, sizeof *names, "settings");
  if (names == NULL) return;
  names[0] = "run";
  for (int k = 0; k < differences->count; k++) names[k + 1] = differences->row[k].key;
  hs_html_table(page, "What differs between the runs", differences->count + 1, names);
  for (int i = 0; i < differences->runs; i++) {
    hs_html_row(page);
    hs_html_name(page, runs[i].short_label, runs[i].label);
    for (int k = 0; k < differences->count; k++) hs_html_cell(page, differences->row[k].value[i]);
    hs_html_row_end(page);
  }
  hs_html_table_end(page);
  hs_free(names);
}

void hs_page_settings(FILE *page, int count, const hs_report_run_t *runs)
{
  fputs("<h2>All settings, and what ran them</h2>\n", page);
  for (int i = 0; i < count; i++) {
    const hs_provenance_t *from = &runs[i].summary.provenance;
    char made[512];
    snprintf(made, sizeof made,
             "halfspace %.40s (%.40s), %" PRId64 " rank%s, %" PRId64
             " thread%s each; %.100s; %.100s; HDF5 %.40s",
             from->version, from->commit, from->ranks, from->ranks == 1 ? "" : "s", from->threads,
             from->threads == 1 ? "" : "s", from->mpi, from->blas, from->hdf5);
    hs_html_details(page, runs[i].label, made, runs[i].summary.config);
  }
}

bool hs_page_write(FILE *page, int count, const hs_report_run_t *runs, const hs_differences_t *differences,
                   FILE *svg)
{
  char title[512];
  if (count == 1)
    snprintf(title, sizeof title, "halfspace: %.400s", runs[0].label);
  else
    snprintf(title, sizeof title, "halfspace: %d runs", count);
  hs_html_begin(page, title);
  bool good = hs_html_picture(page, svg,
                              "Relative duality gap by iteration and over time, bracket on the optimum, "
                              "active groups and penalty; the tables below hold the last values.");
  put_results(page, count, runs);
  put_times(page, count, runs);
  hs_page_differences(page, runs, differences);
  put_bounds(page, count, runs);
  hs_page_settings(page, count, runs);
  hs_html_end(page);
  return good && !ferror(page);
}
