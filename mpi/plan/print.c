#include "mpi/plan/print.h"

#include <inttypes.h>
#include <math.h>

#include "mpi/bench/results.h"
#include "mpi/plan/units.h"

#define LINE 256

typedef const char *unit_t(double value, char text[HS_UNIT_TEXT]);

/* A number in JSON, three digits and a unit in the table. */
static void quantity(hs_results_t *results, double value, unit_t *unit)
{
  char text[HS_UNIT_TEXT];
  hs_results_number(results, value, 0);
  snprintf(results->cells[results->cell_count - 1].text, HS_RESULTS_TEXT, "%s", unit(value, text));
}

static const char *plural(int64_t count)
{
  return count == 1 ? "" : "s";
}

static void problem_json(hs_json_t *json, const hs_plan_t *plan)
{
  const hs_problem_size_t *size = &plan->size;
  hs_json_open(json, "problem", '{');
  hs_json_text(json, "data", plan->data);
  hs_json_int(json, "rows", size->rows);
  hs_json_int(json, "features", size->features);
  hs_json_bool(json, "bias", size->d > size->features);
  hs_json_int(json, "outputs", size->outputs);
  hs_json_int(json, "gates", size->gates);
  hs_json_int(json, "weights", hs_problem_weights(size));
  hs_json_text(json, "loss", hs_loss_name(size->loss.kind));
  hs_json_text(json, "groups", hs_groups_name(size->groups));
  hs_json_text(json, "precision", size->precision == HS_SINGLE ? "single" : "double");
  hs_json_int(json, "blocks", size->blocks);
  hs_json_int(json, "anderson", size->memory);
  hs_json_text(json, "x_update", hs_x_name(plan->forecasts[0].share.kind));
  hs_json_bool(json, "x_update_automatic", size->x_update == HS_X_AUTO);
  hs_json_close(json);
}

/* "block-kernel on 1 to 4 ranks, global-gram on 8 ranks": runs of equal kinds. */
static void write_kinds(const hs_plan_t *plan, char *line, size_t size)
{
  size_t at = 0;
  for (int i = 0, end; i < plan->count && at < size; i = end) {
    const hs_forecast_t *forecasts = plan->forecasts;
    for (end = i + 1; end < plan->count && forecasts[end].share.kind == forecasts[i].share.kind;) end++;
    const char *name = hs_x_name(forecasts[i].share.kind), *comma = i > 0 ? ", " : "";
    if (end == i + 1)
      at += (size_t)snprintf(line + at, size - at, "%s%s on %d rank%s", comma, name, forecasts[i].ranks,
                             plural(forecasts[i].ranks));
    else
      at += (size_t)snprintf(line + at, size - at, "%s%s on %d to %d ranks", comma, name, forecasts[i].ranks,
                             forecasts[end - 1].ranks);
  }
}

/* Which x-update, and how it was measured. */
static void update_text(hs_results_t *results, const hs_plan_t *plan)
{
  const hs_problem_size_t *size = &plan->size;
  char kinds[LINE], line[LINE + 64];
  write_kinds(plan, kinds, sizeof kinds);
  snprintf(line, sizeof line, "%s (%s)", kinds, size->x_update == HS_X_AUTO ? "automatic" : "as set");
  hs_results_fact(results, "x-update", line);
  for (int kind = HS_X_BLOCK_KERNEL + 1; kind < HS_X_KINDS; kind++) {
    const hs_x_rehearsal_t *x = &plan->rates.x[kind];
    if (!x->measured || !x->smaller) continue;
    snprintf(line, sizeof line,
             "%s was measured with %d gates and %" PRId64 " rows a rank, for more would have taken too long "
             "(seconds=), and scaled by its flops and bytes",
             hs_x_name((hs_x_kind_t)kind), x->gates, x->rows);
    hs_results_fact(results, "note", line);
  }
}

