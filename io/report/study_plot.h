/* study_plot.h: the gnuplot script of a scaling study. */
#ifndef HS_IO_REPORT_STUDY_PLOT_H
#define HS_IO_REPORT_STUDY_PLOT_H

#include <stdio.h>

#include "io/report/report.h"
#include "io/report/study.h"

/* Data and commands for four panels: time of an iteration, efficiency or rate, where the time goes,
 * iterations and memory. kind is SVG or PNG; output is the name of the picture. False when memory is
 * short. */
bool hs_study_plot_write(FILE *script, const hs_study_t *study, hs_report_kind_t kind, const char *output);

/* "Strong scaling: 40k rows of a.h5, 1 to 64 ranks". */
void hs_study_heading(const hs_study_t *study, char *text, size_t size);

#endif
