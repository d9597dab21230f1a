#include "mpi/network/relu_gradient.h"

#include <cblas.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"
#include "minimise/vectors.h"
#include "mpi/comm/agree.h"
#include "mpi/data/slab.h"

struct hs_relu_gradient {
  const hs_relu_problem_t *problem;
  int d, C, m, parts;
  int64_t size;    /* m (d + C) */
  double *scratch; /* of the parts */
  double *sums;    /* what is reduced: gradient, loss, votes */
};

/* What one thread works on. */
typedef struct part {
  double *rows;     /* SLAB x d */
  double *hidden;   /* SLAB x m: H */
  double *back;     /* SLAB x m: R W2', where H > 0 */
  double *residual; /* SLAB x C: predictions, then R */
  double *sums;     /* m (d + C) + 1: gradient and loss of this part */
} part_t;

static size_t part_numbers(const hs_relu_gradient_t *work)
{
  size_t columns = (size_t)work->d + 2 * (size_t)work->m + (size_t)work->C;
  return HS_SLAB_ROWS * columns + (size_t)work->size + 1;
}

static part_t part_of(const hs_relu_gradient_t *work, int part)
{
  part_t p = {.rows = work->scratch + (size_t)part * part_numbers(work)};
  p.hidden = p.rows + (size_t)HS_SLAB_ROWS * (size_t)work->d;
  p.back = p.hidden + (size_t)HS_SLAB_ROWS * (size_t)work->m;
  p.residual = p.back + (size_t)HS_SLAB_ROWS * (size_t)work->m;
  p.sums = p.residual + (size_t)HS_SLAB_ROWS * (size_t)work->C;
  return p;
}

hs_status_t hs_relu_gradient_create(hs_relu_gradient_t **work, const hs_relu_problem_t *problem, int neurons)
{
  const hs_shard_t *shard = problem->shard;
  hs_relu_gradient_t *w = *work = hs_alloc(1, sizeof **work, "gradient of the network");
  hs_status_t status = w != NULL ? HS_OK : HS_NO_MEMORY;
  int size = 0;
  if (status == HS_OK)
    status = hs_to_int((int64_t)neurons * (shard->d + shard->outputs), &size, "weights of the network");
  if (status == HS_OK) {
    *w = (hs_relu_gradient_t){.problem = problem, .d = shard->d, .C = shard->outputs, .m = neurons};
    w->size = size;
    w->parts = hs_parts(shard->rows, HS_SLAB_ROWS, hs_threads());
    w->scratch = hs_alloc((size_t)w->parts * part_numbers(w), sizeof(double), "hidden layer");
    w->sums = hs_alloc((size_t)w->size + 1 + HS_RELU_VOTES, sizeof(double), "gradient of the network");
    if (w->scratch == NULL || w->sums == NULL) status = HS_NO_MEMORY;
  }
  status = hs_agree(problem->comm, status);
  if (status != HS_OK) hs_relu_gradient_free(work);
  return status;
}

void hs_relu_gradient_free(hs_relu_gradient_t **work)
{
  if (*work == NULL) return;
  hs_free((*work)->scratch);
  hs_free((*work)->sums);
  hs_free(*work);
  *work = NULL;
}

int64_t hs_relu_gradient_size(const hs_relu_gradient_t *work)
{
  return work->size;
}

/* H = (x W1')_+ and the predictions H W2. */
static void forward(const hs_relu_gradient_t *work, int count, const double *x, const double *weights,
                    part_t *p)
{
  int d = work->d, C = work->C, m = work->m;
  const double *W2 = weights + (int64_t)m * d;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, m, d, 1, x, d, weights, d, 0, p->hidden, m);
  for (int64_t e = 0; e < (int64_t)count * m; e++) p->hidden[e] = p->hidden[e] > 0 ? p->hidden[e] : 0;
  if (C == 1)
    cblas_dgemv(CblasRowMajor, CblasNoTrans, count, m, 1, p->hidden, m, W2, 1, 0, p->residual, 1);
  else
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, C, m, 1, p->hidden, m, W2, C, 0,
                p->residual, C);
}

/* back = R W2' where the neuron is on */
static void go_back(const hs_relu_gradient_t *work, int count, const double *W2, part_t *p)
{
  int C = work->C, m = work->m;
  if (C > 1)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, m, C, 1, p->residual, C, W2, C, 0, p->back,
                m);
  for (int k = 0; k < count; k++) {
    const double *hidden = p->hidden + (int64_t)k * m;
    double *back = p->back + (int64_t)k * m, r = p->residual[(int64_t)k * C];
    if (C > 1)
      for (int j = 0; j < m; j++) back[j] = hidden[j] > 0 ? back[j] : 0;
    else
      for (int j = 0; j < m; j++) back[j] = hidden[j] > 0 ? r * W2[j] : 0;
  }
}

