/* path_point.h: what is told of one point of a path of beta, on the screen and in the run file. */
#ifndef HS_PATH_PATH_POINT_H
#define HS_PATH_PATH_POINT_H

#include <stdint.h>

/* Numbers of 8 bytes alone: the run file takes an array of points for a matrix. */
typedef struct hs_path_point {
  double beta;          /* absolute */
  double beta_relative; /* beta / beta_max */
  double primal, dual;  /* objective, and the lower bound on it: certified for this beta */
  double relative_gap;
  int64_t first_iteration; /* in the history, from 1 */
  int64_t iterations;      /* of this point */
  int64_t factorings;      /* of the blocks, of this point */
  int64_t active_groups;   /* groups of the weights that are not zero */
  double seconds;          /* of this point */
  double train_loss;       /* sums over the rows, without penalty */
  double validation_loss;
  double validation_score; /* share of right classes, or R2; NAN: not defined (targets that are all equal) */
  double validation_error; /* standard error of the score */
} hs_path_point_t;

#define HS_PATH_POINT_FIELDS 14

#endif
