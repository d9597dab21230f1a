#include "mpi/plan/problem_size.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/size.h"
#include "block/block_inverse.h"
#include "io/hdf5/contents.h"
#include "mpi/admm/anderson.h"
#include "mpi/admm/block_count.h"
#include "mpi/comm/agree.h"

#define MEMORY_SHARE 0.5 /* of a machine's memory that factors may take, as in training (mpi/admm/solve.c) */
#define MOST_WEIGHTS 100000000 /* every rank holds some ten vectors of them, here as in training */

/* How many gates the file holds, from its header. Collective. */
static hs_status_t count_gates(MPI_Comm comm, const char *path, int d, int64_t *gates)
{
  hs_contents_t contents = {0};
  hs_status_t status = hs_contents_read(path, &contents);
  const hs_contents_set_t *set = status == HS_OK ? hs_contents_find(&contents, "gates") : NULL;
  if (status == HS_OK && set == NULL)
    status = hs_fail(HS_BAD_DATA, path, "gates", "this data set is missing");
  if (status == HS_OK && (set->rank != 2 || set->extent[1] != d))
    status = hs_fail(HS_BAD_DATA, path, "gates", "is no matrix of %d columns (the features and the bias)", d);
  if (status == HS_OK) *gates = set->extent[0];
  hs_contents_clear(&contents);
  return hs_agree(comm, status);
}

static hs_status_t check(const hs_problem_size_t *size)
{
  if (hs_problem_weights(size) > MOST_WEIGHTS)
    return hs_fail(
        HS_BAD_USAGE, NULL, "model.gates",
        "%d gates x %d columns x %d outputs are too many weights (at most %d: every rank holds them)",
        size->gates, size->d, size->outputs, MOST_WEIGHTS);
  if (size->memory > HS_ANDERSON_MOST)
    return hs_fail(HS_BAD_USAGE, NULL, "solver.anderson", "%d steps (at most %d)", size->memory,
                   HS_ANDERSON_MOST);
  if (size->loss.kind == HS_SOFTMAX && size->outputs < 2)
    return hs_fail(HS_BAD_USAGE, NULL, "outputs",
                   "%d (the softmax loss has one for each class: give outputs=)", size->outputs);
  int64_t longest = (size->rows + size->blocks - 1) / size->blocks;
  if (longest > HS_BLOCK_ROWS_MOST)
    return hs_fail(HS_BAD_USAGE, NULL, "solver.block_rows", "%" PRId64 " rows in a block (at most %d)",
                   longest, HS_BLOCK_ROWS_MOST);
  return HS_OK;
}

/* A rank on every processor, unless there are more of them now. Collective. */
static int ranks_of_node(MPI_Comm comm)
{
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  int most = hs_ranks_on_node(comm);
  if (processors > most) most = (int)processors;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT, MPI_MAX, comm));
  return most;
}

hs_status_t hs_problem_size_find(hs_problem_size_t *size, MPI_Comm comm, const hs_settings_t *settings,
                                 const hs_source_t *source, const hs_given_size_t *given)
{
  hs_loss_kind_t loss = settings->model.loss;
  hs_data_info_t none = {.target_columns = 1};
  const hs_data_info_t *info = source != NULL ? &source->info : &none;
  *size = (hs_problem_size_t){.rows = given->rows > 0 ? given->rows : info->rows,
                              .memory = (int)settings->solver.anderson,
                              .precision = settings->solver.precision,
                              .loss = {.kind = loss, .huber_width = settings->model.huber_width},
                              .groups = settings->model.groups,
                              .x_update = settings->solver.x_update,
                              .blocks_given = settings->solver.block_rows > 0,
                              .machine_bytes = hs_machine_bytes(),
                              .node_ranks = ranks_of_node(comm)};
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &size->machine_bytes, 1, MPI_DOUBLE, MPI_MIN, comm));
  size->features = given->features > 0 ? (int)given->features : info->features;
  size->d = size->features + (settings->data.bias ? 1 : 0);
  size->statistics = hs_shard_scaling(settings->data.scaling, info) != HS_SCALING_NONE;
  size->labels = info->targets_are_classes || hs_loss_needs_classes(size->loss);
  int told = hs_shard_outputs(loss, info->class_names_count, info->target_columns);
  size->outputs = given->outputs > 0 ? (int)given->outputs : told;
  if (info->targets_are_classes && info->class_names_count == 0 && given->outputs == 0)
    hs_warn("%s does not name its classes: planned with %d output (give outputs= for more than two classes)",
            settings->data.train, told);
  int64_t gates = settings->model.gates;
  hs_status_t status = HS_OK;
  if (settings->model.gates_from[0] != '\0')
    status = count_gates(comm, settings->model.gates_from, size->d, &gates);
  if (status != HS_OK) return status;
  size->gates = (int)gates;
  /* As training does: the number of outputs as the header tells it, and the gates as the settings do. */
  size->blocks = hs_block_count(size->rows, size->d, settings->model.gates,
                                source != NULL ? told : size->outputs, settings->solver.block_rows);
  size->blocks = hs_max64(1, hs_min64(size->blocks, size->rows));
  return check(size);
}

