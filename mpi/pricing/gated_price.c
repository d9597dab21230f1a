#include "mpi/pricing/gated_price.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/size.h"
#include "base/threads.h"
#include "mpi/comm/agree.h"
#include "mpi/data/gate_set.h"
#include "mpi/pricing/circle.h"

#define CIRCLES 30
#define BATCH_NUMBERS ((int64_t)1 << 23) /* of the bins of a batch of circles: 64 MB */
#define SHORT 1e-6                       /* a direction of which less is left beside g is as good as none */

/* All searches, side by side. What is not of the rows is the same on all ranks. */
typedef struct state {
  MPI_Comm comm;
  hs_sweep_t sweep;
  hs_groups_t groups;
  const hs_gate_search_t *search;
  hs_traffic_t *traffic;
  int d, C, circles, threads;
  int64_t count, batch; /* searches; of which so many have their bins at a time */
  double *G, *P, *next; /* count x d: gate, direction of the circle, gate that is tried */
  double *price;        /* count */
  double *width;        /* count: of the boundary, for surrogate directions */
  double *sums;         /* count x C d: X'D(g)T;  then count: sum of |x.g| */
  double *trial;        /* the same of `next` */
  double *V;            /* count x C d: where the price grows, of X'D(g)T */
  double *bins;         /* batch x hs_circle_numbers */
  double *scratch;      /* of the sweeps */
  double *S;            /* threads x C d */
  hs_group_work_t **work;
} state_t;

/* ---- memory ---- */

static double *numbers(int64_t count, hs_status_t *status)
{
  double *values = hs_alloc((size_t)count, sizeof *values, "search for gates");
  if (values == NULL) *status = HS_NO_MEMORY;
  return values;
}

static hs_status_t allocate(state_t *state)
{
  hs_status_t status = HS_OK;
  int64_t size = (int64_t)state->d * state->C, entries = state->count * state->d;
  int each = state->C + 1; /* dots of g; dots of each column of V, or theta of the rows that are on */
  state->G = numbers(entries, &status);
  state->P = numbers(entries, &status);
  state->next = numbers(entries, &status);
  state->price = numbers(state->count, &status);
  state->width = numbers(state->count, &status);
  state->sums = numbers(state->count * (size + 1), &status);
  state->trial = numbers(state->count * (size + 1), &status);
  state->V = numbers(state->count * size, &status);
  state->bins = numbers(state->batch * hs_circle_numbers(state->d, state->C), &status);
  state->scratch = numbers((int64_t)hs_sweep_scratch(&state->sweep, each), &status);
  state->S = numbers(state->threads * size, &status);
  state->work = hs_alloc((size_t)state->threads, sizeof *state->work, "search for gates");
  if (state->work == NULL) return HS_NO_MEMORY;
  for (int t = 0; t < state->threads && status == HS_OK; t++)
    status = hs_group_work_create(&state->work[t], state->d, state->C);
  return status;
}

static void release(state_t *state)
{
  double *owned[] = {state->G,     state->P, state->next, state->price,   state->width, state->sums,
                     state->trial, state->V, state->bins, state->scratch, state->S};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) hs_free(owned[i]);
  for (int t = 0; t < state->threads && state->work != NULL; t++) hs_group_work_free(&state->work[t]);
  hs_free(state->work);
}

/* ---- directions ---- */

/* Random numbers of one search at one step: d + 2 of them, the last two for what is not a direction. */
static uint64_t place_of(const state_t *state, int step, int64_t s, int number)
{
  uint64_t round = (uint64_t)state->search->round * (uint64_t)(state->circles + 1) + (uint64_t)step;
  return (round * (uint64_t)state->count + (uint64_t)s) * (uint64_t)(state->d + 2) + (uint64_t)number;
}

static double normal(const state_t *state, int step, int64_t s, int j)
{
  return hs_random_normal((uint64_t)state->search->seed, HS_STREAM_CIRCLES, place_of(state, step, s, j));
}

static double uniform(const state_t *state, int step, int64_t s, int number)
{
  uint64_t place = place_of(state, step, s, state->d + number);
  return hs_random_uniform((uint64_t)state->search->seed, HS_STREAM_CIRCLES, place);
}

static double length(int64_t count, const double *v)
{
  double square = 0;
  for (int64_t j = 0; j < count; j++) square += v[j] * v[j];
  return sqrt(square);
}

static void scale(int64_t count, double *v, double by)
{
  for (int64_t j = 0; j < count; j++) v[j] *= by;
}

static void draw(const state_t *state, int step, int64_t s, double *v)
{
  for (int j = 0; j < state->d; j++) v[j] = normal(state, step, s, j);
}

