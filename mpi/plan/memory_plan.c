#include "mpi/plan/memory_plan.h"

#include <assert.h>
#include <limits.h>
#include <math.h>

#include "block/block_inverse.h"
#include "dense/factor_columns.h"
#include "masked/gram.h"
#include "masked/masked.h"
#include "mpi/admm/active_set.h"
#include "mpi/admm/anderson.h"
#include "mpi/admm/iterate.h"
#include "mpi/dense/grid.h"
#include "mpi/dense/solver.h"

#define SLAB_BYTES ((double)(8 << 20)) /* rows that are read and converted together, at least one (shard.c) */
#define MOMENTS 5                      /* numbers per column for its statistics (scaling.h) */
#define TILE 128.0                     /* edge of the tiles of a spread matrix, about */
#define PARCEL_LEAST 4e6               /* blocks in which it is summed over the ranks (dense/add.c) */
#define PARCEL_MOST 16e6
#define PARCEL_SHARE 64
#define HAND_OUT 8e6   /* columns of the factor on their way to a rank (gram/reduction.c) */
#define HDF5_BYTES 5e6 /* code, chunk cache and conversion buffer of the HDF5 library */

enum {
  LOADING = HS_WHILE_LOADING,
  SOLVING = HS_WHILE_SOLVING,
  REDUCING = HS_WHILE_REDUCING,
  LOADED = SOLVING | REDUCING,
  ALWAYS = LOADING | LOADED
};

static void add(hs_memory_plan_t *plan, const char *name, const char *shape, int when, double bytes)
{
  assert(plan->count < HS_MEMORY_PARTS);
  plan->part[plan->count++] = (hs_memory_part_t){.name = name, .shape = shape, .when = when, .bytes = bytes};
}

static void add_up(hs_memory_plan_t *plan, bool gram)
{
  for (int i = 0; i < plan->count; i++) {
    const hs_memory_part_t *part = &plan->part[i];
    if (part->when & HS_WHILE_LOADING) plan->loading += part->bytes;
    if (part->when & HS_WHILE_SOLVING) plan->solving += part->bytes;
    if (gram && part->when & HS_WHILE_REDUCING) plan->reducing += part->bytes;
  }
  plan->peak = fmax(plan->loading, fmax(plan->reducing, plan->solving));
}

/* Scratch of the group norms: a Gram matrix with the workspace of its eigenvalues, and a block of weights. */
static double group_work(const hs_problem_size_t *size)
{
  double k = size->d < size->outputs ? size->d : size->outputs;
  return 8 * (k * k + 67 * k + (double)size->d * size->outputs);
}

/* The x-update of a rank: which kind, and the matrix that it takes. */
typedef struct update {
  bool blocks, gram, global, reduced;
  double order; /* of the matrix: P d, or n */
  double cells; /* grid rows x columns that a spread matrix is cut over */
  int grid_rows, grid_columns;
} update_t;

static update_t find_update(const hs_problem_size_t *size, const hs_share_t *share)
{
  update_t update = {.blocks = share->kind == HS_X_BLOCK_KERNEL || share->kind == HS_X_AUTO,
                     .gram = share->kind == HS_X_BLOCK_GRAM || share->kind == HS_X_GLOBAL_GRAM,
                     .global = share->kind == HS_X_GLOBAL_KERNEL || share->kind == HS_X_GLOBAL_GRAM,
                     .reduced = hs_problem_is_reduced(size, share->kind),
                     .cells = 1,
                     .grid_rows = 1,
                     .grid_columns = 1};
  update.order = update.gram ? (double)size->gates * size->d : (double)size->rows;
  if (update.global) {
    hs_grid_shape(share->ranks, (int64_t)update.order, &update.grid_rows, &update.grid_columns);
    update.cells = (double)update.grid_rows * update.grid_columns;
  }
  return update;
}

/* Inverse or factor of a spread matrix, by tiles of its lower triangle, and the vectors it is applied with. */
static double spread_solver(const update_t *update, const hs_problem_size_t *size)
{
  double n = update->order, real = update->gram && !update->reduced ? 8 : 4;
  double vectors = n * size->outputs * (real + (n < HS_INVERSE_MOST ? 8 : 16));
  return real * n * (n + fmin(n, TILE)) / 2 / update->cells + vectors;
}

