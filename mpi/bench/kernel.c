/* kernel.c: what a block costs: its kernel, its inverse, and the use of the inverse in an iteration. */
#include <cblas.h>
#include <math.h>

#include "base/memory.h"
#include "block/block_inverse.h"
#include "block/symmetric_tiles.h"
#include "mpi/bench/operand.h"
#include "mpi/bench/sections.h"
#include "mpi/bench/timing.h"

#define TRIAD ((int64_t)4 << 20) /* numbers in each of three vectors: 100 MB, beyond any cache */

typedef struct shape {
  int blocks, block_rows, d, gates;
  hs_precision_t precision;
} shape_t;

typedef struct kernel {
  const shape_t *shape;
  hs_operand_t operand;
  hs_block_inverse_t *inverse;
  float *K, *L, *M, *slice;            /* block_rows^2 thrice; block_rows x d */
  double *curvature, *residual, *step; /* all rows */
  double *triad[3], rho;
  hs_status_t status; /* of factoring */
} kernel_t;

enum { KERNEL, SYRK, FACTOR, GEMM, APPLY, TRIAD_SUM, TASKS };

static void make_kernel(void *context)
{
  kernel_t *kernel = context;
  hs_masked_kernel(kernel->operand.op, 0, kernel->shape->block_rows, kernel->K);
}

static void syrk(void *context)
{
  kernel_t *kernel = context;
  int n = kernel->shape->block_rows, d = kernel->shape->d;
  cblas_ssyrk(CblasColMajor, CblasLower, CblasTrans, n, d, 1, kernel->slice, d, 0, kernel->L, n);
}

static void factor(void *context)
{
  kernel_t *kernel = context;
  hs_status_t status = hs_block_inverse_factor(kernel->inverse, kernel->rho, kernel->curvature);
  if (status != HS_OK) kernel->status = status;
}

static void gemm(void *context)
{
  kernel_t *kernel = context;
  int n = kernel->shape->block_rows;
  cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, kernel->K, n, kernel->L, n, 0, kernel->M,
              n);
}

static void apply(void *context)
{
  kernel_t *kernel = context;
  hs_block_inverse_apply(kernel->inverse, kernel->residual, kernel->step);
}

static void triad(void *context)
{
  kernel_t *kernel = context;
  double *restrict x = kernel->triad[0];
  const double *restrict y = kernel->triad[1], *restrict z = kernel->triad[2];
  for (int64_t e = 0; e < TRIAD; e++) x[e] = y[e] + 3 * z[e];
}

static hs_status_t allocate(kernel_t *kernel)
{
  size_t n = (size_t)kernel->shape->block_rows, rows = n * (size_t)kernel->shape->blocks;
  struct {
    void **block;
    size_t count, size;
  } wanted[] = {{(void **)&kernel->K, n * n, sizeof(float)},
                {(void **)&kernel->L, n * n, sizeof(float)},
                {(void **)&kernel->M, n * n, sizeof(float)},
                {(void **)&kernel->slice, n * (size_t)kernel->shape->d, sizeof(float)},
                {(void **)&kernel->curvature, rows, sizeof(double)},
                {(void **)&kernel->residual, rows, sizeof(double)},
                {(void **)&kernel->step, rows, sizeof(double)},
                {(void **)&kernel->triad[0], TRIAD, sizeof(double)},
                {(void **)&kernel->triad[1], TRIAD, sizeof(double)},
                {(void **)&kernel->triad[2], TRIAD, sizeof(double)}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    *wanted[i].block = hs_alloc(wanted[i].count, wanted[i].size, "benchmark");
    if (*wanted[i].block == NULL) return HS_NO_MEMORY;
  }
  return HS_OK;
}

static void release(kernel_t *kernel)
{
  void *blocks[] = {kernel->K,        kernel->L,    kernel->M,        kernel->slice,    kernel->curvature,
                    kernel->residual, kernel->step, kernel->triad[0], kernel->triad[1], kernel->triad[2]};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) hs_free(blocks[i]);
  hs_block_inverse_free(&kernel->inverse);
  hs_operand_free(&kernel->operand);
}

