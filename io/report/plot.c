#include "io/report/plot.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "io/report/style.h"

#define MOST_POINTS 2000 /* of a curve: more cannot be seen, and make the picture heavy */
#define MOST_WITH_RHO 6  /* runs: the values of rho of more of them hide each other */

typedef struct plot {
  FILE *script;
  hs_canvas_t canvas;
  int count;
  const hs_report_run_t *runs;
} plot_t;

static const hs_history_row_t *last_of(const hs_report_run_t *run)
{
  return &run->history[run->entries - 1];
}

/* Columns: iteration, seconds, relative gap, primal, dual, active groups, rho. */
static void put_data(FILE *script, int index, const hs_report_run_t *run)
{
  int64_t step = (run->entries + MOST_POINTS - 1) / MOST_POINTS;
  fprintf(script, "$run%d << END_OF_RUN\n", index);
  for (int64_t k = 0; k < run->entries; k++) {
    if (k % step != 0 && k != run->entries - 1) continue;
    const hs_history_row_t *row = &run->history[k];
    fprintf(script, "%" PRId64, row->iteration);
    hs_put_value(script, row->seconds, false);
    hs_put_value(script, row->relative_gap, false);
    hs_put_value(script, row->primal, false);
    hs_put_value(script, row->dual, false);
    fprintf(script, " %" PRId64, row->active_groups);
    hs_put_value(script, row->rho, true);
    fputc('\n', script);
  }
  fputs("END_OF_RUN\n", script);
}

/* Do two runs go the same way, as on different ranks? */
static bool coincide(const hs_report_run_t *run, const hs_report_run_t *other)
{
  const hs_history_row_t *a = last_of(run), *b = last_of(other);
  return a->iteration == b->iteration && fabs(a->primal - b->primal) <= 1e-5 * fabs(b->primal);
}

/* Of curves that lie upon each other all show: the first is whole, and the others leave gaps, like
 * stripes. */
static void put_stripes(const plot_t *plot, int index)
{
  int before = 0, together = 0;
  for (int i = 0; i < plot->count; i++)
    if (coincide(&plot->runs[i], &plot->runs[index])) {
      together++;
      before += i < index;
    }
  if (before > 0) fprintf(plot->script, " dashtype (%d,%d)", 14 * (together - before), 14 * before);
}

/* Style of the curve of a run. A history of one entry has no line. */
static void put_curve(const plot_t *plot, int index, bool over_time, const char *dash)
{
  char colour[8];
  bool line = plot->runs[index].entries > 1;
  hs_style_colour(index, plot->count, colour);
  fprintf(plot->script, " with %s linewidth 2 linecolor rgb '%s' %s",
          line ? "lines" : "points pointtype 7 pointsize 0.7", colour, dash);
  if (line && !over_time && dash[0] == '\0') put_stripes(plot, index);
}

static bool has_lines(const plot_t *plot)
{
  for (int i = 0; i < plot->count; i++)
    if (plot->runs[i].entries > 1) return true;
  return false;
}

/* From the start to the end of the longest run; the column of the data, scaled, is left in x. */
static void put_x_axis(const plot_t *plot, bool seconds, char x[48])
{
  hs_range_t range = {0, 0};
  for (int i = 0; i < plot->count; i++) {
    const hs_history_row_t *last = last_of(&plot->runs[i]);
    hs_range_include(&range, seconds ? last->seconds : (double)last->iteration);
  }
  hs_unit_t unit = hs_unit_long_time(range.high);
  bool whole = !seconds && range.high < 10;
  range.high *= (seconds ? unit.factor : 1) * (has_lines(plot) ? 1.02 : 2);
  hs_put_range(plot->script, "x", range);
  if (whole) fputs("set xtics 1\n", plot->script);
  fprintf(plot->script, "set xlabel '%s'\n", seconds ? unit.name : "iteration");
  if (seconds)
    snprintf(x, 48, "($2*%.12g)", unit.factor);
  else
    snprintf(x, 48, "1");
}

