/* ratios.h: how far from the global optimum networks are that came about in different ways, over a set of runs.
 *
 *   ratio = objective / lower bound on p*          p*: the global optimum of the ReLU network's training problem
 *
 * so that 1 is the global optimum. For Gaussian data with n/d fixed, networks rounded from the gated relaxation, and those of
 * local methods, are at most C sqrt(log 2n) p* with high probability, C being some constant (Kim and Pilanci 2024;
 * FORMULATIONS.md 1.2). The gated optimum over a sample of gates is no bound on p*: its ratio may be on either side of 1.
 * Not collective.
 */
#ifndef HS_IO_REPORT_RATIOS_H
#define HS_IO_REPORT_RATIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/report/runs.h"
#include "network/record.h"

/* What is compared: an objective of each kind from each run. */
typedef enum hs_ratio_kind {
  HS_RATIO_GATED,        /* best weights of the gated problem */
  HS_RATIO_SIGN_MAP,     /* networks rounded from it, before the local method */
  HS_RATIO_CONES,        /* */
  HS_RATIO_MARGIN_CONES, /* */
  HS_RATIO_POLISHED,     /* the best of these three after the local method */
  HS_RATIO_GENERATED,    /* after column generation */
  HS_RATIO_LBFGS,        /* local methods from random starts: the best start */
  HS_RATIO_LBFGS_MEDIAN, /* and the median of the starts */
  HS_RATIO_ADAM,         /* */
  HS_RATIO_ADAM_MEDIAN,  /* */
  HS_RATIO_KINDS
} hs_ratio_kind_t;

extern const char *const hs_ratio_names[HS_RATIO_KINDS]; /* for readers */
extern const char *const hs_ratio_keys[HS_RATIO_KINDS];  /* for programs: "gated", "sign_map", ... */

/* One run. NAN: not known. */
typedef struct hs_ratio_point {
  const hs_report_run_t *run; /* borrowed */
  int64_t rows, columns;      /* n, d: with the column of ones where there is one */
  double shape;               /* n/d */
  double dual;                /* lower bound on the gated optimum */
  double lower;               /* lower bound on p* that the ratios are relative to */
  bool proved;                /* is it proved? else estimated */
  double objective[HS_RATIO_KINDS], ratio[HS_RATIO_KINDS];
} hs_ratio_point_t;

#define HS_RATIO_PANELS 4

/* Runs of (nearly) the same n/d. */
typedef struct hs_ratio_panel {
  double low, high; /* n/d */
  int first, count; /* its points, one after the other */
} hs_ratio_panel_t;

/* A kind over all points that have it. */
typedef struct hs_ratio_summary {
  int count;
  double low, median, high; /* of the ratios; NAN when count = 0 */
  double constant;          /* largest ratio / sqrt(log 2n): the least C with which the claim holds here */
} hs_ratio_summary_t;

typedef struct hs_ratios {
  int points, panels;
  hs_ratio_point_t *point; /* by panel, then n, then d; owned */
  hs_ratio_panel_t panel[HS_RATIO_PANELS];
  hs_ratio_summary_t summary[HS_RATIO_KINDS];
} hs_ratios_t;

/* The numbers of one run. The lower bound is the proved one where it is within HS_RATIO_CLOSE of the best network, relative to
 * that network, else the estimated one, else the proved one however loose it is. HS_NO_MEMORY is the only failure. */
#define HS_RATIO_CLOSE 0.01
hs_status_t hs_ratio_point(hs_ratio_point_t *point, const hs_report_run_t *run, int64_t columns,
                           const hs_network_record_t *record);

/* Sort the points and fill in panels and summary. Runs whose n/d differ by 5 % at most belong together; further ones share a
 * panel where there would be more than HS_RATIO_PANELS of them: the largest steps of n/d remain. HS_NO_MEMORY. */
hs_status_t hs_ratios_arrange(hs_ratios_t *ratios);

/* Both, for runs read from their files. Runs without starts of a network, a model or a number of rows are left out with a
 * warning, and HS_BAD_DATA if none remains. The runs must outlive the ratios; on failure these are cleared. */
hs_status_t hs_ratios_read(hs_ratios_t *ratios, int count, const hs_report_run_t *runs);
void hs_ratios_clear(hs_ratios_t *ratios);

/* sqrt(log 2n) */
double hs_ratio_claim(double rows);

/* Median; NAN of nothing. The values are sorted. */
double hs_ratio_median(int count, double *values);

/* Does any point have such an objective? */
bool hs_ratios_have(const hs_ratios_t *ratios, hs_ratio_kind_t kind);

/* "n/d = 2", or "n/d from 2 to 3.5". */
void hs_ratio_panel_title(const hs_ratio_panel_t *panel, char *text, size_t size);

/* "18 runs, n = 100 to 3200: ...". */
void hs_ratios_heading(const hs_ratios_t *ratios, char *text, size_t size);

#endif
