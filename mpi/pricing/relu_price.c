#include "mpi/pricing/relu_price.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/pricing/relu_ascent.h"
#include "mpi/pricing/relu_products.h"
#include "mpi/pricing/relu_starts.h"

#define STEPS 100 /* of an ascent, unless the caller says otherwise */

/* A column in single precision is led on in double if it may still come above what counts: a share of it. */
#define MARGIN 1e-3

/* A maximum: where its numbers are. */
typedef struct maximum {
  double value;
  int64_t start;
  int slot;
} maximum_t;

/* The best distinct maxima so far and, behind them, those of a batch. */
typedef struct pool {
  int d, C, keep, count, room;
  maximum_t *list; /* room, the kept ones first, sorted */
  double *W, *A;   /* room x d, room x C: by slot */
  int *free_slots; /* room - count of them */
} pool_t;

typedef struct search {
  const hs_relu_problem_t *problem;
  const hs_price_options_t *options;
  hs_relu_starts_t starts;
  hs_relu_ascent_t *ascent;
  hs_ascent_work_t work;
  hs_ascent_batch_t batch, again; /* again: the part of a batch that is led on in double */
  int *again_column;
  pool_t pool;
  int columns; /* of a batch, at most */
  double begin;
} search_t;

static bool create_batch(hs_ascent_batch_t *batch, size_t columns, size_t d, size_t C)
{
  batch->W = hs_alloc(columns * d, sizeof(double), "directions of the price");
  batch->A = hs_alloc(columns * C, sizeof(double), "values of the price");
  batch->f = hs_alloc(columns, sizeof(double), "values of the price");
  return batch->W != NULL && batch->A != NULL && batch->f != NULL;
}

static bool create_pool(pool_t *pool, int d, int C, int keep, int columns)
{
  *pool = (pool_t){.d = d, .C = C, .keep = keep, .room = keep > 0 ? keep + columns : 0};
  size_t room = (size_t)pool->room;
  pool->list = hs_alloc(room, sizeof *pool->list, "maxima of the price");
  pool->W = hs_alloc(room * (size_t)d, sizeof(double), "maxima of the price");
  pool->A = hs_alloc(room * (size_t)C, sizeof(double), "maxima of the price");
  pool->free_slots = hs_alloc(room, sizeof(int), "maxima of the price");
  if (pool->list == NULL || pool->W == NULL || pool->A == NULL || pool->free_slots == NULL) return false;
  for (int slot = 0; slot < pool->room; slot++) pool->free_slots[slot] = slot;
  return true;
}

static bool create(search_t *search, hs_price_t *price)
{
  const hs_shard_t *shard = search->problem->shard;
  size_t d = (size_t)shard->d, C = (size_t)shard->outputs;
  size_t columns = (size_t)search->columns, finished = shard->precision == HS_SINGLE ? columns : 0;
  price->best_w = hs_alloc(d, sizeof(double), "best direction of the price");
  price->value = hs_alloc((size_t)search->options->keep, sizeof(double), "values of the price");
  search->again_column = hs_alloc(finished, sizeof(int), "columns of the price");
  return create_batch(&search->batch, columns, d, C) && create_batch(&search->again, finished, d, C) &&
         create_pool(&search->pool, shard->d, shard->outputs, search->options->keep, search->columns) &&
         price->best_w != NULL && price->value != NULL && search->again_column != NULL;
}

static void release(search_t *search)
{
  hs_ascent_batch_t *batches[] = {&search->batch, &search->again};
  for (int b = 0; b < 2; b++) {
    hs_free(batches[b]->W);
    hs_free(batches[b]->A);
    hs_free(batches[b]->f);
  }
  hs_free(search->again_column);
  hs_free(search->pool.list);
  hs_free(search->pool.W);
  hs_free(search->pool.A);
  hs_free(search->pool.free_slots);
  hs_relu_ascent_free(&search->ascent);
}

static void copy_numbers(double *to, int to_row, const double *from, int from_row, int wide)
{
  memcpy(to + (size_t)to_row * (size_t)wide, from + (size_t)from_row * (size_t)wide,
         (size_t)wide * sizeof *to);
}

/* ---- choice of the best distinct maxima ---- */

