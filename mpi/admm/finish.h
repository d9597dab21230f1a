/* finish.h: Newton's method on the groups that are on, once they have stayed the same for a few iterations.
 *
 * Squared loss, joint or per-output groups. With S the groups on, G = A_S'A_S and c = A_S'Y, the objective on S is
 *     f(u) = 1/2 u'G u - c'u + beta sum_S |u_i|,      smooth where no u_i is zero,
 *     H = G + beta blockdiag( (I - e e') / |u_i| ),   e = u_i/|u_i|.
 * A few damped Newton steps in these unknowns take the place of some dozens of iterations. The iteration then goes on
 * from there: its own step corrects S, and its certificate judges. A trial that does not bring the gap down is taken
 * back. G is made when S changes, and only where that costs less than the iterations it can save; the products with
 * the rows are one A z for each trial.
 *
 * Unlike mpi/polish, which reaches the accuracy of rounding for every loss and norm, this is part of the iteration.
 */
#ifndef HS_MPI_ADMM_FINISH_H
#define HS_MPI_ADMM_FINISH_H

#include <stdbool.h>
#include <stdint.h>

#include "mpi/admm/problem.h"
#include "mpi/comm/reduce.h"

typedef struct hs_finish hs_finish_t;

/*   problem    what is iterated on, borrowed
 *   given      the problem on the rows of the data, borrowed
 *   c          A'Y summed over ranks, P x C x d; copied
 *   iteration  modelled seconds of one iteration on one rank: decides when a Newton step is worth its cost
 * *finish is NULL, with HS_OK, for losses and norms it cannot do. Not collective. */
hs_status_t hs_finish_create(hs_finish_t **finish, const hs_problem_t *problem, const hs_problem_t *given,
                             const double *c, double iteration);
void hs_finish_free(hs_finish_t **finish);

/* A number that tells which groups of u are on; equal for equal sets. Not collective. */
int64_t hs_finish_pattern(const hs_finish_t *finish, const double *u);

/* The groups whose matrix is at hand, 0: none; and what a checkpoint says of them, so that the matrix is made once more
 * without being counted once more. Not collective. */
int64_t hs_finish_made(const hs_finish_t *finish);
void hs_finish_was_made(hs_finish_t *finish, int64_t pattern);

/* What a call of hs_finish_step on the groups of u costs, in iterations of the model; INFINITY when it cannot be worth
 * that. Not collective, the same on all ranks. */
double hs_finish_cost(const hs_finish_t *finish, const double *u);

/* u <- a point of lower objective with the same groups, replicated. *moved is false, and u as it was, when none was
 * found. HS_NO_MEMORY on all ranks when it is short on one. Collective. */
hs_status_t hs_finish_step(hs_finish_t *finish, double *u, bool *moved, hs_traffic_t *traffic);

#endif
