/* penalty.h: the penalty rho of the consensus iteration, and the curvatures of its quadratic models.
 *
 * Start: with H_b = Lambda^1/2 K_b Lambda^1/2,  mean = tr H_b / (P d)  and  root = |H_b|_F / sqrt(P d), both averaged
 * over up to 16 blocks,
 *     rho = c root (root / mean)^0.4
 * The best values found by search lie at 1.4 mean for Gaussian data (root = 4 mean), at 6 mean for nearly
 * orthogonal features (17 mean), at 18 mean for MNIST (25 mean) and at 80 mean for smooth images (66 mean): the
 * faster the spectrum decays, the further up. The formula goes through them.
 *
 * One block of a squared loss has no other blocks to agree with, and what counts is the curvature beta / |u_i| of the
 * penalty across its groups. Its mean is estimated at the Cauchy step from zero along s = A'Y:
 *     T = sqrt(P) beta |A s|^2 / |s|^3,      rho = 0.53 T^0.8 root^0.2 (mean / root)^0.8
 * fitted to nine kinds of data at three beta each: within 11 % of the iterations of the best rho on average, where the
 * other formula takes more than twice as many. It is never changed.
 *
 * A change costs a factoring of all blocks, so there are few: at iterations 12, 24, 48 and 96 the ratio of
 * dual to primal residual, averaged over the last steps, may move rho; not for beta above 5 % of beta_max, where
 * it never paid. Losses that are not quadratic renew their curvatures lambda_k, and with them rho, at
 * iterations 10, 20 and 40, and return to the bound of the curvature should the gap stop falling.
 */
#ifndef HS_MPI_ADMM_PENALTY_H
#define HS_MPI_ADMM_PENALTY_H

#include <stdbool.h>

#include "model/history.h"
#include "mpi/admm/problem.h"
#include "mpi/x_update/x_update.h"

#define HS_PENALTY_WINDOW 8

typedef struct hs_penalty {
  double rho;
  double start;                      /* the first spectral estimate */
  double blocks;                     /* N */
  double tangent;                    /* of one block: T / beta below; 0: not known */
  double one_block;                  /* rho / beta^0.8 of one block; 0: not such a problem */
  bool fixed;                        /* rho was given by the user */
  bool measured;                     /* the spectral estimate is known */
  int fall_backs;                    /* 1: curvatures stay at their bound; 2: and rho at its start */
  double checked_gap;                /* relative gap at the last check of progress; 0: none yet */
  double balance[HS_PENALTY_WINDOW]; /* log(dual / primal residual) of the last iterations, a ring */
} hs_penalty_t;

/* rho > 0 fixes it; 0: automatic.   blocks  N. Not collective. */
void hs_penalty_start(hs_penalty_t *penalty, double blocks, double rho);

/* N rho: the metric of z. */
double hs_penalty_metric(const hs_penalty_t *penalty);

/* Curvatures per row for the next factoring, at the predictions p (rows x C), and rho from them where it is
 * still to be found or where the curvatures moved. Collective. */
void hs_penalty_set_curvature(hs_penalty_t *penalty, const hs_problem_t *problem, hs_x_update_t *update,
                              const double *p, double *curvature);

/* For another beta: rho of one block follows it. True: the block has to be factored anew. */
bool hs_penalty_follow(hs_penalty_t *penalty, double beta);

/* Change rho or curvatures after this iteration? True: the blocks have to be factored anew. Decided from reduced
 * values alone, hence alike on all ranks. */
bool hs_penalty_adapt(hs_penalty_t *penalty, const hs_problem_t *problem, const hs_history_row_t *row);

#endif
