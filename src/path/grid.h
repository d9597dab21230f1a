/* grid.h: the values of beta along a path. Not collective. */
#ifndef HS_PATH_GRID_H
#define HS_PATH_GRID_H

/* points >= 1 values from first down to last, 0 < last <= first, with equal ratios; both ends are exact. One point is
 * the last alone. */
void hs_path_grid(int points, double first, double last, double *beta);

#endif
