/* hold_out.h: which rows of a data set are held out of the training, to choose a model by.
 *
 * The rows are cut into groups of 1/share consecutive ones, and one row of each is held out: which one is a function of
 * the seed and the number of the group. The choice does not depend on ranks or blocks, every stretch of a file that is
 * sorted (by class, by time) is represented, and every row is found without a table. Rows behind the last whole group
 * are for training.
 * Not collective.
 */
#ifndef HS_PATH_HOLD_OUT_H
#define HS_PATH_HOLD_OUT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct hs_hold_out {
  int64_t rows; /* of the data set */
  double share; /* 0 < share <= 0.5 */
  int64_t seed;
} hs_hold_out_t;

/* How many rows are held out; 0 where there are fewer than 1/share. */
int64_t hs_hold_out_count(const hs_hold_out_t *hold_out);

/* The row of the data set that is number k of those held out, or of those left for training; both ascend. */
int64_t hs_hold_out_row(const hs_hold_out_t *hold_out, int64_t k);
int64_t hs_hold_out_training_row(const hs_hold_out_t *hold_out, int64_t k);

/* Is this row of the data set held out? */
bool hs_hold_out_has(const hs_hold_out_t *hold_out, int64_t row);

#endif
