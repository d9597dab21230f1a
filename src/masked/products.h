/* products.h: the two products in one element type and one instruction set.
 *
 * One body of code (body.h) is compiled for the baseline of the target processor and, on x86, for AVX2 and
 * AVX-512; the processor decides at run time which one is used.
 */
#ifndef HS_MASKED_PRODUCTS_H
#define HS_MASKED_PRODUCTS_H

#include "base/precision.h"
#include "masked/groups.h"
#include "masked/masked.h"

struct hs_part; /* operator.h */

/* Both for the rows of one part: forward fills these rows of a; adjoint overwrites s (P x C x d) with their sum,
 * the blocks of op->wanted alone. */
typedef struct hs_products {
  int vector_bytes;
  void (*forward)(const hs_masked_t *op, const struct hs_part *part, const hs_patterns_t *patterns,
                  const double *u, double *a);
  void (*adjoint)(const hs_masked_t *op, const struct hs_part *part, const double *w, double *s);
} hs_products_t;

/* Indexed by precision. */
extern const hs_products_t hs_products_baseline[2];
#ifdef __x86_64__
extern const hs_products_t hs_products_avx2[2];
extern const hs_products_t hs_products_avx512[2];
#endif

/* The widest instruction set of this processor. */
hs_products_t hs_products_choose(hs_precision_t precision);

#endif
