/* ratios_plot.h: the gnuplot script of a comparison of networks. */
#ifndef HS_IO_REPORT_RATIOS_PLOT_H
#define HS_IO_REPORT_RATIOS_PLOT_H

#include <stdio.h>

#include "io/report/ratios.h"
#include "io/report/report.h"

/* Data and commands: a panel for each n/d, with ratios against n and sqrt(log 2n), and a key. Axes are the same in all panels.
 * kind is SVG or PNG; output is the name of the picture. False when memory is short. */
bool hs_ratios_plot_write(FILE *script, const hs_ratios_t *ratios, hs_report_kind_t kind, const char *output);

#endif