static hs_status_t make_inverse(kernel_t *kernel)
{
  const shape_t *shape = kernel->shape;
  int64_t *first = hs_alloc((size_t)shape->blocks + 1, sizeof *first, "block rows");
  if (first == NULL) return HS_NO_MEMORY;
  for (int b = 0; b <= shape->blocks; b++) first[b] = (int64_t)b * shape->block_rows;
  hs_status_t status = hs_block_inverse_create(&kernel->inverse, kernel->operand.op, 1, shape->blocks, first);
  hs_free(first);
  kernel->rho = shape->block_rows; /* about the mean eigenvalue of A_b'A_b for such features */
  return status;
}

static hs_status_t create(kernel_t *kernel, const shape_t *shape)
{
  *kernel = (kernel_t){.shape = shape};
  int64_t rows = (int64_t)shape->blocks * shape->block_rows;
  hs_status_t status = hs_operand_create(&kernel->operand, rows, shape->d, shape->gates, 1, shape->precision);
  if (status == HS_OK) status = allocate(kernel);
  if (status != HS_OK) return status;
  for (int64_t k = 0; k < rows; k++) kernel->curvature[k] = 1;
  for (int64_t e = 0; e < (int64_t)shape->block_rows * shape->d; e++)
    kernel->slice[e] = shape->precision == HS_SINGLE ? ((const float *)kernel->operand.shard->X)[e]
                                                     : (float)((const double *)kernel->operand.shard->X)[e];
  hs_operand_fill(kernel->residual, rows);
  return make_inverse(kernel);
}

/* Pairs of rates: ours, and what it is judged by. */
static void print(hs_results_t *results, const kernel_t *kernel, const double *seconds)
{
  const shape_t *shape = kernel->shape;
  double n = shape->block_rows, blocks = shape->blocks;
  double product = n * n * shape->d, inverse = n * n * n + product;
  double work[TASKS] = {product,
                        product,
                        blocks * inverse,
                        2 * n * n * n,
                        blocks * (double)hs_tiles_size(shape->block_rows) * sizeof(float),
                        3.0 * TRIAD * sizeof(double)};
  hs_results_number(results, n, 0);
  hs_results_number(results, blocks, 0);
  hs_results_number(results, shape->d, 0);
  hs_results_number(results, kernel->operand.gates.count, 0);
  hs_results_text(results, "%s", shape->precision == HS_SINGLE ? "float" : "double");
  for (int i = 0; i < TASKS; i += 2) {
    double rate = work[i] / seconds[i], rival = work[i + 1] / seconds[i + 1];
    hs_results_number(results, rate / 1e9, 1);
    hs_results_number(results, rival / 1e9, 1);
    hs_results_number(results, 100 * rate / rival, 0);
  }
}

hs_status_t hs_bench_kernel(hs_bench_t *bench)
{
  static const shape_t shapes[] = {
      {128, 250, 50, 200, HS_DOUBLE}, {32, 1000, 50, 200, HS_DOUBLE}, {16, 1000, 784, 64, HS_SINGLE}};
  static const hs_column_t columns[] = {{"block_rows", "n_b"},
                                        {"blocks", "blocks"},
                                        {"features", "d"},
                                        {"gates", "P"},
                                        {"type", "X"},
                                        {"kernel_gflops", "kernel GF/s"},
                                        {"ssyrk_gflops", "ssyrk"},
                                        {"kernel_percent", "%"},
                                        {"inverse_gflops", "inverse GF/s"},
                                        {"sgemm_gflops", "sgemm"},
                                        {"inverse_percent", "%"},
                                        {"apply_gbytes", "apply GB/s"},
                                        {"triad_gbytes", "triad"},
                                        {"apply_percent", "%"}};
  static hs_task_t *const tasks[TASKS] = {make_kernel, syrk, factor, gemm, apply, triad};
  hs_results_table(&bench->results, "kernel",
                   "blocks of one rank: n_b^2 d flops a kernel, n_b^3 more an inverse; bytes of the inverses",
                   columns, sizeof columns / sizeof *columns);
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes && status == HS_OK; i++) {
    kernel_t kernel;
    double seconds[TASKS];
    status = create(&kernel, &shapes[i]);
    for (int pair = 0; status == HS_OK && pair < TASKS; pair += 2)
      hs_time_tasks(2, tasks + pair, &kernel, bench->seconds / 2, seconds + pair);
    if (status == HS_OK) status = kernel.status;
    if (status == HS_OK) print(&bench->results, &kernel, seconds);
    release(&kernel);
  }
  hs_results_end(&bench->results);
  return status;
}
