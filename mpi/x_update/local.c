/* local.c: blocks of rows on their ranks, an inverse for each. */
#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/gram/reduction.h"
#include "mpi/x_update/rules.h"

/* Blocks whose kernels are measured, at most: more cost time and change nothing. */
#define ESTIMATE_BLOCKS 16

typedef struct local {
  const hs_problem_t *problem; /* borrowed */
  hs_block_inverse_t *inverse; /* owned */
  int64_t blocks, block0;      /* over all ranks; the first of this one */
} local_t;

/* Blocks of the data, as the partition has them. */
static hs_status_t cut_data(local_t *local)
{
  const hs_problem_t *problem = local->problem;
  const hs_partition_t *partition = &problem->shard->partition;
  local->blocks = partition->blocks;
  local->block0 = hs_partition_first_block(partition, partition->rank);
  int64_t count = hs_partition_first_block(partition, partition->rank + 1) - local->block0;
  int64_t *first = hs_alloc((size_t)count + 1, sizeof *first, "block rows");
  if (first == NULL) return HS_NO_MEMORY;
  for (int64_t b = 0; b <= count; b++)
    first[b] = hs_partition_block_row(partition, local->block0 + b) - problem->shard->row0;
  hs_status_t status = hs_block_inverse_create(&local->inverse, problem->op, problem->outputs, count, first);
  hs_free(first);
  return status;
}

/* One block per rank that has rows. */
static hs_status_t cut_reduced(local_t *local)
{
  const hs_problem_t *problem = local->problem;
  hs_reduction_t *reduction = problem->reduction;
  int64_t first[2] = {0, problem->rows};
  local->blocks = reduction->blocks;
  for (int r = 0; r < hs_rank(problem->comm); r++)
    local->block0 += reduction->first_row[r + 1] > reduction->first_row[r];
  return hs_block_inverse_create_of(&local->inverse, hs_reduction_kernel, reduction, 1, problem->outputs,
                                    problem->rows > 0, first);
}

static hs_status_t create(void **data, const hs_problem_t *problem, bool global, double *blocks)
{
  (void)global;
  local_t *local = *data = hs_alloc(1, sizeof *local, "x-update");
  hs_status_t status = local != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    local->problem = problem;
    status = problem->reduction != NULL ? cut_reduced(local) : cut_data(local);
    *blocks = (double)local->blocks;
  }
  return hs_agree(problem->comm, status);
}

static void release(void *data)
{
  local_t *local = data;
  if (local != NULL) hs_block_inverse_free(&local->inverse);
  hs_free(local);
}

/* Blocks are chosen by their global numbers: the estimate does not depend on the ranks. */
static hs_kernel_size_t kernel_size(void *data, const double *curvature)
{
  local_t *local = data;
  int64_t stride = (local->blocks + ESTIMATE_BLOCKS - 1) / ESTIMATE_BLOCKS;
  int64_t first = (local->block0 + stride - 1) / stride * stride - local->block0;
  hs_kernel_size_t size = hs_block_inverse_kernel_size(local->inverse, curvature, first, stride);
  double sums[3] = {size.trace, size.square, (double)size.blocks};
  hs_traffic_t traffic = {0};
  hs_sum(local->problem->comm, sums, 3, &traffic);
  return (hs_kernel_size_t){.trace = sums[0], .square = sums[1], .blocks = (int64_t)sums[2]};
}

static hs_status_t factor(void *data, double rho, const double *curvature)
{
  local_t *local = data;
  return hs_agree(local->problem->comm, hs_block_inverse_factor(local->inverse, rho, curvature));
}

static void apply(void *data, const double *R, double *V, hs_traffic_t *traffic)
{
  (void)traffic;
  hs_block_inverse_apply(((local_t *)data)->inverse, R, V);
}

const hs_x_rule_t hs_x_rule_local = {create, release, kernel_size, factor, apply};