/* The goal that all runs share, if they do: NAN otherwise. */
static double common_tolerance(const plot_t *plot)
{
  for (int i = 1; i < plot->count; i++)
    if (!(plot->runs[i].tolerance == plot->runs[0].tolerance)) return NAN;
  return plot->runs[0].tolerance > 0 ? plot->runs[0].tolerance : NAN;
}

/* Of all positive gaps and the goal; *zero: is there a gap of exactly 0? */
static hs_range_t gap_range(const plot_t *plot, bool *zero)
{
  hs_range_t range = hs_range_nothing;
  hs_range_include(&range, common_tolerance(plot) * 0.99); /* off the edge */
  *zero = false;
  for (int i = 0; i < plot->count; i++)
    for (int64_t k = 0; k < plot->runs[i].entries; k++) {
      double gap = plot->runs[i].history[k].relative_gap;
      if (gap > 0) hs_range_include(&range, gap);
      *zero = *zero || gap == 0;
    }
  range = hs_range_decades(range);
  if (*zero) range.low /= 10;
  return range;
}

/* A gap of 0 has no place on the axis: its curve goes down to the edge, to a mark. */
static void put_zeros(const plot_t *plot, const char *x, double edge)
{
  const char *title = "title 'gap 0'";
  for (int i = 0; i < plot->count; i++) {
    const hs_report_run_t *run = &plot->runs[i];
    int64_t k = 0;
    while (k < run->entries && run->history[k].relative_gap != 0) k++;
    if (k == run->entries) continue;
    char colour[8];
    hs_style_colour(i, plot->count, colour);
    fprintf(plot->script,
            ", $run%d using %s:($3==0?%.9g:NaN) with points pointtype 11 pointsize 1.1 linecolor rgb '%s' %s",
            i, x, edge, plot->count > 1 ? HS_FAINT : colour, title);
    title = "notitle";
  }
}

/* An open end: the run is going on, or was stopped before its goal. */
static void put_open_ends(const plot_t *plot, bool seconds, double factor)
{
  const char *title = "title 'not converged'";
  for (int i = 0; i < plot->count; i++) {
    const hs_history_row_t *last = last_of(&plot->runs[i]);
    if (hs_report_converged(&plot->runs[i]) || !(last->relative_gap > 0)) continue;
    char colour[8];
    hs_style_colour(i, plot->count, colour);
    fprintf(plot->script,
            ", '+' using (%.12g):(%.9g) every ::0::0 with points pointtype 6 pointsize 1 linewidth 1.8 "
            "linecolor rgb "
            "'%s' %s",
            seconds ? last->seconds * factor : (double)last->iteration, last->relative_gap, colour, title);
    title = "notitle";
  }
}

static double time_factor(const plot_t *plot)
{
  double longest = 0;
  for (int i = 0; i < plot->count; i++) longest = fmax(longest, last_of(&plot->runs[i])->seconds);
  return hs_unit_long_time(longest).factor;
}

/* Is a curve of gaps in this part of its panel? Shares of the axes, from the left and from below. */
static bool occupied(const plot_t *plot, bool seconds, hs_range_t gaps, hs_range_t x, hs_range_t y)
{
  double end = 0;
  for (int i = 0; i < plot->count; i++) {
    const hs_history_row_t *last = last_of(&plot->runs[i]);
    end = fmax(end, seconds ? last->seconds : (double)last->iteration);
  }
  for (int i = 0; i < plot->count; i++)
    for (int64_t k = 0; k < plot->runs[i].entries; k++) {
      const hs_history_row_t *row = &plot->runs[i].history[k];
      double across = (seconds ? row->seconds : (double)row->iteration) / end;
      double gap = fmax(row->relative_gap, gaps.low);
      double up = log(gap / gaps.low) / log(gaps.high / gaps.low);
      if (across >= x.low && across <= x.high && up >= y.low && up <= y.high) return true;
    }
  return false;
}

