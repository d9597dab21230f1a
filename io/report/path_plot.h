/* path_plot.h: the gnuplot script of a report on one path of beta: scores, objectives, groups, gaps. */
#ifndef HS_IO_REPORT_PATH_PLOT_H
#define HS_IO_REPORT_PATH_PLOT_H

#include <stdio.h>

#include "io/report/report.h"
#include "io/run/run_path.h"

/* Data and commands for four panels over beta. kind is SVG or PNG; output is the name of the picture.
 *   label      of the run
 *   tolerance  relative gap that was aimed at; NAN: not known
 * The path has at least one point. */
void hs_path_plot_write(FILE *script, const hs_run_path_t *path, const char *label, double tolerance,
                        int64_t rows, hs_report_kind_t kind, const char *output);

#endif
