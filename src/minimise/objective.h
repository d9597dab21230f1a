/* objective.h: what a method of minimisation asks of a smooth function, and what it reports.
 *
 * Vectors are replicated: with several ranks every one of them runs the method on the same numbers, and the function
 * may be collective. Methods decide on nothing but what the function returns, so that ranks stay together if it
 * returns the same bits on all of them.
 */
#ifndef HS_MINIMISE_OBJECTIVE_H
#define HS_MINIMISE_OBJECTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Value and gradient at x. *stop is false before; true asks the method to end with the best point so far. Any status
 * but HS_OK ends it too, and is passed on. A value that is infinite or NaN means: outside of the domain. */
typedef hs_status_t (*hs_objective_t)(void *context, const double *x, double *value, double *gradient,
                                      bool *stop);

typedef enum hs_minimise_stop {
  HS_MINIMISE_DECREASE,    /* the value hardly falls any more */
  HS_MINIMISE_GRADIENT,    /* the gradient is small */
  HS_MINIMISE_ITERATIONS,  /* budget */
  HS_MINIMISE_EVALUATIONS, /* budget */
  HS_MINIMISE_ASKED,       /* the function asked to stop */
  HS_MINIMISE_STUCK        /* no step along the negative gradient lowers the value: a kink, or rounding */
} hs_minimise_stop_t;

typedef struct hs_minimise_report {
  double start, end; /* values; end <= start */
  double gradient;   /* norm at the end */
  int64_t iterations, evaluations;
  hs_minimise_stop_t stop;
} hs_minimise_report_t;

#endif