/* Curves go from the upper left to the lower right, as a rule: the key stands above them, or where else
 * nothing is. */
static const char *place_of_key(const plot_t *plot, bool seconds, hs_range_t gaps, int lines)
{
  double height = 0.05 + 0.085 * lines;
  const hs_range_t left = {0, 0.42}, right = {0.6, 1}, middle = {(1 - height) / 2, (1 + height) / 2};
  const struct {
    const char *name;
    hs_range_t x, y;
  } places[] = {{"top right", right, {1 - height, 1}},
                {"bottom left", left, {0, height}},
                {"right center", right, middle},
                {"left center", left, middle}};
  for (int i = 0; i < 4; i++)
    if (!occupied(plot, seconds, gaps, places[i].x, places[i].y)) return places[i].name;
  return places[0].name;
}

static bool all_converged(const plot_t *plot)
{
  for (int i = 0; i < plot->count; i++)
    if (!hs_report_converged(&plot->runs[i])) return false;
  return true;
}

static void gap_panel(const plot_t *plot, bool seconds)
{
  FILE *script = plot->script;
  char x[48];
  bool zero;
  double tolerance = common_tolerance(plot);
  hs_range_t range = gap_range(plot, &zero);
  hs_canvas_panel(&plot->canvas, seconds, 0,
                  seconds ? "Relative duality gap over time" : "Relative duality gap by iteration");
  put_x_axis(plot, seconds, x);
  fprintf(script, "set key %s\n",
          place_of_key(plot, seconds, range, isfinite(tolerance) + zero + !all_converged(plot)));
  hs_put_decades(script, "y", range);
  fputs("plot", script);
  for (int i = 0; i < plot->count; i++) {
    fprintf(script, "%s $run%d using %s:($3>0?$3:($3==0?%.9g:NaN))", i > 0 ? "," : "", i, x, range.low);
    put_curve(plot, i, seconds, "");
    fputs(" notitle", script);
  }
  if (isfinite(tolerance))
    fprintf(script,
            ", %.9g with lines linewidth 1.5 " HS_DOTTED " linecolor rgb '" HS_FAINT "' title 'goal %g'",
            tolerance, tolerance);
  if (zero) put_zeros(plot, x, range.low);
  put_open_ends(plot, seconds, time_factor(plot));
  fputc('\n', script);
}

/* Runs of different problems have objectives of different size: then each is shown as a multiple of its
 * last one. */
static bool different_problems(const plot_t *plot)
{
  hs_range_t last = hs_range_nothing;
  for (int i = 0; i < plot->count; i++) hs_range_include(&last, last_of(&plot->runs[i])->primal);
  return last.low > 0 && last.high > 1.2 * last.low;
}

static double unit_of(const hs_report_run_t *run, bool relative)
{
  return relative ? last_of(run)->primal : 1;
}

/* The first part of a run, where objective and bound are far apart, would flatten everything after it. */
static hs_range_t bracket_range(const plot_t *plot, bool relative)
{
  hs_range_t range = hs_range_nothing;
  for (int i = 0; i < plot->count; i++) {
    const hs_report_run_t *run = &plot->runs[i];
    for (int64_t k = run->entries / 3; k < run->entries; k++) {
      hs_range_include(&range, run->history[k].primal / unit_of(run, relative));
      hs_range_include(&range, run->history[k].dual / unit_of(run, relative));
    }
  }
  if (!hs_range_any(range)) return (hs_range_t){0, 1};
  double size = fmax(fabs(range.low), fabs(range.high));
  double room = fmax(0.06 * (range.high - range.low), size > 0 ? 5e-5 * size : 1);
  range.high += room;
  range.low -= room + 0.2 * (range.high - range.low + room); /* for the key */
  return range;
}

