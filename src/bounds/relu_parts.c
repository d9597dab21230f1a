#include "bounds/relu_parts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/simd.h"

#define ROWS 256 /* of a block: 14 KB at d = 7, half of a first-level cache */
#define LANES 4

typedef double lanes_t __attribute__((vector_size(8 * LANES)));
typedef int64_t mask_t __attribute__((vector_size(8 * LANES)));

static int64_t blocks_for(int64_t rows)
{
  return (rows + ROWS - 1) / ROWS;
}

double hs_relu_parts_bytes(int d, int64_t rows)
{
  return (double)(blocks_for(rows) + 1) * ROWS * d * (double)sizeof(double);
}

double hs_relu_parts_additions(const hs_relu_parts_t *parts)
{
  return ROWS / LANES + LANES + (double)(parts->blocks[0] + parts->blocks[1]) + parts->d;
}

/* Column by column within its block. */
static void put_row(const hs_relu_parts_t *parts, int64_t place, double size, const double *x)
{
  double *block = parts->q + place / ROWS * ROWS * parts->d;
  for (int j = 0; j < parts->d; j++) block[j * ROWS + place % ROWS] = size * x[j];
}

hs_status_t hs_relu_parts_make(hs_relu_parts_t *parts, int d, int64_t rows, const double *theta,
                               const double *X)
{
  int64_t count[2] = {0, 0};
  for (int64_t k = 0; k < rows; k++)
    if (theta[k] != 0) count[theta[k] < 0]++;
  *parts = (hs_relu_parts_t){.d = d, .blocks = {blocks_for(count[0]), blocks_for(count[1])}};
  int64_t numbers = (parts->blocks[0] + parts->blocks[1]) * ROWS * d;
  parts->q = hs_alloc((size_t)numbers, sizeof *parts->q, "rows of a bound");
  if (parts->q == NULL) return HS_NO_MEMORY;
  int64_t place[2] = {0, parts->blocks[0] * ROWS};
  for (int64_t k = 0; k < rows; k++)
    if (theta[k] != 0) put_row(parts, place[theta[k] < 0]++, fabs(theta[k]), X + k * d);
  return HS_OK;
}

void hs_relu_parts_free(hs_relu_parts_t *parts)
{
  hs_free(parts->q);
  *parts = (hs_relu_parts_t){0};
}

/* g += sum over q'v > 0 of q, for a block. d is a constant wherever this is called. */
static inline __attribute__((always_inline)) void block_gradient(int d, const double *block, const double *v,
                                                                 double *g)
{
  lanes_t sum[HS_PARTS_MOST] = {{0}}, q[HS_PARTS_MOST];
  for (int k = 0; k < ROWS; k += LANES) {
    lanes_t dot = {0};
    for (int j = 0; j < d; j++) {
      q[j] = *(const lanes_t *)(block + j * ROWS + k);
      dot += q[j] * v[j];
    }
    mask_t above = dot > 0;
    for (int j = 0; j < d; j++) sum[j] += (lanes_t)((mask_t)q[j] & above);
  }
  for (int j = 0; j < d; j++)
    for (int lane = 0; lane < LANES; lane++) g[j] += sum[j][lane];
}

static inline __attribute__((always_inline)) void
block_gradients(int d, const double *block, int part, int count, const double *points, double *gradients)
{
  for (int i = 0; i < count; i++) block_gradient(d, block, points + i * d, gradients + (2 * i + part) * d);
}

HS_SIMD_CLONES static void any_block_gradients(int d, const double *block, int part, int count,
                                               const double *points, double *gradients)
{
  switch (d) {
  case 1:
    block_gradients(1, block, part, count, points, gradients);
    return;
  case 2:
    block_gradients(2, block, part, count, points, gradients);
    return;
  case 3:
    block_gradients(3, block, part, count, points, gradients);
    return;
  case 4:
    block_gradients(4, block, part, count, points, gradients);
    return;
  case 5:
    block_gradients(5, block, part, count, points, gradients);
    return;
  case 6:
    block_gradients(6, block, part, count, points, gradients);
    return;
  case 7:
    block_gradients(7, block, part, count, points, gradients);
    return;
  default:
    return;
  }
}

void hs_relu_parts_gradients(const hs_relu_parts_t *parts, int count, const double *points, double *gradients)
{
  int d = parts->d;
  memset(gradients, 0, (size_t)count * 2 * (size_t)d * sizeof *gradients);
  for (int64_t b = 0; b < parts->blocks[0] + parts->blocks[1]; b++)
    any_block_gradients(d, parts->q + b * ROWS * d, b >= parts->blocks[0], count, points, gradients);
}
