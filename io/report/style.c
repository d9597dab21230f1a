#include "io/report/style.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1280
#define PANELS 900 /* height of the panels with the heading */
#define LINE 24    /* of a key */

const hs_range_t hs_range_nothing = {INFINITY, -INFINITY};

/* After Okabe & Ito, black and yellow replaced. */
const char *const hs_colours[8] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                   "#E69F00", "#56B4E9", "#555555", "#8C6D31"};

void hs_style_colour(int index, int count, char colour[8])
{
  /* From viridis, which is as even for colour-blind readers; the lightest end is too faint for lines. */
  static const int steps[6][3] = {{68, 1, 84},    {65, 68, 135},  {42, 120, 142},
                                  {34, 168, 132}, {122, 209, 81}, {216, 200, 26}};
  if (count <= 8) {
    memcpy(colour, hs_colours[index % 8], 8);
    return;
  }
  double at = 5.0 * index / (count - 1);
  int step = at >= 5 ? 4 : (int)at;
  unsigned mixed[3];
  for (int c = 0; c < 3; c++)
    mixed[c] = (unsigned)(steps[step][c] + (at - step) * (steps[step + 1][c] - steps[step][c]) + 0.5) & 0xffu;
  snprintf(colour, 8, "#%02X%02X%02X", mixed[0], mixed[1], mixed[2]);
}

void hs_range_include(hs_range_t *range, double value)
{
  if (!isfinite(value)) return;
  range->low = fmin(range->low, value);
  range->high = fmax(range->high, value);
}

bool hs_range_any(hs_range_t range)
{
  return range.low <= range.high;
}

/* A string for gnuplot: in single quotes nothing but the quote itself is special. */
void hs_put_quoted(FILE *script, const char *text)
{
  fputc('\'', script);
  for (; *text != '\0'; text++) {
    if (*text == '\'') fputc('\'', script);
    fputc(*text == '\n' ? ' ' : *text, script);
  }
  fputc('\'', script);
}

void hs_put_value(FILE *script, double value, bool positive)
{
  if (isfinite(value) && (!positive || value > 0))
    fprintf(script, " %.9g", value);
  else
    fputs(" NaN", script);
}

/* ---- page ---- */

hs_canvas_t hs_canvas_begin(FILE *script, hs_report_kind_t kind, const char *output, int strip,
                            const char *heading)
{
  bool png = kind == HS_REPORT_PNG;
  hs_canvas_t canvas = {script, PANELS + strip, strip, png ? 11 : 13, png ? 15 : 17};
  fputs("set encoding utf8\n", script);
  if (png)
    fprintf(script,
            "set terminal pngcairo size %d,%d font 'Sans,12' fontscale 1.5 linewidth 1.5 pointscale 1.5 "
            "background rgb 'white'\n",
            WIDTH * 3 / 2, canvas.height * 3 / 2);
  else
    fprintf(script,
            "set terminal svg size %d,%d font 'Helvetica,Arial,sans-serif,15' background rgb 'white'\n",
            WIDTH, canvas.height);
  fputs("set output ", script);
  hs_put_quoted(script, output);
  fputs("\nset tics " HS_TICS "\n"
        "set grid linecolor rgb '#dddddd' linetype 1 linewidth 0.5\n"
        "set key noenhanced Left reverse samplen 2.5 spacing 1.2 box linecolor rgb '#dddddd' opaque\n"
        "set samples 2\nset multiplot title ",
        script);
  hs_put_quoted(script, heading);
  fprintf(script, " noenhanced font ',%d'\n", canvas.title + 2);
  return canvas;
}

void hs_canvas_end(const hs_canvas_t *canvas)
{
  fputs("unset multiplot\nunset output\n", canvas->script);
}

void hs_canvas_panel(const hs_canvas_t *canvas, int column, int row, const char *title)
{
  double height = canvas->height, top = row == 0 ? 108 : 533;
  FILE *script = canvas->script;
  fprintf(script,
          "set lmargin at screen %.5f\nset rmargin at screen %.5f\nset tmargin at screen %.5f\n"
          "set bmargin at screen %.5f\n",
          (100 + 620.0 * column) / WIDTH, (100 + 620.0 * column + 465) / WIDTH, 1 - top / height,
          1 - (top + 297) / height);
  fputs("unset logscale\nunset y2tics\nset xtics nomirror autofreq scale 0.6\nset ytics nomirror "
        "autofreq\nset format '%g'\n"
        "set border 3 linecolor rgb '#555555'\n"
        "set xlabel '' textcolor rgb '" HS_INK "'\nset ylabel '' textcolor rgb '" HS_INK "'\n"
        "set y2label '' textcolor rgb '" HS_INK "'\nset mxtics default\nset mytics default\n"
        "set key inside top right vertical maxcols 1 maxrows auto\nset title ",
        script);
  hs_put_quoted(script, title);
  fprintf(script, " noenhanced font ',%d' offset 0,-0.3 textcolor rgb '%s'\n", canvas->title, HS_INK);
}

