/* page.h: a self-contained web page: the picture and a table of the numbers at the end of each run. */
#ifndef HS_IO_REPORT_PAGE_H
#define HS_IO_REPORT_PAGE_H

#include <stdio.h>

#include "io/report/report.h"

/* svg: stream of the picture, read from its beginning. False when something cannot be read or written. */
bool hs_page_write(FILE *page, int count, const hs_report_run_t *runs, FILE *svg);

#endif