/* A row of X each, from the rank that has it. Collective. */
static void rows_of_data(state_t *state, int step)
{
  const hs_shard_t *shard = state->sweep.shard;
  memset(state->P, 0, (size_t)(state->count * state->d) * sizeof *state->P);
  for (int64_t s = 0; s < state->count; s++) {
    int64_t rows = shard->partition.rows;
    int64_t k = hs_min64(rows - 1, (int64_t)(uniform(state, step, s, 0) * (double)rows)) - shard->row0;
    if (k < 0 || k >= shard->rows) continue;
    for (int j = 0; j < state->d; j++)
      state->P[s * state->d + j] = shard->precision == HS_DOUBLE
                                       ? ((const double *)shard->X)[k * state->d + j]
                                       : (double)((const float *)shard->X)[k * state->d + j];
  }
  hs_sum(state->comm, state->P, state->count * state->d, state->traffic);
}

/* V: where ||X'D(g)T||_* grows: the sum itself, or its longest column. Frobenius' direction stands in for the largest
 * singular value's: it is a proposal, no more. */
static void ascents(const state_t *state)
{
  int d = state->d, C = state->C;
  for (int64_t s = 0; s < state->count; s++) {
    const double *M = state->sums + s * d * C;
    double *V = state->V + s * d * C;
    int longest = 0;
    for (int c = 1; c < C; c++)
      if (length(d, M + c * d) > length(d, M + longest * d) * (1 + HS_PRICE_SLACK)) longest = c;
    for (int c = 0; c < C; c++)
      for (int j = 0; j < d; j++)
        V[c * d + j] = state->groups != HS_PER_OUTPUT || c == longest ? M[c * d + j] : 0;
  }
}

/* Width of the boundary of each gate: mean |x.g| 10^U(-2,0). */
static void widths(state_t *state, int step)
{
  double *spread = state->sums + state->count * state->d * state->C;
  double rows = (double)state->sweep.shard->partition.rows;
  for (int64_t s = 0; s < state->count; s++)
    state->width[s] = spread[s] / rows * pow(10, -2 * uniform(state, step, s, 1));
}

/* p += sum over the rows of x_k c_k exp(-(x_k.g)^2 / 2 w^2),  c_k = x_k' V theta_k: what the price gains, to first order, by
 * the row. */
static void add_surrogates(void *context, const hs_sweep_tile_t *tile)
{
  const state_t *state = context;
  int d = tile->d, C = tile->outputs, width = tile->width;
  double *dots = tile->scratch, *gains = dots + tile->rows * width;
  hs_sweep_dots(tile, state->G, dots);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, tile->rows, width * C, d, 1, tile->x, d,
              state->V + tile->first * d * C, d, 0, gains, width * C);
  for (int k = 0; k < tile->rows; k++)
    for (int s = 0; s < width; s++) {
      double *dot = dots + k * width + s, gain = 0;
      double ratio = *dot / fmax(state->width[tile->first + s], 1e-300);
      for (int c = 0; c < C; c++) gain += gains[(k * width + s) * C + c] * tile->theta[k * C + c];
      *dot = gain * exp(-0.5 * ratio * ratio);
    }
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width, d, tile->rows, 1, dots, width, tile->x, d, 1,
              state->P + tile->first * d, d);
}

/* Collective. */
static void surrogates(state_t *state, int step)
{
  ascents(state);
  widths(state, step);
  memset(state->P, 0, (size_t)(state->count * state->d) * sizeof *state->P);
  hs_sweep_run(&state->sweep, state->count, state->C + 1, state->scratch, add_surrogates, state);
  hs_sum(state->comm, state->P, state->count * state->d, state->traffic);
}

/* p orthogonal to g and of length 1; false where next to nothing is left. */
static bool make_orthogonal(int d, const double *g, double *p)
{
  double before = length(d, p);
  for (int twice = 0; twice < 2; twice++) {
    double along = cblas_ddot(d, g, 1, p, 1);
    for (int j = 0; j < d; j++) p[j] -= along * g[j];
  }
  double after = length(d, p);
  bool good = after > SHORT * before;
  scale(d, p, good ? 1 / after : 0);
  return good;
}

/* The circles of a step. One column leaves no other direction than -g, at the end of a circle with p = 0. Collective. */
static void choose_directions(state_t *state, int step)
{
  enum { RANDOM, ROW, SURROGATE, KINDS };
  int kind = (step - 1) % KINDS, d = state->d;
  if (kind == ROW) rows_of_data(state, step);
  if (kind == SURROGATE) surrogates(state, step);
  for (int64_t s = 0; s < state->count; s++) {
    double *g = state->G + s * d, *p = state->P + s * d;
    if (kind == RANDOM) draw(state, step, s, p);
    if (make_orthogonal(d, g, p)) continue;
    draw(state, step, s, p);
    make_orthogonal(d, g, p);
  }
}