int64_t hs_problem_weights(const hs_problem_size_t *size)
{
  return (int64_t)size->gates * size->d * size->outputs;
}

hs_x_shape_t hs_problem_shape(const hs_problem_size_t *size)
{
  return (hs_x_shape_t){.rows = size->rows,
                        .blocks = size->blocks,
                        .d = size->d,
                        .gates = size->gates,
                        .outputs = size->outputs,
                        .precision = size->precision,
                        .squared = size->loss.kind == HS_SQUARED};
}

hs_x_kind_t hs_problem_kind(const hs_problem_size_t *size, int ranks)
{
  if (size->x_update != HS_X_AUTO) return size->x_update;
  if (size->blocks_given) return HS_X_BLOCK_KERNEL;
  hs_x_shape_t shape = hs_problem_shape(size);
  shape.blocks = hs_partition_make(size->rows, size->blocks, 0, ranks).blocks;
  int on_node = ranks < size->node_ranks ? ranks : size->node_ranks;
  return hs_x_choose(&shape, ranks, on_node > 0 ? MEMORY_SHARE * size->machine_bytes / on_node : 0);
}

bool hs_problem_is_reduced(const hs_problem_size_t *size, hs_x_kind_t kind)
{
  return size->loss.kind == HS_SQUARED && (kind == HS_X_BLOCK_GRAM || kind == HS_X_GLOBAL_GRAM);
}

/* Most rows of L' on a rank: the last one's, whose rows are shortest (mpi/gram/reduction.c). */
static int64_t most_reduced(const hs_problem_size_t *size, hs_x_kind_t kind, int ranks)
{
  int64_t order = (int64_t)size->gates * size->d;
  if (!hs_problem_is_reduced(size, kind)) return 0;
  if (kind == HS_X_BLOCK_GRAM || ranks == 1) return order + 1;
  double n = (double)order;
  return order + 1 - (int64_t)floor(n * (1 - sqrt(1.0 / ranks)));
}

hs_share_t hs_problem_share(const hs_problem_size_t *size, int ranks)
{
  hs_share_t largest = {0};
  hs_partition_t partition = hs_partition_make(size->rows, size->blocks, 0, ranks);
  int64_t row = 0, block = 0;
  for (int rank = 1; rank <= ranks; rank++) {
    int64_t next = hs_partition_first_block(&partition, rank);
    int64_t next_row = hs_partition_block_row(&partition, next);
    if (next_row - row > largest.rows) largest = (hs_share_t){.rows = next_row - row, .blocks = next - block};
    row = next_row;
    block = next;
  }
  largest.ranks = ranks;
  largest.kind = hs_problem_kind(size, ranks);
  largest.reduced = most_reduced(size, largest.kind, ranks);
  return largest;
}

hs_share_t hs_problem_mean_share(const hs_problem_size_t *size, int ranks)
{
  hs_partition_t partition = hs_partition_make(size->rows, size->blocks, 0, ranks);
  hs_share_t share = {.rows = (size->rows + ranks - 1) / ranks,
                      .blocks = (partition.blocks + ranks - 1) / ranks,
                      .ranks = ranks,
                      .kind = hs_problem_kind(size, ranks)};
  share.reduced = most_reduced(size, share.kind, ranks);
  if (share.kind == HS_X_GLOBAL_GRAM && share.reduced > 0)
    share.reduced = ((int64_t)size->gates * size->d + ranks) / ranks;
  return share;
}
