/* anderson.h: Anderson acceleration of the consensus iteration (type II; Walker & Ni 2011).
 *
 * The iteration is a fixed-point map  x = (z, p) -> g = (z+, p+)  with residual f = g - x. From the last m steps
 *     gamma = argmin | f - sum_j gamma_j df_j |,      x_next = g - sum_j gamma_j dg_j
 * in the metric  N rho |z|^2 + sum_k lambda_k |p_k|^2, lambda the curvatures of the rows. A is linear, so the
 * image a = A z combines with the same gamma: no product is needed for the accelerated point. z is replicated,
 * p and a are local rows.
 *
 * Differences are stored in float: they shrink as the iteration converges, so their rounding shrinks with them,
 * and the images of plain steps are fresh products. Inner products are summed in double.
 */
#ifndef HS_MPI_ADMM_ANDERSON_H
#define HS_MPI_ADMM_ANDERSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "mpi/checkpoint/state.h"

#define HS_ANDERSON_MOST 50

typedef struct hs_anderson hs_anderson_t;

/*   memory   0 <= m <= HS_ANDERSON_MOST; 0: acceleration is off
 *   weights  length of z on every rank    entries  length of p and a on this rank
 * Not collective, like everything here but where stated. */
hs_status_t hs_anderson_create(hs_anderson_t **anderson, int memory, int64_t weights, int64_t entries);
void hs_anderson_free(hs_anderson_t **anderson);

/* Bytes of a memory of these sizes. */
size_t hs_anderson_bytes(int memory, int64_t weights, int64_t entries);

/* Forget all steps: after a change of the map, or when they mislead.
 *   curvature  lambda of the local rows from now on, entries / outputs of them; copied */
void hs_anderson_reset(hs_anderson_t *anderson, int outputs, const double *curvature);

/* The metric alone, for steps that are kept: read from a checkpoint. */
void hs_anderson_set_curvature(hs_anderson_t *anderson, int outputs, const double *curvature);

/* Take in one step from x = (z, p) to g = (z1, p1) with image a1 = A z1.
 *   sums    hs_anderson_sums(anderson) numbers: this rank's share of the inner products of p; to be added up
 *           over ranks by the caller */
void hs_anderson_take(hs_anderson_t *anderson, const double *z, const double *p, const double *z1,
                      const double *p1, const double *a1, double *sums);

/* The memory as part of a checkpoint: its counts, then, with these in place, its arrays. The curvature is the
 * caller's. */
#define HS_ANDERSON_COUNTS 4
void hs_anderson_get_counts(const hs_anderson_t *anderson, int64_t counts[HS_ANDERSON_COUNTS]);
hs_status_t hs_anderson_set_counts(hs_anderson_t *anderson, const int64_t counts[HS_ANDERSON_COUNTS]);
void hs_anderson_describe(hs_anderson_t *anderson, int outputs, hs_state_t *state);

/* How many sums a step produces: 2 m + 1. The last one is |f_p|^2. */
int hs_anderson_sums(const hs_anderson_t *anderson);

/* |f|^2 of the step last taken, given the sums over all ranks and the metric N rho of z. */
double hs_anderson_residual(const hs_anderson_t *anderson, const double *sums, double metric);

/* |z+ - z|^2 of the step last taken: by itself, since the difference of two residuals would cancel. */
double hs_anderson_change(const hs_anderson_t *anderson);

/* Replace (z, p, a) by the accelerated point, or by the plain step g when no steps are remembered.
 *   sums  over all ranks     z, p, a  overwritten
 * Returns sum_j |gamma_j|, 0 for a plain step. Identical on all ranks. */
double hs_anderson_combine(hs_anderson_t *anderson, const double *sums, double metric, const double *z1,
                           const double *p1, const double *a1, double *z, double *p, double *a);

#endif
