/* polish.h: from a solution of moderate gap to one of a gap near rounding, by Newton's method on the groups that are
 * on.
 *
 * Proximal point steps u <- argmin_v P(v) + |v - u|^2 / (2 sigma), each solved in its dual, whose variable is the
 * residual w = -grad L(p) at some predictions p. The dual objective
 *     phi(p) = L*(-w) + |u+|^2 / (2 sigma),     u+ = prox_{sigma beta}(u + sigma A'w)
 * is differentiable with a derivative that Newton's method can use (semismooth), and descends under a line search
 * from any start. Its Newton system concerns the non-zero groups of u+ alone and is the Hessian of the objective in
 * them plus 1/sigma (newton.h): groups come and go with the proximal map, and nothing has to be guessed about which
 * they are. All products are in double, whatever the precision of the problem. Every step gives a point u+, with its
 * objective, and a residual w, with its lower bound (mpi/admm/certificate.h); the best of each are kept.
 */
#ifndef HS_MPI_POLISH_POLISH_H
#define HS_MPI_POLISH_POLISH_H

#include <stdint.h>

#include "base/status.h"
#include "gates/masks.h"
#include "model/history.h"
#include "mpi/admm/certificate.h"
#include "mpi/admm/problem.h"
#include "mpi/admm/solve.h"

typedef struct hs_polish_options {
  double tolerance;        /* relative duality gap wanted */
  int64_t max_steps;       /* Newton steps */
  double max_seconds;      /* 0: none */
  hs_observer_t *observer; /* after every step, like that of hs_solve; NULL: none */
  void *context;
  hs_history_row_t last; /* of the solve before: rows count on from it (iteration, times, bytes) */
} hs_polish_options_t;

typedef enum hs_polish_end {
  HS_POLISH_CONVERGED,
  HS_POLISH_STEPS,
  HS_POLISH_SECONDS,
  HS_POLISH_SIGNAL,
  HS_POLISH_STALLED, /* the gap stays where it is: rounding */
  HS_POLISH_TROUBLE  /* see message */
} hs_polish_end_t;

/* "converged", "steps", "seconds", "signal", "stalled", "trouble" */
const char *hs_polish_end_name(hs_polish_end_t end);

typedef struct hs_polish_report {
  hs_polish_end_t end;
  char message[HS_ERROR_LENGTH]; /* what the trouble was, "" without */
  bool improved;                 /* has u been changed? */
  hs_history_row_t last;         /* of the last step; rho is 1/(N sigma), the residuals those of phi and of u */
  int64_t steps, factorings;     /* Newton steps; systems that were factored, the others took */
  int64_t products;              /* so many products in conjugate gradients */
  double seconds;
} hs_polish_report_t;

/* Polish.
 *   masks        of the problem's gates on its rows
 *   u            in: start; out: the weights of the lowest objective, never above that of the start. P x C x d,
 *                replicated
 *   certificate  in: bounds known so far; out: at least as good, primal and loss those of u
 * Whatever goes wrong is told in the report, and leaves what was reached by then: HS_OK always. Collective. */
hs_status_t hs_polish(const hs_problem_t *problem, const hs_masks_t *masks, const hs_polish_options_t *options,
                      double *u, hs_certificate_t *certificate, hs_polish_report_t *report);

#endif
