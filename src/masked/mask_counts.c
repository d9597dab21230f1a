#include "masked/mask_counts.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

void hs_slice_masks(const uint64_t *masks, int rows, int words, uint64_t *slice)
{
  for (int k = 0; k < rows; k++)
    for (int word = 0; word < words; word++)
      slice[(size_t)word * HS_KERNEL_TILE + (size_t)k] = masks[(size_t)k * (size_t)words + (size_t)word];
}

static inline __attribute__((always_inline)) void count_words(int rows, int words, const uint64_t *slice,
                                                              const uint64_t *own, uint32_t *shared)
{
  for (int k = 0; k < rows; k++) shared[k] = (uint32_t)__builtin_popcountll(slice[k] & own[0]);
  for (int word = 1; word < words; word++) {
    slice += HS_KERNEL_TILE;
    for (int k = 0; k < rows; k++) shared[k] += (uint32_t)__builtin_popcountll(slice[k] & own[word]);
  }
}

static void count_baseline(int rows, int words, const uint64_t *slice, const uint64_t *own, uint32_t *shared)
{
  count_words(rows, words, slice, own, shared);
}

#ifdef __x86_64__
__attribute__((target("popcnt"))) static void count_popcnt(int rows, int words, const uint64_t *slice,
                                                           const uint64_t *own, uint32_t *shared)
{
  count_words(rows, words, slice, own, shared);
}

/* Set bits of every byte by looking up its two halves, then sums over the bytes of each word. */
__attribute__((target("avx2"))) static inline __m256i popcount4(__m256i words)
{
  const __m256i of_half = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2,
                                           2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i half = _mm256_set1_epi8(15);
  __m256i low = _mm256_shuffle_epi8(of_half, _mm256_and_si256(words, half));
  __m256i high = _mm256_shuffle_epi8(of_half, _mm256_and_si256(_mm256_srli_epi16(words, 4), half));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

__attribute__((target("avx2"))) static void count_avx2(int rows, int words, const uint64_t *slice,
                                                       const uint64_t *own, uint32_t *shared)
{
  const __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
  for (int k = 0; k < rows; k += 4) {
    __m256i sum = _mm256_setzero_si256();
    for (int word = 0; word < words; word++) {
      __m256i theirs = _mm256_loadu_si256((const __m256i *)(slice + (size_t)word * HS_KERNEL_TILE + k));
      __m256i both = _mm256_and_si256(theirs, _mm256_set1_epi64x((long long)own[word]));
      sum = _mm256_add_epi64(sum, popcount4(both));
    }
    __m256i packed = _mm256_permutevar8x32_epi32(sum, even);
    _mm_storeu_si128((__m128i *)(shared + k), _mm256_castsi256_si128(packed));
  }
}

__attribute__((target("avx512f,avx512vl,avx512vpopcntdq"))) static void
count_avx512(int rows, int words, const uint64_t *slice, const uint64_t *own, uint32_t *shared)
{
  count_words(rows, words, slice, own, shared);
}
#endif

hs_count_shared_t *hs_count_shared_choose(void)
{
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vl")) return count_avx512;
  if (__builtin_cpu_supports("avx2")) return count_avx2;
  if (__builtin_cpu_supports("popcnt")) return count_popcnt;
#endif
  return count_baseline;
}
