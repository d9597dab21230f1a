#include "io/report/study_plot.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "io/report/style.h"

#define MEASURED "linespoints linewidth 2 pointtype 7 pointsize 0.9"
#define IDEAL "lines linewidth 1.5 " HS_DASHED " linecolor rgb '" HS_FAINT "'"
#define LARGE_RATIO 20 /* values that differ by more go on a logarithmic axis */

#define KEY_ROOM 0.27 /* share of an axis for a key of two lines */

typedef struct plot {
  FILE *script;
  hs_canvas_t canvas;
  const hs_study_t *study;
  hs_unit_t time, rate, memory;
  double *places; /* x of the points */
} plot_t;

static bool over_rows(const plot_t *plot)
{
  return plot->study->kind == HS_STUDY_ROWS;
}

/* Columns: x, time of an iteration in its unit, speed-up, efficiency in percent, rate in its unit,
 * iterations, memory per rank in its unit. A second block, $others, holds the repeats. */
static void put_points(const plot_t *plot, const char *name, int from, int to)
{
  FILE *script = plot->script;
  fprintf(script, "$%s << END_OF_DATA\n", name);
  for (int i = from; i < to; i++) {
    const hs_study_point_t *point = &plot->study->point[i];
    fprintf(script, "%.12g", point->x);
    hs_put_value(script, point->iteration_seconds * plot->time.factor, true);
    hs_put_value(script, point->speedup, true);
    hs_put_value(script, 100 * point->efficiency, true);
    hs_put_value(script, point->rate * plot->rate.factor, true);
    hs_put_value(script, (double)point->run->history[point->run->entries - 1].iteration, true);
    hs_put_value(script, point->bytes_per_rank * plot->memory.factor, true);
    fputc('\n', script);
  }
  fputs("END_OF_DATA\n", script);
}

static void text_of_ranks(double place, char label[32])
{
  snprintf(label, 32, "%.0f", place);
}

static void put_x_axis(const plot_t *plot)
{
  hs_put_log_places(plot->script, "x", plot->study->points, plot->places,
                    over_rows(plot) ? hs_text_count : text_of_ranks);
  fprintf(plot->script, "set xlabel '%s'\n", over_rows(plot) ? "rows" : "ranks");
}

static const char *repeats_title(const hs_study_t *study)
{
  return study->repeats == 1 ? "a slower repeat" : "slower repeats";
}

static void put_repeats(const plot_t *plot, int column)
{
  if (plot->study->repeats > 0)
    fprintf(plot->script,
            ", $others using 1:%d with points pointtype 7 pointsize 0.45 linecolor rgb '" HS_FAINT
            "' title '%s'",
            column, repeats_title(plot->study));
}

/* What an iteration would take if all went as at the first point. */
static double ideal_seconds(const hs_study_t *study, int i)
{
  const hs_study_point_t *base = &study->point[0];
  double ratio = study->point[i].x / base->x;
  return base->iteration_seconds * (study->kind == HS_STUDY_STRONG ? 1 / ratio
                                    : study->kind == HS_STUDY_WEAK ? 1
                                                                   : ratio);
}

static void time_panel(const plot_t *plot)
{
  const hs_study_t *study = plot->study;
  hs_range_t range = hs_range_nothing;
  for (int i = 0; i < study->points + study->repeats; i++)
    hs_range_include(&range, study->point[i].iteration_seconds * plot->time.factor);
  double last_ideal = ideal_seconds(study, study->points - 1) * plot->time.factor;
  hs_range_include(&range, last_ideal);
  range.low *= 0.9;
  range.high *= 1.1;
  hs_canvas_panel(&plot->canvas, 0, 0, "Time of an iteration");
  put_x_axis(plot);
  /* A key has no other place where all times are nearly the same. */
  hs_put_log_steps(plot->script, "y", range, study->kind == HS_STUDY_WEAK ? 0.3 : 0);
  const char *place = study->kind == HS_STUDY_STRONG ? "bottom left" : "top left";
  const hs_study_point_t *end = &study->point[study->points - 1];
  char measured[64] = "measured", ideal[64];
  if (over_rows(plot)) snprintf(measured, sizeof measured, "measured, slope %.2f", study->slope);
  snprintf(ideal, sizeof ideal, "%s", over_rows(plot) ? "slope 1" : "ideal");
  fprintf(plot->script,
          "set ylabel '%s'\nset key %s\n"
          "$ideal << END_OF_DATA\n%.12g %.12g\n%.12g %.12g\nEND_OF_DATA\n"
          "plot $ideal using 1:2 with " IDEAL " title '%s', $points using 1:2 with " MEASURED
          " linecolor rgb '%s' title '%s'",
          plot->time.name, place, study->point[0].x, study->point[0].iteration_seconds * plot->time.factor,
          end->x, last_ideal, ideal, hs_colours[0], measured);
  put_repeats(plot, 2);
  fputc('\n', plot->script);
}

