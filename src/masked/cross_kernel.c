/* Tile by tile: a product of two slices of rows, then the counts of shared gates while the tile is still in the
 * cache. */
#include "masked/cross_kernel.h"

#include <cblas.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"
#include "masked/mask_counts.h"

#define TILE HS_KERNEL_TILE

/* What a thread has to itself. */
typedef struct room {
  float *tile;     /* TILE x TILE, features in float only */
  uint64_t *slice; /* words x TILE */
} room_t;

struct hs_cross_kernel {
  hs_precision_t precision;
  int d, words, threads;
  hs_count_shared_t *count;
  room_t *room; /* one per thread */
};

/* Sizes of a thread's room. */
static size_t tile_size(hs_precision_t precision)
{
  return precision == HS_SINGLE ? (size_t)TILE * TILE : 0;
}

static size_t slice_size(int words)
{
  return (size_t)words * TILE + HS_COUNT_PAST;
}

hs_status_t hs_cross_kernel_create(hs_cross_kernel_t **out, hs_precision_t precision, int d, int gates)
{
  *out = NULL;
  hs_cross_kernel_t *kernel = hs_alloc(1, sizeof *kernel, "kernel");
  if (kernel == NULL) return HS_NO_MEMORY;
  *kernel = (hs_cross_kernel_t){.precision = precision, .d = d, .words = (gates + 63) / 64};
  kernel->threads = hs_threads();
  kernel->count = hs_count_shared_choose();
  kernel->room = hs_alloc((size_t)kernel->threads, sizeof *kernel->room, "kernel");
  bool good = kernel->room != NULL;
  for (int thread = 0; good && thread < kernel->threads; thread++) {
    room_t *room = &kernel->room[thread];
    room->tile = hs_alloc(tile_size(precision), sizeof *room->tile, "tiles of the kernel");
    room->slice = hs_alloc(slice_size(kernel->words), sizeof *room->slice, "tiles of the kernel");
    good = room->tile != NULL && room->slice != NULL;
  }
  if (!good) hs_cross_kernel_free(&kernel);
  *out = kernel;
  return good ? HS_OK : HS_NO_MEMORY;
}

void hs_cross_kernel_free(hs_cross_kernel_t **out)
{
  hs_cross_kernel_t *kernel = *out;
  if (kernel == NULL) return;
  for (int thread = 0; kernel->room != NULL && thread < kernel->threads; thread++) {
    hs_free(kernel->room[thread].tile);
    hs_free(kernel->room[thread].slice);
  }
  hs_free(kernel->room);
  hs_free(kernel);
  *out = NULL;
}

/* A piece of at most TILE rows. */
static hs_kernel_rows_t piece(const hs_cross_kernel_t *kernel, hs_kernel_rows_t rows, int first)
{
  size_t skipped = (size_t)first * (size_t)kernel->d * hs_precision_bytes(kernel->precision);
  return (hs_kernel_rows_t){(int)hs_min64(TILE, rows.count - first), (const char *)rows.X + skipped,
                            rows.masks + (size_t)first * (size_t)kernel->words};
}

static void fill_single(const hs_cross_kernel_t *kernel, const room_t *room, hs_kernel_rows_t rows,
                        hs_kernel_rows_t columns, double *K, int ld)
{
  uint32_t shared[TILE + HS_COUNT_PAST];
  int d = kernel->d;
  cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, rows.count, columns.count, d, 1, rows.X, d, columns.X,
              d, 0, room->tile, TILE);
  for (int l = 0; l < columns.count; l++, K += ld) {
    const float *tile = room->tile + (size_t)l * TILE;
    kernel->count(rows.count, kernel->words, room->slice, columns.masks + (size_t)l * (size_t)kernel->words,
                  shared);
    for (int k = 0; k < rows.count; k++) K[k] = (double)tile[k] * (int)shared[k];
  }
}

static void fill_double(const hs_cross_kernel_t *kernel, const room_t *room, hs_kernel_rows_t rows,
                        hs_kernel_rows_t columns, double *K, int ld)
{
  uint32_t shared[TILE + HS_COUNT_PAST];
  int d = kernel->d;
  cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, rows.count, columns.count, d, 1, rows.X, d, columns.X,
              d, 0, K, ld);
  for (int l = 0; l < columns.count; l++, K += ld) {
    kernel->count(rows.count, kernel->words, room->slice, columns.masks + (size_t)l * (size_t)kernel->words,
                  shared);
    for (int k = 0; k < rows.count; k++) K[k] *= (int)shared[k];
  }
}

/* Tile number `tile` of K. */
static void fill_tile(const hs_cross_kernel_t *kernel, const room_t *room, int64_t tile,
                      hs_kernel_rows_t rows, hs_kernel_rows_t columns, double *K, int ld)
{
  int64_t down = ((int64_t)rows.count + TILE - 1) / TILE;
  int row = (int)(tile % down * TILE), column = (int)(tile / down * TILE);
  hs_kernel_rows_t left = piece(kernel, rows, row), right = piece(kernel, columns, column);
  hs_slice_masks(left.masks, left.count, kernel->words, room->slice);
  double *part = K + (size_t)column * (size_t)ld + (size_t)row;
  if (kernel->precision == HS_SINGLE)
    fill_single(kernel, room, left, right, part, ld);
  else
    fill_double(kernel, room, left, right, part, ld);
}

void hs_cross_kernel(hs_cross_kernel_t *kernel, hs_kernel_rows_t rows, hs_kernel_rows_t columns, double *K,
                     int ld)
{
  if (rows.count <= 0 || columns.count <= 0) return;
  if (kernel->words == 0) {
    for (int l = 0; l < columns.count; l++)
      memset(K + (size_t)l * (size_t)ld, 0, (size_t)rows.count * sizeof *K);
    return;
  }
  int64_t tiles = (((int64_t)rows.count + TILE - 1) / TILE) * (((int64_t)columns.count + TILE - 1) / TILE);
  int threads = hs_parts(tiles, 1, kernel->threads);
  if (threads == 1) { /* not a loop of one thread: BLAS would be confined to it */
    for (int64_t tile = 0; tile < tiles; tile++)
      fill_tile(kernel, &kernel->room[0], tile, rows, columns, K, ld);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (int64_t tile = 0; tile < tiles; tile++)
    fill_tile(kernel, &kernel->room[hs_thread()], tile, rows, columns, K, ld);
}

size_t hs_cross_kernel_bytes(hs_precision_t precision, int gates)
{
  size_t of_thread = sizeof(room_t) + tile_size(precision) * sizeof(float) +
                     slice_size((gates + 63) / 64) * sizeof(uint64_t);
  return sizeof(hs_cross_kernel_t) + (size_t)hs_threads() * of_thread;
}
