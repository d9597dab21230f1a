/* polish.h: from a solution of moderate gap to one of a gap near rounding, by Newton's method on the groups that are
 * on.
 *
 * Proximal point steps with growing sigma, each solved in its dual (dual.h) by Newton's method. The dual objective is
 * differentiable, and its derivative has a generalised one (it is semismooth): Newton steps with a line search descend
 * from any start and end quadratically. Each takes the solution of a system on the groups of u+ that are not zero
 * (newton.h), which tends to the Newton step of the objective in these groups as sigma grows. Groups come and go with
 * the proximal map, the nuclear norm's ranks as well; which of them are on need not be guessed.
 *
 * All products are in double, whatever the precision of the problem. Every step gives weights with their objective and
 * a lower bound; the best of each are kept.
 */
#ifndef HS_MPI_POLISH_POLISH_H
#define HS_MPI_POLISH_POLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/history.h"
#include "mpi/admm/certificate.h"
#include "mpi/admm/problem.h"
#include "mpi/admm/solve.h"

#define HS_POLISH_TOLERANCE 1e-10
#define HS_POLISH_STEPS 500

typedef struct hs_polish_options {
  double
      tolerance; /* relative duality gap wanted; HS_POLISH_TOLERANCE is within reach of nearly all problems */
  int64_t max_steps;       /* Newton steps */
  double max_seconds;      /* 0: none */
  hs_observer_t *observer; /* after every step, with HS_STOP as its only request that counts; NULL: none */
  void *context;
  hs_history_row_t last; /* of the solve before: iterations, times and bytes are counted on from it */
} hs_polish_options_t;

typedef enum hs_polish_end {
  HS_POLISH_CONVERGED,
  HS_POLISH_STEPS_USED,
  HS_POLISH_SECONDS_USED,
  HS_POLISH_STOPPED, /* the observer of a rank asked for it */
  HS_POLISH_STALLED, /* the gap stays where it is */
  HS_POLISH_TROUBLE  /* see message */
} hs_polish_end_t;

/* "converged", "steps", "seconds", "signal", "stalled", "trouble" */
const char *hs_polish_end_name(hs_polish_end_t end);

typedef struct hs_polish_report {
  hs_polish_end_t end;
  char message[HS_ERROR_LENGTH]; /* of HS_POLISH_TROUBLE */
  bool improved;                 /* has u been changed? */
  hs_history_row_t
      last; /* of the last step. rho is 1/(N sigma); the residuals are those of dual.h, outer and inner */
  int64_t steps; /* Newton steps */
  int64_t factorings,
      products; /* systems that were factored; products of conjugate gradients in the others */
  double seconds;
} hs_polish_report_t;

/* Polish.
 *   u            in: start; out: the weights of the lowest objective, never above that of the start. P x C x d,
 *                replicated
 *   certificate  in: bounds known so far (INFINITY, -INFINITY: none); out: at least as good, primal and loss those
 *                of u
 * Always HS_OK: whatever goes wrong is told in the report and leaves the best that was reached by then. Collective. */
hs_status_t hs_polish(const hs_problem_t *problem, const hs_polish_options_t *options, double *u,
                      hs_certificate_t *certificate, hs_polish_report_t *report);

#endif