static int by_value(const void *left, const void *right)
{
  const maximum_t *a = left, *b = right;
  if (a->value != b->value) return a->value > b->value ? -1 : 1;
  return (a->start > b->start) - (a->start < b->start);
}

static double distance(const pool_t *pool, int slot, int other)
{
  const double *v = pool->W + (size_t)slot * (size_t)pool->d, *w = pool->W + (size_t)other * (size_t)pool->d;
  double sum = 0;
  for (int j = 0; j < pool->d; j++) sum += (v[j] - w[j]) * (v[j] - w[j]);
  return sqrt(sum);
}

/* From the best down: move maxima that are farther than `apart` from all that are chosen to the chosen ones, the first of the
 * list, until there are `keep`. The others keep their order. Returns how many are chosen. */
static int choose_apart(pool_t *pool, int chosen, double apart)
{
  for (int k = chosen; k < pool->count && chosen < pool->keep; k++) {
    maximum_t maximum = pool->list[k];
    double nearest = INFINITY;
    for (int other = 0; other < chosen && nearest > apart; other++)
      nearest = fmin(nearest, distance(pool, maximum.slot, pool->list[other].slot));
    if (!(nearest > apart)) continue;
    memmove(pool->list + chosen + 1, pool->list + chosen, (size_t)(k - chosen) * sizeof *pool->list);
    pool->list[chosen++] = maximum;
  }
  return chosen;
}

/* One of each neighbourhood first, of smaller and smaller ones. */
static void choose(pool_t *pool)
{
  qsort(pool->list, (size_t)pool->count, sizeof *pool->list, by_value);
  int chosen = 0;
  for (double radius = HS_PRICE_NEAR; radius > 2 * HS_PRICE_APART; radius /= 10)
    chosen = choose_apart(pool, chosen, radius);
  chosen = choose_apart(pool, chosen, HS_PRICE_APART);
  while (pool->count > chosen) {
    int slot = pool->list[pool->count - 1].slot;
    pool->free_slots[pool->room - pool->count--] = slot;
  }
  qsort(pool->list, (size_t)pool->count, sizeof *pool->list, by_value);
}

static void offer(pool_t *pool, const hs_ascent_batch_t *batch, int64_t first, double above)
{
  for (int s = 0; s < batch->count && pool->keep > 0; s++) {
    if (!(batch->f[s] > above)) continue;
    int slot = pool->free_slots[pool->room - pool->count - 1];
    copy_numbers(pool->W, slot, batch->W, s, pool->d);
    copy_numbers(pool->A, slot, batch->A, s, pool->C);
    pool->list[pool->count++] = (maximum_t){batch->f[s], first + s, slot};
  }
  choose(pool);
}

static hs_status_t take_found(const pool_t *pool, hs_price_t *price)
{
  hs_status_t status = hs_neurons_reserve(&price->found, pool->count);
  for (int k = 0; k < pool->count && status == HS_OK; k++) {
    const maximum_t *maximum = &pool->list[k];
    double *a = pool->A + (size_t)maximum->slot * (size_t)pool->C;
    for (int c = 0; c < pool->C && maximum->value > 0; c++) a[c] /= maximum->value;
    price->value[k] = maximum->value;
    status = hs_neurons_add(&price->found, pool->W + (size_t)maximum->slot * (size_t)pool->d, a);
  }
  return status;
}

/* ---- batches ---- */

/* What is largest; NaN if there is one. */
static double largest(const hs_ascent_batch_t *batch)
{
  double value = 0;
  for (int s = 0; s < batch->count; s++)
    if (!(batch->f[s] <= value)) value = batch->f[s];
  return value;
}

