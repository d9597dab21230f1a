#include "mpi/network/random_start.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "mpi/comm/agree.h"

static void draw(hs_neurons_t *neurons, int64_t seed, int restart)
{
  int64_t first = (int64_t)neurons->count * neurons->d,
          all = first + (int64_t)neurons->count * neurons->outputs;
  uint64_t base = (uint64_t)restart << 40; /* no network has that many weights */
  for (int64_t e = 0; e < all; e++) {
    double number = hs_random_normal((uint64_t)seed, HS_STREAM_START, base + (uint64_t)e);
    if (e < first)
      neurons->W1[e] = number;
    else
      neurons->W2[e - first] = number;
  }
}

/* |Y|_F / |f(X)|_F; 1 where one of them is zero. Collective. */
static hs_status_t find_scale(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, double *scale,
                              hs_traffic_t *traffic)
{
  const hs_shard_t *shard = problem->shard;
  int64_t entries = shard->rows * shard->outputs;
  hs_relu_problem_t squared = *problem; /* its residual is Y - f(X) */
  squared.loss = (hs_loss_t){.kind = HS_SQUARED};
  double *theta = hs_alloc((size_t)entries, sizeof *theta, "predictions"), sums[2] = {0, 0};
  hs_relu_value_t value;
  hs_status_t status = hs_agree(problem->comm, theta != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = hs_relu_evaluate(&squared, neurons, theta, &value, traffic);
  for (int64_t e = 0; e < entries && status == HS_OK; e++) {
    double y = shard->Y[e], f = y - theta[e];
    sums[0] += y * y;
    sums[1] += f * f;
  }
  if (status == HS_OK) hs_sum(problem->comm, sums, 2, traffic);
  *scale = sums[0] > 0 && sums[1] > 0 ? sqrt(sums[0] / sums[1]) : 1;
  hs_free(theta);
  return status;
}

hs_status_t hs_random_start(const hs_relu_problem_t *problem, int64_t seed, int restart, int m,
                            hs_neurons_t *neurons, hs_traffic_t *traffic)
{
  double scale = 1;
  hs_neurons_clear(neurons);
  hs_neurons_init(neurons, problem->shard->d, problem->shard->outputs);
  hs_status_t status = hs_agree(problem->comm, hs_neurons_reserve(neurons, m));
  if (status != HS_OK) return status;
  neurons->count = m;
  draw(neurons, seed, restart);
  status = find_scale(problem, neurons, &scale, traffic);
  for (int64_t e = 0; e < (int64_t)m * neurons->outputs && status == HS_OK; e++) neurons->W2[e] *= scale;
  hs_neurons_balance(neurons);
  return status;
}
