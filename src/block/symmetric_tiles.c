#include "block/symmetric_tiles.h"

#include <cblas.h>
#include <string.h>

#include "base/simd.h"

static int extent(int n, int tile)
{
  int left = n - tile * HS_TILE;
  return left < HS_TILE ? left : HS_TILE;
}

size_t hs_tiles_size(int n)
{
  size_t size = 0;
  int count = (n + HS_TILE - 1) / HS_TILE;
  for (int j = 0; j < count; j++)
    for (int i = j; i < count; i++) size += (size_t)extent(n, i) * (size_t)extent(n, j);
  return size;
}

static float element(int n, const float *A, int i, int j)
{
  return i >= j ? A[(size_t)j * (size_t)n + (size_t)i] : A[(size_t)i * (size_t)n + (size_t)j];
}

void hs_tiles_pack(int n, const float *A, float *tiles)
{
  int count = (n + HS_TILE - 1) / HS_TILE;
  for (int tj = 0; tj < count; tj++)
    for (int ti = tj; ti < count; ti++) {
      int rows = extent(n, ti), columns = extent(n, tj);
      for (int j = 0; j < columns; j++) {
        int column = tj * HS_TILE + j, first = ti * HS_TILE;
        if (ti > tj)
          memcpy(tiles, A + (size_t)column * (size_t)n + (size_t)first, (size_t)rows * sizeof(float));
        else
          for (int i = 0; i < rows; i++) tiles[i] = element(n, A, first + i, column);
        tiles += rows;
      }
    }
}

/* y += T x and, off the diagonal, yt += T' xt, in one sweep over the tile. */
HS_SIMD_CLONES
static void tile_times_vector(int rows, int columns, const float *T, const float *x, float *y)
{
  for (int j = 0; j < columns; j++) {
    const float *column = T + (size_t)j * (size_t)rows;
    float factor = x[j];
#pragma omp simd
    for (int i = 0; i < rows; i++) y[i] += factor * column[i];
  }
}

HS_SIMD_CLONES
static void tile_both_ways(int rows, int columns, const float *T, const float *x, float *y, const float *xt,
                           float *yt)
{
  for (int j = 0; j < columns; j++) {
    const float *column = T + (size_t)j * (size_t)rows;
    float factor = x[j], sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < rows; i++) {
      y[i] += factor * column[i];
      sum += column[i] * xt[i];
    }
    yt[j] += sum;
  }
}

/* The same for several columns, row-major. The tile, read as row-major, is T'. */
static void tile_times_matrix(int rows, int columns, const float *T, int C, const float *X, float *Y)
{
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, C, columns, 1.0f, T, rows, X, C, 1.0f, Y, C);
}

static void transposed_tile_times_matrix(int rows, int columns, const float *T, int C, const float *X,
                                         float *Y)
{
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, columns, C, rows, 1.0f, T, rows, X, C, 1.0f, Y, C);
}

void hs_tiles_multiply(int n, const float *tiles, int C, const float *X, float *Y)
{
  int count = (n + HS_TILE - 1) / HS_TILE;
  memset(Y, 0, (size_t)n * (size_t)C * sizeof *Y);
  for (int tj = 0; tj < count; tj++)
    for (int ti = tj; ti < count; ti++) {
      int rows = extent(n, ti), columns = extent(n, tj);
      size_t at_i = (size_t)ti * HS_TILE * (size_t)C, at_j = (size_t)tj * HS_TILE * (size_t)C;
      if (C == 1 && ti == tj) tile_times_vector(rows, columns, tiles, X + at_j, Y + at_i);
      if (C == 1 && ti > tj) tile_both_ways(rows, columns, tiles, X + at_j, Y + at_i, X + at_i, Y + at_j);
      if (C > 1) tile_times_matrix(rows, columns, tiles, C, X + at_j, Y + at_i);
      if (C > 1 && ti > tj) transposed_tile_times_matrix(rows, columns, tiles, C, X + at_i, Y + at_j);
      tiles += (size_t)rows * (size_t)columns;
    }
}