static void problem_text(hs_results_t *results, const hs_plan_t *plan)
{
  const hs_problem_size_t *size = &plan->size;
  char line[LINE];
  snprintf(line, sizeof line, "%s%s%" PRId64 " rows, %d feature%s%s, %d output%s, %s loss, %s groups",
           plan->data != NULL ? plan->data : "", plan->data != NULL ? ": " : "", size->rows, size->features,
           plural(size->features), size->d > size->features ? " + bias" : "", size->outputs,
           plural(size->outputs), hs_loss_name(size->loss.kind), hs_groups_name(size->groups));
  hs_results_fact(results, "problem", line);
  snprintf(line, sizeof line,
           "%d gates, %" PRId64 " weights, %" PRId64 " block%s of about %" PRId64
           " rows, Anderson memory %d, %s precision",
           size->gates, hs_problem_weights(size), size->blocks, plural(size->blocks),
           size->rows / size->blocks, size->memory, size->precision == HS_SINGLE ? "single" : "double");
  hs_results_fact(results, "model", line);
  update_text(results, plan);
}

static void source_json(hs_json_t *json, const hs_plan_t *plan)
{
  const hs_rates_t *rates = &plan->rates;
  const hs_network_t *network = &rates->network;
  hs_json_open(json, "measured_by", '{');
  hs_json_int(json, "ranks", rates->ranks);
  hs_json_int(json, "ranks_on_node", rates->on_node);
  hs_json_close(json);
  hs_json_open(json, "network", '{');
  hs_json_double(json, "latency", network->latency);
  hs_json_text(json, "latency_source", hs_network_source_name(network->latency_source));
  hs_json_double(json, "bandwidth", network->bandwidth);
  hs_json_text(json, "bandwidth_source", hs_network_source_name(network->bandwidth_source));
  hs_json_close(json);
}

static void source_text(hs_results_t *results, const hs_plan_t *plan)
{
  const hs_rates_t *rates = &plan->rates;
  const hs_network_t *network = &rates->network;
  char line[LINE], latency[HS_UNIT_TEXT], bandwidth[HS_UNIT_TEXT];
  if (rates->ranks == 1)
    hs_results_fact(results, "measured",
                    "by 1 rank alone; ranks that share a node share its memory and are somewhat slower "
                    "(mpirun -n RANKS halfspace plan ... measures that)");
  else {
    snprintf(line, sizeof line, "by %d ranks at once, %d of them on one node; the slowest counts",
             rates->ranks, rates->on_node);
    hs_results_fact(results, "measured", line);
  }
  snprintf(line, sizeof line, "latency %s (%s), bandwidth %s/s (%s) a rank; latency= and bandwidth= set them",
           hs_quantity_seconds(network->latency, latency), hs_network_source_name(network->latency_source),
           hs_quantity_bytes(network->bandwidth, bandwidth),
           hs_network_source_name(network->bandwidth_source));
  hs_results_fact(results, "network", line);
}

/* One line of the table of rates. */
static void rate(hs_results_t *results, const char *part, const char *per, double seconds, double work,
                 unit_t *unit)
{
  hs_results_text(results, "%s", part);
  hs_results_text(results, "%s", per);
  quantity(results, seconds, hs_quantity_seconds);
  double speed = seconds > 0 ? work / seconds : NAN;
  hs_results_number(results, speed, 0);
  char text[HS_UNIT_TEXT];
  if (isnan(speed)) return;
  snprintf(results->cells[results->cell_count - 1].text, HS_RESULTS_TEXT, "%s/s", unit(speed, text));
}

/* The x-updates that are no blocks, as they were measured: see x_rehearsal.h. */
static void print_x_rates(hs_results_t *results, const hs_x_rehearsal_t *x)
{
  const char *name = hs_x_name(x->kind);
  char per[HS_RESULTS_TEXT];
  if (!x->measured) return;
  snprintf(per, sizeof per, "%s", name);
  if (x->reduced > 0) rate(results, "products with L'", per, x->products, NAN, hs_quantity_bytes);
  rate(results, "x-update applied", per, x->apply, NAN, hs_quantity_bytes);
  if (x->reduced > 0) rate(results, "other vectors", per, x->vectors + x->anderson, NAN, hs_quantity_bytes);
  if (x->reduced > 0) rate(results, "reduction", per, x->make, NAN, hs_quantity_bytes);
  rate(results, "factor", per, x->factor, NAN, hs_quantity_bytes);
  if (x->per_row > 0) rate(results, "Gram matrix", "row", x->per_row, NAN, hs_quantity_bytes);
}

