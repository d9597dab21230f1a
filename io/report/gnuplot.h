/* gnuplot.h: running gnuplot. */
#ifndef HS_IO_REPORT_GNUPLOT_H
#define HS_IO_REPORT_GNUPLOT_H

#include <stdio.h>

#include "base/status.h"

/* Run gnuplot with this script, read from its beginning, and wait. HS_IO with what to install when there
 * is no gnuplot, and with gnuplot's own words when it fails; output is for that message. */
hs_status_t hs_gnuplot_run(FILE *script, const char *output);

#endif
