/* operator.h: what the parts of the masked operator share.
 *
 * The rows are cut into blocks, the features into chunks of a few vector registers' width. The rows of a
 * block are copied, in the type the product works in, to a panel for every chunk:
 *     panel[row][element]    element < width * elements of a vector, zero beyond the last feature
 * From that, one body of code serves both precisions, the exact variants and every instruction set.
 *
 * Threads share the blocks: each makes the products of its own rows, A' w into a sum of its own, and these
 * are added in the order of the parts.
 */
#ifndef HS_MASKED_OPERATOR_H
#define HS_MASKED_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masked/groups.h"
#include "masked/masked.h"
#include "masked/products.h"
#include "masked/runs.h"

/* Vectors of a chunk in the forward product: narrower chunks spend their time on addresses, the tables of
 * wider ones outgrow the L2 cache. */
#define HS_FORWARD_WIDTH 4

/* Sums that the adjoint product keeps in registers: vectors of a chunk times outputs. They leave room for a
 * factor and a chunk in 16 registers. */
#define HS_SUMS 12

/* What a thread has to itself: rows, and scratch space. */
typedef struct hs_part {
  int64_t first, end;    /* its rows in the products: whole blocks */
  void *tables;          /* forward: entries of all groups; adjoint: sums over the runs of one group */
  void *panels;          /* the rows of a block: chunk after chunk a panel of block x width vectors */
  void *sums;            /* forward: outputs x block vectors, one for each output of a row */
  void *w;               /* adjoint: block x outputs elements, at most 8 bytes each */
  double *s;             /* adjoint: P x C x d, its share; empty for the first part, which needs none */
  float *slices;         /* 2 x HS_KERNEL_TILE x d, rows in float for the kernel; only if X is double */
  uint64_t *slice_masks; /* words x HS_KERNEL_TILE */
} hs_part_t;

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
  bool *wanted;    /* gates of the adjoint product that is under way: whole groups of the runs */
  int threads;     /* how many threads may be at work */
  int parts;       /* how many of them take part in products, which need rows for each: at most `threads` */
  hs_part_t *part; /* `threads` of them; those from `parts` on have no rows, and scratch for kernels alone */
};

#endif