/* Blocks in which a Gram matrix is summed, as computed and as sent, and columns of its factor on their way.
 * They are small enough that the C library keeps them when they are freed. */
static double parcels(const update_t *update)
{
  double held = 8 * update->order * update->order, share = held / update->cells / PARCEL_SHARE;
  double block = fmin(held, fmin(PARCEL_MOST, fmax(PARCEL_LEAST, share)));
  return 2 * block + (update->reduced ? fmin(held, HAND_OUT) : 0);
}

/* Features and masks of the rows and of the columns of a rank's tiles. */
static double fetched_rows(const update_t *update, const hs_problem_size_t *size)
{
  double row = (double)hs_precision_bytes(size->precision) * size->d + 8.0 * ((size->gates + 63) / 64);
  return row * update->order * (1.0 / update->grid_rows + 1.0 / update->grid_columns);
}

/* All ranks keep about as many numbers of L: cut like the reduction, and rounded up to panels. */
static double factor_columns(const update_t *update, const hs_share_t *share)
{
  double n = update->order, sum = 0;
  int ranks = update->global ? share->ranks : 1, first = 0;
  if (n >= INT_MAX) return 4 * n * n / ranks;
  for (int rank = 0; rank < ranks; rank++) {
    int next = (int)floor(n * (1 - sqrt(1 - (rank + 1.0) / ranks)));
    sum += (double)hs_factor_columns_bytes((int)n, first, next - first);
    first = next;
  }
  return sum / ranks;
}

/* What is there while the Gram matrix is made, or made anew, and what becomes of it. */
static void add_gram(hs_memory_plan_t *plan, const hs_problem_size_t *size, const hs_share_t *share,
                     const update_t *update)
{
  bool gram = update->gram, local = gram && !update->global, spread = gram && update->global;
  double n = update->order, square = 8 * n * n, outputs = size->outputs;
  int making = update->reduced ? REDUCING : LOADED; /* other losses: anew with every factor */
  add(plan, "room of the Gram matrix", "classes of rows", making,
      gram ? (double)hs_masked_gram_bytes(share->rows, size->d, size->gates) : 0);
  add(plan, "Gram matrix", "(P d)^2", making, local ? square : 0);
  add(plan, "blocks of sums", "(P d)^2 / 64, 4 to 16 MB each", LOADED, spread ? parcels(update) : 0);
  add(plan, "spread Gram matrix", "(P d)^2 / ranks", LOADED, spread ? square / update->cells : 0);
  add(plan, "triangular factor", "(P d)^2 / 2 / ranks", LOADED,
      update->reduced ? factor_columns(update, share) : 0);
  add(plan, "kernel of reduced rows", "(P d)^2 / 2 floats", LOADED,
      update->reduced && local ? 2 * n * (n + 1) : 0);
  add(plan, "reduced weights, targets", "2 P d C, reduced rows x C", LOADED,
      update->reduced ? 8 * outputs * (2 * n + (double)share->reduced) : 0);
  add(plan, "curvatures, residual", "rows x (C + 1), 2 P d C", LOADED,
      gram && !update->reduced ? 8 * (double)share->rows * (outputs + 1) + 16 * n * outputs : 0);
}

/* Inverses and factors. */
static void add_update(hs_memory_plan_t *plan, const hs_problem_size_t *size, const hs_share_t *share,
                       const update_t *update)
{
  double n = update->order;
  add(plan, "block inverses", "rows x n_b / 2 floats", SOLVING,
      update->blocks ? (double)hs_block_inverse_bytes(share->blocks, share->rows, size->outputs) : 0);
  add(plan, "inverse of reduced rows", "(P d)^2 / 2 floats", SOLVING,
      update->reduced && !update->global ? (double)hs_block_inverse_bytes(1, share->reduced, size->outputs)
                                         : 0);
  add(plan, "spread matrix", update->gram ? "(P d)^2 / ranks" : "n^2 / ranks", SOLVING,
      update->global && (update->reduced || !update->gram) ? 8 * n * n / update->cells + 8 * n : 0);
  add(plan, "its inverse or factor", update->gram ? "(P d)^2 / 2 / ranks" : "n^2 / 2 / ranks floats", SOLVING,
      update->global ? spread_solver(update, size) : 0);
  add(plan, "fetched rows", "n / grid x (d, P bits), twice", SOLVING,
      update->global && !update->gram ? fetched_rows(update, size) : 0);
  add(plan, "confirmation", "rows x 2 C", SOLVING,
      update->reduced ? 8.0 * size->outputs * (2 * (double)share->rows + (double)share->reduced + n) : 0);
}

