/* products.c: A u and A' w of one process against the bare GEMMs of the same shape. */
#include <math.h>

#include "base/memory.h"
#include "mpi/bench/gemm.h"
#include "mpi/bench/operand.h"
#include "mpi/bench/sections.h"
#include "mpi/bench/timing.h"

typedef struct shape {
  int rows, d, gates, outputs;
  hs_precision_t precision;
  double goal; /* percent of the GEMM; NAN: none */
} shape_t;

typedef struct products {
  hs_operand_t operand;
  hs_gemm_t gemm;
  double *u, *s, *a, *w; /* P x C x d twice, rows x C twice */
} products_t;

enum { FORWARD, FORWARD_GEMM, ADJOINT, ADJOINT_GEMM, TASKS };

static void forward(void *context)
{
  products_t *products = context;
  hs_masked_forward(products->operand.op, products->u, products->a);
}

static void forward_gemm(void *context)
{
  hs_gemm_forward(&((products_t *)context)->gemm);
}

static void adjoint(void *context)
{
  products_t *products = context;
  hs_masked_adjoint(products->operand.op, products->w, products->s);
}

static void adjoint_gemm(void *context)
{
  hs_gemm_adjoint(&((products_t *)context)->gemm);
}

static hs_status_t create(products_t *products, const shape_t *shape)
{
  *products = (products_t){0};
  int64_t columns = (int64_t)shape->gates * shape->outputs, weights = columns * shape->d,
          entries = (int64_t)shape->rows * shape->outputs;
  hs_status_t status = hs_operand_create(&products->operand, shape->rows, shape->d, shape->gates,
                                         shape->outputs, shape->precision);
  if (status == HS_OK)
    status = hs_gemm_create(&products->gemm, shape->rows, shape->d, columns, shape->precision,
                            products->operand.shard->X);
  if (status != HS_OK) return status;
  products->u = hs_alloc((size_t)weights, sizeof(double), "weights");
  products->s = hs_alloc((size_t)weights, sizeof(double), "gradients");
  products->a = hs_alloc((size_t)entries, sizeof(double), "predictions");
  products->w = hs_alloc((size_t)entries, sizeof(double), "residuals");
  if (products->u == NULL || products->s == NULL || products->a == NULL || products->w == NULL)
    return HS_NO_MEMORY;
  hs_operand_fill(products->u, weights);
  hs_operand_fill(products->w, entries);
  return HS_OK;
}

static void release(products_t *products)
{
  hs_gemm_free(&products->gemm);
  hs_operand_free(&products->operand);
  hs_free(products->u);
  hs_free(products->s);
  hs_free(products->a);
  hs_free(products->w);
}

/* Two rows of the table: gates that repeat another are dropped, so the flops are counted from the set. */
static void print(hs_results_t *results, const shape_t *shape, int gates, const double *seconds)
{
  static const char *const names[] = {"A u", "A' w"};
  double flops = 2.0 * shape->rows * shape->d * gates * shape->outputs;
  double bare = 2.0 * shape->rows * shape->d * shape->gates * shape->outputs;
  for (int i = 0; i < 2; i++) {
    double rate = flops / seconds[2 * i], gemm = bare / seconds[2 * i + 1], ratio = 100 * rate / gemm;
    hs_results_number(results, shape->rows, 0);
    hs_results_number(results, shape->d, 0);
    hs_results_number(results, gates, 0);
    hs_results_number(results, shape->outputs, 0);
    hs_results_text(results, "%s", shape->precision == HS_SINGLE ? "float" : "double");
    hs_results_text(results, "%s", names[i]);
    hs_results_number(results, rate / 1e9, 1);
    hs_results_number(results, gemm / 1e9, 1);
    hs_results_number(results, ratio, 0);
    hs_results_goal(results, ratio, shape->goal, 0, true);
  }
}

hs_status_t hs_bench_products(hs_bench_t *bench)
{
  static const shape_t shapes[] = {{20000, 784, 64, 10, HS_SINGLE, 95},
                                   {60000, 784, 50, 1, HS_SINGLE, NAN},
                                   {20000, 50, 200, 1, HS_DOUBLE, 130},
                                   {20000, 50, 200, 1, HS_SINGLE, NAN},
                                   {19020, 11, 128, 1, HS_DOUBLE, NAN}};
  static const hs_column_t columns[] = {
      {"rows", "rows"}, {"features", "d"},      {"gates", "P"},     {"outputs", "C"},
      {"type", "type"}, {"product", "product"}, {"gflops", "GF/s"}, {"gemm_gflops", "GEMM"},
      {"percent", "%"}, {"goal", "goal"},       {"met", ""}};
  static hs_task_t *const tasks[TASKS] = {forward, forward_gemm, adjoint, adjoint_gemm};
  hs_results_table(&bench->results, "products",
                   "one rank, against the bare GEMM; rates count 2 n d P C flops, however many are done",
                   columns, sizeof columns / sizeof *columns);
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes && status == HS_OK; i++) {
    products_t products;
    double seconds[TASKS];
    status = create(&products, &shapes[i]);
    if (status == HS_OK) {
      hs_time_tasks(TASKS, tasks, &products, bench->seconds, seconds);
      print(&bench->results, &shapes[i], products.operand.gates.count, seconds);
    }
    release(&products);
  }
  hs_results_end(&bench->results);
  return status;
}
