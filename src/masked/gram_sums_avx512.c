#include "masked/gram_sums.h"

#ifdef __x86_64__
#include <immintrin.h>

#define VECTOR_BYTES 64
#define TARGET __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define FMA(x, y, z) _mm512_fmadd_pd(x, y, z)
#define SPLAT(x) _mm512_set1_pd(x)
#include "masked/gram_body.h"

const hs_gram_sums_t hs_gram_sums_avx512 = {LANES, sum, fold};
#endif