/* Lead the columns that count on in double. */
static void finish(search_t *search, int max_steps, hs_traffic_t *traffic)
{
  hs_ascent_batch_t *batch = &search->batch, *again = &search->again;
  int d = search->problem->shard->d, C = search->problem->shard->outputs;
  double most = largest(batch),
         counts = search->options->keep > 0 ? fmin(search->options->above, most) : most;
  again->count = 0;
  for (int s = 0; s < batch->count; s++) {
    if (!(batch->f[s] >= counts - MARGIN * fabs(counts))) continue;
    search->again_column[again->count] = s;
    copy_numbers(again->W, again->count++, batch->W, s, d);
  }
  hs_relu_ascent_run(search->ascent, again, HS_DOUBLE, max_steps, &search->work, traffic);
  for (int s = 0; s < batch->count; s++) batch->f[s] = -1; /* the others count no more */
  for (int k = 0; k < again->count; k++) {
    int s = search->again_column[k];
    copy_numbers(batch->W, s, again->W, k, d);
    copy_numbers(batch->A, s, again->A, k, C);
    batch->f[s] = again->f[k];
  }
}

static hs_status_t do_batch(search_t *search, int64_t first, hs_price_t *price, hs_traffic_t *traffic)
{
  const hs_shard_t *shard = search->problem->shard;
  hs_ascent_batch_t *batch = &search->batch;
  int max_steps = search->options->max_steps > 0 ? search->options->max_steps : STEPS;
  hs_relu_starts_make(&search->starts, first, batch->count, batch->W, traffic);
  hs_relu_ascent_run(search->ascent, batch, shard->precision, max_steps, &search->work, traffic);
  if (!isfinite(largest(batch)))
    return hs_fail(HS_NUMERICAL, NULL, "price of neurons", "not finite (features and residuals must be)");
  if (shard->precision == HS_SINGLE) finish(search, max_steps, traffic);
  for (int s = 0; s < batch->count; s++)
    if (batch->f[s] > price->best) {
      price->best = batch->f[s];
      copy_numbers(price->best_w, 0, batch->W, s, shard->d);
    }
  offer(&search->pool, batch, first, search->options->above);
  price->starts += batch->count;
  return HS_OK;
}

/* The clock of rank 0 decides. */
static bool is_late(const search_t *search)
{
  if (!(search->options->max_seconds > 0)) return false;
  int late = MPI_Wtime() - search->begin > search->options->max_seconds;
  HS_MPI(MPI_Bcast(&late, 1, MPI_INT, 0, search->problem->comm));
  return late != 0;
}

static hs_status_t do_batches(search_t *search, hs_price_t *price, hs_traffic_t *traffic)
{
  int64_t count = hs_relu_starts_count(&search->starts);
  hs_status_t status = HS_OK;
  price->best = -1;
  for (int64_t first = 0; first < count && status == HS_OK; first += search->columns) {
    if (first > 0 && is_late(search)) break;
    search->batch.count = (int)hs_min64(search->columns, count - first);
    status = do_batch(search, first, price, traffic);
  }
  price->steps = search->work.steps;
  price->values = search->work.values;
  price->gradients = search->work.gradients;
  return status;
}

hs_status_t hs_relu_price(const hs_relu_problem_t *problem, const double *theta,
                          const hs_price_options_t *options, hs_price_t *price, hs_traffic_t *traffic)
{
  search_t search = {.problem = problem, .options = options, .begin = MPI_Wtime()};
  search.starts = (hs_relu_starts_t){problem, options->near, options->starts, options->seed, options->round};
  *price = (hs_price_t){0};
  hs_neurons_init(&price->found, problem->shard->d, problem->shard->outputs);
  int64_t count = hs_relu_starts_count(&search.starts);
  if (count < 1)
    return hs_fail(HS_BAD_USAGE, NULL, "price of neurons", "no starts (there must be at least 1)");
  /* Batches of one size: the last one would otherwise reduce a few columns at a time. */
  int64_t batches = (count + HS_PRODUCT_COLUMNS - 1) / HS_PRODUCT_COLUMNS;
  search.columns = (int)((count + batches - 1) / batches);
  hs_status_t status = hs_agree(problem->comm, create(&search, price) ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = hs_relu_ascent_create(&search.ascent, problem, theta, search.columns);
  if (status == HS_OK) status = do_batches(&search, price, traffic);
  if (status == HS_OK) status = hs_agree(problem->comm, take_found(&search.pool, price));
  release(&search);
  if (status != HS_OK) hs_price_free(price);
  return status;
}

void hs_price_free(hs_price_t *price)
{
  hs_free(price->best_w);
  hs_free(price->value);
  hs_neurons_clear(&price->found);
  *price = (hs_price_t){0};
}
