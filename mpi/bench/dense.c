/* dense.c: a spread matrix: its factor beside dgemm on all ranks, its inverse, and what products with that cost in
 * four ways. */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/bench/operand.h"
#include "mpi/bench/sections.h"
#include "mpi/bench/timing.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/factor.h"
#include "mpi/dense/packed.h"
#include "mpi/dense/substitution.h"
#include "mpi/plan/process.h"

#define ORDER 8000
#define EDGE 1536                /* of the matrices of the bare dgemm */
#define TRIAD ((int64_t)4 << 20) /* numbers in each of three vectors */
#define MOST_COLUMNS 10

typedef struct dense {
  hs_bench_t *bench;
  hs_grid_t grid;
  hs_spread_t *spread;
  hs_packed_t *packed[2]; /* by precision */
  hs_substitution_t *substitution;
  double *numbers; /* three matrices of the dgemm, or three vectors of the triad */
  double *R, *V;   /* ORDER x MOST_COLUMNS */
  hs_traffic_t traffic;
  double factor, gemm, triad; /* seconds, the shortest */
  double substitute, invert;  /* seconds, once */
  double bytes;               /* of a rank: the matrix, and all that making its factor takes */
} dense_t;

/* Seconds since `begin`, on the slowest rank. Collective. */
static double elapsed(const dense_t *dense, double begin)
{
  double seconds = MPI_Wtime() - begin;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, dense->bench->comm));
  return seconds;
}

/* All ranks begin together. Collective. */
static double start(const dense_t *dense)
{
  HS_MPI(MPI_Barrier(dense->bench->comm));
  return MPI_Wtime();
}

/* Positive definite: n on the diagonal, at most 1/2 elsewhere. */
static void write(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  (void)context;
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < rows; i++) {
      int64_t distance = i0 + i - j0 - j;
      if (distance < 0) continue;
      block[(size_t)j * (size_t)ld + (size_t)i] = distance == 0 ? ORDER : 1.0 / (double)(distance + 1);
    }
}

static void time_gemm(dense_t *dense)
{
  double *A = dense->numbers, *B = A + EDGE * EDGE, *C = B + EDGE * EDGE, begin = start(dense);
  if (dense->grid.inside)
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, EDGE, EDGE, EDGE, 1, A, EDGE, B, EDGE, 0, C, EDGE);
  dense->gemm = fmin(dense->gemm, elapsed(dense, begin));
}

static void time_triad(dense_t *dense)
{
  double *restrict x = dense->numbers, begin = start(dense);
  const double *restrict y = x + TRIAD, *restrict z = y + TRIAD;
  if (dense->grid.inside)
    for (int64_t e = 0; e < TRIAD; e++) x[e] = y[e] + 3 * z[e];
  dense->triad = fmin(dense->triad, elapsed(dense, begin));
}

/* The matrix and its factor, between two products. */
static hs_status_t factor(dense_t *dense)
{
  time_gemm(dense);
  hs_spread_fill(dense->spread, write, NULL);
  double begin = start(dense);
  hs_status_t status = hs_spread_factor(dense->spread);
  dense->factor = fmin(dense->factor, elapsed(dense, begin));
  time_gemm(dense);
  return status;
}

/* From now on the largest memory is counted anew; false where the system cannot. Not collective. */
static bool forget_peak(void)
{
  FILE *file = fopen("/proc/self/clear_refs", "w");
  if (file == NULL) return false;
  bool good = fputs("5", file) >= 0;
  return fclose(file) == 0 && good;
}

/* The matrix and its first factor, and the memory that they take, of the rank with most. Collective. */
static hs_status_t create_matrix(dense_t *dense)
{
  time_gemm(dense); /* BLAS takes its buffers */
  double before = hs_process_bytes();
  bool counted = forget_peak();
  hs_status_t status = hs_spread_create(&dense->spread, &dense->grid, ORDER, 0);
  if (status == HS_OK) status = factor(dense);
  if (status != HS_OK) return status;
  dense->bytes = counted ? (double)hs_peak_bytes() - before : (double)hs_spread_bytes(dense->spread);
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &dense->bytes, 1, MPI_DOUBLE, MPI_MAX, dense->bench->comm));
  return HS_OK;
}

