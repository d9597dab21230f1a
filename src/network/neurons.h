/* neurons.h: the hidden neurons of a two-layer ReLU network, and what can be done with them without looking at data.
 *
 *     f(x) = sum_k max(0, x'w_k) a_k        w_k in R^d (row k of W1), a_k in R^C (row k of W2)
 *
 * Scaling w_k by t > 0 and a_k by 1/t changes nothing; the least weight decay beta/2 (|w_k|^2 + |a_k|^2) over all t
 * is beta |w_k| |a_k|. That is the penalty used everywhere, whatever the scaling (FORMULATIONS.md 0.3). The penalty is not
 * convex in (W1, W2); it is in the products a_k w_k' for fixed activations.
 * Not collective; networks are replicated on all ranks.
 */
#ifndef HS_NETWORK_NEURONS_H
#define HS_NETWORK_NEURONS_H

#include "base/status.h"

typedef struct hs_neurons {
  int d, outputs;
  int count, room; /* neurons, and for how many there is memory */
  double *W1;      /* count x d row-major, owned */
  double *W2;      /* count x C row-major, owned */
} hs_neurons_t;

/* None yet. Nothing is allocated. */
void hs_neurons_init(hs_neurons_t *neurons, int d, int outputs);

/* Frees what is inside; the structure is empty afterwards, of the same sizes. */
void hs_neurons_clear(hs_neurons_t *neurons);

/* Room for at least so many. HS_NO_MEMORY leaves the neurons as they were. */
hs_status_t hs_neurons_reserve(hs_neurons_t *neurons, int room);

/* w (d) and a (C) are copied; a may be NULL for zeros. */
hs_status_t hs_neurons_add(hs_neurons_t *neurons, const double *w, const double *a);

/* to := a copy of from. */
hs_status_t hs_neurons_copy(hs_neurons_t *to, const hs_neurons_t *from);

/* sum_k |w_k| |a_k| */
double hs_neurons_norm(const hs_neurons_t *neurons);

/* |w_k| = |a_k| for all k: the scaling of least weight decay. Neurons with w_k or a_k zero become zero. */
void hs_neurons_balance(hs_neurons_t *neurons);

/* |w_k| = 1 for all k: directions in W1, all of the size in W2. Neurons with w_k = 0 become zero. */
void hs_neurons_normalise(hs_neurons_t *neurons);

/* Drop the neurons with |w_k| |a_k| <= least, keeping the order; returns how many went. */
int hs_neurons_prune(hs_neurons_t *neurons, double least);

/* Neurons whose directions differ by no more than the angle `apart` (radians; 0: the same to rounding) become one:
 * the sum of |w| a along the larger one's direction. With apart = 0 the function stays the same to rounding and the norm
 * does not grow (triangle inequality). Returns how many went. Cost count^2 d. */
int hs_neurons_merge(hs_neurons_t *neurons, double apart);

#endif
