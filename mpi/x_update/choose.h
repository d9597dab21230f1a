/* choose.h: which x-update is done soonest, by a model of its cost.                                DESIGN 3, 8
 *
 * Seconds of a solve to a gap of 1e-6 = set-up + iterations x (products + x-update + reductions), from the sizes of
 * the problem and a few rates: flops of matrix products and factors, of masked products and Gram matrices, bytes of
 * memory, latency of a message. The rates were measured (`halfspace bench` shows those of a machine); they are
 * constants here, because a rate that is measured anew differs from run to run, and with it the choice, the iterates
 * and the bits of the result. Only their ratios matter.
 *
 * Numbers alone; not collective.
 */
#ifndef HS_MPI_X_UPDATE_CHOOSE_H
#define HS_MPI_X_UPDATE_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/precision.h"
#include "settings/settings.h"

#define HS_X_KINDS 5 /* with HS_X_AUTO, whose place in lists is idle */

/* The sizes that matter. */
typedef struct hs_x_shape {
  int64_t rows, blocks; /* over all ranks; blocks of block-kernel */
  int d, gates, outputs;
  hs_precision_t precision;
  bool squared; /* is the loss squared? */
} hs_x_shape_t;

typedef struct hs_x_estimate {
  double setup, iteration, iterations; /* seconds, seconds, and how many */
  double seconds;                      /* setup + iterations x iteration */
  double
      bytes; /* of the rank that needs most: data, masks, tables and acceleration are the same for all kinds and not in it */
  bool possible; /* within 32-bit sizes and memory */
} hs_x_estimate_t;

/*   memory  bytes that a rank may take for it
 * estimates[HS_X_KINDS], by kind. */
void hs_x_estimate(const hs_x_shape_t *shape, int ranks, double memory, hs_x_estimate_t *estimates);

/* The choice. It is made for one rank, so that the same problem has the same iterates on any number of them, from
 * those kinds whose iterates do not depend on the ranks; unless that choice is not possible on these ranks, or takes
 * more than half as long again as the best and 0.05 s. */
hs_x_kind_t hs_x_choose(const hs_x_shape_t *shape, int ranks, double memory);

/* "block-kernel", ... */
const char *hs_x_name(hs_x_kind_t kind);

#endif
