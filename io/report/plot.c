#include "io/report/plot.h"

#include <inttypes.h>
#include <math.h>

#define MOST_POINTS 2000 /* of a curve: more cannot be seen, and make the picture heavy */
#define COLOURS 8

/* Distinct for colour-blind readers too (after Okabe & Ito). */
static const char *const colours[COLOURS] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                             "#E69F00", "#56B4E9", "#555555", "#8C6D31"};

/* Smallest and largest over all runs. */
typedef struct range {
  double low, high;
} range_t;

static const range_t nothing = {INFINITY, -INFINITY};

static void include(range_t *range, double value)
{
  if (!isfinite(value)) return;
  range->low = fmin(range->low, value);
  range->high = fmax(range->high, value);
}

/* A string for gnuplot: in single quotes nothing but the quote itself is special. */
static void put_quoted(FILE *script, const char *text)
{
  fputc('\'', script);
  for (; *text != '\0'; text++) {
    if (*text == '\'') fputc('\'', script);
    fputc(*text == '\n' ? ' ' : *text, script);
  }
  fputc('\'', script);
}

static void put_value(FILE *script, double value, bool positive)
{
  if (isfinite(value) && (!positive || value > 0))
    fprintf(script, " %.9g", value);
  else
    fputs(" NaN", script);
}

/* Columns: iteration, seconds, relative gap, primal, dual, active groups, rho. */
static void put_data(FILE *script, int index, const hs_report_run_t *run)
{
  int64_t step = (run->rows + MOST_POINTS - 1) / MOST_POINTS;
  fprintf(script, "$run%d << END_OF_RUN\n", index);
  for (int64_t k = 0; k < run->rows; k++) {
    if (k % step != 0 && k != run->rows - 1) continue;
    const hs_history_row_t *row = &run->history[k];
    fprintf(script, "%" PRId64, row->iteration);
    put_value(script, row->seconds, false);
    put_value(script, row->relative_gap, true);
    put_value(script, row->primal, false);
    put_value(script, row->dual, false);
    fprintf(script, " %" PRId64, row->active_groups);
    put_value(script, row->rho, true);
    fputc('\n', script);
  }
  fputs("END_OF_RUN\n", script);
}

static void put_range(FILE *script, const char *axis, range_t range)
{
  if (!(range.low < range.high)) range.high = range.low + fmax(1e-9, fabs(range.low) * 1e-3);
  fprintf(script, "set %srange [%.12g:%.12g]\n", axis, range.low, range.high);
}

/* Whole decades around the values; [0.1, 1] when there is none. */
static range_t decades(range_t range)
{
  if (!(range.low <= range.high)) return (range_t){0.1, 1};
  range_t wide = {pow(10, floor(log10(range.low))), pow(10, ceil(log10(range.high)))};
  if (wide.high <= wide.low) wide.high = 10 * wide.low;
  return wide;
}

static range_t margin(range_t range)
{
  if (!(range.low <= range.high)) return (range_t){0, 1};
  double room = fmax(0.06 * (range.high - range.low), 1e-6 * fabs(range.high));
  return (range_t){range.low - room, range.high + room};
}

/* Time from 0 to the end of the longest run. */
static void put_x_range(FILE *script, int count, const hs_report_run_t *runs, bool seconds)
{
  range_t range = {0, 0};
  for (int i = 0; i < count; i++) {
    const hs_history_row_t *last = &runs[i].history[runs[i].rows - 1];
    include(&range, seconds ? last->seconds : (double)last->iteration);
  }
  put_range(script, "x", range);
  fprintf(script, "set xlabel '%s'\n", seconds ? "seconds" : "iteration");
}

/* The goal that all runs share, if they do: NAN otherwise. */
static double common_tolerance(int count, const hs_report_run_t *runs)
{
  for (int i = 1; i < count; i++)
    if (!(runs[i].tolerance == runs[0].tolerance)) return NAN;
  return runs[0].tolerance > 0 ? runs[0].tolerance : NAN;
}

