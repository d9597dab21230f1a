/* operator.h: what the parts of the masked operator share.
 *
 * The features are cut into chunks of a few vector registers' width, the rows into blocks. For every block
 * and chunk the rows are copied, in the type the product works in, to a panel without gaps:
 *     panel[row][element]    element < width * lanes, zero beyond the last feature
 * With that, one body of code serves both precisions, the exact variants and every instruction set.
 */
#ifndef HS_MASKED_OPERATOR_H
#define HS_MASKED_OPERATOR_H

#include <stddef.h>
#include <stdint.h>

#include "masked/groups.h"
#include "masked/masked.h"
#include "masked/products.h"
#include "masked/runs.h"

#define HS_WIDEST 8 /* registers of a chunk, at most */
#define HS_TILE 5   /* outputs whose sums are kept in registers together, at most */

struct hs_masked {
  hs_precision_t precision;
  int64_t rows;
  int d, outputs;
  const void *X;           /* borrowed */
  const hs_masks_t *masks; /* borrowed */
  int block;               /* rows of a block */
  hs_products_t native, exact;
  hs_patterns_t all;  /* patterns of all gates */
  hs_patterns_t some; /* patterns of the gates with non-zero weights, while these are few */
  int *active;        /* list of those gates */
  hs_runs_t runs;
  void *tables; /* table entries, or sums over runs: entries x width vectors */
  void *panels; /* the rows of a block: chunk after chunk a panel of block x width vectors */
  void *sums;   /* outputs x block vectors */
  void *w;      /* block x outputs elements, at most 8 bytes each */
  float *slices;         /* 2 x HS_KERNEL_TILE x d, rows in float for the kernel; only if X is double */
  uint64_t *slice_masks; /* words x HS_KERNEL_TILE */
  size_t bytes;
};

#endif