static double largest_efficiency(const hs_study_t *study)
{
  double largest = 1;
  for (int i = 0; i < study->points; i++) largest = fmax(largest, study->point[i].efficiency);
  return 100 * largest;
}

/* Percent from 0, on the axis; the labels stop at 100. */
static void put_percent(const plot_t *plot, const char *axis, double room)
{
  double largest = largest_efficiency(plot->study);
  hs_put_from_zero(plot->script, axis, largest, room);
  fprintf(plot->script, "set %stics " HS_TICS " 0,%d,%.12g\n", axis, largest > 250 ? 100 : 20,
          fmax(100, largest));
}

static void strong_panel(const plot_t *plot)
{
  const hs_study_t *study = plot->study;
  double ideal = study->point[study->points - 1].x / study->point[0].x;
  hs_range_t range = {1, ideal};
  for (int i = 0; i < study->points; i++) hs_range_include(&range, study->point[i].speedup);
  hs_canvas_panel(&plot->canvas, 1, 0, "Speed-up and parallel efficiency");
  put_x_axis(plot);
  hs_put_log_steps(plot->script, "y", range, KEY_ROOM);
  put_percent(plot, "y2", KEY_ROOM);
  fprintf(plot->script,
          "set border 11\nset ylabel 'speed-up' textcolor rgb '%s'\nset y2label 'efficiency, %%' textcolor "
          "rgb '%s'\n"
          "set key top center horizontal maxcols 2\n"
          "$ideal << END_OF_DATA\n%.12g 1\n%.12g %.12g\nEND_OF_DATA\n"
          "plot $ideal using 1:2 with " IDEAL " title 'ideal', $points using 1:3 with " MEASURED
          " linecolor rgb '%s' title 'speed-up', $points using 1:4 axes x1y2 with linespoints linewidth 2 "
          "pointtype 5 "
          "pointsize 0.8 linecolor rgb '%s' title 'efficiency'\n",
          hs_colours[0], hs_colours[1], study->point[0].x, study->point[study->points - 1].x, ideal,
          hs_colours[0], hs_colours[1]);
}

static void weak_panel(const plot_t *plot)
{
  hs_canvas_panel(&plot->canvas, 1, 0, "Parallel efficiency");
  put_x_axis(plot);
  put_percent(plot, "y", 0.08);
  fputs("set ylabel '%'\nset key bottom left\nplot 100 with " IDEAL
        " title 'ideal', $points using 1:4 with " MEASURED,
        plot->script);
  fprintf(plot->script, " linecolor rgb '%s' title 'measured'", hs_colours[0]);
  put_repeats(plot, 4);
  fputc('\n', plot->script);
}

static void rate_panel(const plot_t *plot)
{
  const hs_study_t *study = plot->study;
  hs_range_t range = hs_range_nothing;
  for (int i = 0; i < study->points + study->repeats; i++)
    hs_range_include(&range, study->point[i].rate * plot->rate.factor);
  hs_canvas_panel(&plot->canvas, 1, 0, "Rows per second and rank");
  put_x_axis(plot);
  bool wide = range.high > LARGE_RATIO * range.low;
  if (wide)
    hs_put_log_steps(plot->script, "y", range, 0.2);
  else
    hs_put_from_zero(plot->script, "y", range.high, 0.2);
  fprintf(plot->script,
          "set ylabel '%s'\nset key %s\nplot $points using 1:5 with " MEASURED
          " linecolor rgb '%s' title 'measured'",
          plot->rate.name, study->repeats > 0 ? "top right horizontal" : "off", hs_colours[0]);
  put_repeats(plot, 5);
  fputc('\n', plot->script);
}

