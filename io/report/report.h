/* report.h: pictures and tables of runs: one or several of them, a scaling study made of them, or a
 * comparison of their networks with the global optimum.
 *
 * Pictures are drawn by gnuplot (5.0 or later), which must be in PATH. Not collective.
 */
#ifndef HS_IO_REPORT_REPORT_H
#define HS_IO_REPORT_REPORT_H

#include <stdbool.h>

#include "base/status.h"

typedef enum hs_report_kind { HS_REPORT_SVG, HS_REPORT_PNG, HS_REPORT_HTML } hs_report_kind_t;

/* By the end of the name; false if it is none of .svg, .png, .html. */
bool hs_report_kind(const char *path, hs_report_kind_t *kind);

/* What is asked for. */
typedef struct hs_report_order {
  int count; /* of paths, at least 1 */
  const char *const *paths;
  const char *output; /* NULL: no picture */
  hs_report_kind_t kind;
  bool json; /* the numbers as JSON on standard output */
} hs_report_order_t;

/* Gap, bracket and groups of the runs. Runs without an iteration are left out with a warning. The output is
 * written whole or not at all. HS_BAD_DATA for a file that is no run, and when no run has an iteration yet;
 * HS_IO when gnuplot is missing or the output cannot be written. */
hs_status_t hs_report_write(const hs_report_order_t *order);

/* The same for a scaling study, in which each run is a point (io/report/study.h): table, JSON, picture. The
 * table is logged, unless JSON is asked for. HS_BAD_USAGE when the runs do not make a study. */
hs_status_t hs_report_scaling(const hs_report_order_t *order);

/* The same for networks that came about in different ways, relative to the global optimum (io/report/ratios.h).
 * HS_BAD_DATA when no run tells of its network. */
hs_status_t hs_report_networks(const hs_report_order_t *order);

#endif
