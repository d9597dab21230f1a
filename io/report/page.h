/* page.h: a self-contained web page: the picture and tables of results, times, settings and bounds. */
#ifndef HS_IO_REPORT_PAGE_H
#define HS_IO_REPORT_PAGE_H

#include <stdio.h>

#include "io/report/differences.h"
#include "io/report/runs.h"

/* svg: stream of the picture, read from its beginning. False when something cannot be read or written. */
bool hs_page_write(FILE *page, int count, const hs_report_run_t *runs, const hs_differences_t *differences,
                   FILE *svg);

/* Tables for pages of other kinds as well. */
void hs_page_differences(FILE *page, const hs_report_run_t *runs, const hs_differences_t *differences);
void hs_page_settings(FILE *page, int count, const hs_report_run_t *runs);

#endif
