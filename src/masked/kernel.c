/* K_kl = (x_k . x_l) * popcount(m_k & m_l), tile by tile: a product of two slices of rows, then the counts
 * of shared gates while the tile is still in the cache. */
#include <cblas.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base/size.h"
#include "base/threads.h"
#include "masked/kernel.h"
#include "masked/operator.h"

/* shared[k] = number of gates open in both rows, for all rows of a slice against one row. May touch up to
 * three rows more. */
typedef void count_shared_t(int rows, int words, const uint64_t *slice, const uint64_t *own,
                            uint32_t *shared);

/*   slice   words x HS_KERNEL_TILE: word after word, so that the loop runs over rows */
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

static count_shared_t *choose_count(void)
{
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vl")) return count_avx512;
  if (__builtin_cpu_supports("avx2")) return count_avx2;
  if (__builtin_cpu_supports("popcnt")) return count_popcnt;
#endif
  return count_baseline;
}

/* Rows first .. first+rows-1 in float: a view of X, or a copy in `room`. */
static const float *rows_in_float(const hs_masked_t *op, int64_t first, int rows, float *room)
{
  if (op->precision == HS_SINGLE) return (const float *)op->X + first * op->d;
  const double *x = (const double *)op->X + first * op->d;
  for (int64_t i = 0; i < (int64_t)rows * op->d; i++) room[i] = (float)x[i];
  return room;
}

static void slice_masks(const hs_masks_t *masks, int64_t first, int rows, uint64_t *slice)
{
  for (int k = 0; k < rows; k++)
    for (int word = 0; word < masks->words; word++)
      slice[(size_t)word * HS_KERNEL_TILE + (size_t)k] = masks->bits[(first + k) * masks->words + word];
}

/* A tile of K, its upper triangle left alone if it lies on the diagonal. */
static void scale_tile(const hs_masks_t *masks, int64_t column, int columns, int rows, bool diagonal,
                       const uint64_t *slice, float *tile, int stride)
{
  count_shared_t *count = choose_count();
  uint32_t shared[HS_KERNEL_TILE + 4];
  for (int l = 0; l < columns; l++, tile += stride) {
    int start = diagonal ? l : 0;
    count(rows - start, masks->words, slice + start, masks->bits + (column + l) * masks->words, shared);
    for (int k = start; k < rows; k++) tile[k] *= (float)(int)shared[k - start];
  }
}

/* The tiles of the rows row .. row+rows-1 of a block, up to the diagonal. */
static void fill_rows(const hs_masked_t *op, const hs_part_t *part, int64_t first, int count, int row,
                      float *K)
{
  const hs_masks_t *masks = op->masks;
  int d = op->d, rows = (int)hs_min64(HS_KERNEL_TILE, count - row);
  float *high_room = part->slices + (size_t)HS_KERNEL_TILE * (size_t)d;
  const float *low = rows_in_float(op, first + row, rows, part->slices);
  slice_masks(masks, first + row, rows, part->slice_masks);
  for (int column = 0; column <= row; column += HS_KERNEL_TILE) {
    int columns = (int)hs_min64(HS_KERNEL_TILE, count - column);
    float *tile = K + (size_t)column * (size_t)count + (size_t)row;
    if (column == row)
      cblas_ssyrk(CblasColMajor, CblasLower, CblasTrans, rows, d, 1, low, d, 0, tile, count);
    else
      cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, rows, columns, d, 1, low, d,
                  rows_in_float(op, first + column, columns, high_room), d, 0, tile, count);
    scale_tile(masks, first + column, columns, rows, column == row, part->slice_masks, tile, count);
  }
}

void hs_masked_kernel(hs_masked_t *op, int64_t first, int count, float *K)
{
  if (op->masks->gates == 0) {
    memset(K, 0, (size_t)count * (size_t)count * sizeof *K);
    return;
  }
  int threads = hs_parts((count + HS_KERNEL_TILE - 1) / HS_KERNEL_TILE, 1, hs_threads());
  if (threads > op->threads) threads = op->threads;
  if (threads == 1) { /* not a loop of one thread, in which every thread would be number 0 */
    for (int row = 0; row < count; row += HS_KERNEL_TILE)
      fill_rows(op, &op->part[hs_thread()], first, count, row, K);
    return;
  }
#pragma omp parallel for schedule(static, 1) num_threads(threads)
  for (int row = 0; row < count; row += HS_KERNEL_TILE)
    fill_rows(op, &op->part[hs_thread()], first, count, row, K);
}