/* As many digits as tell the labels of an axis apart. */
static void put_digits(FILE *script, hs_range_t range)
{
  double size = fmax(fabs(range.low), fabs(range.high)), span = range.high - range.low;
  int digits = span > 0 && size > 0 ? (int)ceil(log10(size / span)) + 2 : 3;
  int whole = size >= 1 ? (int)log10(size) + 1 : 1; /* 1234600 reads better than 1.2346e+06 */
  if (whole <= 8 && digits < whole) digits = whole;
  fprintf(script, "set format y '%%.%dg'\n", digits < 4 ? 4 : digits);
}

static void bracket_of_one(const plot_t *plot)
{
  const char *with = plot->runs[0].entries > 1 ? "lines" : "points pointtype 7";
  fprintf(plot->script,
          " $run0 using 1:4:5 with filledcurves fillcolor rgb '%s' fillstyle transparent solid 0.12 noborder "
          "notitle,"
          " $run0 using 1:4 with %s linewidth 2 linecolor rgb '%s' title 'objective (upper)',"
          " $run0 using 1:5 with %s linewidth 2 linecolor rgb '%s' title 'certified bound (lower)'\n",
          hs_colours[0], with, hs_colours[1], with, hs_colours[0]);
}

static void bracket_panel(const plot_t *plot)
{
  FILE *script = plot->script;
  bool relative = different_problems(plot);
  hs_range_t range = bracket_range(plot, relative);
  char x[48];
  hs_canvas_panel(&plot->canvas, 0, 1,
                  relative ? "Bracket on the optimum, relative to the last objective"
                           : "Bracket on the optimum");
  put_x_axis(plot, false, x);
  hs_put_range(script, "y", range);
  put_digits(script, range);
  fputs("set key bottom right\nplot", script);
  if (plot->count == 1) {
    bracket_of_one(plot);
    return;
  }
  for (int i = 0; i < plot->count; i++) {
    double unit = unit_of(&plot->runs[i], relative);
    fprintf(script, " $run%d using 1:($4/%.12g)", i, unit);
    put_curve(plot, i, false, "");
    fprintf(script, " notitle, $run%d using 1:($5/%.12g)", i, unit);
    put_curve(plot, i, false, HS_DASHED);
    fputs(" notitle,", script);
  }
  fputs(" NaN with lines linewidth 2 linecolor rgb '" HS_INK "' title 'objective (upper)',"
        " NaN with lines linewidth 2 " HS_DASHED " linecolor rgb '" HS_INK
        "' title 'certified bound (lower)'\n",
        script);
}

/* Of the active groups, and of rho where it is shown; both leave room for the key. */
static void groups_axes(const plot_t *plot, bool with_rho)
{
  hs_range_t groups = {0, 1}, rho = hs_range_nothing;
  for (int i = 0; i < plot->count; i++)
    for (int64_t k = 0; k < plot->runs[i].entries; k++) {
      hs_range_include(&groups, (double)plot->runs[i].history[k].active_groups);
      if (plot->runs[i].history[k].rho > 0) hs_range_include(&rho, plot->runs[i].history[k].rho);
    }
  hs_put_from_zero(plot->script, "y", groups.high, with_rho ? 0.24 : 0.06);
  fputs("set ylabel 'active groups'\n", plot->script);
  if (!with_rho) return;
  fputs("set border 11\nset y2label 'penalty rho'\n", plot->script);
  hs_put_log_steps(plot->script, "y2", (hs_range_t){0.8 * rho.low, 1.1 * rho.high}, 0.24);
}

static void put_steps(const plot_t *plot, int index, int column, const char *dash, const char *colour)
{
  fprintf(plot->script, " $run%d using 1:%d%s with %s linewidth 2 linecolor rgb '%s' %s", index, column,
          column == 7 ? " axes x1y2" : "", plot->runs[index].entries > 1 ? "steps" : "points pointtype 7",
          colour, dash);
  if (plot->runs[index].entries > 1 && dash[0] == '\0') put_stripes(plot, index);
  fputs(" notitle,", plot->script);
}

