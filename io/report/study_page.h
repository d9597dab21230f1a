/* study_page.h: a self-contained web page of a scaling study. */
#ifndef HS_IO_REPORT_STUDY_PAGE_H
#define HS_IO_REPORT_STUDY_PAGE_H

#include <stdio.h>

#include "io/report/differences.h"
#include "io/report/study.h"

/* runs: all runs of the study, as many as differences->runs. svg: stream of the picture, read from its
 * beginning. False when something cannot be read or written. */
bool hs_study_page_write(FILE *page, const hs_study_t *study, const hs_report_run_t *runs,
                         const hs_differences_t *differences, FILE *svg);

#endif
