/* gram_private.h: what the parts of the Gram matrix share. */
#ifndef HS_MASKED_GRAM_PRIVATE_H
#define HS_MASKED_GRAM_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gates/masks.h"
#include "masked/gram.h"
#include "masked/gram_plan.h"
#include "masked/gram_sums.h"

/* What a thread has to itself. */
typedef struct hs_gram_room {
  uint8_t *keys; /* of the rows of a chunk: patterns in a group */
  uint32_t *
      by_class; /* the rows of a chunk, counted from its first, in the order of their patterns in one group */
  uint64_t *masks; /* words x slab: the masks of the rows of a slab, word after word */
  double *x, *w;   /* features of the rows of a slab, and the same times lambda: slab x side */
  uint32_t *run;   /* the rows of a slab in the order of their patterns in the other group */
  double *buckets; /* 2^most_bits of them */
} hs_gram_room_t;

struct hs_masked_gram {
  const hs_masks_t *masks; /* borrowed */
  const void *X;           /* borrowed */
  hs_precision_t precision;
  int d, threads;
  bool wide;     /* d > HS_GRAM_WIDE: BLAS makes the sums, on all threads */
  int side;      /* d rounded up to whole vectors */
  size_t stride; /* doubles from one bucket to the next */
  int64_t chunk; /* rows sorted at a time */
  int slab;      /* rows of a class that are worked on at a time */
  hs_gram_sums_t sums;
  hs_gram_plan_t plan;  /* of the last block */
  hs_gram_room_t *room; /* one per thread that makes sums */
  int rooms;
};

#endif