static void groups_panel(const plot_t *plot)
{
  FILE *script = plot->script;
  bool one = plot->count == 1, with_rho = plot->count <= MOST_WITH_RHO;
  const char *first = one ? hs_colours[0] : HS_INK, *second = one ? hs_colours[1] : HS_INK;
  char x[48];
  hs_canvas_panel(&plot->canvas, 1, 1, with_rho ? "Active groups and penalty rho" : "Active groups");
  put_x_axis(plot, false, x);
  groups_axes(plot, with_rho);
  fputs(with_rho ? "plot" : "set key off\nplot", script);
  for (int i = 0; i < plot->count; i++) {
    char colour[8];
    hs_style_colour(i, plot->count, colour);
    put_steps(plot, i, 6, "", colour);
    if (with_rho) put_steps(plot, i, 7, HS_DASHED, one ? second : colour);
  }
  if (with_rho)
    fprintf(script,
            " NaN with lines linewidth 2 linecolor rgb '%s' title 'active groups',"
            " NaN with lines linewidth 2 " HS_DASHED " linecolor rgb '%s' title 'rho (right)'\n",
            first, second);
  else
    fputs(" NaN notitle\n", script);
}

static void heading(const plot_t *plot, char *text, size_t size)
{
  const hs_report_run_t *run = &plot->runs[0];
  const hs_history_row_t *last = last_of(run);
  const char *data = hs_report_common_data(plot->count, plot->runs);
  if (plot->count > 1) {
    snprintf(text, size, "%d runs%s%s", plot->count, data[0] != '\0' ? " on " : "", data);
    return;
  }
  char seconds[32], gap[32];
  hs_text_number(last->seconds, 3, seconds);
  hs_text_number(last->relative_gap, 2, gap);
  snprintf(text, size, "%s: %s after %" PRId64 " iteration%s, %s s, relative gap %s", run->short_label,
           hs_report_stop_text(run), last->iteration, last->iteration == 1 ? "" : "s", seconds, gap);
}

/* Names of the runs for the key, with what became of those that did not converge. */
static char **key_names(const plot_t *plot)
{
  char **names = hs_alloc((size_t)plot->count, sizeof *names, "names of the runs");
  for (int i = 0; i < plot->count && names != NULL; i++) {
    const hs_report_run_t *run = &plot->runs[i];
    const char *stop = hs_report_stop_text(run);
    size_t size = strlen(run->short_label) + strlen(stop) + 16;
    names[i] = hs_alloc(size, 1, "name of a run");
    if (names[i] == NULL) continue;
    if (hs_report_converged(run))
      snprintf(names[i], size, "%s", run->short_label);
    else
      snprintf(names[i], size, "%s (%s)", run->short_label, stop);
  }
  return names;
}

static void free_names(int count, char **names)
{
  for (int i = 0; names != NULL && i < count; i++) hs_free(names[i]);
  hs_free(names);
}

bool hs_plot_write(FILE *script, int count, const hs_report_run_t *runs, hs_report_kind_t kind,
                   const char *output)
{
  plot_t plot = {.script = script, .count = count, .runs = runs};
  char text[512];
  char **names = key_names(&plot);
  bool good = names != NULL;
  for (int i = 0; i < count && good; i++) good = names[i] != NULL;
  if (good) {
    const char *const *keys = (const char *const *)names;
    heading(&plot, text, sizeof text);
    for (int i = 0; i < count; i++) put_data(script, i, &runs[i]);
    plot.canvas =
        hs_canvas_begin(script, kind, output, count > 1 ? hs_canvas_key_height(count, keys) : 0, text);
    gap_panel(&plot, false);
    gap_panel(&plot, true);
    bracket_panel(&plot);
    groups_panel(&plot);
    if (count > 1) hs_canvas_key(&plot.canvas, count, keys);
    hs_canvas_end(&plot.canvas);
  }
  free_names(count, names);
  return good;
}
