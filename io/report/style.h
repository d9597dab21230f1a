/* style.h: what all pictures share: the page, the places of the panels, colours, axes. Not collective.
 *
 * A picture is 1280 units wide and has two columns of two panels, and below them a strip for a key where
 * that is asked for. /
 */
#ifndef HS_IO_REPORT_STYLE_H
#define HS_IO_REPORT_STYLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "io/report/report.h"

#define HS_DASHED "dashtype '-'"
#define HS_DOTTED "dashtype (3,7)"

/* How tics and their labels look. */
#define HS_TICS "nomirror scale 0.6 textcolor rgb '#333333'"

/* Text, frames and helping lines. */
#define HS_INK "#222222"
#define HS_FAINT "#777777"

typedef struct hs_canvas {
  FILE *script;
  int height;       /* of the whole picture */
  int strip;        /* of it below the panels */
  int small, title; /* sizes of fonts */
} hs_canvas_t;

/* Smallest and largest of some values. */
typedef struct hs_range {
  double low, high;
} hs_range_t;

extern const hs_range_t hs_range_nothing;

/* Widen the range to the value, if it is finite. */
void hs_range_include(hs_range_t *range, double value);

/* Is there a value in it? */
bool hs_range_any(hs_range_t range);

/* Terminal, heading and what holds for every panel. strip: room below the panels. */
hs_canvas_t hs_canvas_begin(FILE *script, hs_report_kind_t kind, const char *output, int strip,
                            const char *heading);
void hs_canvas_end(const hs_canvas_t *canvas);

/* The next plot goes to column 0 or 1, row 0 (top) or 1; axes and key as they are by default. */
void hs_canvas_panel(const hs_canvas_t *canvas, int column, int row, const char *title);

/* A key of its own in the strip: one line in the colour for each name, in columns. */
void hs_canvas_key(const hs_canvas_t *canvas, int count, const char *const *names);

/* Height that hs_canvas_key needs. */
int hs_canvas_key_height(int count, const char *const *names);

/* The colour of curve `index` of `count`, to tell apart by colour-blind readers too: eight that differ,
 * and for more curves steps from dark to light. */
void hs_style_colour(int index, int count, char colour[8]);

/* The same for one of eight, by name. */
extern const char *const hs_colours[8];

/* Text as a string of gnuplot. */
void hs_put_quoted(FILE *script, const char *text);

/* " 1.5", or " NaN" for what is not finite, or not positive where it has to be. */
void hs_put_value(FILE *script, double value, bool positive);

/* Axes; axis is "x", "y" or "y2". An empty range becomes one around its value. */
void hs_put_range(FILE *script, const char *axis, hs_range_t range);

/* Logarithmic, over whole decades around the range, and labelled by powers of ten. */
void hs_put_decades(FILE *script, const char *axis, hs_range_t range);

/* Whole decades around positive values; [0.1, 1] when there is none. */
hs_range_t hs_range_decades(hs_range_t range);

/* Logarithmic, as close around the range as round numbers allow, and labelled by plain numbers. The share
 * `room` of the axis, at its upper end, stays free of values and labels. */
void hs_put_log_steps(FILE *script, const char *axis, hs_range_t range, double room);

/* Logarithmic with labels at the given places, in ascending order, as many as have room. */
void hs_put_log_places(FILE *script, const char *axis, int count, const double *places,
                       void (*text)(double place, char label[32]));

/* Linear from 0 to the largest value, with room above it, a share of the whole. */
void hs_put_from_zero(FILE *script, const char *axis, double largest, double room);

/* A unit in which the largest value is a handy number: the value is multiplied by factor. */
typedef struct hs_unit {
  double factor;
  const char *name;
} hs_unit_t;
hs_unit_t hs_unit_short_time(double seconds); /* s, ms, µs */
hs_unit_t hs_unit_long_time(double seconds);  /* seconds, minutes, hours */
hs_unit_t hs_unit_count(double count);        /* thousands, millions, billions */
hs_unit_t hs_unit_bytes(double bytes);        /* B, kB, MB, GB, TB */

/* 15.2k, 5M; at most four digits. */
void hs_text_count(double count, char label[32]);

/* A number with so many significant digits, without an exponent where that is readable. "" if not finite. */
void hs_text_number(double value, int digits, char text[32]);

#endif