/* Bars: lower and upper edge of each part as a share of the whole, in percent. */
static void put_bars(const plot_t *plot)
{
  FILE *script = plot->script;
  fputs("$bars << END_OF_DATA\n", script);
  for (int i = 0; i < plot->study->points; i++) {
    const hs_study_point_t *point = &plot->study->point[i];
    double total = hs_study_total(point), edge = 0;
    char text[32];
    hs_text_number(total, total < 100 ? 2 : 3, text);
    fprintf(script, "%d", i);
    for (int p = 0; p < HS_STUDY_PARTS; p++) {
      double share = point->part[p] > 0 && total > 0 ? 100 * point->part[p] / total : 0;
      fprintf(script, " %.6g %.6g", edge, edge + share);
      edge += share;
    }
    fprintf(script, " \"%s s\"\n", text);
  }
  fputs("END_OF_DATA\n", script);
}

/* Labels of the bars, as many as have room. */
static void put_bar_axis(const plot_t *plot, int each)
{
  FILE *script = plot->script;
  fprintf(script, "set xrange [-0.6:%.1f]\nset xtics " HS_TICS " scale 0 (", plot->study->points - 0.4);
  for (int i = 0; i < plot->study->points; i += each) {
    char label[32] = "";
    (over_rows(plot) ? hs_text_count : text_of_ranks)(plot->study->point[i].x, label);
    fprintf(script, "%s'%s' %d", i > 0 ? ", " : "", label, i);
  }
  fprintf(script, ")\nset xlabel '%s'\n", over_rows(plot) ? "rows" : "ranks");
}

static void parts_panel(const plot_t *plot)
{
  FILE *script = plot->script;
  int each = (plot->study->points + 7) / 8;
  hs_canvas_panel(&plot->canvas, 0, 1, "Where the time of a run goes");
  put_bars(plot);
  put_bar_axis(plot, each);
  int parts = 0;
  for (int p = 0; p < HS_STUDY_PARTS; p++) parts += hs_study_has_part(plot->study, (hs_study_part_t)p);
  /* Above the bars: their labels, and a key of two columns. */
  fprintf(script, "set yrange [0:%d]\n", 116 + 15 * ((parts + 1) / 2));
  fputs("set ytics 0,20,100\nset ylabel '%'\n"
        "set key at graph 0.5,0.985 center top horizontal maxcols 2\nset boxwidth 0.72\nplot",
        script);
  for (int p = 0; p < HS_STUDY_PARTS; p++) {
    if (!hs_study_has_part(plot->study, (hs_study_part_t)p)) continue;
    static const int colour[HS_STUDY_PARTS] = {0, 1, 2, 5, 3, 4};
    fprintf(script,
            " $bars using 1:%d:($1-0.36):($1+0.36):%d:%d with boxxyerror fillstyle solid 1 noborder "
            "linecolor rgb '%s' "
            "title '%s',",
            2 * p + 3, 2 * p + 2, 2 * p + 3, hs_colours[colour[p]], hs_study_part_names[p]);
  }
  fprintf(script,
          " $bars every %d using 1:(100):%d with labels offset 0,0.7 font ',%d' textcolor rgb '" HS_INK
          "' notitle\n",
          each, 2 * HS_STUDY_PARTS + 2, plot->canvas.small);
}

static void put_memory_axis(const plot_t *plot, hs_range_t memory)
{
  if (memory.high > LARGE_RATIO * memory.low)
    hs_put_log_steps(plot->script, "y2", memory, 0.2);
  else {
    hs_put_from_zero(plot->script, "y2", memory.high, 0.3);
    fputs("set y2tics " HS_TICS " autofreq\n", plot->script);
  }
  fprintf(plot->script, "set border 11\nset y2label 'memory per rank, %s' textcolor rgb '%s'\n",
          plot->memory.name, hs_colours[1]);
}

