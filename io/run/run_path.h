/* run_path.h: a path of beta in the run file: what `halfspace path` adds to what every run has.
 *
 *   /path/FIELD     1-D, one entry per point, beta descending; the fields of hs_path_point_t
 *   /path           attributes: wanted, chosen, best, one_error (points, from 0; -1: none yet), choose, score ("accuracy" or
 *                   "r2"), validation, validation_rows
 *   /path/weights   of some points or all, groups that are zero left out:  gates [P, d] of the problem;  point [m]: which
 *                   points;  first [m + 1]: of the k-th of them the rows first[k] .. first[k+1]-1 of  gate [b]: index
 *                   of the gate, and  values [b, d, C]
 *
 * /history holds the iterations of all points one after the other; /path/first_iteration tells where each begins. /model
 * is that of the chosen point.
 */
#ifndef HS_IO_RUN_RUN_PATH_H
#define HS_IO_RUN_RUN_PATH_H

#include <hdf5.h>

#include "io/run/run_file.h"
#include "path/path_point.h"

/* Texts and points are borrowed by the writer, and owned when read. */
typedef struct hs_run_path {
  int64_t wanted; /* points that were asked for */
  int64_t count;  /* points there are */
  hs_path_point_t *point;
  int64_t chosen, best, one_error;
  int64_t validation_rows;
  char *choose, *score, *validation;
} hs_run_path_t;

/* All borrowed. */
typedef struct hs_run_path_weights {
  int64_t gates;   /* P */
  int d, outputs;  /* d, C */
  const double *G; /* P x d */
  int64_t count;   /* m */
  const int64_t *point, *first, *gate;
  const double *values; /* first[count] x C x d: column-major d x C blocks, as in model.h */
} hs_run_path_weights_t;

/* Write or replace the group; without weights those that are there go. Goes to the disk with the next flush; without
 * `last` it is written only when one is due. */
hs_status_t hs_run_write_path(hs_run_t *run, const hs_run_path_t *path, const hs_run_path_weights_t *weights,
                              bool last);

/* A run without a path has count = 0, and is no error. */
hs_status_t hs_run_read_path(const char *file, hs_run_path_t *path);
void hs_run_path_clear(hs_run_path_t *path);

/* ---- between memory and the file; for the run file's writer only ---- */

hs_status_t hs_run_put_path(hid_t file, const hs_run_path_t *path, const hs_run_path_weights_t *weights);

#endif
