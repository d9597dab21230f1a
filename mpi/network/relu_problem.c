#include "mpi/network/relu_problem.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"
#include "mpi/comm/agree.h"
#include "mpi/data/slab.h"

#define WIDTH 512 /* neurons whose activations are in the cache at a time */

/* scores (count x C) = (x W1')_+ W2 for a slab of rows; hidden is count x WIDTH. */
static void slab_scores(const hs_neurons_t *neurons, int count, const double *x, double *hidden,
                        double *scores)
{
  int d = neurons->d, C = neurons->outputs;
  memset(scores, 0, (size_t)count * (size_t)C * sizeof *scores);
  for (int k = 0; k < neurons->count; k += WIDTH) {
    int width = neurons->count - k < WIDTH ? neurons->count - k : WIDTH;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, width, d, 1, x, d,
                neurons->W1 + (int64_t)k * d, d, 0, hidden, width);
    for (int64_t e = 0; e < (int64_t)count * width; e++) hidden[e] = hidden[e] > 0 ? hidden[e] : 0;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, C, width, 1, hidden, width,
                neurons->W2 + (int64_t)k * C, C, 1, scores, C);
  }
}

/* Scratch of one thread: a slab of rows, its hidden layer. */
static size_t scratch_numbers(const hs_relu_problem_t *problem)
{
  return (size_t)HS_SLAB_ROWS * ((size_t)problem->shard->d + WIDTH);
}

static void predict(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, int parts, double *scratch,
                    double *scores)
{
  const hs_shard_t *shard = problem->shard;
  int64_t slabs = (shard->rows + HS_SLAB_ROWS - 1) / HS_SLAB_ROWS;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++) {
    double *buffer = scratch + (size_t)part * scratch_numbers(problem);
    double *hidden = buffer + (size_t)HS_SLAB_ROWS * (size_t)shard->d;
    for (int64_t s = hs_part_first(slabs, parts, part); s < hs_part_first(slabs, parts, part + 1); s++) {
      int64_t row = s * HS_SLAB_ROWS;
      int count = (int)hs_min64(HS_SLAB_ROWS, shard->rows - row);
      slab_scores(neurons, count, hs_slab(shard, row, count, buffer), hidden, scores + row * shard->outputs);
    }
  }
}

hs_status_t hs_relu_evaluate(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, double *theta,
                             hs_relu_value_t *value, hs_traffic_t *traffic)
{
  const hs_shard_t *shard = problem->shard;
  int64_t entries = shard->rows * shard->outputs;
  int parts = hs_parts(shard->rows, HS_SLAB_ROWS, hs_threads());
  double *scratch = hs_alloc((size_t)parts * scratch_numbers(problem), sizeof *scratch, "hidden layer");
  double *scores = theta != NULL ? theta : hs_alloc((size_t)entries, sizeof *scores, "predictions");
  hs_status_t status = hs_agree(problem->comm, scratch != NULL && scores != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    predict(problem, neurons, parts, scratch, scores);
    value->loss = hs_loss_value(problem->loss, shard->rows, shard->outputs, scores, shard->Y);
    hs_sum(problem->comm, &value->loss, 1, traffic);
    value->norm = hs_neurons_norm(neurons);
    value->objective = value->loss + problem->beta * value->norm;
    if (theta != NULL) {
      hs_loss_gradient(problem->loss, shard->rows, shard->outputs, scores, shard->Y, theta);
      for (int64_t e = 0; e < entries; e++) theta[e] = -theta[e];
    }
  }
  if (theta == NULL) hs_free(scores);
  hs_free(scratch);
  return status;
}

/* D(s) = s linear - s^2 square / 2 for 0 <= s <= scale. */
static double best_quadratic(double linear, double square, double scale)
{
  if (!(square > 0)) return 0;
  double s = fmax(0, fmin(linear / square, scale));
  return s * linear - 0.5 * s * s * square;
}

double hs_relu_dual(const hs_relu_problem_t *problem, const double *theta, double Z, hs_traffic_t *traffic)
{
  const hs_shard_t *shard = problem->shard;
  hs_loss_t loss = problem->loss;
  double scale = problem->beta / Z;
  /* Beyond 1 the residual may leave the domain, but for the losses whose domain is a cone. */
  if (loss.kind != HS_SQUARED && loss.kind != HS_SQUARED_HINGE) scale = fmin(scale, 1);
  if (hs_loss_dual_is_quadratic(loss)) {
    hs_dual_ray_t ray = hs_loss_dual_ray(loss, shard->rows, shard->outputs, theta, shard->Y);
    double sums[2] = {ray.linear, ray.square};
    hs_sum(problem->comm, sums, 2, traffic);
    return best_quadratic(sums[0], sums[1], scale);
  }
  /* Entropies are concave in s and, at the residual of a network worth having, still rising at 1. */
  double value = hs_loss_dual_value(loss, shard->rows, shard->outputs, theta, scale, shard->Y);
  hs_sum(problem->comm, &value, 1, traffic);
  return value;
}