/* ---- prices of gates, by their masks ---- */

typedef struct masked {
  const double *G;
  double *sums, *spread;
} masked_t;

/* sums += theta of the rows that are on, times the rows;  spread += |x.g|. */
static void add_masked(void *context, const hs_sweep_tile_t *tile)
{
  const masked_t *self = context;
  int d = tile->d, C = tile->outputs, width = tile->width;
  double *dots = tile->scratch, *on = dots + tile->rows * width;
  hs_sweep_dots(tile, self->G, dots);
  for (int k = 0; k < tile->rows; k++)
    for (int s = 0; s < width; s++) {
      double dot = dots[k * width + s];
      self->spread[tile->first + s] += fabs(dot);
      for (int c = 0; c < C; c++) on[(k * width + s) * C + c] = dot >= 0 ? tile->theta[k * C + c] : 0;
    }
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width * C, d, tile->rows, 1, on, width * C, tile->x, d,
              1, self->sums + tile->first * d * C, d);
}

/* sums of all searches for the gates G. Collective. */
static void evaluate(state_t *state, const double *G, double *sums)
{
  int64_t count = state->count, size = (int64_t)state->d * state->C;
  masked_t self = {.G = G, .sums = sums, .spread = sums + count * size};
  memset(sums, 0, (size_t)(count * (size + 1)) * sizeof *sums);
  hs_sweep_run(&state->sweep, count, state->C + 1, state->scratch, add_masked, &self);
  hs_sum(state->comm, sums, count * (size + 1), state->traffic);
}

static double price_of(const state_t *state, const double *sums, int64_t s)
{
  int64_t size = (int64_t)state->d * state->C;
  return hs_group_dual_norm(state->groups, state->d, state->C, sums + s * size, state->work[0]);
}

/* ---- the search ---- */

/* The best gates of some circles whose bins are there. */
static void try_best(state_t *state, int64_t first, int64_t count)
{
  int parts = hs_parts(count, 1, state->threads), d = state->d, C = state->C;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++)
    for (int64_t k = hs_part_first(count, parts, part); k < hs_part_first(count, parts, part + 1); k++) {
      const double *bins = state->bins + k * hs_circle_numbers(d, C);
      double price, *S = state->S + (int64_t)part * d * C;
      int edge = hs_circle_best(state->groups, d, C, bins, S, state->work[part], &price);
      int64_t at = (first + k) * d;
      hs_circle_gate(d, state->G + at, state->P + at, edge, state->next + at);
    }
}

/* One circle for every search. Collective. */
static void turn(state_t *state)
{
  int64_t each = hs_circle_numbers(state->d, state->C), size = (int64_t)state->d * state->C;
  for (int64_t first = 0; first < state->count; first += state->batch) {
    int64_t count = hs_min64(state->batch, state->count - first);
    hs_circle_bin(&state->sweep, count, state->G + first * state->d, state->P + first * state->d,
                  state->scratch, state->bins);
    hs_sum(state->comm, state->bins, count * each, state->traffic);
    try_best(state, first, count);
  }
  evaluate(state, state->next, state->trial);
  for (int64_t s = 0; s < state->count; s++) {
    double price = price_of(state, state->trial, s);
    if (!(price > state->price[s] * (1 + HS_PRICE_SLACK))) continue;
    state->price[s] = price;
    memcpy(state->G + s * state->d, state->next + s * state->d, (size_t)state->d * sizeof(double));
    memcpy(state->sums + s * size, state->trial + s * size, (size_t)size * sizeof(double));
    state->sums[state->count * size + s] = state->trial[state->count * size + s];
  }
}

/* Collective. */
static void search_all(state_t *state)
{
  for (int64_t s = 0; s < state->count; s++) {
    double *g = state->G + s * state->d;
    draw(state, 0, s, g);
    scale(state->d, g, 1 / length(state->d, g));
  }
  evaluate(state, state->G, state->sums);
  for (int64_t s = 0; s < state->count; s++) state->price[s] = price_of(state, state->sums, s);
  for (int step = 1; step <= state->circles; step++) {
    choose_directions(state, step);
    turn(state);
  }
}

/* ---- what is kept ---- */

typedef struct ranked {
  double price;
  int64_t search;
} ranked_t;

static int by_price(const void *left, const void *right)
{
  const ranked_t *a = left, *b = right;
  return (a->price < b->price) - (a->price > b->price);
}

