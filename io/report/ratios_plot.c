#include "io/report/ratios_plot.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "io/report/style.h"

#define WIDTH 1280
#define ROW 425       /* height of a row of panels */
#define LINE 27       /* of the key */
#define CELL 400      /* width of a column of the key, in a strip */
#define SAMPLES 33    /* of the curve */
#define NEAR_ONE 2e-3 /* ratios this near to 1 are on a linear scale */
#define CLAIM "lines linewidth 1.5 " HS_DASHED " linecolor rgb '" HS_FAINT "'"
#define CLAIM_NAME "√(log 2n): the theorem with C = 1"

/* How a kind looks: open marks for what is rounded, the median of starts dashed and small. */
static const struct {
  int colour, mark;
  double size;
  const char *line;
} looks[HS_RATIO_KINDS] = {
    [HS_RATIO_GATED] = {6, 5, 0.7, ""},    [HS_RATIO_SIGN_MAP] = {4, 8, 0.9, ""},
    [HS_RATIO_CONES] = {5, 10, 0.9, ""},   [HS_RATIO_MARGIN_CONES] = {0, 12, 0.7, ""},
    [HS_RATIO_POLISHED] = {2, 7, 0.8, ""}, [HS_RATIO_GENERATED] = {1, 13, 0.7, ""},
    [HS_RATIO_LBFGS] = {3, 9, 0.8, ""},    [HS_RATIO_LBFGS_MEDIAN] = {3, 1, 0.6, HS_DASHED},
    [HS_RATIO_ADAM] = {7, 11, 0.8, ""},    [HS_RATIO_ADAM_MEDIAN] = {7, 2, 0.6, HS_DASHED},
};

typedef struct plot {
  FILE *script;
  hs_canvas_t canvas;
  const hs_ratios_t *ratios;
  int places;    /* different n */
  double *place; /* they, ascending; owned */
  double *value; /* scratch, as many as points; owned */
  hs_range_t height;
} plot_t;

/* Where a ratio is on the y axis: linear near 1, logarithmic in the distance from 1 further off, to both sides. */
static double place_of(double ratio)
{
  return asinh((ratio - 1) / NEAR_ONE);
}

/* ---- axes ---- */

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static bool find_places(plot_t *plot)
{
  int points = plot->ratios->points;
  plot->place = hs_alloc((size_t)points, sizeof *plot->place, "places on an axis");
  plot->value = hs_alloc((size_t)points, sizeof *plot->value, "places on an axis");
  if (plot->place == NULL || plot->value == NULL) return false;
  for (int i = 0; i < points; i++) plot->value[i] = (double)plot->ratios->point[i].rows;
  qsort(plot->value, (size_t)points, sizeof *plot->value, compare);
  for (int i = 0; i < points; i++)
    if (i == 0 || plot->value[i] > plot->value[i - 1]) plot->place[plot->places++] = plot->value[i];
  return true;
}

static void find_height(plot_t *plot)
{
  const hs_ratios_t *ratios = plot->ratios;
  hs_range_t range = {place_of(1), place_of(hs_ratio_claim(plot->place[plot->places - 1]))};
  for (int i = 0; i < ratios->points; i++)
    for (int k = 0; k < HS_RATIO_KINDS; k++) hs_range_include(&range, place_of(ratios->point[i].ratio[k]));
  double room = 0.05 * (range.high - range.low);
  plot->height = (hs_range_t){range.low - room, range.high + room};
}

static void put_x_axis(const plot_t *plot)
{
  if (plot->places > 1)
    hs_put_log_places(plot->script, "x", plot->places, plot->place, hs_text_count);
  else {
    char label[32];
    hs_text_count(plot->place[0], label);
    fprintf(plot->script, "set logscale x\nset xrange [%.12g:%.12g]\nset xtics " HS_TICS " ('%s' %.12g)\n",
            plot->place[0] / 2, plot->place[0] * 2, label, plot->place[0]);
  }
  fputs("set xlabel 'rows n'\n", plot->script);
}

