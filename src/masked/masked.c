#include "masked/masked.h"

#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"
#include "masked/kernel.h"
#include "masked/operator.h"

/* Rows of a block: tables and buckets are made anew for every block, which only many rows repay; but its
 * rows are read once for every output, and should come from a cache then. */
#define MOST_ROWS 4096
#define LEAST_ROWS 512
#define BLOCK_BYTES 4e6

/* Rows that are worth a thread: fewer cost more in tables than they save in time. */
#define PART_ROWS 64

/* Regrouping all gates takes as long as A' w of so many features times outputs: measured. */
#define REGROUP_COST 30.0

/* How rows are divided: among threads, as far as there are enough, and into blocks. */
typedef struct division {
  int threads, parts, block;
} division_t;

static int block_rows(hs_precision_t precision, int64_t rows, int d, int outputs)
{
  double row = (double)d * (double)hs_precision_bytes(precision);
  double fit = BLOCK_BYTES * (outputs < 4 ? outputs : 4) / row;
  int64_t block = fit > MOST_ROWS ? MOST_ROWS : fit < LEAST_ROWS ? LEAST_ROWS : (int64_t)fit;
  return (int)hs_max64(1, hs_min64(rows, block));
}

/* Several threads have equally many blocks of equal length. */
static division_t divide(hs_precision_t precision, int64_t rows, int d, int outputs)
{
  division_t division = {.threads = hs_threads(), .block = block_rows(precision, rows, d, outputs)};
  division.parts = hs_parts(rows, PART_ROWS, division.threads);
  if (division.parts == 1) return division;
  int64_t round = (int64_t)division.parts * division.block;
  int64_t blocks = division.parts * ((rows + round - 1) / round);
  division.block = (int)((rows + blocks - 1) / blocks);
  return division;
}

/* Bytes of a thread's scratch space. */
typedef struct scratch {
  size_t tables, panels, sums, w, s, slices, slice_masks;
} scratch_t;

static scratch_t measure(hs_precision_t precision, int64_t rows, int block, int d, int outputs, int gates)
{
  size_t vector = (size_t)hs_products_choose(precision).vector_bytes, words = ((size_t)gates + 63) / 64;
  int64_t table_rows = hs_min64(block, rows);
  size_t entries = (size_t)block * (size_t)outputs;
  size_t row = ((size_t)d * sizeof(double) + vector - 1) / vector;
  size_t tables = hs_groups_entries(gates, table_rows) * HS_FORWARD_WIDTH;
  size_t buckets = ((size_t)1 << hs_groups_split(gates, table_rows).bits) * HS_SUMS;
  size_t slices = precision == HS_DOUBLE ? 2 * (size_t)d : 0;
  return (scratch_t){.tables = (tables > buckets ? tables : buckets) * vector,
                     .panels = (size_t)block * row * vector,
                     .sums = entries * vector,
                     .w = entries * sizeof(double),
                     .s = (size_t)gates * (size_t)outputs * (size_t)d * sizeof(double),
                     .slices = slices * HS_KERNEL_TILE * sizeof(float),
                     .slice_masks = (words * HS_KERNEL_TILE + 4) * sizeof(uint64_t)};
}

