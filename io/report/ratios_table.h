/* ratios_table.h: the numbers of a comparison of networks, for readers of the log and for programs. Not collective. */
#ifndef HS_IO_REPORT_RATIOS_TABLE_H
#define HS_IO_REPORT_RATIOS_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "io/report/ratios.h"

/* A line of ratios for each run, and one for each kind over all runs. */
void hs_ratios_log(const hs_ratios_t *ratios);

/* {"points": [{"run": ..., "rows": ..., "objectives": {...}, "ratios": {...}}, ...],
 *  "kinds": {"cones": {"count": ..., "least": ..., "median": ..., "largest": ..., "constant": ...}, ...}} */
void hs_ratios_json(const hs_ratios_t *ratios, FILE *stream);

/* beta / beta_max; NAN: not known. */
double hs_ratio_beta(const hs_ratio_point_t *point);

/* "proved", "estimated", "none": the lower bound that the ratios are relative to. */
const char *hs_ratio_lower_kind(const hs_ratio_point_t *point);

#endif