static void print_rates(hs_results_t *results, const hs_plan_t *plan)
{
  static const hs_column_t columns[] = {
      {"part", "part"}, {"per", "per"}, {"seconds", "time"}, {"rate", "rate"}};
  const hs_problem_size_t *size = &plan->size;
  const hs_rates_t *rates = &plan->rates;
  const hs_rehearsal_t *at = &rates->rehearsal[rates->count - 1];
  double rows = (double)at->rows, n = at->block_rows, C = size->outputs;
  double product = 2.0 * size->d * size->gates * C, inverse = n * n * (n + size->d);
  double others = at->seconds[HS_STAGE_ITERATION] - at->seconds[HS_STAGE_ADJOINT] -
                  at->seconds[HS_STAGE_FORWARD] - at->seconds[HS_STAGE_SOLVES] - rates->weights;
  char title[LINE];
  snprintf(title, sizeof title,
           "on %" PRId64 " made-up rows a rank; A u with all gates on, counted as a matrix product",
           at->rows);
  hs_results_table(results, "rates", title, columns, 4);
  rate(results, "A u", "row", at->seconds[HS_STAGE_FORWARD] / rows, product, hs_quantity_flops);
  rate(results, "A' w", "row", at->seconds[HS_STAGE_ADJOINT] / rows, product, hs_quantity_flops);
  rate(results, "inverses applied", "row", at->seconds[HS_STAGE_SOLVES] / rows, 2 * n, hs_quantity_bytes);
  rate(results, "other vectors", "row", fmax(0, others) / rows, NAN, hs_quantity_bytes);
  rate(results, "acceleration", "row", at->seconds[HS_STAGE_ANDERSON] / rows, NAN, hs_quantity_bytes);
  rate(results, "weights", "iteration", rates->weights, NAN, hs_quantity_bytes);
  rate(results, "acceleration", "iteration", rates->anderson_weights, NAN, hs_quantity_bytes);
  rate(results, "gates and tables", "row", at->seconds[HS_STAGE_PREPARE] / rows, NAN, hs_quantity_bytes);
  rate(results, "kernel and inverse", "block", at->seconds[HS_STAGE_FACTOR] * n / rows, inverse,
       hs_quantity_flops);
  for (int kind = HS_X_BLOCK_KERNEL + 1; kind < HS_X_KINDS; kind++) print_x_rates(results, &rates->x[kind]);
  if (!isnan(rates->read_row))
    rate(results, "reading", "row", rates->read_row, 8.0 * size->features, hs_quantity_bytes);
  hs_results_end(results);
}

static void print_memory(hs_results_t *results, const hs_plan_t *plan)
{
  const hs_forecast_t *first = &plan->forecasts[0], *last = &plan->forecasts[plan->count - 1];
  char heads[2][32];
  snprintf(heads[0], sizeof heads[0], "%d rank%s", first->ranks, plural(first->ranks));
  snprintf(heads[1], sizeof heads[1], "%d ranks", last->ranks);
  const hs_column_t columns[] = {{"array", "array"},
                                 {"shape", "shape"},
                                 {"phase", "while"},
                                 {"bytes_first", heads[0]},
                                 {"bytes_last", heads[1]}};
  static const char *const phases[] = {"", "loading", "solving", "both", "reducing", "", "solving", "both"};
  hs_results_table(results, "memory", "of the rank with most rows, on the fewest and on the most ranks",
                   columns, plan->count > 1 ? 5 : 4);
  for (int i = 0; i < first->memory.count; i++) {
    const hs_memory_part_t *part = &first->memory.part[i];
    /* What only other kinds of x-update need. */
    if (part->bytes <= 0 && last->memory.part[i].bytes <= 0 && part->optional) continue;
    hs_results_text(results, "%s", part->name);
    hs_results_text(results, "%s", part->shape);
    hs_results_text(results, "%s", phases[part->when]);
    quantity(results, part->bytes, hs_quantity_bytes);
    if (plan->count > 1) quantity(results, last->memory.part[i].bytes, hs_quantity_bytes);
  }
  hs_results_end(results);
}