static void put_title(FILE *script, const hs_report_run_t *run)
{
  fputs(" title ", script);
  put_quoted(script, run->label);
}

static void gap_panel(FILE *script, int count, const hs_report_run_t *runs, bool seconds)
{
  double tolerance = common_tolerance(count, runs);
  range_t gap = nothing;
  include(&gap, tolerance);
  for (int i = 0; i < count; i++)
    for (int64_t k = 0; k < runs[i].rows; k++)
      if (runs[i].history[k].relative_gap > 0) include(&gap, runs[i].history[k].relative_gap);
  put_x_range(script, count, runs, seconds);
  put_range(script, "y", decades(gap));
  fprintf(script, "set title 'Relative duality gap %s'\n", seconds ? "over time" : "by iteration");
  fputs("set logscale y\nset format y '10^{%T}'\nset ylabel ''\nset key top right\nplot", script);
  for (int i = 0; i < count; i++) {
    fprintf(script, " $run%d using %d:3 with lines linewidth 2 linecolor rgb '%s'", i, seconds ? 2 : 1,
            colours[i % COLOURS]);
    if (seconds || count == 1)
      fputs(" notitle,", script);
    else {
      put_title(script, &runs[i]);
      fputc(',', script);
    }
  }
  if (isfinite(tolerance))
    fprintf(script, " %.9g with lines linewidth 1.5 dashtype 3 linecolor rgb '#777777' title 'goal %g'\n",
            tolerance, tolerance);
  else
    fputs(" NaN notitle\n", script);
  fputs("unset logscale y\nset format y '%g'\n", script);
}

/* Runs of different problems have objectives of different size: then each is shown as a multiple of its last
 * one. */
static bool different_problems(int count, const hs_report_run_t *runs)
{
  range_t last = nothing;
  for (int i = 0; i < count; i++) include(&last, runs[i].history[runs[i].rows - 1].primal);
  return last.low > 0 && last.high > 1.2 * last.low;
}

static double unit_of(const hs_report_run_t *run, bool relative)
{
  return relative ? run->history[run->rows - 1].primal : 1;
}

/* The first part of a run, where objective and bound are far apart, would flatten everything after it. */
static range_t bracket_range(int count, const hs_report_run_t *runs, bool relative)
{
  range_t range = nothing;
  for (int i = 0; i < count; i++)
    for (int64_t k = runs[i].rows / 3; k < runs[i].rows; k++) {
      include(&range, runs[i].history[k].primal / unit_of(&runs[i], relative));
      include(&range, runs[i].history[k].dual / unit_of(&runs[i], relative));
    }
  range = margin(range);
  range.low -= 0.2 * (range.high - range.low); /* for the key */
  return range;
}

static void bracket_of_one(FILE *script)
{
  fprintf(script,
          " $run0 using 1:4:5 with filledcurves fillcolor rgb '%s' fillstyle transparent solid 0.12 noborder "
          "notitle,"
          " $run0 using 1:4 with lines linewidth 2 linecolor rgb '%s' title 'objective (upper)',"
          " $run0 using 1:5 with lines linewidth 2 linecolor rgb '%s' title 'certified bound (lower)'\n",
          colours[0], colours[1], colours[0]);
}

static void bracket_panel(FILE *script, int count, const hs_report_run_t *runs)
{
  bool relative = different_problems(count, runs);
  put_x_range(script, count, runs, false);
  put_range(script, "y", bracket_range(count, runs, relative));
  fprintf(script, "set title 'Bracket on the optimum%s'\nset key bottom right\nplot",
          relative ? ", divided by the last objective" : "");
  if (count == 1) {
    bracket_of_one(script);
    return;
  }
  for (int i = 0; i < count; i++) {
    double unit = unit_of(&runs[i], relative);
    const char *colour = colours[i % COLOURS];
    fprintf(script,
            " $run%d using 1:($4/%.12g) with lines linewidth 2 linecolor rgb '%s' notitle,"
            " $run%d using 1:($5/%.12g) with lines linewidth 2 dashtype 2 linecolor rgb '%s' notitle,",
            i, unit, colour, i, unit, colour);
  }
  fputs(" NaN with lines linewidth 2 linecolor rgb '#444444' title 'objective (upper)',"
        " NaN with lines linewidth 2 dashtype 2 linecolor rgb '#444444' title 'certified bound (lower)'\n",
        script);
}

