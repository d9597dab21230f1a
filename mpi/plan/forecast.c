#include "mpi/plan/forecast.h"

#include <math.h>

#include "mpi/plan/x_forecast.h"

/* Blocks whose kernels are made once more, for the first rho (penalty.h). */
#define ESTIMATE_BLOCKS 16

int hs_forecast_factorings(const hs_problem_size_t *size)
{
  return size->loss.kind == HS_SQUARED ? 2 : 4;
}

/* Masked products with all rows of data. */
static double masked_products(const hs_forecast_t *forecast, const hs_rates_t *rates)
{
  int64_t rows = forecast->share.rows;
  return hs_rates_seconds(rates, HS_STAGE_ADJOINT, 0, rows) +
         hs_rates_seconds(rates, HS_STAGE_FORWARD, 0, rows);
}

/* What an iteration on the rows of data does besides products and x-update. */
static double data_vectors(const hs_forecast_t *forecast, const hs_rates_t *rates)
{
  int64_t rows = forecast->share.rows;
  double whole = hs_rates_seconds(rates, HS_STAGE_ITERATION, rates->weights, rows);
  double solves = hs_rates_seconds(rates, HS_STAGE_SOLVES, 0, rows);
  return fmax(rates->weights, whole - masked_products(forecast, rates) - solves) +
         hs_rates_seconds(rates, HS_STAGE_ANDERSON, 0, rows) + rates->anderson_weights;
}

/* The reductions of every kind: the gradient, and the sums of a step. */
static void add_reductions(hs_forecast_t *forecast, const hs_problem_size_t *size, const hs_rates_t *rates)
{
  double small = hs_rates_small_bytes(rates, size->memory), large = 8 * (double)hs_problem_weights(size);
  forecast->reductions = hs_network_seconds(&rates->network, forecast->ranks, large) +
                         hs_network_seconds(&rates->network, forecast->ranks, small);
  forecast->reduced_bytes = large + small;
}

static double product_flops(const hs_forecast_t *forecast, const hs_problem_size_t *size)
{
  return 4.0 * (double)forecast->share.rows * size->outputs * size->d * size->gates;
}

static void add_blocks(hs_forecast_t *forecast, const hs_problem_size_t *size, const hs_rates_t *rates)
{
  int64_t rows = forecast->share.rows;
  double block = (double)rows / (double)forecast->share.blocks, C = size->outputs;
  forecast->products = masked_products(forecast, rates);
  forecast->solves = hs_rates_seconds(rates, HS_STAGE_SOLVES, 0, rows);
  forecast->vectors = data_vectors(forecast, rates);
  forecast->flops = product_flops(forecast, size) + 2 * (double)rows * C * block;
}

/* A kind other than block-kernel: what it shares with that one is taken from there. */
static void add_other(hs_forecast_t *forecast, const hs_problem_size_t *size, const hs_rates_t *rates,
                      const hs_x_forecast_t *x)
{
  bool reduced = forecast->share.reduced > 0;
  forecast->solves = x->apply;
  forecast->reductions += x->messages;
  forecast->reduced_bytes += x->message_bytes;
  forecast->flops = x->flops + (reduced ? 0 : product_flops(forecast, size));
  forecast->products = reduced ? x->products : masked_products(forecast, rates);
  forecast->vectors =
      reduced ? x->vectors + x->anderson + rates->anderson_weights : data_vectors(forecast, rates);
}

static void add_sum(hs_forecast_t *forecast)
{
  forecast->iteration = forecast->products + forecast->solves + forecast->vectors + forecast->reductions;
}

static void add_setup(hs_forecast_t *forecast, const hs_problem_size_t *size, const hs_rates_t *rates,
                      const hs_x_forecast_t *x)
{
  int64_t rows = forecast->share.rows;
  double estimated = fmin(ESTIMATE_BLOCKS, (double)size->blocks) / forecast->ranks;
  double factor = hs_rates_seconds(rates, HS_STAGE_FACTOR, 0, rows);
  int most = rates->count - 1;
  double made = factor + ceil(estimated) * rates->rehearsal[most].seconds[HS_STAGE_KERNEL];
  double renewal = x != NULL ? x->renewal : factor;
  double exact = hs_rates_seconds(rates, HS_STAGE_EXACT, 0, rows);
  /* Bounds of a reduced problem are confirmed by three products with the data. */
  if (forecast->share.reduced > 0) exact = fmax(1.5 * masked_products(forecast, rates), 1.5 * exact);
  forecast->setup = hs_rates_seconds(rates, HS_STAGE_PREPARE, 0, rows) + (x != NULL ? x->setup : made);
  forecast->run = forecast->setup + HS_FORECAST_ITERATIONS * forecast->iteration +
                  (hs_forecast_factorings(size) - 1) * renewal + exact;
}

hs_forecast_t hs_forecast(const hs_problem_size_t *size, const hs_rates_t *rates, int ranks,
                          hs_footprint_t footprint, double reading)
{
  hs_forecast_t forecast = {.ranks = ranks, .share = hs_problem_share(size, ranks)};
  forecast.memory = hs_memory_plan(size, forecast.share, footprint);
  forecast.total_bytes = ranks * hs_memory_plan(size, hs_problem_mean_share(size, ranks), footprint).peak;
  hs_x_kind_t kind = forecast.share.kind;
  hs_x_forecast_t x = {0};
  bool blocks = kind == HS_X_BLOCK_KERNEL;
  add_reductions(&forecast, size, rates);
  if (!blocks) {
    x = hs_x_forecast(size, &rates->x[kind], forecast.share, rates->weights, &rates->network);
    add_other(&forecast, size, rates, &x);
  } else {
    add_blocks(&forecast, size, rates);
  }
  add_sum(&forecast);
  add_setup(&forecast, size, rates, blocks ? NULL : &x);
  forecast.read = rates->read_row * (double)forecast.share.rows;
  if (!isnan(reading)) {
    double passes = size->statistics ? 2 : 1, number = (double)hs_precision_bytes(size->precision);
    forecast.read = passes * (double)size->rows * size->features * number / reading;
  }
  return forecast;
}