static int longest_name(int count, const char *const *names)
{
  int longest = 1;
  for (int i = 0; i < count; i++) {
    int length = 0;
    for (const char *c = names[i]; *c != '\0'; c++) length += ((unsigned char)*c & 0xc0) != 0x80;
    if (length > longest) longest = length;
  }
  return longest;
}

static int key_columns(int count, const char *const *names)
{
  int columns = (WIDTH - 80) / (62 + 21 * longest_name(count, names) / 2);
  if (columns > count) columns = count;
  return columns > 0 ? columns : 1;
}

int hs_canvas_key_height(int count, const char *const *names)
{
  int columns = key_columns(count, names);
  return LINE * ((count + columns - 1) / columns) + 40;
}

/* Drawn as a plot whose axes are the pixels of the strip: gnuplot's own keys do not keep to a width. */
void hs_canvas_key(const hs_canvas_t *canvas, int count, const char *const *names)
{
  FILE *script = canvas->script;
  int columns = key_columns(count, names), rows = (count + columns - 1) / columns;
  columns = (count + rows - 1) / rows;
  int cell = 62 + 21 * longest_name(count, names) / 2, left = (WIDTH - columns * cell) / 2;
  fprintf(script,
          "unset key\nunset title\nunset xtics\nunset ytics\nunset grid\nunset logscale\n"
          "set border 0\nset xlabel ''\nset ylabel ''\nunset y2tics\nset y2label ''\n"
          "set lmargin at screen 0\nset rmargin at screen 1\nset bmargin at screen 0\n"
          "set tmargin at screen %.5f\nset xrange [0:%d]\nset yrange [%d:0]\n",
          (double)canvas->strip / canvas->height, WIDTH, canvas->strip);
  for (int i = 0; i < count; i++) {
    /* Down the columns, as one reads a list. */
    int x = left + i / rows * cell, y = LINE + i % rows * LINE;
    char colour[8];
    hs_style_colour(i, count, colour);
    fprintf(script, "set arrow from %d,%d to %d,%d nohead linewidth 3 linecolor rgb '%s'\nset label ", x, y,
            x + 32, y, colour);
    hs_put_quoted(script, names[i]);
    fprintf(script, " noenhanced at %d,%d left textcolor rgb '%s'\n", x + 42, y, HS_INK);
  }
  fputs("plot NaN notitle\n", script);
}

/* ---- axes ---- */

void hs_put_range(FILE *script, const char *axis, hs_range_t range)
{
  if (!(range.low < range.high)) range.high = range.low + fmax(1e-9, fabs(range.low) * 1e-3);
  fprintf(script, "set %srange [%.12g:%.12g]\n", axis, range.low, range.high);
}

hs_range_t hs_range_decades(hs_range_t range)
{
  if (!hs_range_any(range)) return (hs_range_t){0.1, 1};
  hs_range_t wide = {pow(10, floor(log10(range.low))), pow(10, ceil(log10(range.high)))};
  if (wide.high <= wide.low) wide.high = 10 * wide.low;
  return wide;
}

void hs_put_decades(FILE *script, const char *axis, hs_range_t range)
{
  hs_put_range(script, axis, hs_range_decades(range));
  fprintf(script, "set logscale %s\nset format %s '10^{%%T}'\nset %stics " HS_TICS " autofreq\n", axis, axis,
          axis);
}

/* Leading digits of the labels of a logarithmic axis, ending with 10. */
static const double coarse[] = {1, 2, 5, 10}, fine[] = {1, 1.5, 2, 3, 4, 5, 7, 10};

/* One of the digits times a power of ten: the largest not above the value, or the smallest not below it. */
static double step(const double *digits, double value, bool above)
{
  double decade = pow(10, floor(log10(value) + 1e-12)), found = decade;
  for (int i = 0; i == 0 || digits[i - 1] < 10; i++) {
    double candidate = digits[i] * decade;
    if (above && candidate >= value * (1 - 1e-12)) return candidate;
    if (candidate <= value * (1 + 1e-12)) found = candidate;
  }
  return found;
}

