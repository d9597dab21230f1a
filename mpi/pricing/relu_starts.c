#include "mpi/pricing/relu_starts.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "mpi/comm/agree.h"

/* Each kind of numbers has a seed of its own in every round. */
typedef enum use { DIRECTION, ROW, NOISE, AMOUNT, USES } use_t;

static uint64_t seed_of(const hs_relu_starts_t *starts, use_t use)
{
  uint64_t index = (uint64_t)starts->round * USES + (uint64_t)use;
  return hs_random_bits((uint64_t)starts->seed, HS_STREAM_PRICE, index);
}

static int64_t near_count(const hs_relu_starts_t *starts)
{
  return starts->near != NULL ? starts->near->count : 0;
}

int64_t hs_relu_starts_count(const hs_relu_starts_t *starts)
{
  int64_t near = near_count(starts);
  return starts->fresh + (near > 0 ? 2 * near + HS_PRICE_PERTURBED : 0);
}

static void add_gaussian(uint64_t seed, int64_t number, int d, double size, double *w)
{
  uint64_t first = (uint64_t)number * (uint64_t)d;
  for (int j = 0; j < d; j++) w[j] += size * hs_random_normal(seed, HS_STREAM_PRICE, first + (uint64_t)j);
}

/* w = unit(neuron) + noise of about the length `noise` */
static void set_near(const hs_relu_starts_t *starts, int64_t neuron, double noise, int64_t number, double *w)
{
  int d = starts->near->d;
  const double *from = starts->near->W1 + neuron * d;
  double sum = 0;
  for (int j = 0; j < d; j++) sum += from[j] * from[j];
  for (int j = 0; j < d && sum > 0; j++) w[j] = from[j] / sqrt(sum);
  if (noise > 0) add_gaussian(seed_of(starts, NOISE), number, d, noise / sqrt(d), w);
}

/* Start `number` of those that belong to neurons: rank 0 has them all. */
static void make_near(const hs_relu_starts_t *starts, int64_t number, double *w)
{
  int64_t near = near_count(starts), perturbed = number - 2 * near;
  if (perturbed < 0) {
    set_near(starts, number % near, number < near ? 0 : 0.02, number, w);
    return;
  }
  uint64_t seed = seed_of(starts, AMOUNT), index = 2 * (uint64_t)perturbed;
  int64_t chosen = (int64_t)((double)near * hs_random_uniform(seed, HS_STREAM_PRICE, index));
  double noise = pow(10, -1.5 * hs_random_uniform(seed, HS_STREAM_PRICE, index + 1));
  set_near(starts, chosen < near ? chosen : near - 1, noise, number, w);
}

/* w = +- row of X if it is on this rank */
static void set_row(const hs_relu_starts_t *starts, int64_t number, double *w)
{
  const hs_shard_t *shard = starts->problem->shard;
  uint64_t seed = seed_of(starts, ROW), index = 2 * (uint64_t)number;
  uint64_t bits = hs_random_bits(seed, HS_STREAM_PRICE, index);
  int64_t row = (int64_t)(bits % (uint64_t)shard->partition.rows) - shard->row0;
  if (row < 0 || row >= shard->rows) return;
  double sign = hs_random_bits(seed, HS_STREAM_PRICE, index + 1) % 2 == 0 ? 1 : -1;
  for (int j = 0; j < shard->d; j++) {
    int64_t e = row * shard->d + j;
    w[j] = sign * (shard->precision == HS_SINGLE ? (double)((const float *)shard->X)[e]
                                                 : ((const double *)shard->X)[e]);
  }
}

static void normalise(int64_t number, int d, double *w)
{
  double sum = 0;
  for (int j = 0; j < d; j++) sum += w[j] * w[j];
  for (int j = 0; j < d; j++) w[j] = sum > 0 ? w[j] / sqrt(sum) : j == number % d;
}

void hs_relu_starts_make(const hs_relu_starts_t *starts, int64_t first, int count, double *W,
                         hs_traffic_t *traffic)
{
  int d = starts->problem->shard->d;
  int64_t near = hs_relu_starts_count(starts) - starts->fresh;
  bool lowest = hs_rank(starts->problem->comm) == 0;
  memset(W, 0, (size_t)count * (size_t)d * sizeof *W);
  for (int s = 0; s < count; s++) {
    int64_t number = first + s, fresh = number - near;
    double *w = W + (size_t)s * (size_t)d;
    if (fresh >= 0 && fresh % 2 == 1)
      set_row(starts, fresh, w);
    else if (lowest && fresh >= 0)
      add_gaussian(seed_of(starts, DIRECTION), fresh, d, 1, w);
    else if (lowest)
      make_near(starts, number, w);
  }
  hs_sum(starts->problem->comm, W, (int64_t)count * d, traffic);
  for (int s = 0; s < count; s++) normalise(first + s, d, W + (size_t)s * (size_t)d);
}