static void memory_panel(const plot_t *plot)
{
  const hs_study_t *study = plot->study;
  hs_range_t iterations = {0, 1}, memory = hs_range_nothing;
  for (int i = 0; i < study->points; i++) {
    const hs_report_run_t *run = study->point[i].run;
    hs_range_include(&iterations, (double)run->history[run->entries - 1].iteration);
    hs_range_include(&memory, study->point[i].bytes_per_rank * plot->memory.factor);
  }
  bool known = hs_range_any(memory);
  hs_canvas_panel(&plot->canvas, 1, 1,
                  known ? "Iterations to the end and memory per rank" : "Iterations to the end");
  put_x_axis(plot);
  hs_put_from_zero(plot->script, "y", iterations.high, 0.3);
  if (known) put_memory_axis(plot, memory);
  fprintf(plot->script,
          "set ylabel 'iterations' textcolor rgb '%s'\nset key %s\n"
          "plot $points using 1:6 with " MEASURED " linecolor rgb '%s' title 'iterations'",
          hs_colours[0], known ? "top right" : "off", hs_colours[0]);
  if (known)
    fprintf(plot->script,
            ", $points using 1:7 axes x1y2 with linespoints linewidth 2 pointtype 5 pointsize 0.8 linecolor "
            "rgb '%s' "
            "title 'memory (right)'",
            hs_colours[1]);
  fputc('\n', plot->script);
}

void hs_study_heading(const hs_study_t *study, char *text, size_t size)
{
  static const char *const titles[] = {"Strong scaling", "Weak scaling", "Scaling over rows"};
  const hs_study_point_t *first = &study->point[0], *last = &study->point[study->points - 1];
  char low[32], high[32];
  bool same_data = true;
  for (int i = 1; i < study->points; i++)
    same_data = same_data && strcmp(study->point[i].run->data, first->run->data) == 0;
  bool named = study->kind == HS_STUDY_STRONG && same_data && first->run->data[0] != '\0';
  hs_text_count((double)first->rows / (study->kind == HS_STUDY_WEAK ? (double)first->ranks : 1), low);
  hs_text_count((double)last->rows, high);
  if (study->kind == HS_STUDY_ROWS)
    snprintf(text, size, "%s: %s to %s rows on %" PRId64 " rank%s", titles[study->kind], low, high,
             first->ranks, first->ranks == 1 ? "" : "s");
  else
    snprintf(text, size, "%s: %s rows%s%s%.100s, %" PRId64 " to %" PRId64 " ranks", titles[study->kind], low,
             study->kind == HS_STUDY_WEAK ? " per rank" : "", named ? " of " : "",
             named ? first->run->data : "", first->ranks, last->ranks);
}

static void put_panels(plot_t *plot, hs_report_kind_t kind, const char *output)
{
  const hs_study_t *study = plot->study;
  char text[256];
  hs_study_heading(study, text, sizeof text);
  put_points(plot, "points", 0, study->points);
  if (study->repeats > 0) put_points(plot, "others", study->points, study->points + study->repeats);
  plot->canvas = hs_canvas_begin(plot->script, kind, output, 0, text);
  time_panel(plot);
  if (study->kind == HS_STUDY_STRONG)
    strong_panel(plot);
  else if (study->kind == HS_STUDY_WEAK)
    weak_panel(plot);
  else
    rate_panel(plot);
  parts_panel(plot);
  memory_panel(plot);
  hs_canvas_end(&plot->canvas);
}

bool hs_study_plot_write(FILE *script, const hs_study_t *study, hs_report_kind_t kind, const char *output)
{
  plot_t plot = {.script = script, .study = study};
  double slowest = 0, largest = 0, fastest = 0;
  plot.places = hs_alloc((size_t)study->points, sizeof *plot.places, "places on an axis");
  if (plot.places == NULL) return false;
  for (int i = 0; i < study->points; i++) {
    plot.places[i] = study->point[i].x;
    slowest = fmax(slowest, study->point[i].iteration_seconds);
    fastest = fmax(fastest, study->point[i].rate);
    largest = fmax(largest, study->point[i].bytes_per_rank);
  }
  plot.time = hs_unit_short_time(slowest);
  plot.rate = hs_unit_count(fastest);
  plot.memory = hs_unit_bytes(largest);
  put_panels(&plot, kind, output);
  hs_free(plot.places);
  return true;
}