void hs_put_log_steps(FILE *script, const char *axis, hs_range_t range, double room)
{
  if (!hs_range_any(range) || !(range.low > 0)) range = (hs_range_t){0.1, 1};
  if (range.high / range.low > 1e3) {
    range = hs_range_decades(range);
    range.high *= pow(range.high / range.low, room / (1 - room));
    hs_put_range(script, axis, range);
    fprintf(script, "set logscale %s\nset format %s '10^{%%T}'\nset %stics " HS_TICS " autofreq\n", axis,
            axis, axis);
    return;
  }
  const double *digits = range.high / range.low > 6 ? coarse : fine;
  double low = step(digits, range.low, false), high = step(digits, range.high, true);
  if (!(high > low * 1.5)) high = step(digits, high * 1.5, true);
  double top = high * pow(high / low, room / (1 - room));
  /* A little wider: rounding could cost the outer labels. */
  fprintf(script, "set %srange [%.12g:%.12g]\nset logscale %s\nset %stics " HS_TICS " (", axis,
          low * (1 - 1e-6), top * (1 + 1e-6), axis, axis);
  const char *comma = "";
  for (double tic = low; tic <= high * (1 + 1e-9); tic = step(digits, tic * 1.1, true)) {
    fprintf(script, "%s'%.12g' %.12g", comma, tic, tic);
    comma = ", ";
  }
  fputs(")\n", script);
}

void hs_put_log_places(FILE *script, const char *axis, int count, const double *places,
                       void (*text)(double place, char label[32]))
{
  double room = pow(places[count - 1] / places[0], 0.06), last = 0;
  double least = pow(places[count - 1] / places[0] * room * room, 0.09); /* between two labels */
  fprintf(script, "set %srange [%.12g:%.12g]\nset logscale %s\nset %stics " HS_TICS " (", axis,
          places[0] / room, places[count - 1] * room, axis, axis);
  for (int i = 0; i < count; i++) {
    char label[32] = "";
    if (i == 0 || places[i] >= last * least) {
      text(places[i], label);
      last = places[i];
    }
    fprintf(script, "%s'%s' %.12g", i > 0 ? ", " : "", label, places[i]);
  }
  fputs(")\n", script);
}

void hs_put_from_zero(FILE *script, const char *axis, double largest, double room)
{
  hs_put_range(script, axis, (hs_range_t){0, largest > 0 ? largest / (1 - room) : 1});
}

/* ---- numbers for readers ---- */

hs_unit_t hs_unit_short_time(double seconds)
{
  if (seconds < 1e-3) return (hs_unit_t){1e6, "µs"};
  return seconds < 1 ? (hs_unit_t){1e3, "ms"} : (hs_unit_t){1, "s"};
}

hs_unit_t hs_unit_long_time(double seconds)
{
  if (seconds > 3 * 3600) return (hs_unit_t){1.0 / 3600, "hours"};
  return seconds > 600 ? (hs_unit_t){1.0 / 60, "minutes"} : (hs_unit_t){1, "seconds"};
}

hs_unit_t hs_unit_bytes(double bytes)
{
  static const char *const names[] = {"B", "kB", "MB", "GB", "TB"};
  int power = 0;
  while (power < 4 && bytes >= 1000) {
    bytes /= 1000;
    power++;
  }
  return (hs_unit_t){pow(10, -3 * power), names[power]};
}

hs_unit_t hs_unit_count(double count)
{
  if (count >= 1e9) return (hs_unit_t){1e-9, "billions"};
  if (count >= 1e6) return (hs_unit_t){1e-6, "millions"};
  return count >= 1e4 ? (hs_unit_t){1e-3, "thousands"} : (hs_unit_t){1, ""};
}

void hs_text_count(double count, char label[32])
{
  static const char *const names[] = {"", "k", "M", "G", "T"};
  int power = 0;
  while (power < 4 && fabs(count) >= 1000) {
    count /= 1000;
    power++;
  }
  snprintf(label, 32, "%.4g%s", count, names[power]);
}

void hs_text_number(double value, int digits, char text[32])
{
  text[0] = '\0';
  if (!isfinite(value)) return;
  if (value == 0) {
    strcpy(text, "0");
    return;
  }
  /* Rounded first: 9.9996 is a number of two digits before the point. */
  snprintf(text, 32, "%.*e", digits - 1, value);
  int exponent = atoi(strchr(text, 'e') + 1);
  if (exponent >= -4 && exponent <= 9)
    snprintf(text, 32, "%.*f", exponent < digits - 1 ? digits - 1 - exponent : 0, value);
}