static void put_y_axis(const plot_t *plot)
{
  static const double tics[] = {0.1, 0.5, 0.9, 0.97, 0.99, 0.997, 1,   1.003, 1.01, 1.03,
                                1.1, 1.3, 2,   4,    10,   30,    100, 300,   1000, 10000};
  hs_put_range(plot->script, "y", plot->height);
  fputs("set ytics " HS_TICS " (", plot->script);
  const char *comma = "";
  for (size_t i = 0; i < sizeof tics / sizeof *tics; i++) {
    double at = place_of(tics[i]);
    if (at < plot->height.low || at > plot->height.high) continue;
    fprintf(plot->script, "%s'%g' %.9g", comma, tics[i], at);
    comma = ", ";
  }
  fputs(")\nset ylabel 'objective / lower bound on p*'\n", plot->script);
}

/* ---- data ---- */

/* The points of a kind in a panel, and below them, for the line, the median of those with the same n. Returns how many points
 * there are: without any nothing is written. */
static int put_kind(const plot_t *plot, int panel, int kind)
{
  const hs_ratio_panel_t *part = &plot->ratios->panel[panel];
  const hs_ratio_point_t *point = plot->ratios->point + part->first;
  int total = 0, last = -1;
  for (int i = 0; i < part->count; i++) total += isfinite(point[i].ratio[kind]);
  if (total == 0) return 0;
  fprintf(plot->script, "$points%d_%d << END_OF_DATA\n", panel, kind);
  for (int i = 0; i < part->count; i++)
    if (isfinite(point[i].ratio[kind]))
      fprintf(plot->script, "%.12g %.9g\n", (double)point[i].rows, place_of(point[i].ratio[kind]));
  fprintf(plot->script, "END_OF_DATA\n$line%d_%d << END_OF_DATA\n", panel, kind);
  for (int i = 0, count = 0; i < part->count; i++) {
    if (isfinite(point[i].ratio[kind])) plot->value[count++] = point[i].ratio[kind];
    last = i + 1 < part->count && point[i + 1].rows == point[i].rows ? last : i;
    if (last != i) continue;
    if (count > 0)
      fprintf(plot->script, "%.12g %.9g\n", (double)point[i].rows,
              place_of(hs_ratio_median(count, plot->value)));
    count = 0;
  }
  fputs("END_OF_DATA\n", plot->script);
  return total;
}

/* sqrt(log 2n) over all n there are, a little further where that is only one. */
static void put_claim(const plot_t *plot)
{
  double low = plot->place[0], high = plot->place[plot->places - 1];
  if (plot->places == 1) {
    low /= 1.8;
    high *= 1.8;
  }
  fputs("$claim << END_OF_DATA\n", plot->script);
  for (int i = 0; i < SAMPLES; i++) {
    double rows = low * pow(high / low, i / (SAMPLES - 1.0));
    fprintf(plot->script, "%.9g %.9g\n", rows, place_of(hs_ratio_claim(rows)));
  }
  fputs("END_OF_DATA\n", plot->script);
}

/* ---- panels ---- */

static void put_panel(const plot_t *plot, int panel)
{
  FILE *script = plot->script;
  char title[64];
  int points[HS_RATIO_KINDS];
  for (int k = 0; k < HS_RATIO_KINDS; k++) points[k] = put_kind(plot, panel, k);
  hs_ratio_panel_title(&plot->ratios->panel[panel], title, sizeof title);
  hs_canvas_panel(&plot->canvas, panel % 2, panel / 2, title);
  put_x_axis(plot);
  put_y_axis(plot);
  fprintf(script,
          "set key off\nplot %.9g with lines linewidth 1 linecolor rgb '" HS_INK "', $claim with " CLAIM,
          place_of(1));
  for (int k = 0; k < HS_RATIO_KINDS; k++) {
    if (points[k] == 0) continue;
    const char *colour = hs_colours[looks[k].colour];
    fprintf(
        script,
        ", $line%d_%d with lines linewidth 2 %s linecolor rgb '%s', $points%d_%d with points pointtype %d "
        "pointsize %g linewidth 1.5 linecolor rgb '%s'",
        panel, k, looks[k].line, colour, panel, k, looks[k].mark, looks[k].size, colour);
  }
  fputc('\n', script);
}

