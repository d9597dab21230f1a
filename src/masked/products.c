#include "masked/products.h"

hs_products_t hs_products_choose(hs_precision_t precision)
{
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
    return hs_products_avx512[precision];
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return hs_products_avx2[precision];
#endif
  return hs_products_baseline[precision];
}