static int by_search(const void *left, const void *right)
{
  const ranked_t *a = left, *b = right;
  return (a->search > b->search) - (a->search < b->search);
}

/* Searches with a price above the threshold, descending; prices that are equal to rounding in the order of the searches.
 * Returns how many. */
static int64_t rank_searches(const state_t *state, ranked_t *ranked)
{
  int64_t count = 0;
  for (int64_t s = 0; s < state->count; s++)
    if (state->price[s] > fmax(0, state->search->above))
      ranked[count++] = (ranked_t){.price = state->price[s], .search = s};
  qsort(ranked, (size_t)count, sizeof *ranked, by_price);
  for (int64_t first = 0, end; first < count; first = end) {
    for (end = first + 1; end < count && ranked[end].price >= ranked[end - 1].price * (1 - HS_PRICE_SLACK);)
      end++;
    qsort(ranked + first, (size_t)(end - first), sizeof *ranked, by_search);
  }
  return count;
}

/* Is a gate next to one that is kept already? */
static bool is_near(const hs_gate_prices_t *prices, const double *g)
{
  for (int i = 0; i < prices->count; i++)
    if (cblas_ddot(prices->d, g, 1, prices->G + (int64_t)i * prices->d, 1) > HS_GATES_APART) return true;
  return false;
}

/* The best of the ranked gates, of which those with repeated masks have gone: the others' searches are found again. */
static void take(const state_t *state, const hs_gate_set_t *set, const ranked_t *ranked,
                 hs_gate_prices_t *prices)
{
  size_t bytes = (size_t)state->d * sizeof(double);
  const ranked_t *next = ranked;
  for (int i = 0; i < set->count && prices->count < state->search->keep; i++, next++) {
    const double *g = set->G + (int64_t)i * state->d;
    while (memcmp(state->G + next->search * state->d, g, bytes) != 0) next++;
    if (is_near(prices, g)) continue;
    memcpy(prices->G + (int64_t)prices->count * state->d, g, bytes);
    prices->price[prices->count++] = next->price;
  }
}

/* Collective. */
static hs_status_t keep_best(state_t *state, hs_gate_prices_t *prices)
{
  ranked_t *ranked = hs_alloc((size_t)state->count, sizeof *ranked, "search for gates");
  hs_status_t status = ranked != NULL ? HS_OK : HS_NO_MEMORY;
  int64_t room = hs_min64(hs_max64(0, state->search->keep), state->count);
  prices->G = numbers(room * state->d, &status);
  prices->price = numbers(room, &status);
  status = hs_agree(state->comm, status);
  if (status == HS_OK) {
    for (int64_t s = 0; s < state->count; s++) prices->best = fmax(prices->best, state->price[s]);
    int64_t count = rank_searches(state, ranked), d = state->d;
    for (int64_t k = 0; k < count; k++)
      memcpy(state->next + k * d, state->G + ranked[k].search * d, (size_t)d * sizeof(double));
    hs_gate_set_t set = {0};
    if (count > 0 && room > 0)
      status = hs_gate_set_given(&set, state->comm, state->sweep.shard, count, state->next);
    if (status == HS_OK) take(state, &set, ranked, prices);
    hs_gate_set_free(&set);
  }
  hs_free(ranked);
  return status;
}

void hs_gate_prices_free(hs_gate_prices_t *prices)
{
  hs_free(prices->G);
  hs_free(prices->price);
  *prices = (hs_gate_prices_t){0};
}

hs_status_t hs_gated_price(MPI_Comm comm, const hs_shard_t *shard, hs_groups_t groups, const double *theta,
                           const hs_gate_search_t *search, hs_gate_prices_t *prices, hs_traffic_t *traffic)
{
  int d = shard->d, C = shard->outputs;
  state_t state = {.comm = comm,
                   .sweep = {.shard = shard, .theta = theta},
                   .groups = groups,
                   .search = search,
                   .traffic = traffic,
                   .d = d,
                   .C = C,
                   .circles = search->circles > 0 ? search->circles : CIRCLES,
                   .threads = hs_threads(),
                   .count = search->searches};
  state.batch = hs_max64(1, hs_min64(state.count, BATCH_NUMBERS / hs_circle_numbers(d, C)));
  *prices = (hs_gate_prices_t){.d = d};
  hs_status_t status = hs_agree(comm, allocate(&state));
  if (status == HS_OK) {
    search_all(&state);
    prices->circles = state.count * state.circles;
    status = keep_best(&state, prices);
  }
  if (status != HS_OK) hs_gate_prices_free(prices);
  release(&state);
  return status;
}
