/* K_kl = (x_k . x_l) * popcount(m_k & m_l), tile by tile: a product of two slices of rows, then the counts
 * of shared gates while the tile is still in the cache. */
#include <cblas.h>
#include <string.h>

#include "base/size.h"
#include "base/threads.h"
#include "masked/kernel.h"
#include "masked/mask_counts.h"
#include "masked/operator.h"

/* Rows first .. first+rows-1 in float: a view of X, or a copy in `room`. */
static const float *rows_in_float(const hs_masked_t *op, int64_t first, int rows, float *room)
{
  if (op->precision == HS_SINGLE) return (const float *)op->X + first * op->d;
  const double *x = (const double *)op->X + first * op->d;
  for (int64_t i = 0; i < (int64_t)rows * op->d; i++) room[i] = (float)x[i];
  return room;
}

/* A tile of K, its upper triangle left alone if it lies on the diagonal. */
static void scale_tile(const hs_masks_t *masks, int64_t column, int columns, int rows, bool diagonal,
                       const uint64_t *slice, float *tile, int stride)
{
  hs_count_shared_t *count = hs_count_shared_choose();
  uint32_t shared[HS_KERNEL_TILE + HS_COUNT_PAST];
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
  hs_slice_masks(masks->bits + (first + row) * masks->words, rows, masks->words, part->slice_masks);
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
