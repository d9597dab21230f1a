/* plot.h: the gnuplot script of a report: gap, bracket and groups of one or several runs. */
#ifndef HS_IO_REPORT_PLOT_H
#define HS_IO_REPORT_PLOT_H

#include <stdio.h>

#include "io/report/report.h"
#include "io/report/runs.h"

/* Data and commands for four panels. kind is SVG or PNG; output is the name of the picture. False when
 * memory is short. */
bool hs_plot_write(FILE *script, int count, const hs_report_run_t *runs, hs_report_kind_t kind,
                   const char *output);

#endif
