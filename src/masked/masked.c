#include "masked/masked.h"

#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "masked/kernel.h"
#include "masked/operator.h"

/* Rows of a block: tables and buckets are made anew for every block, which only many rows repay; but its
 * rows are read once for every output, and should come from a cache then. */
#define MOST_ROWS 4096
#define LEAST_ROWS 512
#define BLOCK_BYTES 4e6

static int block_rows(hs_precision_t precision, int64_t rows, int d, int outputs)
{
  double row = (double)d * (double)hs_precision_bytes(precision);
  double fit = BLOCK_BYTES * (outputs < 4 ? outputs : 4) / row;
  int64_t block = fit > MOST_ROWS ? MOST_ROWS : fit < LEAST_ROWS ? LEAST_ROWS : (int64_t)fit;
  return (int)hs_max64(1, hs_min64(rows, block));
}

/* Bytes of the scratch space. */
typedef struct scratch {
  size_t tables, panels, sums, w, slices, slice_masks;
} scratch_t;

static scratch_t measure(hs_precision_t precision, int64_t rows, int d, int outputs, int gates)
{
  size_t vector = (size_t)hs_products_choose(precision).vector_bytes, words = ((size_t)gates + 63) / 64;
  int64_t block = block_rows(precision, rows, d, outputs), table_rows = hs_min64(block, rows);
  size_t entries = (size_t)block * (size_t)outputs;
  size_t row = ((size_t)d * sizeof(double) + vector - 1) / vector;
  size_t tables = hs_groups_entries(gates, table_rows) * HS_FORWARD_WIDTH;
  size_t buckets = ((size_t)1 << hs_groups_split(gates, table_rows).bits) * HS_SUMS;
  size_t slices = precision == HS_DOUBLE ? 2 * (size_t)d : 0;
  return (scratch_t){.tables = (tables > buckets ? tables : buckets) * vector,
                     .panels = (size_t)block * row * vector,
                     .sums = entries * vector,
                     .w = entries * sizeof(double),
                     .slices = slices * HS_KERNEL_TILE * sizeof(float),
                     .slice_masks = (words * HS_KERNEL_TILE + 4) * sizeof(uint64_t)};
}

static hs_status_t make_scratch(hs_masked_t *op)
{
  scratch_t need = measure(op->precision, op->rows, op->d, op->outputs, op->masks->gates);
  op->tables = hs_alloc(need.tables, 1, "tables of masked products");
  op->panels = hs_alloc(need.panels, 1, "scratch of masked products");
  op->sums = hs_alloc(need.sums, 1, "scratch of masked products");
  op->w = hs_alloc(need.w, 1, "scratch of masked products");
  op->slices = hs_alloc(need.slices, 1, "scratch of kernel blocks");
  op->slice_masks = hs_alloc(need.slice_masks, 1, "scratch of kernel blocks");
  bool good = op->tables != NULL && op->panels != NULL && op->sums != NULL && op->w != NULL &&
              op->slices != NULL && op->slice_masks != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

/* Above this share of active gates the patterns of all gates are used; below, gates are picked out. The rule
 * looks at the weights alone, so that equal weights give equal bits whatever was computed before. */
static int most_picked(int gates)
{
  return gates * 3 / 4;
}

static hs_status_t make_patterns(hs_masked_t *op)
{
  int gates = op->masks->gates;
  op->active = hs_alloc((size_t)gates, sizeof(int), "active gates");
  if (op->active == NULL) return HS_NO_MEMORY;
  hs_status_t status = hs_patterns_create(&op->all, op->masks, gates, op->block);
  if (status == HS_OK) status = hs_patterns_create(&op->some, op->masks, most_picked(gates), op->block);
  if (status != HS_OK) return status;
  for (int gate = 0; gate < gates; gate++) op->active[gate] = gate;
  hs_patterns_choose(&op->all, gates, op->active);
  return hs_runs_create(&op->runs, &op->all, op->block);
}

hs_status_t hs_masked_create(hs_masked_t **out, hs_precision_t precision, int64_t rows, int d, int outputs,
                             const void *X, const hs_masks_t *masks)
{
  *out = NULL;
  hs_masked_t *op = hs_alloc(1, sizeof *op, "masked operator");
  if (op == NULL) return HS_NO_MEMORY;
  *op = (hs_masked_t){.precision = precision, .rows = rows, .d = d, .outputs = outputs, .X = X};
  op->masks = masks;
  op->block = block_rows(precision, rows, d, outputs);
  op->native = hs_products_choose(precision);
  op->exact = hs_products_choose(HS_DOUBLE);
  hs_status_t status = make_patterns(op);
  if (status == HS_OK) status = make_scratch(op);
  if (status != HS_OK) hs_masked_free(&op);
  *out = op;
  return status;
}

void hs_masked_free(hs_masked_t **out)
{
  hs_masked_t *op = *out;
  if (op == NULL) return;
  hs_free(op->slice_masks);
  hs_free(op->slices);
  hs_free(op->w);
  hs_free(op->sums);
  hs_free(op->panels);
  hs_free(op->tables);
  hs_free(op->active);
  hs_runs_free(&op->runs);
  hs_patterns_free(&op->some);
  hs_patterns_free(&op->all);
  hs_free(op);
  *out = NULL;
}

static bool is_zero(const double *u, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (u[i] != 0) return false;
  return true;
}

static void multiply(hs_masked_t *op, const hs_products_t *products, const double *u, double *a)
{
  int gates = op->masks->gates, count = 0;
  size_t size = (size_t)op->outputs * (size_t)op->d;
  for (int gate = 0; gate < gates; gate++)
    if (!is_zero(u + (size_t)gate * size, size)) op->active[count++] = gate;
  if (count == 0) {
    memset(a, 0, (size_t)op->rows * (size_t)op->outputs * sizeof *a);
    return;
  }
  bool few = count <= most_picked(gates);
  if (few) hs_patterns_choose(&op->some, count, op->active);
  products->forward(op, few ? &op->some : &op->all, u, a);
}

void hs_masked_forward(hs_masked_t *op, const double *u, double *a)
{
  multiply(op, &op->native, u, a);
}

void hs_masked_forward_exact(hs_masked_t *op, const double *u, double *a)
{
  multiply(op, &op->exact, u, a);
}

void hs_masked_adjoint(hs_masked_t *op, const double *w, double *s)
{
  op->native.adjoint(op, w, s);
}

void hs_masked_adjoint_exact(hs_masked_t *op, const double *w, double *s)
{
  op->exact.adjoint(op, w, s);
}

size_t hs_masked_bytes(hs_precision_t precision, int64_t rows, int d, int outputs, int gates)
{
  int block = block_rows(precision, rows, d, outputs);
  scratch_t scratch = measure(precision, rows, d, outputs, gates);
  hs_groups_t groups = hs_groups_split(gates, hs_min64(block, rows));
  return sizeof(hs_masked_t) + (size_t)gates * sizeof(int) + scratch.tables + scratch.panels + scratch.sums +
         scratch.w + scratch.slices + scratch.slice_masks + hs_patterns_bytes(rows, gates, gates, block) +
         hs_patterns_bytes(rows, gates, most_picked(gates), block) + hs_runs_bytes(groups, rows, block);
}
