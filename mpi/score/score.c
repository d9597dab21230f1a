#include "mpi/score/score.h"

#include <math.h>

#include "base/memory.h"
#include "model/model.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/reduce.h"

/* Standard error of the mean of n numbers, from their sum and the sum of their squares. */
static double error_of_mean(double n, double sum, double squares)
{
  double mean = sum / n;
  return sqrt(fmax(0, squares / n - mean * mean) / n);
}

/* Needs two reductions: squares about zero would cancel for targets far from it. Collective. */
static hs_status_t regression(MPI_Comm comm, const hs_shard_t *shard, const double *scores,
                              hs_score_t *result)
{
  int64_t C = shard->outputs;
  double n = (double)shard->partition.rows, sums[3] = {0, 0, 0};
  hs_traffic_t traffic = {0};
  double *mean = hs_alloc((size_t)C, sizeof *mean, "means of the targets");
  hs_status_t status = hs_agree(comm, mean != NULL ? HS_OK : HS_NO_MEMORY);
  if (status != HS_OK) return status;
  for (int64_t k = 0; k < shard->rows * C; k++) mean[k % C] += shard->Y[k] / n;
  hs_sum(comm, mean, C, &traffic);
  for (int64_t k = 0; k < shard->rows; k++) {
    double square = 0;
    for (int64_t c = 0; c < C; c++) {
      double error = scores[k * C + c] - shard->Y[k * C + c], spread = shard->Y[k * C + c] - mean[c];
      square += error * error;
      sums[1] += spread * spread;
    }
    sums[0] += square;
    sums[2] += square * square;
  }
  hs_sum(comm, sums, 3, &traffic);
  hs_free(mean);
  result->rmse = sqrt(sums[0] / (n * (double)C));
  result->r2 = sums[1] > 0 ? 1 - sums[0] / sums[1] : NAN;
  result->standard_error = sums[1] > 0 ? n * error_of_mean(n, sums[0], sums[2]) / sums[1] : NAN;
  return HS_OK;
}

static int64_t count_right(const hs_shard_t *shard, const double *scores)
{
  int64_t right = 0;
  for (int64_t k = 0; k < shard->rows; k++)
    right += hs_model_class(shard->outputs, scores + k * shard->outputs) == shard->labels[k];
  return right;
}

hs_status_t hs_score(MPI_Comm comm, const hs_shard_t *shard, hs_loss_t loss, const double *scores,
                     hs_score_t *result)
{
  bool classes = shard->classes.count > 0;
  double n = (double)shard->partition.rows, sums[2] = {0, 0};
  hs_traffic_t traffic = {0};
  *result = (hs_score_t){.accuracy = NAN, .rmse = NAN, .r2 = NAN, .standard_error = NAN};
  sums[0] = hs_loss_value(loss, shard->rows, shard->outputs, scores, shard->Y);
  if (classes) sums[1] = (double)count_right(shard, scores);
  hs_sum(comm, sums, 2, &traffic);
  result->loss = sums[0];
  if (!classes) return regression(comm, shard, scores, result);
  result->accuracy = sums[1] / n;
  result->standard_error = error_of_mean(n, sums[1], sums[1]);
  return HS_OK;
}
