#include "mpi/x_update/choose.h"

#include <limits.h>
#include <math.h>

#include "mpi/dense/solver.h"

/* Rates of one core of 2024. */
#define FACTOR_DOUBLE 32e9 /* flops a second of factors and inverses */
#define FACTOR_SINGLE 60e9
#define SPREAD_SHARE 0.75 /* of that which a spread factor reaches */
#define COLUMN 1e-8       /* seconds that every element of a column of an inverse costs besides: small ones */
#define SPREAD_COLUMN 4e-8  /* the same of a spread inverse */
#define PRODUCT_DOUBLE 85e9 /* masked products, counted as matrix products */
#define PRODUCT_SINGLE 170e9
#define GEMM_DOUBLE 40e9
#define GRAM_NARROW 600e9 /* Gram matrices, counted as products of the expanded matrix: of few features */
#define GRAM_WIDE 350e9   /* and of many */
#define MEMORY 10e9       /* bytes a second */
#define VECTORS                                                                                              \
  250.0 /* bytes an iteration moves for each element of rows and weights: acceleration, loss, prox */
#define CURVED 30e-9 /* seconds of the exponentials of a row and output, where the loss has them */
#define LATENCY 4e-6 /* seconds of a message */
#define NETWORK 5e9  /* bytes a second between ranks */
#define FIXED 50e-6  /* seconds of an iteration whatever its size */

/* Features below which Gram matrices are made by classes of rows (masked/gram.h). */
#define NARROW 64

/* Iterations to a gap of 1e-6, fitted to Gaussian data at beta 0.01 (`halfspace bench only=x-updates`): of one block,
 * more where there are more weights than rows, and where the loss is curved; and how much more small blocks need, by
 * the ratio of their rows to the features. Factorings in a run. */
#define ITERATIONS_LEAST 22.0
#define ITERATIONS_WEIGHTS 11.0
#define ITERATIONS_CURVED 2.2
#define BLOCKS_MORE 6.0
#define BLOCKS_EXPONENT 0.8
#define BLOCKS_MOST 3.0
#define BLOCKS_LEAST 0.4 /* more: even the largest blocks, if there are several */
#define FACTORINGS_BLOCKS 1.3
#define FACTORINGS_SQUARED 2.5
#define FACTORINGS_CURVED 4.0

/* What is worth another choice on some numbers of ranks than on others. */
#define WORTH_RATIO 1.5
#define WORTH_SECONDS 0.05

typedef struct cost {
  const hs_x_shape_t *shape;
  double ranks, rows, order, outputs; /* rows: of one rank; order: P d */
  double products;                    /* seconds of an iteration */
  double iterations, factorings;      /* of one block */
} cost_t;

const char *hs_x_name(hs_x_kind_t kind)
{
  static const char *const names[HS_X_KINDS] = {"auto", "block-kernel", "block-gram", "global-kernel",
                                                "global-gram"};
  return names[kind];
}

static double cube(double x)
{
  return x * x * x;
}

/* Seconds until all ranks have a sum of so many bytes. */
static double reduction(const cost_t *cost, double bytes)
{
  if (cost->ranks < 2) return 0;
  return 2 * log2(cost->ranks) * LATENCY + 2 * bytes / NETWORK;
}

/* Of blocks of so many rows. */
static double block_iterations(const cost_t *cost, double rows_of_block)
{
  double more = BLOCKS_MORE * pow(cost->shape->d / rows_of_block, BLOCKS_EXPONENT);
  return cost->iterations * (1 + fmin(BLOCKS_MOST, fmax(BLOCKS_LEAST, more)));
}

/* Seconds of a float inverse; small ones are slower. */
static double inverse(double order)
{
  return cube(order) / FACTOR_SINGLE + order * order * COLUMN;
}

static double vectors(double entries)
{
  return VECTORS * entries / MEMORY;
}

