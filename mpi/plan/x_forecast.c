#include "mpi/plan/x_forecast.h"

#include <math.h>

#include "mpi/dense/grid.h"
#include "mpi/dense/solver.h"

/* Sums over ranks in an application by substitution: two for each of 8 diagonal blocks and direction, less the two
 * first ones (dense/substitution.c). */
#define SUBSTITUTION_SUMS 30.0
#define SUBSTITUTION_PAYLOAD 3.75 /* of them all, in right-hand sides */

/* What a part costs, up to a rate. */
typedef struct work {
  double products, apply, factor, reduce, kernel;
} work_t;

static bool is_global(hs_x_kind_t kind)
{
  return kind == HS_X_GLOBAL_KERNEL || kind == HS_X_GLOBAL_GRAM;
}

/* Ranks that share a matrix. */
static double places(hs_x_kind_t kind, int ranks, double order)
{
  int rows = 1, columns = 1;
  if (is_global(kind)) hs_grid_shape(ranks, (int64_t)order, &rows, &columns);
  return (double)rows * columns;
}

/* Global matrices are inverted when they are small, those of a rank always or, where curvatures change, never; the
 * latter is the same on both sides of a ratio. */
static work_t count(const hs_problem_size_t *size, hs_x_kind_t kind, int ranks, double order)
{
  double by = places(kind, ranks, order), square = order * order / by, cube = order * square;
  bool inverse = !is_global(kind) || order < HS_INVERSE_MOST;
  return (work_t){.products = square,
                  .apply = (inverse ? 1 : 2) * square,
                  .factor = cube * (inverse ? 1 : 1.0 / 3),
                  .reduce = cube,
                  .kernel = square * (size->d + size->gates / 16.0)};
}

/* Messages of one application. */
static void add_messages(hs_x_forecast_t *forecast, const hs_problem_size_t *size, hs_share_t share,
                         double order, const hs_network_t *network)
{
  double sides = 8 * order * size->outputs;
  bool reduced = share.reduced > 0, rows = reduced || share.kind == HS_X_GLOBAL_KERNEL;
  if (!is_global(share.kind)) return;
  double own = reduced ? (double)share.reduced : (double)share.rows;
  double gather = rows ? 8 * own * size->outputs : sides;
  if (order < HS_INVERSE_MOST) {
    /* A gather and a sum by rows are an Allreduce together; where all ranks hold all rows, there are two. */
    forecast->messages = (rows ? 1 : 2) * hs_network_seconds(network, share.ranks, sides);
    forecast->message_bytes = gather + sides;
    return;
  }
  forecast->messages =
      SUBSTITUTION_SUMS *
          hs_network_seconds(network, share.ranks, SUBSTITUTION_PAYLOAD * sides / SUBSTITUTION_SUMS) +
      (rows ? 0.5 : 1) * hs_network_seconds(network, share.ranks, sides);
  forecast->message_bytes = gather + SUBSTITUTION_PAYLOAD * sides;
}

/* Set-up and renewals: which parts they have depends on the kind. */
static void add_setup(hs_x_forecast_t *forecast, const hs_problem_size_t *size, const hs_x_rehearsal_t *at,
                      hs_share_t share, work_t here, work_t there)
{
  double gates = (double)size->gates / at->gates, per_row = at->per_row * gates * gates;
  double more_rows = per_row * ((double)share.rows - (double)at->rows);
  double factor = at->factor * here.factor / there.factor;
  if (share.kind == HS_X_GLOBAL_KERNEL) { /* the kernel is made for the estimate and for every factor */
    double kernel = at->estimate * here.kernel / there.kernel;
    forecast->renewal = kernel + fmax(0, at->factor - at->estimate) * here.factor / there.factor;
    forecast->setup = kernel + forecast->renewal;
    return;
  }
  if (share.reduced > 0) {
    double fixed = fmax(0, at->make - at->per_row * (double)at->rows) * here.reduce / there.reduce;
    forecast->renewal = factor;
    forecast->setup =
        fixed + per_row * (double)share.rows + factor + at->estimate * here.products / there.products;
    return;
  }
  /* Other losses: the Gram matrix is made for the estimate and for every factor. */
  double gram = fmax(0, at->estimate * here.products / there.products + more_rows);
  forecast->renewal = gram + fmax(0, at->factor - at->estimate) * here.factor / there.factor;
  forecast->setup = gram + forecast->renewal;
}

hs_x_forecast_t hs_x_forecast(const hs_problem_size_t *size, const hs_x_rehearsal_t *at, hs_share_t share,
                              double weights, const hs_network_t *network)
{
  bool kernel = share.kind == HS_X_GLOBAL_KERNEL;
  double order = kernel ? (double)size->rows : (double)size->gates * size->d;
  double order_there = kernel ? (double)at->rows * at->ranks : (double)at->gates * size->d;
  work_t here = count(size, share.kind, share.ranks, order),
         there = count(size, share.kind, at->ranks, order_there);
  hs_x_forecast_t forecast = {.products = at->products * here.products / there.products,
                              .apply = at->apply * here.apply / there.apply};
  if (share.reduced > 0) {
    double rows = (double)share.reduced / (double)at->reduced;
    double of_rows = at->vectors - weights * at->gates / size->gates;
    forecast.vectors = weights + fmax(0, of_rows) * rows;
    forecast.anderson = at->anderson * rows;
    forecast.flops = 2 * here.products * size->outputs;
  }
  forecast.flops += 2 * here.apply * size->outputs;
  add_messages(&forecast, size, share, order, network);
  add_setup(&forecast, size, at, share, here, there);
  return forecast;
}
