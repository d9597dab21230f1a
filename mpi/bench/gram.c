/* gram.c: the Gram matrix of a rank's rows against the matrix product that it stands for. */
#include <cblas.h>
#include <math.h>

#include "base/memory.h"
#include "masked/gram.h"
#include "mpi/bench/operand.h"
#include "mpi/bench/sections.h"
#include "mpi/bench/timing.h"

#define EDGE 1024 /* of the matrices of the bare dgemm */

typedef struct shape {
  int rows, d, gates;
  bool weighted;
} shape_t;

typedef struct gram {
  const shape_t *shape;
  hs_operand_t operand;
  hs_masked_gram_t *gram;
  int order;       /* P d */
  double *G;       /* order x order */
  double *lambda;  /* rows, or NULL */
  double *bare[3]; /* EDGE x EDGE each */
} gram_t;

enum { GRAM, GEMM, TASKS };

static void make_gram(void *context)
{
  gram_t *gram = context;
  hs_masked_gram_block(gram->gram, gram->lambda, 0, gram->order, 0, gram->order, gram->G, gram->order);
}

static void gemm(void *context)
{
  gram_t *gram = context;
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, EDGE, EDGE, EDGE, 1, gram->bare[0], EDGE,
              gram->bare[1], EDGE, 0, gram->bare[2], EDGE);
}

static hs_status_t allocate(gram_t *gram)
{
  gram->order = gram->operand.gates.count * gram->shape->d;
  gram->G = hs_alloc((size_t)gram->order * (size_t)gram->order, sizeof(double), "Gram matrix");
  if (gram->G == NULL) return HS_NO_MEMORY;
  for (int i = 0; i < 3; i++) {
    gram->bare[i] = hs_alloc((size_t)EDGE * EDGE, sizeof(double), "benchmark");
    if (gram->bare[i] == NULL) return HS_NO_MEMORY;
    hs_operand_fill(gram->bare[i], (int64_t)EDGE * EDGE);
  }
  if (!gram->shape->weighted) return HS_OK;
  gram->lambda = hs_alloc((size_t)gram->shape->rows, sizeof(double), "curvatures");
  if (gram->lambda == NULL) return HS_NO_MEMORY;
  hs_operand_fill(gram->lambda, gram->shape->rows);
  return HS_OK;
}

static hs_status_t create(gram_t *gram, const shape_t *shape)
{
  *gram = (gram_t){.shape = shape};
  hs_status_t status = hs_operand_create(&gram->operand, shape->rows, shape->d, shape->gates, 1, HS_DOUBLE);
  if (status == HS_OK) status = hs_masked_gram_create(&gram->gram, gram->operand.op);
  return status == HS_OK ? allocate(gram) : status;
}

static void release(gram_t *gram)
{
  hs_masked_gram_free(&gram->gram);
  hs_operand_free(&gram->operand);
  hs_free(gram->G);
  hs_free(gram->lambda);
  for (int i = 0; i < 3; i++) hs_free(gram->bare[i]);
}

static void print(hs_results_t *results, const gram_t *gram, const double *seconds)
{
  const shape_t *shape = gram->shape;
  double order = gram->order, rate = shape->rows * order * order / seconds[GRAM];
  double bare = 2 * pow(EDGE, 3) / seconds[GEMM];
  hs_results_number(results, shape->rows, 0);
  hs_results_number(results, shape->d, 0);
  hs_results_number(results, gram->operand.gates.count, 0);
  hs_results_number(results, order, 0);
  hs_results_text(results, "%s", shape->weighted ? "given" : "ones");
  hs_results_number(results, seconds[GRAM], 3);
  hs_results_number(results, rate / 1e9, 1);
  hs_results_number(results, bare / 1e9, 1);
  hs_results_number(results, rate / bare, 1);
}

hs_status_t hs_bench_gram(hs_bench_t *bench)
{
  static const shape_t shapes[] = {
      {100000, 21, 50, false}, {100000, 21, 50, true}, {20000, 50, 40, false}, {4000, 784, 4, false}};
  static const hs_column_t columns[] = {{"rows", "rows"},   {"features", "d"},         {"gates", "P"},
                                        {"order", "P d"},   {"weights", "weights"},    {"seconds", "seconds"},
                                        {"gflops", "GF/s"}, {"dgemm_gflops", "dgemm"}, {"ratio", "/ dgemm"}};
  static hs_task_t *const tasks[TASKS] = {make_gram, gemm};
  hs_results_table(
      &bench->results, "gram",
      "the Gram matrix of one rank's rows in double; rates count n (P d)^2 flops, however many are "
      "done",
      columns, sizeof columns / sizeof *columns);
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes && status == HS_OK; i++) {
    gram_t gram;
    double seconds[TASKS];
    status = create(&gram, &shapes[i]);
    if (status == HS_OK) {
      hs_time_tasks(TASKS, tasks, &gram, bench->seconds, seconds);
      print(&bench->results, &gram, seconds);
    }
    release(&gram);
  }
  hs_results_end(&bench->results);
  return status;
}
