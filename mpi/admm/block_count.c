#include "mpi/admm/block_count.h"

#include <math.h>

#include "base/size.h"

/* Rates of one current core. Only their ratios matter, and only roughly. */
#define FACTOR_SECONDS (1.0 / 60e9) /* a flop of kernel and inverse, single precision */
#define COLUMN_SECONDS 1e-8 /* what every column of an inverse costs besides: LAPACK on small blocks */
#define PRODUCT_SECONDS (1.0 / 120e9) /* a flop of the masked products, counted as a GEMM's */
#define BYTE_SECONDS (1.0 / 10e9)     /* streaming the inverses */

/* Iterations to a gap of 1e-6 as fitted to Gaussian data at 125 to 2000 rows a block, weighted a little towards
 * images, where small blocks cost more iterations; and factorings in a run. */
#define ITERATIONS_LEAST 45.0
#define ITERATIONS_AT_500 50.0
#define ITERATIONS_SLOPE 0.8
#define FACTORINGS 1.5

#define SMALLEST_BLOCK 64
#define LARGEST_BLOCK 2048
#define MULTIPLE 8 /* of blocks: 2, 4 and 8 ranks then carry equal loads */

/* Modelled seconds per row of the whole solve. */
static double cost(double rows, double d, double gates, double outputs)
{
  double iterations = ITERATIONS_LEAST + ITERATIONS_AT_500 * pow(500 / rows, ITERATIONS_SLOPE);
  double set_up = FACTORINGS * rows * ((rows + d) * FACTOR_SECONDS + COLUMN_SECONDS);
  double products = 4 * d * gates * outputs * PRODUCT_SECONDS;
  double solve = 2 * rows * BYTE_SECONDS * (1 + 0.25 * (outputs - 1));
  return set_up + iterations * (products + solve);
}

int64_t hs_block_count(int64_t n, int d, int64_t gates, int outputs, int64_t block_rows)
{
  if (block_rows > 0) return (n + block_rows - 1) / block_rows;
  double best = SMALLEST_BLOCK;
  for (double rows = SMALLEST_BLOCK; rows <= LARGEST_BLOCK; rows *= 1.1)
    if (cost(rows, d, (double)gates, outputs) < cost(best, d, (double)gates, outputs)) best = rows;
  int64_t count = (int64_t)ceil((double)n / best);
  return hs_min64(n, (count + MULTIPLE - 1) / MULTIPLE * MULTIPLE);
}
