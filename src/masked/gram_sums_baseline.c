/* Vectors of 16 bytes are in the baseline of every 64-bit processor; elsewhere the compiler splits them. */
#define VECTOR_BYTES 16
#define TARGET
#define FMA(x, y, z) ((x) * (y) + (z))
#define SPLAT(x) ((vec_t){0} + (x))
#include "masked/gram_body.h"

const hs_gram_sums_t hs_gram_sums_baseline = {LANES, sum, fold};
