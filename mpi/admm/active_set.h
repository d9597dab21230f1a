/* active_set.h: the masked gradients s = A' w of an iteration, but for those that cannot matter.
 *
 * A gate without weights keeps none as long as ||s_i||_* <= beta, whatever s_i is. Its norm is known from the last
 * time it was computed, and cannot have grown faster than w has moved since:
 *     bound_i = ||s_i||_* when computed  +  sum over the iterations since then of size_i |w - w before|
 * (gate_size.h). While z_i = 0 and bound_i <= beta, the gate is passed over: the iterates are those of the full
 * computation, and in the scale of the dual point its bound, at most beta, stands for its norm, so that the
 * certificate stays a proof. Nothing is assumed about how w moves.
 *
 * Gates are computed in groups (masked.h), here those of rank 0; a group is passed over when all of its gates are.
 * Gates that are computed only for their group's sake are counted, and once that has cost as much as sorting the gates anew, they are
 * sorted by the distance that w has to go until they have to be looked at.
 *
 * Everything is decided from reduced values, hence alike on all ranks.
 */
#ifndef HS_MPI_ADMM_ACTIVE_SET_H
#define HS_MPI_ADMM_ACTIVE_SET_H

#include <stdbool.h>

#include "mpi/admm/problem.h"
#include "mpi/checkpoint/state.h"
#include "mpi/comm/reduce.h"

typedef struct hs_active_set hs_active_set_t;

/* The problem is borrowed; its beta may be changed at any time. A reduced problem has all gradients computed. Not
 * collective. */
hs_status_t hs_active_set_create(hs_active_set_t **set, const hs_problem_t *problem);
void hs_active_set_free(hs_active_set_t **set);

/* Bytes of a set for these sizes. */
size_t hs_active_set_bytes(int gates, int d, int64_t entries);

/* s = A' w summed over ranks; zero for the gates that were passed over.
 *   z      P x C x d, the weights that the next step starts from, the same on all ranks
 *   w      rows x C
 *   s      P x C x d and `extra` numbers behind, which are summed as well; the same on all ranks on return
 * Returns an upper bound of max_i ||s_i||_*, and the maximum itself if that is above beta. Collective. */
double hs_active_set_gradient(hs_active_set_t *set, const double *z, const double *w, double *s, int extra,
                              hs_traffic_t *traffic);

/* P flags: was the gate computed the last time? Borrowed. Not collective. */
const bool *hs_active_set_computed(const hs_active_set_t *set);

/* What a checkpoint has to hold for the same bits, and what is to be done after it has been read. Not collective. */
void hs_active_set_describe(hs_active_set_t *set, hs_state_t *state);
void hs_active_set_restored(hs_active_set_t *set);

#endif
