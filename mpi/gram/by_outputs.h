/* by_outputs.h: weights in other orders. Everywhere else they are P x C x d: gate, output, feature. The matrices of
 * order P d are the same for every output and number their rows i d + j. Also the tile that suits these matrices.
 * Not collective.
 */
#ifndef HS_MPI_GRAM_BY_OUTPUTS_H
#define HS_MPI_GRAM_BY_OUTPUTS_H

#include "mpi/admm/problem.h"

/* To C x (P d), and back. */
void hs_by_outputs(const hs_problem_t *problem, const double *u, double *U);
void hs_by_gates(const hs_problem_t *problem, const double *U, double *u);

/* To (P d) x C, and back. */
void hs_by_rows(const hs_problem_t *problem, const double *u, double *U);
void hs_from_rows(const hs_problem_t *problem, const double *U, double *u);

/* Tile of a spread matrix of order P d: cut at multiples of d where they are near the usual size, so that a gate
 * lies in one tile; 0 (automatic) for large d. */
int hs_gram_tile(int d);

#endif
