#include "mpi/pricing/circle.h"

#include <math.h>
#include <string.h>

#define HALF (HS_CIRCLE_EDGES / 2)
#define PI 3.14159265358979323846

typedef struct binning {
  const double *G, *P;
  double *bins;
} binning_t;

int64_t hs_circle_numbers(int d, int outputs)
{
  return (int64_t)HS_CIRCLE_BINS * d * outputs;
}

/* sum += sign x theta', column-major d x C. */
static void add_row(int d, int C, double sign, const double *x, const double *theta, double *sum)
{
  for (int c = 0; c < C; c++) {
    double t = sign * theta[c];
    for (int j = 0; j < d; j++) sum[c * d + j] += t * x[j];
  }
}

/* The first edge at or after t_in = atan2(b, a) - pi/2: where a row with x.g = a, x.p = b begins. */
static int first_edge(double a, double b)
{
  double edges = (atan2(b, a) / PI - 0.5) * HALF;
  return (int)(ceil(edges) + HS_CIRCLE_EDGES) % HS_CIRCLE_EDGES;
}

static void bin_row(int d, int C, double a, double b, const double *x, const double *theta, double *bins)
{
  double *at_zero = bins + (int64_t)HALF * d * C;
  if (a == 0 && b == 0) { /* on all the way */
    add_row(d, C, 1, x, theta, at_zero);
    return;
  }
  int edge = first_edge(a, b);
  bool on = edge == 0 || edge > HALF;
  add_row(d, C, edge < HALF ? 1 : -1, x, theta, bins + (int64_t)(edge % HALF) * d * C);
  if (on) add_row(d, C, 1, x, theta, at_zero);
}

static bool is_zero(int count, const double *numbers)
{
  for (int c = 0; c < count; c++)
    if (numbers[c] != 0) return false;
  return true;
}

static void bin_tile(void *context, const hs_sweep_tile_t *tile)
{
  const binning_t *self = context;
  int d = tile->d, C = tile->outputs;
  double *a = tile->scratch, *b = a + tile->rows * tile->width;
  hs_sweep_dots(tile, self->G, a);
  hs_sweep_dots(tile, self->P, b);
  for (int s = 0; s < tile->width; s++) {
    double *bins = self->bins + (tile->first + s) * hs_circle_numbers(d, C);
    for (int k = 0; k < tile->rows; k++) {
      int at = k * tile->width + s;
      if (!is_zero(C, tile->theta + k * C))
        bin_row(d, C, a[at], b[at], tile->x + (int64_t)k * d, tile->theta + k * C, bins);
    }
  }
}

void hs_circle_bin(const hs_sweep_t *sweep, int64_t count, const double *G, const double *P, double *scratch,
                   double *bins)
{
  binning_t self = {.G = G, .P = P, .bins = bins};
  size_t numbers = (size_t)count * (size_t)hs_circle_numbers(sweep->shard->d, sweep->shard->outputs);
  memset(bins, 0, numbers * sizeof *bins);
  hs_sweep_run(sweep, count, 2, scratch, bin_tile, &self);
}

/* Of a block that beats `than`, else something not above it. No norm exceeds Frobenius', which costs little. */
static double price_above(hs_groups_t groups, int d, int C, const double *S, hs_group_work_t *work,
                          double than)
{
  double square = 0;
  for (int e = 0; e < d * C; e++) square += S[e] * S[e];
  return sqrt(square) > than ? hs_group_dual_norm(groups, d, C, S, work) : 0;
}

int hs_circle_best(hs_groups_t groups, int d, int outputs, const double *bins, double *S,
                   hs_group_work_t *work, double *price)
{
  int size = d * outputs, best = 0;
  memcpy(S, bins + (int64_t)HALF * size, (size_t)size * sizeof *S);
  *price = hs_group_dual_norm(groups, d, outputs, S, work);
  for (int edge = 1; edge < HS_CIRCLE_EDGES; edge++) {
    const double *change = bins + (int64_t)(edge % HALF) * size;
    for (int e = 0; e < size; e++) S[e] += edge < HALF ? change[e] : -change[e];
    double least = *price * (1 + HS_PRICE_SLACK), now = price_above(groups, d, outputs, S, work, least);
    if (now <= least) continue;
    *price = now;
    best = edge;
  }
  return best;
}

void hs_circle_gate(int d, const double *g, const double *p, int edge, double *to)
{
  double t = edge * (2 * PI / HS_CIRCLE_EDGES), square = 0;
  for (int j = 0; j < d; j++) {
    to[j] = cos(t) * g[j] + sin(t) * p[j];
    square += to[j] * to[j];
  }
  for (int j = 0; j < d; j++) to[j] /= sqrt(square);
}