/* Add a slab's share of loss and gradient to the part's sums. */
static void add_slab(const hs_relu_gradient_t *work, int64_t row, int count, const double *weights, part_t *p)
{
  const hs_shard_t *shard = work->problem->shard;
  int d = work->d, C = work->C, m = work->m;
  const double *x = hs_slab(shard, row, count, p->rows), *y = shard->Y + row * C;
  double *G1 = p->sums, *G2 = p->sums + (int64_t)m * d;
  forward(work, count, x, weights, p);
  p->sums[work->size] += hs_loss_value(work->problem->loss, count, C, p->residual, y);
  hs_loss_gradient(work->problem->loss, count, C, p->residual, y, p->residual);
  go_back(work, count, weights + (int64_t)m * d, p);
  if (C == 1)
    cblas_dgemv(CblasRowMajor, CblasTrans, count, m, 1, p->hidden, m, p->residual, 1, 1, G2, 1);
  else
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, C, count, 1, p->hidden, m, p->residual, C, 1, G2,
                C);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, d, count, 1, p->back, m, x, d, 1, G1, d);
}

static void add_rows(const hs_relu_gradient_t *work, const double *weights)
{
  int64_t rows = work->problem->shard->rows, slabs = (rows + HS_SLAB_ROWS - 1) / HS_SLAB_ROWS;
#pragma omp parallel for schedule(static, 1) num_threads(work->parts)
  for (int part = 0; part < work->parts; part++) {
    part_t p = part_of(work, part);
    memset(p.sums, 0, ((size_t)work->size + 1) * sizeof *p.sums);
    for (int64_t s = hs_part_first(slabs, work->parts, part); s < hs_part_first(slabs, work->parts, part + 1);
         s++) {
      int64_t row = s * HS_SLAB_ROWS;
      add_slab(work, row, (int)hs_min64(HS_SLAB_ROWS, rows - row), weights, &p);
    }
  }
}

void hs_relu_gradient(hs_relu_gradient_t *work, const double *weights, double *value, double *gradient,
                      double *votes, hs_traffic_t *traffic)
{
  int64_t size = work->size;
  double beta = work->problem->beta, *sums = work->sums;
  if (work->m > 0) add_rows(work, weights);
  memset(sums, 0, (size_t)(size + 1 + HS_RELU_VOTES) * sizeof *sums);
  for (int part = 0; part < work->parts; part++) hs_vector_add(size + 1, 1, part_of(work, part).sums, sums);
  if (votes != NULL) memcpy(sums + size + 1, votes, HS_RELU_VOTES * sizeof *votes);
  hs_sum(work->problem->comm, sums, size + 1 + HS_RELU_VOTES, traffic);
  for (int64_t e = 0; e < size; e++) gradient[e] = sums[e] + beta * weights[e];
  *value = sums[size] + beta / 2 * hs_vector_dot(size, weights, weights);
  if (votes != NULL) memcpy(votes, sums + size + 1, HS_RELU_VOTES * sizeof *votes);
}

hs_status_t hs_relu_active_rows(const hs_relu_problem_t *problem, const hs_neurons_t *neurons, double *counts,
                                hs_traffic_t *traffic)
{
  const hs_shard_t *shard = problem->shard;
  int d = shard->d, m = neurons->count;
  double *rows = hs_alloc((size_t)HS_SLAB_ROWS * (size_t)d, sizeof *rows, "rows");
  double *hidden = hs_alloc((size_t)HS_SLAB_ROWS * (size_t)m, sizeof *hidden, "hidden layer");
  hs_status_t status = hs_agree(problem->comm, rows != NULL && hidden != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK && m > 0) {
    memset(counts, 0, (size_t)m * sizeof *counts);
    for (int64_t row = 0; row < shard->rows; row += HS_SLAB_ROWS) {
      int count = (int)hs_min64(HS_SLAB_ROWS, shard->rows - row);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, m, d, 1, hs_slab(shard, row, count, rows),
                  d, neurons->W1, d, 0, hidden, m);
      for (int k = 0; k < count; k++)
        for (int j = 0; j < m; j++) counts[j] += hidden[(int64_t)k * m + j] > 0;
    }
    hs_sum(problem->comm, counts, m, traffic);
  }
  hs_free(rows);
  hs_free(hidden);
  return status;
}
