#include "mpi/plan/forecast.h"

#include <math.h>

/* Blocks whose kernels are made once more, for the first rho (penalty.h). */
#define ESTIMATE_BLOCKS 16

int hs_forecast_factorings(const hs_problem_size_t *size)
{
  return size->loss.kind == HS_SQUARED ? 2 : 4;
}

static void add_iteration(hs_forecast_t *forecast, const hs_problem_size_t *size, const hs_rates_t *rates)
{
  int64_t rows = forecast->share.rows;
  double small = hs_rates_small_bytes(rates, size->memory), large = 8 * (double)hs_problem_weights(size);
  double whole = hs_rates_seconds(rates, HS_STAGE_ITERATION, rates->weights, rows);
  forecast->products =
      hs_rates_seconds(rates, HS_STAGE_ADJOINT, 0, rows) + hs_rates_seconds(rates, HS_STAGE_FORWARD, 0, rows);
  forecast->solves = hs_rates_seconds(rates, HS_STAGE_SOLVES, 0, rows);
  forecast->vectors = fmax(rates->weights, whole - forecast->products - forecast->solves) +
                      hs_rates_seconds(rates, HS_STAGE_ANDERSON, 0, rows) + rates->anderson_weights;
  forecast->reductions = hs_network_seconds(&rates->network, forecast->ranks, large) +
                         hs_network_seconds(&rates->network, forecast->ranks, small);
  forecast->iteration = forecast->products + forecast->solves + forecast->vectors + forecast->reductions;
  forecast->reduced_bytes = large + small;
  double block = (double)rows / (double)forecast->share.blocks, C = size->outputs;
  forecast->flops = (double)rows * C * (4.0 * size->d * size->gates + 2 * block);
}

static void add_setup(hs_forecast_t *forecast, const hs_problem_size_t *size, const hs_rates_t *rates)
{
  int64_t rows = forecast->share.rows;
  double estimated = fmin(ESTIMATE_BLOCKS, (double)size->blocks) / forecast->ranks;
  double factor = hs_rates_seconds(rates, HS_STAGE_FACTOR, 0, rows);
  int most = rates->count - 1;
  forecast->setup = hs_rates_seconds(rates, HS_STAGE_PREPARE, 0, rows) + factor +
                    ceil(estimated) * rates->rehearsal[most].seconds[HS_STAGE_KERNEL];
  forecast->run = forecast->setup + HS_FORECAST_ITERATIONS * forecast->iteration +
                  (hs_forecast_factorings(size) - 1) * factor +
                  hs_rates_seconds(rates, HS_STAGE_EXACT, 0, rows);
}

hs_forecast_t hs_forecast(const hs_problem_size_t *size, const hs_rates_t *rates, int ranks,
                          hs_footprint_t footprint, double reading)
{
  hs_forecast_t forecast = {.ranks = ranks, .share = hs_problem_share(size, ranks)};
  forecast.memory = hs_memory_plan(size, forecast.share, footprint);
  forecast.total_bytes = ranks * hs_memory_plan(size, hs_problem_mean_share(size, ranks), footprint).peak;
  add_iteration(&forecast, size, rates);
  add_setup(&forecast, size, rates);
  forecast.read = rates->read_row * (double)forecast.share.rows;
  if (!isnan(reading)) {
    double passes = size->statistics ? 2 : 1, number = (double)hs_precision_bytes(size->precision);
    forecast.read = passes * (double)size->rows * size->features * number / reading;
  }
  return forecast;
}
