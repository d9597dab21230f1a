/* study_table.h: the numbers of a scaling study, for readers of the log and for programs. Not collective. */
#ifndef HS_IO_REPORT_STUDY_TABLE_H
#define HS_IO_REPORT_STUDY_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "io/report/study.h"

/* What comes out of it, in a sentence: efficiency on the most ranks, or the slope over rows. */
void hs_study_verdict(const hs_study_t *study, char *text, size_t size);

/* A line for each point, the verdict, and the number of repeats. */
void hs_study_log(const hs_study_t *study);

/* {"kind": ..., "slope": ..., "points": [{...}, ...], "repeats": [{...}, ...]} */
void hs_study_json(const hs_study_t *study, FILE *stream);

#endif
