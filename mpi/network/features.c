#include "mpi/network/features.h"

#include <cblas.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"
#include "mpi/comm/agree.h"
#include "mpi/data/slab.h"

/* What is summed over the slabs, and where. One of T and scores is used, or none. */
typedef struct sums {
  const hs_relu_problem_t *problem;
  const hs_neurons_t *neurons;
  int first, kinds;
  const double *V, *T;
  double *scores;
  int64_t length; /* numbers in the sum of one thread */
} sums_t;

/* Room of one thread: rows of X, H, weighted columns of H, then its sum. */
typedef struct part {
  double *rows, *H, *weighted, *sum;
} part_t;

static size_t part_numbers(const sums_t *sums)
{
  size_t slab = HS_SLAB_ROWS, K = (size_t)sums->neurons->count;
  return slab * ((size_t)sums->neurons->d + 2 * K) + (size_t)sums->length;
}

static part_t part_of(const sums_t *sums, double *room, int part)
{
  size_t slab = HS_SLAB_ROWS, K = (size_t)sums->neurons->count;
  part_t p = {.rows = room + (size_t)part * part_numbers(sums)};
  p.H = p.rows + slab * (size_t)sums->neurons->d;
  p.weighted = p.H + slab * K;
  p.sum = p.weighted + slab * K;
  return p;
}

/* H of a slab, count x K. */
static void make_slab(const sums_t *sums, int64_t row, int count, part_t p)
{
  int d = sums->neurons->d, K = sums->neurons->count;
  const double *x = hs_slab(sums->problem->shard, row, count, p.rows);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, K, d, 1, x, d, sums->neurons->W1, d, 0, p.H, K);
  for (int64_t e = 0; e < (int64_t)count * K; e++) p.H[e] = p.H[e] > 0 ? p.H[e] : 0;
}

/* sum_m += (diag(v_m) H_new)' H, (K - first) x K */
static void add_gram(const sums_t *sums, int64_t row, int count, part_t p)
{
  int K = sums->neurons->count, added = K - sums->first;
  for (int m = 0; m < sums->kinds; m++) {
    const double *left = p.H + sums->first;
    if (sums->V != NULL) {
      for (int k = 0; k < count; k++) {
        double v = sums->V[(row + k) * sums->kinds + m];
        for (int i = sums->first; i < K; i++) p.weighted[(int64_t)k * K + i] = v * p.H[(int64_t)k * K + i];
      }
      left = p.weighted + sums->first;
    }
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, added, K, count, 1, left, K, p.H, K, 1,
                p.sum + (int64_t)m * added * K, K);
  }
}

static void add_slab(const sums_t *sums, int64_t row, int count, part_t p)
{
  int K = sums->neurons->count, C = sums->neurons->outputs;
  make_slab(sums, row, count, p);
  if (sums->scores != NULL)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, C, K, 1, p.H, K, sums->neurons->W2, C, 0,
                sums->scores + row * C, C);
  else if (sums->T != NULL)
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, K - sums->first, C, count, 1, p.H + sums->first, K,
                sums->T + row * C, C, 1, p.sum, C);
  else
    add_gram(sums, row, count, p);
}

/* Every slab of this rank; the sum ends up with the first part. */
static void run(const sums_t *sums, int parts, double *room)
{
  int64_t rows = sums->problem->shard->rows, slabs = (rows + HS_SLAB_ROWS - 1) / HS_SLAB_ROWS;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++)
    for (int64_t s = hs_part_first(slabs, parts, part); s < hs_part_first(slabs, parts, part + 1); s++) {
      int64_t row = s * HS_SLAB_ROWS;
      add_slab(sums, row, (int)hs_min64(HS_SLAB_ROWS, rows - row), part_of(sums, room, part));
    }
  double *total = part_of(sums, room, 0).sum;
  for (int part = 1; part < parts; part++) {
    const double *sum = part_of(sums, room, part).sum;
    for (int64_t e = 0; e < sums->length; e++) total[e] += sum[e];
  }
}

/* All slabs of all ranks; the caller finds the total in part 0 of *room and frees it. */
static hs_status_t sum_up(const sums_t *sums, double **room, hs_traffic_t *traffic)
{
  int parts = hs_parts(sums->problem->shard->rows, HS_SLAB_ROWS, hs_threads());
  *room = hs_alloc((size_t)parts * part_numbers(sums), sizeof(double), "features of neurons");
  hs_status_t status = hs_agree(sums->problem->comm, *room == NULL ? HS_NO_MEMORY : HS_OK);
  if (status != HS_OK) return status;
  run(sums, parts, *room);
  hs_sum(sums->problem->comm, part_of(sums, *room, 0).sum, sums->length, traffic);
  return HS_OK;
}

/* The new rows of Q, and their mirror images. The square of new columns by new columns is made symmetric to the last bit. */
static void place(int K, int first, const double *sum, double *Q)
{
  for (int i = first; i < K; i++)
    for (int j = 0; j <= i; j++) {
      double value = sum[(int64_t)(i - first) * K + j];
      Q[(int64_t)i * K + j] = value;
      Q[(int64_t)j * K + i] = value;
    }
}

hs_status_t hs_features_gram(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, int first,
                             int kinds, const double *V, double *Q, hs_traffic_t *traffic)
{
  int K = neurons->count;
  if (first >= K) return HS_OK;
  sums_t sums = {.problem = problem, .neurons = neurons, .first = first, .kinds = kinds, .V = V};
  sums.length = (int64_t)kinds * (K - first) * K;
  double *room = NULL;
  hs_status_t status = sum_up(&sums, &room, traffic);
  for (int m = 0; m < kinds && status == HS_OK; m++)
    place(K, first, part_of(&sums, room, 0).sum + (int64_t)m * (K - first) * K, Q + (int64_t)m * K * K);
  hs_free(room);
  return status;
}

hs_status_t hs_features_project(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, int first,
                                const double *T, double *B, hs_traffic_t *traffic)
{
  int K = neurons->count, C = neurons->outputs;
  if (first >= K) return HS_OK;
  sums_t sums = {.problem = problem, .neurons = neurons, .first = first, .T = T};
  sums.length = (int64_t)(K - first) * C;
  double *room = NULL;
  hs_status_t status = sum_up(&sums, &room, traffic);
  if (status == HS_OK)
    memcpy(B + (int64_t)first * C, part_of(&sums, room, 0).sum, (size_t)sums.length * sizeof *B);
  hs_free(room);
  return status;
}

hs_status_t hs_features_predict(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, double *scores)
{
  const hs_shard_t *shard = problem->shard;
  if (neurons->count == 0) {
    memset(scores, 0, (size_t)shard->rows * (size_t)shard->outputs * sizeof *scores);
    return HS_OK;
  }
  sums_t sums = {.problem = problem, .neurons = neurons, .scores = scores};
  int parts = hs_parts(shard->rows, HS_SLAB_ROWS, hs_threads());
  double *room = hs_alloc((size_t)parts * part_numbers(&sums), sizeof(double), "features of neurons");
  if (room == NULL) return HS_NO_MEMORY;
  run(&sums, parts, room);
  hs_free(room);
  return HS_OK;
}
