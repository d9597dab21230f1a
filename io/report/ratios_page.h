/* ratios_page.h: a self-contained web page of a comparison of networks. */
#ifndef HS_IO_REPORT_RATIOS_PAGE_H
#define HS_IO_REPORT_RATIOS_PAGE_H

#include <stdio.h>

#include "io/report/differences.h"
#include "io/report/ratios.h"

/* runs: all runs that were read, as many as differences->runs. svg: stream of the picture, read from its beginning. False when
 * something cannot be read or written. */
bool hs_ratios_page_write(FILE *page, const hs_ratios_t *ratios, const hs_report_run_t *runs,
                          const hs_differences_t *differences, FILE *svg);

#endif
