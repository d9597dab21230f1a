/* lbfgs.h: the limited-memory quasi-Newton method (Liu & Nocedal 1989; Nocedal & Wright, "Numerical Optimization",
 * algorithms 7.4 and 7.5).
 *
 * Steps fulfil  f(x + t p) <= f(x) + 1e-4 t p'g  and  p'g(x + t p) >= 0.9 p'g, the weak conditions of Wolfe: a bracketing
 * search finds such steps of functions with kinks, too, where the strong ones may hold nowhere (Lewis & Overton 2013,
 * "Nonsmooth optimization via quasi-Newton methods"). The value never grows.
 */
#ifndef HS_MINIMISE_LBFGS_H
#define HS_MINIMISE_LBFGS_H

#include "minimise/objective.h"

typedef struct hs_lbfgs_options {
  int memory; /* pairs of differences, 1 or more; 0: 15 */
  double
      tolerance; /* stop when the last 10 iterations lowered the value by less than this share of its size */
  double gradient;         /* stop when the norm of the gradient is at most this; absolute */
  int64_t max_iterations;  /* 0: no limit */
  int64_t max_evaluations; /* 0: no limit */
} hs_lbfgs_options_t;

/* Numbers of memory that a run needs: about 2 memory + 4 vectors. */
int64_t hs_lbfgs_room(int64_t size, const hs_lbfgs_options_t *options);

/* Minimise from x (size numbers), which receives the best point.
 *   room  hs_lbfgs_room(size, options) numbers of scratch: the caller's, so that ranks can agree that all have them
 * HS_NUMERICAL when the value at the start is not finite; else what the function returned. Collective if the function
 * is. */
hs_status_t hs_lbfgs(int64_t size, double *x, hs_objective_t function, void *context,
                     const hs_lbfgs_options_t *options, double *room, hs_minimise_report_t *report);

#endif