/* The point that is iterated on and its images. */
static void add_iterate(hs_memory_plan_t *plan, const hs_problem_size_t *size, const hs_share_t *share,
                        const update_t *update)
{
  int64_t weights = hs_problem_weights(size), rows = update->reduced ? share->reduced : share->rows;
  int64_t entries = rows * size->outputs;
  bool inexact = update->reduced || size->precision == HS_SINGLE;
  add(plan, "iterate, weights", "4 P d C", SOLVING, (double)hs_iterate_bytes(weights, 0, size->outputs));
  add(plan, "iterate, rows", update->reduced ? "reduced rows x (7 C + 1)" : "rows x (7 C + 1)", SOLVING,
      (double)hs_iterate_bytes(0, rows, size->outputs));
  add(plan, "Anderson, weights", "(m + 2) P d C", SOLVING,
      (double)hs_anderson_bytes(size->memory, weights, 0));
  add(plan, "Anderson, rows", update->reduced ? "reduced rows x (1.5 m + 4) C" : "rows x (1.5 m + 4) C",
      SOLVING, (double)hs_anderson_bytes(size->memory, 0, entries));
  add(plan, "active set",
      update->reduced ? "reduced rows x C, and some per gate" : "rows x C, and some per gate", SOLVING,
      (double)hs_active_set_bytes(size->gates, size->d, entries));
  add(plan, "best residual", update->reduced ? "reduced rows x C" : "rows x C", SOLVING,
      inexact ? 8 * (double)entries : 0);
}

hs_memory_plan_t hs_memory_plan(const hs_problem_size_t *size, hs_share_t share, hs_footprint_t footprint)
{
  hs_memory_plan_t plan = {0};
  update_t update = find_update(size, &share);
  int64_t entries = share.rows * size->outputs;
  double rows = (double)share.rows, real = (double)hs_precision_bytes(size->precision);
  double row_bytes = 8.0 * size->features, words = (size->gates + 63) / 64;
  double slab = fmax(row_bytes, floor(SLAB_BYTES / row_bytes) * row_bytes);
  add(&plan, "process", "at its start", ALWAYS, footprint.start);
  add(&plan, "libraries", "buffers of BLAS, MPI", LOADED, footprint.libraries);
  add(&plan, "features", "rows x d", ALWAYS, rows * size->d * real + 16.0 * size->features);
  add(&plan, "targets", "rows x C", ALWAYS, 8 * (double)entries);
  add(&plan, "labels", "rows", ALWAYS, size->labels ? 8 * rows : 0);
  add(&plan, "reading buffers", "8 MB, or a row", LOADING,
      slab + MOMENTS * 8.0 * size->features + HDF5_BYTES);
  add(&plan, "gates", "P x d", LOADED, 8.0 * size->gates * size->d);
  add(&plan, "gate masks", "rows x P bits", LOADED, 8 * rows * words);
  add(&plan, "tables of products", "rows x P/2 bytes", LOADED,
      (double)hs_masked_bytes(size->precision, share.rows, size->d, size->outputs, size->gates));
  add(&plan, "group work", "d x C", LOADED, group_work(size));
  int before = plan.count;
  add_gram(&plan, size, &share, &update);
  add_update(&plan, size, &share, &update);
  for (int i = before; i < plan.count; i++) plan.part[i].optional = true;
  add_iterate(&plan, size, &share, &update);
  add_up(&plan, update.gram);
  return plan;
}
