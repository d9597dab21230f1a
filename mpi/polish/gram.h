/* gram.h: A_S' H A_S of some gates S, dense and replicated: the Hessian of the loss in their weights.
 *
 * For outputs c >= e the block
 *     G_ce = sum over rows k of H_k[c, e] x~_k x~_k'      x~_k: the gates of S one after the other, x_k where the
 *                                                         gate is open and 0 where it is shut
 * is symmetric, N x N with N = |S| d. There is one block for the squared loss, the same for all outputs; C for losses
 * that do not couple outputs; C (C+1)/2 for softmax. The matrix of the squared loss is the same at all points, and is
 * made anew only when a gate is missing in it.
 */
#ifndef HS_MPI_POLISH_GRAM_H
#define HS_MPI_POLISH_GRAM_H

#include <stdbool.h>

#include "base/status.h"
#include "mpi/admm/problem.h"
#include "mpi/comm/reduce.h"
#include "mpi/polish/curvature.h"

typedef struct hs_gram {
  const hs_problem_t *problem; /* borrowed */
  int *place;                  /* per gate: its place in S, -1: not in S; owned */
  int *gates;                  /* S, ascending; owned */
  int count, blocks;
  int64_t side;     /* N */
  double *values;   /* blocks x N x N, owned */
  double *expanded; /* a piece of rows of A_S, and the same with weights; owned */
  double *weighted;
  int64_t values_room, expanded_room, weighted_room; /* doubles that they have room for */
} hs_gram_t;

hs_status_t hs_gram_create(hs_gram_t *gram, const hs_problem_t *problem);
void hs_gram_free(hs_gram_t *gram);

/* Number of blocks. Not collective. */
int hs_gram_blocks(const hs_problem_t *problem);

/* Has the matrix to be made for these gates, or is it at hand? Not collective, the same on all ranks. */
bool hs_gram_has(const hs_gram_t *gram, const bool *marked);

/* Make the blocks of the marked gates (at least one), for the given curvature.
 *   most   gates that S may have; gates that it holds already are kept up to there, for the squared loss
 * Collective; HS_NO_MEMORY on all ranks when it is short on one. */
hs_status_t hs_gram_make(hs_gram_t *gram, const bool *marked, int most, const hs_curvature_t *curvature,
                         hs_traffic_t *traffic);

/* The block of outputs c and e: N x N, both triangles; NULL when it is zero. */
const double *hs_gram_block(const hs_gram_t *gram, int c, int e);

#endif
