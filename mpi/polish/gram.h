/* gram.h: A_S' H A_S of some gates S, dense and replicated: the Hessian of the loss in their weights.
 *
 * For outputs c >= e the block
 *     G_ce = sum over rows k of H_k[c, e] x~_k x~_k'      x~_k = the gates of S one after the other, x_k where the
 *                                                         gate is open and 0 where it is shut
 * is symmetric, N x N with N = |S| d. There is one block for the squared loss (the same for all outputs), C for losses
 * that do not couple outputs, C (C+1)/2 for softmax. The Gram matrix of the squared loss does not change between
 * steps and is kept as long as it holds the gates asked for.
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
  const hs_masks_t *masks;     /* borrowed */
  int *place;                  /* per gate: its place in S, -1: not in S; owned */
  int *gates;                  /* S, ascending; owned */
  int count, blocks;
  int64_t side;     /* N */
  double *values;   /* blocks x N x N, owned */
  int64_t room;     /* doubles that values has room for */
  double *expanded; /* a piece of rows, expanded; owned */
  double *weighted;
  int64_t piece_room;
  bool mean; /* one block of the mean curvature of the outputs */
} hs_gram_t;

hs_status_t hs_gram_create(hs_gram_t *gram, const hs_problem_t *problem, const hs_masks_t *masks);
void hs_gram_free(hs_gram_t *gram);

/* Doubles that the blocks of `gates` gates take. Not collective. */
double hs_gram_size(const hs_problem_t *problem, int gates);

/* Make the blocks of the gates that are marked, for the current curvature.
 *   mean  one block, of the mean over outputs of H_k[c, c]
 * Collective; HS_NO_MEMORY on all ranks when it is short on one. */
hs_status_t hs_gram_make(hs_gram_t *gram, const bool *marked, const hs_curvature_t *curvature, bool mean,
                         hs_traffic_t *traffic);

/* The block of outputs c and e: N x N, both triangles; NULL when it is zero. */
const double *hs_gram_block(const hs_gram_t *gram, int c, int e);

#endif
