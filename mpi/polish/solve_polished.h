/* solve_polished.h: the consensus iteration (mpi/admm/solve.h) down to a moderate gap, and from there Newton's method
 * (polish.h).
 *
 * The iteration hands over at the larger of the tolerance and HS_POLISH_HANDOVER; measured, anything from 1e-2 to 1e-5
 * costs about the same in all, and a start of 1e-4 needs few of the steps that grow with the problem. Where it ends at
 * its budget of iterations, what it has is polished as well. The goal of the polish is the tolerance if that is below
 * HS_POLISH_AMBITION, else HS_POLISH_TOLERANCE.
 */
#ifndef HS_MPI_POLISH_SOLVE_POLISHED_H
#define HS_MPI_POLISH_SOLVE_POLISHED_H

#include "mpi/polish/polish.h"

#define HS_POLISH_HANDOVER 1e-4
#define HS_POLISH_AMBITION 1e-6

typedef struct hs_polished {
  bool begun;         /* has the polish begun? An observer may look at this and at iterations */
  bool unfinished;    /* neither tolerance nor a budget was reached: plain iterations may get further */
  int64_t iterations; /* of the consensus iteration; the polish counts on from there */
  double seconds;     /* of the consensus iteration, set-up included */
  hs_polish_report_t report; /* of the polish */
} hs_polished_t;

/* The gap of a run with this tolerance at which the iteration ends, and the one that the polish aims at. */
double hs_polish_handover(double tolerance);
double hs_polish_goal(double tolerance);

/* Solve, then polish.
 *   options   as for hs_solve, the tolerance that of the run. A checkpoint is written where the iteration hands over:
 *             a run that is resumed polishes at once, from the same weights. It names "signal" as the reason
 *   met_at    resumed: the first iteration whose gap was good enough to hand over; 0: none yet, or not resumed
 *   observer  after every iteration and every step of the polish
 *   *solution as of hs_solve, with the better weights and bounds of the two. HS_STOP_CONVERGED when the gap is at
 *             options->tolerance or below, even if the polish did not get as far as it wanted
 * Collective. Errors are those of hs_solve; the polish makes none. */
hs_status_t hs_solve_polished(const hs_problem_t *problem, const hs_solve_options_t *options, int64_t met_at,
                              hs_observer_t *observer, void *context, hs_solution_t *solution,
                              hs_polished_t *polished);

/* Take the weights and bounds of another solution of the problem where they are the better ones. True when the gap
 * has become smaller by it. Not collective; the same on all ranks. */
bool hs_solution_combine(const hs_problem_t *problem, hs_solution_t *solution, const hs_solution_t *other);

#endif