static void groups_panel(FILE *script, int count, const hs_report_run_t *runs)
{
  range_t groups = {0, 1}, rho = nothing;
  for (int i = 0; i < count; i++)
    for (int64_t k = 0; k < runs[i].rows; k++) {
      include(&groups, (double)runs[i].history[k].active_groups);
      if (runs[i].history[k].rho > 0) include(&rho, runs[i].history[k].rho);
    }
  groups.high *= 1.25; /* room for the key */
  put_x_range(script, count, runs, false);
  put_range(script, "y", groups);
  put_range(script, "y2", decades(rho));
  fputs("set title 'Active groups and penalty rho'\nset ylabel 'active groups'\nset y2label 'rho'\n"
        "set logscale y2\nset format y2 '10^{%T}'\nset ytics nomirror\nset y2tics\nset border 11\nset key "
        "top right\nplot",
        script);
  for (int i = 0; i < count; i++)
    fprintf(script,
            " $run%d using 1:6 with steps linewidth 2 linecolor rgb '%s' notitle,"
            " $run%d using 1:7 axes x1y2 with lines linewidth 2 dashtype 2 linecolor rgb '%s' notitle,",
            i, colours[i % COLOURS], i, colours[count == 1 ? 1 : i % COLOURS]);
  fprintf(script,
          " NaN with lines linewidth 2 linecolor rgb '%s' title 'active groups',"
          " NaN with lines linewidth 2 dashtype 2 linecolor rgb '%s' title 'rho (right)'\n",
          count == 1 ? colours[0] : "#444444", count == 1 ? colours[1] : "#444444");
}

static void put_heading(FILE *script, int count, const hs_report_run_t *runs)
{
  const hs_report_run_t *run = &runs[0];
  const hs_history_row_t *last = &run->history[run->rows - 1];
  char text[512];
  if (count > 1)
    snprintf(text, sizeof text, "halfspace: %d runs", count);
  else
    snprintf(text, sizeof text, "%.200s:  %.20s after %" PRId64 " iterations, %.3g s, relative gap %.2g",
             run->label, run->summary.stop, last->iteration, last->seconds, last->relative_gap);
  fputs("set multiplot layout 2,2 margins 0.075,0.935,0.075,0.875 spacing 0.115,0.145 title ", script);
  put_quoted(script, text);
  fputs(" noenhanced font ',17'\n", script);
}

void hs_plot_write(FILE *script, int count, const hs_report_run_t *runs, hs_report_kind_t kind,
                   const char *output)
{
  for (int i = 0; i < count; i++) put_data(script, i, &runs[i]);
  fputs("set encoding utf8\n", script);
  fputs(kind == HS_REPORT_PNG
            ? "set terminal pngcairo size 1280,900 font 'Sans,12' background rgb 'white'\n"
            : "set terminal svg size 1280,900 font 'Helvetica,Arial,sans-serif,15' background "
              "rgb 'white'\n",
        script);
  fputs("set output ", script);
  put_quoted(script, output);
  fputs("\nset border 3 linecolor rgb '#555555'\nset tics nomirror textcolor rgb '#333333'\n"
        "set grid linecolor rgb '#dddddd' linetype 1 linewidth 0.5\n"
        "set key noenhanced Left reverse samplen 2 spacing 1.2 box linecolor rgb '#dddddd' opaque\n"
        "set title font ',15' offset 0,-0.3\nset samples 2\n",
        script);
  put_heading(script, count, runs);
  gap_panel(script, count, runs, false);
  gap_panel(script, count, runs, true);
  bracket_panel(script, count, runs);
  groups_panel(script, count, runs);
  fputs("unset multiplot\nunset output\n", script);
}
