/* choose.h: the point of a path to keep, by its validation score. Not collective. */
#ifndef HS_PATH_CHOOSE_H
#define HS_PATH_CHOOSE_H

#include <stdbool.h>

#include "path/path_point.h"

/* Is point a better than point b? By score; by validation loss where a score is not defined. False for equal ones. */
bool hs_path_is_better(const hs_path_point_t *a, const hs_path_point_t *b);

/* Index of the best of count >= 1 points, beta descending; of equal ones the first, which has the largest beta. */
int hs_path_best(int count, const hs_path_point_t *points);

/* Index of the first point whose score is within one standard error of the best one's: the most regular model that
 * is not clearly worse. The best where scores are not defined. */
int hs_path_within_error(int count, const hs_path_point_t *points);

#endif
