#include "masked/gram_sums.h"

hs_gram_sums_t hs_gram_sums_choose(void)
{
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return hs_gram_sums_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return hs_gram_sums_avx2;
#endif
  return hs_gram_sums_baseline;
}