static hs_x_estimate_t block_kernel(const cost_t *cost)
{
  const hs_x_shape_t *shape = cost->shape;
  double n = (double)shape->rows / (double)shape->blocks, blocks = cost->rows / n;
  double factorings = shape->squared ? FACTORINGS_BLOCKS : FACTORINGS_CURVED;
  return (hs_x_estimate_t){.setup = factorings * blocks * (inverse(n) + n * n * shape->d / FACTOR_SINGLE),
                           .iteration = cost->products + vectors(cost->rows * cost->outputs) +
                                        2 * n * cost->rows * (1 + 0.25 * (cost->outputs - 1)) / MEMORY,
                           .iterations = block_iterations(cost, n),
                           .bytes = 2 * n * cost->rows};
}

/* A spread matrix of that order: made, and applied. */
static double spread_factor(const cost_t *cost, double order)
{
  double flops = cube(order) * (order < HS_INVERSE_MOST ? 1 : 1.0 / 3);
  double messages = cost->ranks > 1 ? order / 64 * cost->ranks * LATENCY : 0;
  return (flops / (FACTOR_DOUBLE * SPREAD_SHARE) + order * order * SPREAD_COLUMN) / cost->ranks + messages;
}

static double spread_apply(const cost_t *cost, double order)
{
  double sweeps = order < HS_INVERSE_MOST ? 1 : 2, sums = order < HS_INVERSE_MOST ? 2 : 32;
  return sweeps * 2 * order * order * (1 + 0.25 * (cost->outputs - 1)) / cost->ranks / MEMORY +
         sums * reduction(cost, 8 * order * cost->outputs / sums);
}

static hs_x_estimate_t global_kernel(const cost_t *cost)
{
  const hs_x_shape_t *shape = cost->shape;
  double n = (double)shape->rows;
  double kernel = n * n * (shape->d + shape->gates / 16.0) / cost->ranks / FACTOR_SINGLE;
  return (hs_x_estimate_t){.setup = cost->factorings * (kernel + spread_factor(cost, n)) + kernel,
                           .iteration =
                               cost->products + vectors(cost->rows * cost->outputs) + spread_apply(cost, n),
                           .iterations = cost->iterations,
                           .bytes = 10 * n * n / cost->ranks,
                           .possible = n * cost->outputs < INT_MAX};
}

/* The Gram matrix of a rank's rows. */
static double gram(const cost_t *cost)
{
  double rate = cost->shape->d <= NARROW ? GRAM_NARROW : GRAM_WIDE;
  return cost->rows * cost->order * cost->order / rate + 256 * cost->order * cost->order / GEMM_DOUBLE;
}

/* Reduced rows: L' twice and an inverse in float per iteration; what remains are the products of the certificate that
 * is taken from the data at the end. */
static hs_x_estimate_t block_gram(const cost_t *cost)
{
  double m = cost->order, rhs = 1 + 0.25 * (cost->outputs - 1);
  hs_x_estimate_t estimate = {.iterations =
                                  cost->ranks > 1 ? block_iterations(cost, cost->rows) : cost->iterations,
                              .bytes = 16 * m * m,
                              .possible = m < 40000};
  if (cost->shape->squared) {
    estimate.setup =
        gram(cost) + 2 * cube(m) / 3 / FACTOR_DOUBLE + cost->factorings * inverse(m) + 3 * cost->products;
    estimate.iteration = vectors(m * cost->outputs) + (8 + 2) * m * m * rhs / MEMORY;
  } else {
    estimate.setup = cost->factorings * (gram(cost) + cube(m) / 3 / FACTOR_DOUBLE) + gram(cost);
    estimate.iteration = 2 * cost->products + vectors(cost->rows * cost->outputs) + 8 * m * m * rhs / MEMORY;
  }
  return estimate;
}

