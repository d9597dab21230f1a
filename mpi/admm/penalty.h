/* penalty.h: the penalty rho of the consensus iteration, and the curvature of its quadratic models. */
#ifndef HS_MPI_ADMM_PENALTY_H
#define HS_MPI_ADMM_PENALTY_H

#include <stdbool.h>

#include "block/block_inverse.h"
#include "model/history.h"
#include "mpi/admm/problem.h"

typedef struct hs_penalty {
  double rho;
  double blocks; /* N */
  bool fixed;
  int64_t last_change;
  int changes;
} hs_penalty_t;

/* rho > 0 fixes it; 0 takes a spectral estimate from the kernels. Collective. */
void hs_penalty_start(hs_penalty_t *penalty, const hs_problem_t *problem, hs_block_inverse_t *inverse,
                      double rho);

/* N rho: the metric of z. */
double hs_penalty_metric(const hs_penalty_t *penalty);

/* Curvature per row for the next factoring, from predictions p (rows x C). Not collective. */
void hs_penalty_curvature(const hs_penalty_t *penalty, const hs_problem_t *problem, const double *p,
                          double *curvature);

/* Change rho (or only the curvatures) after this iteration? True: the blocks have to be factored anew.
 * Decided from reduced values alone. */
bool hs_penalty_adapt(hs_penalty_t *penalty, const hs_problem_t *problem, const hs_history_row_t *row);

#endif
