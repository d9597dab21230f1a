#include "masked/gram_sums.h"

#ifdef __x86_64__
#include <immintrin.h>

#define VECTOR_BYTES 32
#define TARGET __attribute__((target("avx2,fma")))
#define FMA(x, y, z) _mm256_fmadd_pd(x, y, z)
#define SPLAT(x) _mm256_set1_pd(x)
#include "masked/gram_body.h"

const hs_gram_sums_t hs_gram_sums_avx2 = {LANES, sum, fold};
#endif