static hs_status_t create(dense_t *dense, hs_bench_t *bench)
{
  *dense = (dense_t){.bench = bench, .factor = INFINITY, .gemm = INFINITY, .triad = INFINITY};
  int rows = 1, columns = 1;
  hs_grid_shape(bench->ranks, ORDER, &rows, &columns);
  hs_grid_create(&dense->grid, bench->comm, rows, columns);
  dense->numbers = hs_alloc((size_t)(3 * TRIAD), sizeof *dense->numbers, "benchmark");
  dense->R = hs_alloc((size_t)ORDER * MOST_COLUMNS, sizeof *dense->R, "benchmark");
  dense->V = hs_alloc((size_t)ORDER * MOST_COLUMNS, sizeof *dense->V, "benchmark");
  bool good = dense->numbers != NULL && dense->R != NULL && dense->V != NULL;
  if (good) hs_operand_fill(dense->numbers, 2 * EDGE * EDGE);
  if (good) hs_operand_fill(dense->R, (int64_t)ORDER * MOST_COLUMNS);
  hs_status_t status = hs_agree(bench->comm, good ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = create_matrix(dense);
  for (int p = 0; p < 2 && status == HS_OK; p++)
    status = hs_packed_create(&dense->packed[p], dense->spread, (hs_precision_t)p, MOST_COLUMNS);
  if (status == HS_OK)
    status = hs_substitution_create(&dense->substitution, dense->spread, HS_SINGLE, MOST_COLUMNS);
  return status;
}

static void release(dense_t *dense)
{
  hs_free(dense->numbers);
  hs_free(dense->R);
  hs_free(dense->V);
  hs_packed_free(&dense->packed[0]);
  hs_packed_free(&dense->packed[1]);
  hs_substitution_free(&dense->substitution);
  hs_spread_free(&dense->spread);
  hs_grid_free(&dense->grid);
}

static void print_factor(hs_bench_t *bench, const dense_t *dense)
{
  static const hs_column_t columns[] = {{"order", "n"},
                                        {"grid", "grid"},
                                        {"tile", "tile"},
                                        {"factor_seconds", "factor s"},
                                        {"factor_gflops", "GF/s"},
                                        {"gemm_gflops", "dgemm"},
                                        {"percent", "%"},
                                        {"goal", "goal"},
                                        {"met", ""},
                                        {"invert_seconds", "invert s"},
                                        {"invert_gflops", "GF/s"},
                                        {"memory_percent", "memory %"},
                                        {"memory_goal", "goal"},
                                        {"memory_met", ""}};
  hs_results_t *results = &bench->results;
  double n = ORDER, work = n * n * n / 3, places = dense->grid.rows * dense->grid.columns;
  double rate = work / dense->factor, gemm = places * 2 * pow(EDGE, 3) / dense->gemm;
  double share = 100 * dense->bytes / (8 * n * n);
  bool two = bench->ranks == 2;
  hs_results_table(results, "dense",
                   "a spread matrix: n^3/3 flops the factor, twice as many the inverse; dgemm on "
                   "all ranks; largest memory of a rank, of 8 n^2 bytes",
                   columns, sizeof columns / sizeof *columns);
  hs_results_number(results, n, 0);
  hs_results_text(results, "%d x %d", dense->grid.rows, dense->grid.columns);
  hs_results_number(results, hs_spread_tile(dense->spread), 0);
  hs_results_number(results, dense->factor, 2);
  hs_results_number(results, rate / 1e9, 1);
  hs_results_number(results, gemm / 1e9, 1);
  hs_results_number(results, 100 * rate / gemm, 0);
  hs_results_goal(results, 100 * rate / gemm, two ? 60 : NAN, 0, true);
  hs_results_number(results, dense->invert, 2);
  hs_results_number(results, 2 * work / dense->invert / 1e9, 1);
  hs_results_number(results, share, 0);
  hs_results_goal(results, share, two ? 60 : NAN, 0, false);
  hs_results_end(results);
}

/* Ways to multiply with the inverse, the bytes of matrix that they read for one product, and how often they are
 * timed. */
typedef enum way { INVERSE_SINGLE, INVERSE_DOUBLE, SUBSTITUTE, SOLVE, WAYS } way_t;

typedef struct way_facts {
  const char *name;
  double bytes; /* for each of n^2 */
  int repeats;
} way_facts_t;

static const way_facts_t ways[WAYS] = {
    {"inverse, float", 2, 30}, {"inverse, double", 4, 30}, {"substitution, float", 4, 30}, {"pdpotrs", 8, 3}};
static const int outputs[] = {1, MOST_COLUMNS};
enum { OUTPUTS = sizeof outputs / sizeof *outputs };

static hs_status_t multiply(dense_t *dense, way_t way, int columns)
{
  if (way == SOLVE) return hs_spread_solve(dense->spread, columns, dense->V, &dense->traffic);
  if (way == SUBSTITUTE)
    hs_substitution_solve(dense->substitution, columns, dense->V, dense->V, &dense->traffic);
  else
    hs_packed_multiply(dense->packed[way == INVERSE_SINGLE ? HS_SINGLE : HS_DOUBLE], columns, dense->V,
                       dense->V, &dense->traffic);
  return HS_OK;
}

static hs_status_t time_way(dense_t *dense, way_t way, double seconds[OUTPUTS][WAYS])
{
  hs_status_t status = HS_OK;
  for (int o = 0; o < OUTPUTS; o++) {
    seconds[o][way] = INFINITY;
    for (int repeat = 0; repeat < ways[way].repeats && status == HS_OK; repeat++) {
      memcpy(dense->V, dense->R, (size_t)ORDER * (size_t)outputs[o] * sizeof *dense->V);
      double begin = start(dense);
      status = multiply(dense, way, outputs[o]);
      seconds[o][way] = fmin(seconds[o][way], elapsed(dense, begin));
      time_triad(dense);
    }
  }
  return status;
}

/* The two ways that use the factor; it is used up. */
static hs_status_t use_factor(dense_t *dense, double seconds[OUTPUTS][WAYS])
{
  hs_status_t status = time_way(dense, SOLVE, seconds);
  double begin = start(dense);
  if (status == HS_OK) status = hs_substitution_take(dense->substitution, dense->spread);
  dense->substitute = elapsed(dense, begin);
  return status == HS_OK ? time_way(dense, SUBSTITUTE, seconds) : status;
}

/* The two ways that use the inverse. */
static hs_status_t use_inverse(dense_t *dense, double seconds[OUTPUTS][WAYS])
{
  double begin = start(dense);
  hs_status_t status = hs_spread_invert(dense->spread);
  dense->invert = elapsed(dense, begin);
  if (status != HS_OK) return status;
  for (int p = 0; p < 2; p++) hs_packed_take(dense->packed[p], dense->spread);
  status = time_way(dense, INVERSE_SINGLE, seconds);
  return status == HS_OK ? time_way(dense, INVERSE_DOUBLE, seconds) : status;
}

static void print_products(hs_bench_t *bench, const dense_t *dense, double seconds[OUTPUTS][WAYS])
{
  static const hs_column_t columns[] = {
      {"product", "product"}, {"outputs", "C"},        {"setup_seconds", "set-up s"},
      {"milliseconds", "ms"}, {"gbytes", "GB/s"},      {"triad_gbytes", "triad"},
      {"percent", "%"},       {"speed_up", "speed-up"}};
  hs_results_t *results = &bench->results;
  double places = dense->grid.rows * dense->grid.columns, n = ORDER;
  double triad = places * 3 * (double)TRIAD * sizeof(double) / dense->triad;
  double setup[WAYS] = {dense->invert, dense->invert, dense->substitute, 0};
  hs_results_table(
      results, "dense_products",
      "the inverse times n x C numbers; set-up after the factor; bytes of the matrix, and a triad, on all "
      "ranks; speed-up over pdpotrs",
      columns, sizeof columns / sizeof *columns);
  for (int o = 0; o < OUTPUTS; o++)
    for (int way = 0; way < WAYS; way++) {
      double rate = ways[way].bytes * n * n / seconds[o][way];
      hs_results_text(results, "%s", ways[way].name);
      hs_results_number(results, outputs[o], 0);
      hs_results_number(results, setup[way], 2);
      hs_results_number(results, 1e3 * seconds[o][way], 2);
      hs_results_number(results, rate / 1e9, 1);
      hs_results_number(results, triad / 1e9, 1);
      hs_results_number(results, 100 * rate / triad, 0);
      hs_results_number(results, seconds[o][SOLVE] / seconds[o][way], 1);
    }
  hs_results_end(results);
}

hs_status_t hs_bench_dense(hs_bench_t *bench)
{
  dense_t dense;
  double seconds[OUTPUTS][WAYS];
  hs_status_t status = create(&dense, bench);
  for (int repeat = 1; repeat < bench->repeats && status == HS_OK; repeat++) status = factor(&dense);
  if (status == HS_OK) status = use_factor(&dense, seconds);
  if (status == HS_OK) status = factor(&dense);
  if (status == HS_OK) status = use_inverse(&dense, seconds);
  if (status == HS_OK) print_factor(bench, &dense);
  if (status == HS_OK) print_products(bench, &dense, seconds);
  release(&dense);
  return status;
}