/* ---- key ---- */

/* A line, its mark and its name; kind < 0: the claim. Arrows and labels in units of the page. gnuplot's SVG changes from whole
 * to dashed only where the width changes as well. */
static void put_entry(const plot_t *plot, int kind, int x, int y)
{
  FILE *script = plot->script;
  const char *colour = kind < 0 ? HS_FAINT : hs_colours[looks[kind].colour];
  const char *dashes = kind < 0 ? HS_DASHED : looks[kind].line;
  fprintf(script, "set arrow from %d,%d to %d,%d nohead linewidth %g %s linecolor rgb '%s'\n", x, y, x + 48,
          y, dashes[0] != '\0' ? 1.6 : 2.0, dashes, colour);
  if (kind >= 0)
    fprintf(script,
            "set label '' at %d,%d point pointtype %d pointsize %g linewidth 1.5 linecolor rgb '%s'\n",
            x + 24, y, looks[kind].mark, looks[kind].size, colour);
  fputs("set label ", script);
  hs_put_quoted(script, kind < 0 ? CLAIM_NAME : hs_ratio_names[kind]);
  fprintf(script, " noenhanced at %d,%d left textcolor rgb '" HS_INK "'\n", x + 60, y);
}

static int count_entries(const plot_t *plot)
{
  int count = 1;
  for (int k = 0; k < HS_RATIO_KINDS; k++) count += plot->ratios->summary[k].count > 0;
  return count;
}

/* In columns from (left, top) on, read downwards. */
static void put_key(const plot_t *plot, int left, int top, int columns)
{
  int entries = count_entries(plot), lines = (entries + columns - 1) / columns, at = 0;
  fprintf(plot->script,
          "unset key\nunset title\nunset xtics\nunset ytics\nunset grid\nunset logscale\nset border 0\n"
          "set xlabel ''\nset ylabel ''\nset lmargin at screen 0\nset rmargin at screen 1\n"
          "set bmargin at screen 0\nset tmargin at screen 1\nset xrange [0:%d]\nset yrange [%d:0]\n",
          WIDTH, plot->canvas.height);
  for (int k = -1; k < HS_RATIO_KINDS; k++) {
    if (k >= 0 && plot->ratios->summary[k].count == 0) continue;
    put_entry(plot, k, left + at / lines * CELL, top + at % lines * LINE);
    at++;
  }
  fprintf(
      plot->script,
      "set label 'vertical scale: logarithmic in the distance from 1' noenhanced at %d,%d left font ',%d' "
      "textcolor rgb '" HS_FAINT "'\nplot NaN notitle\n",
      left, top + lines * LINE + 4, plot->canvas.small);
}

/* The place of a panel that is not there holds the key, else a strip below. */
static void put_panels(plot_t *plot, hs_report_kind_t kind, const char *output)
{
  char heading[256];
  int panels = plot->ratios->panels, rows = (panels + 1) / 2, strip = 0;
  if (panels % 2 == 0) strip = (count_entries(plot) + 2) / 3 * LINE + 50;
  hs_ratios_heading(plot->ratios, heading, sizeof heading);
  put_claim(plot);
  plot->canvas = hs_canvas_begin(plot->script, kind, output, strip - (rows == 1 ? ROW : 0), heading);
  for (int p = 0; p < panels; p++) put_panel(plot, p);
  if (panels % 2 == 0)
    put_key(plot, 80, plot->canvas.height - strip + 22, 3);
  else
    put_key(plot, 720, ROW * rows - 280, 1);
  hs_canvas_end(&plot->canvas);
}

bool hs_ratios_plot_write(FILE *script, const hs_ratios_t *ratios, hs_report_kind_t kind, const char *output)
{
  plot_t plot = {.script = script, .ratios = ratios};
  bool good = find_places(&plot);
  if (good) {
    find_height(&plot);
    put_panels(&plot, kind, output);
  }
  hs_free(plot.place);
  hs_free(plot.value);
  return good;
}
