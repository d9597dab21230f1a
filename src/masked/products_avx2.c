#include "masked/products.h"

#ifdef __x86_64__
#include <immintrin.h>

#define REAL float
#define VECTOR_BYTES 32
#define TARGET __attribute__((target("avx2,fma")))
#define FMA(x, y, z) _mm256_fmadd_ps(x, y, z)
#define SPLAT(x) _mm256_set1_ps(x)
#define NAME(stem) stem##_single
#include "masked/body.h"

#define REAL double
#define VECTOR_BYTES 32
#define TARGET __attribute__((target("avx2,fma")))
#define FMA(x, y, z) _mm256_fmadd_pd(x, y, z)
#define SPLAT(x) _mm256_set1_pd(x)
#define NAME(stem) stem##_double
#include "masked/body.h"

const hs_products_t hs_products_avx2[2] = {{32, forward_single, adjoint_single},
                                           {32, forward_double, adjoint_double}};
#endif