static hs_status_t make_part(const hs_masked_t *op, scratch_t need, int number)
{
  hs_part_t *part = &op->part[number];
  bool works = number < op->parts;
  int64_t blocks = (op->rows + op->block - 1) / op->block;
  if (works) {
    part->first = hs_part_first(blocks, op->parts, number) * op->block;
    part->end = hs_min64(op->rows, hs_part_first(blocks, op->parts, number + 1) * op->block);
  }
  part->tables = hs_alloc(works, need.tables, "tables of masked products");
  part->panels = hs_alloc(works, need.panels, "scratch of masked products");
  part->sums = hs_alloc(works, need.sums, "scratch of masked products");
  part->w = hs_alloc(works, need.w, "scratch of masked products");
  part->s = hs_alloc(works && number > 0, need.s, "sums of masked products (fewer threads)");
  part->slices = hs_alloc(1, need.slices, "scratch of kernel blocks");
  part->slice_masks = hs_alloc(1, need.slice_masks, "scratch of kernel blocks");
  bool good = part->tables != NULL && part->panels != NULL && part->sums != NULL && part->w != NULL &&
              part->s != NULL && part->slices != NULL && part->slice_masks != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

static void free_part(hs_part_t *part)
{
  hs_free(part->slice_masks);
  hs_free(part->slices);
  hs_free(part->s);
  hs_free(part->w);
  hs_free(part->sums);
  hs_free(part->panels);
  hs_free(part->tables);
}

static hs_status_t make_parts(hs_masked_t *op)
{
  scratch_t need = measure(op->precision, op->rows, op->block, op->d, op->outputs, op->masks->gates);
  op->part = hs_alloc((size_t)op->threads, sizeof *op->part, "threads of masked products");
  hs_status_t status = op->part != NULL ? HS_OK : HS_NO_MEMORY;
  for (int part = 0; part < op->threads && status == HS_OK; part++) status = make_part(op, need, part);
  return status;
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
  op->wanted = hs_alloc((size_t)gates, sizeof(bool), "active gates");
  if (op->active == NULL || op->wanted == NULL) return HS_NO_MEMORY;
  hs_status_t status = hs_patterns_create(&op->all, op->masks, gates, op->block, op->parts);
  if (status == HS_OK)
    status = hs_patterns_create(&op->some, op->masks, most_picked(gates), op->block, op->parts);
  if (status != HS_OK) return status;
  for (int gate = 0; gate < gates; gate++) op->active[gate] = gate;
  hs_patterns_choose(&op->all, gates, op->active);
  return hs_runs_create(&op->runs, op->masks, op->all.groups, op->block, op->parts);
}

hs_status_t hs_masked_create(hs_masked_t **out, hs_precision_t precision, int64_t rows, int d, int outputs,
                             const void *X, const hs_masks_t *masks)
{
  *out = NULL;
  hs_masked_t *op = hs_alloc(1, sizeof *op, "masked operator");
  if (op == NULL) return HS_NO_MEMORY;
  *op = (hs_masked_t){.precision = precision, .rows = rows, .d = d, .outputs = outputs, .X = X};
  op->masks = masks;
  op->native = hs_products_choose(precision);
  op->exact = hs_products_choose(HS_DOUBLE);
  division_t division = divide(precision, rows, d, outputs);
  op->threads = division.threads;
  op->parts = division.parts;
  op->block = division.block;
  hs_status_t status = make_patterns(op);
  if (status == HS_OK) status = make_parts(op);
  if (status != HS_OK) hs_masked_free(&op);
  *out = op;
  return status;
}

void hs_masked_free(hs_masked_t **out)
{
  hs_masked_t *op = *out;
  if (op == NULL) return;
  for (int part = 0; op->part != NULL && part < op->threads; part++) free_part(&op->part[part]);
  hs_free(op->part);
  hs_free(op->active);
  hs_free(op->wanted);
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
  const hs_patterns_t *patterns = few ? &op->some : &op->all;
#pragma omp parallel for schedule(static, 1) num_threads(op->parts)
  for (int part = 0; part < op->parts; part++) products->forward(op, &op->part[part], patterns, u, a);
}

/* The shares of all parts together, element by element in the order of the parts: the blocks of some gates. */
static void add_shares(const hs_masked_t *op, int first, int end, double *s)
{
  size_t size = (size_t)op->outputs * (size_t)op->d;
  for (int part = 1; part < op->parts; part++)
    for (int gate = first; gate < end; gate++) {
      if (!op->wanted[gate]) continue;
      const double *share = op->part[part].s + (size_t)gate * size;
      double *block = s + (size_t)gate * size;
      for (size_t i = 0; i < size; i++) block[i] += share[i];
    }
}

/* All gates of the groups that have a gate among these; false: there are none. */
static bool want_groups(hs_masked_t *op, const bool *wanted)
{
  const hs_groups_t *groups = &op->runs.groups;
  bool some = false;
  for (int group = 0; group < groups->count; group++) {
    const int *gates = op->runs.gates + hs_group_first(groups, group);
    int bits = hs_group_first(groups, group + 1) - hs_group_first(groups, group);
    bool asked = false;
    for (int bit = 0; bit < bits; bit++) asked |= wanted[gates[bit]];
    for (int bit = 0; bit < bits; bit++) op->wanted[gates[bit]] = asked;
    some |= asked;
  }
  return some;
}

static void want_all(hs_masked_t *op)
{
  for (int gate = 0; gate < op->masks->gates; gate++) op->wanted[gate] = true;
}

/* The blocks of op->wanted. */
static void multiply_transposed(hs_masked_t *op, const hs_products_t *products, const double *w, double *s)
{
  int parts = op->parts, gates = op->masks->gates;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++)
    products->adjoint(op, &op->part[part], w, part == 0 ? s : op->part[part].s);
  if (parts == 1) return;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++)
    add_shares(op, (int)hs_part_first(gates, parts, part), (int)hs_part_first(gates, parts, part + 1), s);
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
  want_all(op);
  multiply_transposed(op, &op->native, w, s);
}

void hs_masked_adjoint_some(hs_masked_t *op, const bool *wanted, const double *w, double *s)
{
  if (want_groups(op, wanted)) multiply_transposed(op, &op->native, w, s);
}

int hs_masked_group_count(const hs_masked_t *op)
{
  return op->runs.groups.count;
}

void hs_masked_regroup(hs_masked_t *op, const int *order)
{
  hs_runs_regroup(&op->runs, op->masks, order, op->parts);
}

double hs_masked_regroup_cost(const hs_masked_t *op)
{
  return REGROUP_COST / ((double)op->d * op->outputs);
}

void hs_masked_adjoint_exact(hs_masked_t *op, const double *w, double *s)
{
  want_all(op);
  multiply_transposed(op, &op->exact, w, s);
}

int hs_masked_threads(const hs_masked_t *op)
{
  return op->threads;
}

size_t hs_masked_bytes(hs_precision_t precision, int64_t rows, int d, int outputs, int gates)
{
  division_t division = divide(precision, rows, d, outputs);
  size_t threads = (size_t)division.threads, parts = (size_t)division.parts;
  scratch_t need = measure(precision, rows, division.block, d, outputs, gates);
  size_t of_part = need.tables + need.panels + need.sums + need.w;
  size_t of_thread = sizeof(hs_part_t) + need.slices + need.slice_masks;
  hs_groups_t groups = hs_groups_split(gates, hs_min64(division.block, rows));
  return sizeof(hs_masked_t) + (size_t)gates * (sizeof(int) + sizeof(bool)) + parts * of_part +
         (parts - 1) * need.s + threads * of_thread + hs_runs_bytes(groups, rows, division.block) +
         hs_patterns_bytes(rows, gates, gates, division.block, division.parts) +
         hs_patterns_bytes(rows, gates, most_picked(gates), division.block, division.parts);
}
