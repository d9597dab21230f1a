/* differences.h: what differs between runs: settings, and where and with what they ran. Not collective. */
#ifndef HS_IO_REPORT_DIFFERENCES_H
#define HS_IO_REPORT_DIFFERENCES_H

#include <stdbool.h>

#include "io/report/runs.h"

typedef struct hs_difference {
  char *key;    /* a setting, or ranks, threads, hosts, version */
  char **value; /* of each run */
  bool of_work; /* does it decide how much work an iteration is, or how it is done? */
} hs_difference_t;

typedef struct hs_differences {
  int runs, count;
  hs_difference_t *row; /* owned, with all texts */
} hs_differences_t;

/* Rows in the order of the settings. Names of outputs differ always and are left out, and so are settings
 * that not all runs tell. On failure (HS_NO_MEMORY) the differences are cleared. */
hs_status_t hs_differences_find(hs_differences_t *differences, int count, const hs_report_run_t *runs);
void hs_differences_clear(hs_differences_t *differences);

/* "model.gates, threads": the keys of rows that are of_work, as many as there is room for. */
void hs_differences_of_work(const hs_differences_t *differences, char *text, int size);

#endif