static void print_needs(hs_results_t *results, const hs_plan_t *plan)
{
  static const hs_column_t columns[] = {{"ranks", "ranks"},           {"rows", "rows/rank"},
                                        {"blocks", "blocks"},         {"loading_bytes", "loading"},
                                        {"solving_bytes", "solving"}, {"memory_bytes", "memory/rank"},
                                        {"total_bytes", "all ranks"}, {"flops", "flops/rank"},
                                        {"reduced_bytes", "reduced"}, {"reducing_bytes", "reducing"},
                                        {"x_update", "x-update"}};
  hs_results_table(results, "needs",
                   "peak memory, and flops and bytes reduced in an iteration, of the rank with most rows",
                   columns, sizeof columns / sizeof *columns);
  for (int i = 0; i < plan->count; i++) {
    const hs_forecast_t *forecast = &plan->forecasts[i];
    hs_results_number(results, forecast->ranks, 0);
    hs_results_number(results, (double)forecast->share.rows, 0);
    hs_results_number(results, (double)forecast->share.blocks, 0);
    quantity(results, forecast->memory.loading, hs_quantity_bytes);
    quantity(results, forecast->memory.solving, hs_quantity_bytes);
    quantity(results, forecast->memory.peak, hs_quantity_bytes);
    quantity(results, forecast->total_bytes, hs_quantity_bytes);
    quantity(results, forecast->flops, hs_quantity_flops);
    quantity(results, forecast->reduced_bytes, hs_quantity_bytes);
    quantity(results, forecast->memory.reducing, hs_quantity_bytes);
    hs_results_text(results, "%s", hs_x_name(forecast->share.kind));
  }
  hs_results_end(results);
}

static void print_times(hs_results_t *results, const hs_plan_t *plan)
{
  static const hs_column_t columns[] = {{"ranks", "ranks"},           {"read_seconds", "read"},
                                        {"setup_seconds", "set-up"},  {"products", "products"},
                                        {"block_solves", "x-update"}, {"vectors", "vectors"},
                                        {"reductions", "reduce"},     {"iteration", "iteration"},
                                        {"efficiency", "efficiency"}, {"run_seconds", "run"}};
  const hs_forecast_t *first = &plan->forecasts[0];
  char title[LINE];
  snprintf(
      title, sizeof title,
      "an iteration and its parts; run: set-up, %d iterations (a typical number for a gap of 1e-3) and %d "
      "renewal%s of inverses or factors",
      HS_FORECAST_ITERATIONS, hs_forecast_factorings(&plan->size) - 1,
      plural(hs_forecast_factorings(&plan->size) - 1));
  hs_results_table(results, "time", title, columns, sizeof columns / sizeof *columns);
  for (int i = 0; i < plan->count; i++) {
    const hs_forecast_t *forecast = &plan->forecasts[i];
    double efficiency = first->iteration * first->ranks / (forecast->iteration * forecast->ranks);
    hs_results_number(results, forecast->ranks, 0);
    quantity(results, forecast->read, hs_quantity_seconds);
    quantity(results, forecast->setup, hs_quantity_seconds);
    quantity(results, forecast->products, hs_quantity_seconds);
    quantity(results, forecast->solves, hs_quantity_seconds);
    quantity(results, forecast->vectors, hs_quantity_seconds);
    quantity(results, forecast->reductions, hs_quantity_seconds);
    quantity(results, forecast->iteration, hs_quantity_seconds);
    hs_results_number(results, efficiency, 3);
    quantity(results, forecast->run, hs_quantity_seconds);
  }
  hs_results_end(results);
}

void hs_plan_print(FILE *stream, const hs_plan_t *plan, bool json)
{
  hs_results_t results;
  hs_results_start(&results, stream, json);
  if (json) {
    problem_json(&results.json, plan);
    source_json(&results.json, plan);
  } else {
    problem_text(&results, plan);
    source_text(&results, plan);
  }
  print_rates(&results, plan);
  print_memory(&results, plan);
  print_needs(&results, plan);
  print_times(&results, plan);
  hs_results_finish(&results);
}
