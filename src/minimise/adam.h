/* adam.h: Adam (Kingma & Ba 2015) on full gradients, with steps that fade like a cosine (Loshchilov & Hutter 2017).
 *
 *   m = 0.9 m + 0.1 g,   v = 0.999 v + 0.001 g^2,   x -= step_k  (m / (1 - 0.9^k)) / (sqrt(v / (1 - 0.999^k)) + tiny)
 *   step_k = step rms(x_0) (1 + cos(pi (k-1) / K)) / 2          rms over the entries of the start, 1 if that is zero
 *
 * A step is thus a share of the size of a weight, and the method need not know the units of the function.
 */
#ifndef HS_MINIMISE_ADAM_H
#define HS_MINIMISE_ADAM_H

#include "minimise/objective.h"

typedef struct hs_adam_options {
  double step;            /* largest step of an entry, relative to rms(x_0); 0: 0.05 */
  int64_t max_iterations; /* K > 0; all of them are made unless the function asks to stop */
} hs_adam_options_t;

/* Numbers of memory that a run needs: 4 vectors. */
int64_t hs_adam_room(int64_t size);

/* Minimise from x (size numbers), which receives the best point met, the start included. room, errors and collectivity
 * are as for hs_lbfgs. */
hs_status_t hs_adam(int64_t size, double *x, hs_objective_t function, void *context,
                    const hs_adam_options_t *options, double *room, hs_minimise_report_t *report);

#endif