static hs_x_estimate_t global_gram(const cost_t *cost)
{
  double m = cost->order, rhs = 1 + 0.25 * (cost->outputs - 1);
  double made = gram(cost) + (cost->ranks > 1 ? 8 * m * m / NETWORK : 0);
  hs_x_estimate_t estimate = {.iterations = cost->iterations,
                              .bytes = 24 * m * m / cost->ranks,
                              .possible = m * cost->outputs < INT_MAX};
  if (cost->shape->squared) {
    estimate.setup = made + 2 * cube(m) / 3 / cost->ranks / (FACTOR_DOUBLE * SPREAD_SHARE) +
                     cost->factorings * spread_factor(cost, m) + 3 * cost->products;
    estimate.iteration = vectors(m / cost->ranks * cost->outputs) + 8 * m * m * rhs / cost->ranks / MEMORY +
                         spread_apply(cost, m);
  } else {
    estimate.setup = cost->factorings * (made + spread_factor(cost, m)) + made;
    estimate.iteration = 2 * cost->products + vectors(cost->rows * cost->outputs) +
                         2 * spread_apply(cost, m) + reduction(cost, 8 * m * cost->outputs);
  }
  return estimate;
}

void hs_x_estimate(const hs_x_shape_t *shape, int ranks, double memory, hs_x_estimate_t *estimates)
{
  cost_t cost = {.shape = shape,
                 .ranks = ranks,
                 .rows = ceil((double)shape->rows / ranks),
                 .order = (double)shape->gates * shape->d,
                 .outputs = shape->outputs,
                 .factorings = shape->squared ? FACTORINGS_SQUARED : FACTORINGS_CURVED};
  cost.iterations = ITERATIONS_LEAST + ITERATIONS_WEIGHTS * log2(1 + cost.order / (double)shape->rows);
  if (!shape->squared) cost.iterations *= ITERATIONS_CURVED;
  double rate = shape->precision == HS_SINGLE ? PRODUCT_SINGLE : PRODUCT_DOUBLE;
  cost.products = 4 * cost.rows * cost.order * cost.outputs / rate;
  double curved = shape->squared ? 0 : CURVED * cost.rows * cost.outputs;
  estimates[HS_X_AUTO] = (hs_x_estimate_t){.seconds = INFINITY};
  estimates[HS_X_BLOCK_KERNEL] = block_kernel(&cost);
  estimates[HS_X_BLOCK_KERNEL].possible = true; /* smaller blocks would fit */
  estimates[HS_X_BLOCK_GRAM] = block_gram(&cost);
  estimates[HS_X_GLOBAL_KERNEL] = global_kernel(&cost);
  estimates[HS_X_GLOBAL_GRAM] = global_gram(&cost);
  for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++) {
    hs_x_estimate_t *estimate = &estimates[kind];
    estimate->iteration += FIXED + curved + vectors(cost.order * cost.outputs) +
                           reduction(&cost, 8 * cost.order * cost.outputs) + reduction(&cost, 300);
    estimate->seconds = estimate->setup + estimate->iterations * estimate->iteration;
    if (kind != HS_X_BLOCK_KERNEL && estimate->bytes > memory) estimate->possible = false;
  }
}

static hs_x_kind_t best_of(const hs_x_estimate_t *estimates, bool any)
{
  hs_x_kind_t best = HS_X_BLOCK_KERNEL;
  for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++)
    if (estimates[kind].possible && (any || kind != HS_X_BLOCK_GRAM) &&
        estimates[kind].seconds < estimates[best].seconds)
      best = (hs_x_kind_t)kind;
  return best;
}

hs_x_kind_t hs_x_choose(const hs_x_shape_t *shape, int ranks, double memory)
{
  hs_x_estimate_t alone[HS_X_KINDS], here[HS_X_KINDS];
  hs_x_estimate(shape, 1, INFINITY, alone);
  hs_x_estimate(shape, ranks, memory, here);
  hs_x_kind_t steady = best_of(alone, false), best = best_of(here, true);
  return here[steady].possible && here[steady].seconds <= WORTH_RATIO * here[best].seconds + WORTH_SECONDS
             ? steady
             : best;
}
