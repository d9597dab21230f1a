#include "mpi/plan/memory_plan.h"

#include <assert.h>
#include <math.h>

#include "block/block_inverse.h"
#include "masked/masked.h"
#include "mpi/admm/active_set.h"
#include "mpi/admm/anderson.h"
#include "mpi/admm/iterate.h"

#define SLAB_BYTES ((double)(8 << 20)) /* rows that are read and converted together, at least one (shard.c) */
#define MOMENTS 5                      /* numbers per column for its statistics (scaling.h) */
#define HDF5_BYTES 5e6                 /* code, chunk cache and conversion buffer of the HDF5 library */

static void add(hs_memory_plan_t *plan, const char *name, const char *shape, int when, double bytes)
{
  assert(plan->count < HS_MEMORY_PARTS);
  plan->part[plan->count++] = (hs_memory_part_t){name, shape, when, bytes};
  if (when & HS_WHILE_LOADING) plan->loading += bytes;
  if (when & HS_WHILE_SOLVING) plan->solving += bytes;
  plan->peak = fmax(plan->loading, plan->solving);
}

/* Scratch of the group norms: a Gram matrix with the workspace of its eigenvalues, and a block of weights. */
static double group_work(const hs_problem_size_t *size)
{
  double k = size->d < size->outputs ? size->d : size->outputs;
  return 8 * (k * k + 67 * k + (double)size->d * size->outputs);
}

hs_memory_plan_t hs_memory_plan(const hs_problem_size_t *size, hs_share_t share, hs_footprint_t footprint)
{
  enum { LOADING = HS_WHILE_LOADING, SOLVING = HS_WHILE_SOLVING, BOTH = LOADING | SOLVING };
  hs_memory_plan_t plan = {0};
  int64_t weights = hs_problem_weights(size), entries = share.rows * size->outputs;
  double rows = (double)share.rows, real = (double)hs_precision_bytes(size->precision);
  double row_bytes = 8.0 * size->features, words = (size->gates + 63) / 64;
  double slab = fmax(row_bytes, floor(SLAB_BYTES / row_bytes) * row_bytes);
  add(&plan, "process", "at its start", BOTH, footprint.start);
  add(&plan, "libraries", "buffers of BLAS, MPI", SOLVING, footprint.libraries);
  add(&plan, "features", "rows x d", BOTH, rows * size->d * real + 16.0 * size->features);
  add(&plan, "targets", "rows x C", BOTH, 8 * (double)entries);
  add(&plan, "labels", "rows", BOTH, size->labels ? 8 * rows : 0);
  add(&plan, "reading buffers", "8 MB, or a row", LOADING,
      slab + MOMENTS * 8.0 * size->features + HDF5_BYTES);
  add(&plan, "gates", "P x d", SOLVING, 8.0 * size->gates * size->d);
  add(&plan, "gate masks", "rows x P bits", SOLVING, 8 * rows * words);
  add(&plan, "tables of products", "rows x P/2 bytes", SOLVING,
      (double)hs_masked_bytes(size->precision, share.rows, size->d, size->outputs, size->gates));
  add(&plan, "group work", "d x C", SOLVING, group_work(size));
  add(&plan, "block inverses", "rows x n_b / 2 floats", SOLVING,
      (double)hs_block_inverse_bytes(share.blocks, share.rows, size->outputs));
  add(&plan, "iterate, weights", "4 P d C", SOLVING, (double)hs_iterate_bytes(weights, 0, size->outputs));
  add(&plan, "iterate, rows", "rows x (7 C + 1)", SOLVING,
      (double)hs_iterate_bytes(0, share.rows, size->outputs));
  add(&plan, "Anderson, weights", "(m + 2) P d C", SOLVING,
      (double)hs_anderson_bytes(size->memory, weights, 0));
  add(&plan, "Anderson, rows", "rows x (1.5 m + 4) C", SOLVING,
      (double)hs_anderson_bytes(size->memory, 0, entries));
  add(&plan, "active set", "rows x C, and some per gate", SOLVING,
      (double)hs_active_set_bytes(size->gates, size->d, entries));
  add(&plan, "best residual", "rows x C", SOLVING, size->precision == HS_SINGLE ? 8 * (double)entries : 0);
  return plan;
}
