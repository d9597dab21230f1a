#include "mpi/x_update/choose.h"

#include <limits.h>
#include <math.h>

#include "mpi/dense/solver.h"

/* Rates of one core of 2024. */
#define FACTOR_DOUBLE 32e9 /* flops a second of factors and inverses */
#define FACTOR_SINGLE 60e9
#define SPREAD_SHARE 0.75   /* of that which a spread factor reaches */
#define COLUMN 1e-8         /* seconds that every column of a small inverse costs besides */
#define PRODUCT_DOUBLE 85e9 /* masked products, counted as matrix products */
#define PRODUCT_SINGLE 170e9
#define GEMM_DOUBLE 35e9
#define GRAM_NARROW 900e9 /* Gram matrices of few features, counted as products of the expanded matrix */
#define MEMORY 10e9       /* bytes a second */
#define LATENCY 4e-6      /* seconds of a message */
#define NETWORK 5e9       /* bytes a second between ranks */
#define FIXED 50e-6       /* seconds of an iteration whatever its size */

/* Features below which Gram matrices are made by classes of rows (masked/gram.h). */
#define NARROW 64

/* Iterations to a gap of 1e-6, fitted to Gaussian data and images; factorings in a run. */
#define ITERATIONS_GLOBAL 35.0
#define ITERATIONS_BLOCKS 45.0
#define ITERATIONS_AT_500 50.0
#define ITERATIONS_SLOPE 0.8
#define FACTORINGS_SQUARED 1.5
#define FACTORINGS_CURVED 4.0

typedef struct cost {
  const hs_x_shape_t *shape;
  double ranks, rows, order, outputs; /* rows: of one rank; order: P d */
  double products;                    /* seconds of an iteration */
  double factorings;
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

static double block_iterations(double rows_of_block)
{
  return ITERATIONS_BLOCKS + ITERATIONS_AT_500 * pow(500 / rows_of_block, ITERATIONS_SLOPE);
}

static hs_x_estimate_t block_kernel(const cost_t *cost)
{
  const hs_x_shape_t *shape = cost->shape;
  double n = (double)shape->rows / (double)shape->blocks;
  return (hs_x_estimate_t){.setup = cost->factorings * cost->rows * ((n + shape->d) / FACTOR_SINGLE + COLUMN),
                           .iteration = cost->products +
                                        2 * n * cost->rows * (1 + 0.25 * (cost->outputs - 1)) / MEMORY,
                           .iterations = block_iterations(n),
                           .bytes = 2 * n * cost->rows};
}

/* A spread matrix of that order: made, and applied. */
static double spread_factor(const cost_t *cost, double order)
{
  double flops = cube(order) * (order < HS_INVERSE_MOST ? 1 : 1.0 / 3);
  double share = cost->ranks > 1 ? SPREAD_SHARE : 1;
  return flops / cost->ranks / (FACTOR_DOUBLE * share) + order / 64 * cost->ranks * LATENCY;
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
                           .iteration = cost->products + spread_apply(cost, n),
                           .iterations = ITERATIONS_GLOBAL,
                           .bytes = 10 * n * n / cost->ranks,
                           .possible = n * cost->outputs < INT_MAX};
}

/* The Gram matrix of a rank's rows. */
static double gram(const cost_t *cost)
{
  double rate = cost->shape->d <= NARROW ? GRAM_NARROW : GEMM_DOUBLE;
  return cost->rows * cost->order * cost->order / rate + 256 * cost->order * cost->order / GEMM_DOUBLE;
}

/* Reduced rows: L' twice and an inverse in float per iteration; what remains are the products of the certificate that
 * is taken from the data at the end. */
static hs_x_estimate_t block_gram(const cost_t *cost)
{
  double m = cost->order, rhs = 1 + 0.25 * (cost->outputs - 1);
  hs_x_estimate_t estimate = {.iterations =
                                  cost->ranks > 1 ? block_iterations(cost->rows) : ITERATIONS_GLOBAL,
                              .bytes = 16 * m * m,
                              .possible = m < 40000};
  if (cost->shape->squared) {
    estimate.setup = gram(cost) + cube(m) * (2.0 / 3 / FACTOR_DOUBLE + cost->factorings / FACTOR_SINGLE) +
                     3 * cost->products;
    estimate.iteration = (8 + 2) * m * m * rhs / MEMORY;
  } else {
    estimate.setup = cost->factorings * (gram(cost) + cube(m) / 3 / FACTOR_DOUBLE) + gram(cost);
    estimate.iteration = 2 * cost->products + 8 * m * m * rhs / MEMORY;
  }
  return estimate;
}

static hs_x_estimate_t global_gram(const cost_t *cost)
{
  double m = cost->order, rhs = 1 + 0.25 * (cost->outputs - 1);
  double made = gram(cost) + (cost->ranks > 1 ? 8 * m * m / NETWORK : 0);
  hs_x_estimate_t estimate = {.iterations = ITERATIONS_GLOBAL,
                              .bytes = 24 * m * m / cost->ranks,
                              .possible = m * cost->outputs < INT_MAX};
  if (cost->shape->squared) {
    estimate.setup = made + 2 * cube(m) / 3 / cost->ranks / (FACTOR_DOUBLE * SPREAD_SHARE) +
                     cost->factorings * spread_factor(cost, m) + 3 * cost->products;
    estimate.iteration = 8 * m * m * rhs / cost->ranks / MEMORY + spread_apply(cost, m);
  } else {
    estimate.setup = cost->factorings * (made + spread_factor(cost, m)) + made;
    estimate.iteration =
        2 * cost->products + 2 * spread_apply(cost, m) + reduction(cost, 8 * m * cost->outputs);
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
  double rate = shape->precision == HS_SINGLE ? PRODUCT_SINGLE : PRODUCT_DOUBLE;
  cost.products = 4 * cost.rows * cost.order * cost.outputs / rate;
  estimates[HS_X_AUTO] = (hs_x_estimate_t){.seconds = INFINITY};
  estimates[HS_X_BLOCK_KERNEL] = block_kernel(&cost);
  estimates[HS_X_BLOCK_KERNEL].possible = true; /* smaller blocks would fit */
  estimates[HS_X_BLOCK_GRAM] = block_gram(&cost);
  estimates[HS_X_GLOBAL_KERNEL] = global_kernel(&cost);
  estimates[HS_X_GLOBAL_GRAM] = global_gram(&cost);
  for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++) {
    hs_x_estimate_t *estimate = &estimates[kind];
    estimate->iteration += FIXED + reduction(&cost, 8 * cost.order * cost.outputs) + reduction(&cost, 300);
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
  return here[steady].possible && here[steady].seconds <= 1.5 * here[best].seconds ? steady : best;
}
