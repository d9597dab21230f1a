/* report.h: a picture of one or several runs: gap and objective against iteration and time.
 *
 * The picture is drawn by gnuplot (4.6 or later), which must be in PATH. Not collective.
 */
#ifndef HS_IO_REPORT_REPORT_H
#define HS_IO_REPORT_REPORT_H

#include <stdbool.h>

#include "io/run/run_file.h"

typedef enum hs_report_kind { HS_REPORT_SVG, HS_REPORT_PNG, HS_REPORT_HTML } hs_report_kind_t;

/* One run as the report shows it. */
typedef struct hs_report_run {
  const char *label; /* borrowed: the path, or its last part where that is enough to tell runs apart */
  hs_run_summary_t summary;
  int64_t rows; /* at least 1 */
  hs_history_row_t *history;
  double tolerance; /* relative gap that was aimed at, NAN if not known */
} hs_report_run_t;

/* By the end of the name; false if it is none of .svg, .png, .html. */
bool hs_report_kind(const char *path, hs_report_kind_t *kind);

/* Read the runs, draw them and write the output, whole or not at all. HS_BAD_DATA for a file that is no run
 * or has no iteration yet; HS_IO when gnuplot is missing or the output cannot be written. */
hs_status_t hs_report_write(int count, const char *const *paths, const char *output, hs_report_kind_t kind);

#endif
