#include "mpi/bounds/branch_and_bound.h"

#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/size.h"
#include "bounds/cone_tree.h"
#include "mpi/comm/agree.h"

#define MOST_TREE_BYTES 1.5e9 /* of open cones and vertices on a rank */
#define CONES_FOR_A_RANK 64   /* before they are dealt out */
#define MOST_SENT 512         /* cones at a time */
#define TAG 1

/* What every rank knows of every rank after an exchange. */
typedef struct report {
  double best, largest;
  double open, nodes;
  double status, late, full;
} report_t;
#define REPORT_NUMBERS ((int)(sizeof(report_t) / sizeof(double)))

typedef struct branch {
  hs_shared_rows_t *rows;
  const hs_branch_options_t *options;
  hs_cone_tree_t *tree;
  int rank, ranks;
  int64_t batch; /* cones between two exchanges */
  report_t *all; /* ranks */
  hs_cone_parcel_t parcel;
  int *order; /* ranks, by what they have to do */
  bool full;  /* this rank has used its memory */
  double best, largest;
  bool stop, starved;
} branch_t;

/* About 5 ms of work: 1 us for a cone and its share of the vertices, 0.2 ns for a number of X. */
static int64_t batch_for(const hs_shared_rows_t *rows)
{
  double seconds = 1e-6 + 2e-10 * (double)rows->held * rows->d;
  int64_t held = rows->held;
  if (rows->outputs > 1) /* a pass for every cone */
    seconds = 2e-6 + 1e-10 * (double)held * rows->d * (rows->d + rows->outputs);
  if (!rows->copied) HS_MPI(MPI_Allreduce(&rows->held, &held, 1, MPI_INT64_T, MPI_MAX, rows->comm));
  if (!rows->copied) seconds = 1e-5 + 2e-10 * (double)held * rows->d;
  return (int64_t)fmax(64, fmin(5000, 0.005 / seconds));
}

static void learn(branch_t *branch)
{
  branch->best = branch->largest = 0;
  branch->stop = branch->starved = false;
  double open = 0;
  for (int r = 0; r < branch->ranks; r++) {
    const report_t *report = branch->all + r;
    branch->best = fmax(branch->best, report->best);
    branch->largest = fmax(branch->largest, report->largest);
    branch->stop = branch->stop || report->late > 0 || report->full > 0;
    branch->starved = branch->starved || report->open < 2 * (double)branch->batch;
    open += report->open;
  }
  if (open == 0) branch->stop = true;
  hs_cone_tree_raise(branch->tree, branch->best);
}

/* Grow by a batch, then tell all ranks. */
static hs_status_t advance(branch_t *branch)
{
  MPI_Comm comm = branch->rows->comm;
  hs_status_t status = hs_cone_tree_prepare(branch->tree, branch->batch);
  if (!branch->rows->copied)
    status = hs_agree(comm, status); /* evaluation is collective: nobody may be missing */
  if (status == HS_OK) status = hs_cone_tree_grow(branch->tree, branch->batch);
  if (status == HS_BUDGET) {
    branch->full = true;
    status = HS_OK;
  }
  report_t mine = {.best = hs_cone_tree_best(branch->tree),
                   .largest = hs_cone_tree_largest(branch->tree),
                   .open = (double)hs_cone_tree_open(branch->tree),
                   .nodes = (double)hs_cone_tree_nodes(branch->tree),
                   .status = status,
                   .late = hs_interrupted() || MPI_Wtime() > branch->options->deadline,
                   .full = branch->full};
  HS_MPI(MPI_Allgather(&mine, REPORT_NUMBERS, MPI_DOUBLE, branch->all, REPORT_NUMBERS, MPI_DOUBLE, comm));
  for (int r = 0; r < branch->ranks; r++)
    if (branch->all[r].status > 0) return hs_agree(comm, status);
  learn(branch);
  return HS_OK;
}

/* What decides who gives: while somebody has little left, the number of cones; else their largest bound. */
static double wealth(const branch_t *branch, int rank)
{
  return branch->starved ? branch->all[rank].open : branch->all[rank].largest;
}

/* The ranks in branch->order from the richest to the poorest; equals by number. Insertion: they change little. */
static void sort_ranks(branch_t *branch)
{
  for (int i = 1; i < branch->ranks; i++) {
    int rank = branch->order[i], j = i;
    for (; j > 0; j--) {
      double before = wealth(branch, branch->order[j - 1]), here = wealth(branch, rank);
      if (before > here || (before == here && branch->order[j - 1] < rank)) break;
      branch->order[j] = branch->order[j - 1];
    }
    branch->order[j] = rank;
  }
}

/* How many cones the rich one gives to the poor one. */
static int gift(const branch_t *branch, int rich, int poor)
{
  double have = branch->all[rich].open, has = branch->all[poor].open;
  if (branch->starved) return have >= 2 * has + 8 ? (int)fmin(MOST_SENT, (have - has) / 2) : 0;
  double level = (1 + branch->options->epsilon) * fmax(branch->options->floor, branch->best);
  double ahead = branch->all[rich].largest - branch->all[poor].largest;
  return ahead > 0.1 * (branch->all[rich].largest - level) ? MOST_SENT / 2 : 0;
}

static hs_status_t send_cones(branch_t *branch, int to, int cones)
{
  hs_cone_parcel_t *parcel = &branch->parcel;
  MPI_Comm comm = branch->rows->comm;
  hs_status_t status = hs_cone_tree_pack(branch->tree, cones, parcel);
  int sizes[2] = {parcel->cones, parcel->vertices}, d = branch->rows->d;
  HS_MPI(MPI_Send(sizes, 2, MPI_INT, to, TAG, comm));
  HS_MPI(MPI_Send(parcel->bounds, sizes[0], MPI_DOUBLE, to, TAG, comm));
  HS_MPI(MPI_Send(parcel->corners, sizes[0] * (d + 3), MPI_INT32_T, to, TAG, comm));
  HS_MPI(MPI_Send(parcel->points, sizes[1] * d, MPI_DOUBLE, to, TAG, comm));
  return status;
}

static hs_status_t receive_cones(branch_t *branch, int from)
{
  hs_cone_parcel_t *parcel = &branch->parcel;
  MPI_Comm comm = branch->rows->comm;
  int sizes[2], d = branch->rows->d;
  HS_MPI(MPI_Recv(sizes, 2, MPI_INT, from, TAG, comm, MPI_STATUS_IGNORE));
  HS_MPI(MPI_Recv(parcel->bounds, sizes[0], MPI_DOUBLE, from, TAG, comm, MPI_STATUS_IGNORE));
  HS_MPI(MPI_Recv(parcel->corners, sizes[0] * (d + 3), MPI_INT32_T, from, TAG, comm, MPI_STATUS_IGNORE));
  HS_MPI(MPI_Recv(parcel->points, sizes[1] * d, MPI_DOUBLE, from, TAG, comm, MPI_STATUS_IGNORE));
  parcel->cones = sizes[0];
  parcel->vertices = sizes[1];
  return hs_cone_tree_unpack(branch->tree, parcel);
}

/* The richest gives to the poorest, the second richest to the second poorest, and so on. */
static hs_status_t balance(branch_t *branch)
{
  sort_ranks(branch);
  for (int i = 0; i < branch->ranks / 2; i++) {
    int rich = branch->order[i], poor = branch->order[branch->ranks - 1 - i];
    int cones = gift(branch, rich, poor);
    if (cones == 0) continue;
    if (branch->rank == rich) return send_cones(branch, poor, cones);
    if (branch->rank == poor) return receive_cones(branch, rich);
  }
  return HS_OK;
}

/* All ranks do the same until there are cones for all, or the end. */
static hs_status_t grow_together(branch_t *branch)
{
  hs_status_t status = HS_OK;
  int64_t batch = branch->batch, enough = (int64_t)CONES_FOR_A_RANK * branch->ranks;
  bool apart = branch->rows->copied && branch->ranks > 1;
  if (apart) branch->batch = 64;
  do status = advance(branch);
  while (status == HS_OK && !branch->stop && !(apart && hs_cone_tree_open(branch->tree) >= enough));
  branch->batch = batch;
  return status;
}

static hs_status_t grow_apart(branch_t *branch)
{
  MPI_Comm comm = branch->rows->comm;
  hs_status_t status = hs_agree(comm, hs_cone_tree_deal(branch->tree, branch->rank, branch->ranks));
  while (status == HS_OK && !branch->stop) {
    status = advance(branch);
    if (status != HS_OK || branch->stop) break;
    status = hs_agree(comm, balance(branch));
  }
  return status;
}

/* The largest |f| that any rank has seen, and where. */
static void collect(const branch_t *branch, hs_branch_t *result)
{
  const double *w;
  MPI_Comm comm = branch->rows->comm;
  struct {
    double value;
    int rank;
  } mine = {hs_cone_tree_seen(branch->tree, &w), branch->rank}, best;
  HS_MPI(MPI_Allreduce(&mine, &best, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm));
  memcpy(result->w, w, (size_t)branch->rows->d * sizeof *w);
  HS_MPI(MPI_Bcast(result->w, branch->rows->d, MPI_DOUBLE, best.rank, comm));
  result->attained = best.value;
}

static hs_status_t run(branch_t *branch, hs_branch_t *result)
{
  const hs_branch_options_t *options = branch->options;
  if (options->start != NULL) {
    double w[HS_CONE_MOST];
    memcpy(w, options->start, (size_t)branch->rows->d * sizeof *w);
    hs_cone_tree_climb(branch->tree, w);
  }
  hs_status_t status = grow_together(branch);
  double together = status == HS_OK ? branch->all[0].nodes : 0;
  if (status == HS_OK && !branch->stop) status = grow_apart(branch);
  if (status != HS_OK) return status;
  collect(branch, result);
  double closed = (1 + options->epsilon) * fmax(options->floor, branch->best), nodes = together;
  for (int r = 0; r < branch->ranks; r++) nodes += branch->all[r].nodes - together;
  result->upper = fmin(options->cap, fmax(closed, branch->largest));
  result->finished = branch->largest <= closed;
  result->nodes = (int64_t)nodes;
  return HS_OK;
}

/* What a tree may take: a part of the memory of this rank, the same on all of them. */
static double tree_bytes(MPI_Comm comm)
{
  double bytes = fmin(MOST_TREE_BYTES, 0.25 * hs_machine_bytes() / hs_ranks_on_node(comm));
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_DOUBLE, MPI_MIN, comm));
  return bytes;
}

hs_status_t hs_branch_and_bound(hs_shared_rows_t *rows, const hs_branch_options_t *options,
                                hs_branch_t *result)
{
  branch_t branch = {
      .rows = rows, .options = options, .rank = hs_rank(rows->comm), .ranks = hs_ranks(rows->comm)};
  hs_cone_tree_options_t tree = {.d = rows->d,
                                 .evaluate = hs_shared_rows_evaluate,
                                 .context = rows,
                                 .norm = rows->outputs > 1 ? &rows->norm : NULL,
                                 .round = rows->copied ? 16 : 512,
                                 .floor = options->floor,
                                 .epsilon = options->epsilon,
                                 .cap = options->cap,
                                 .bytes = tree_bytes(rows->comm)};
  *result = (hs_branch_t){0};
  branch.all = hs_alloc((size_t)branch.ranks, sizeof *branch.all, "reports of the ranks");
  branch.order = hs_alloc((size_t)branch.ranks, sizeof *branch.order, "order of the ranks");
  int d = rows->d;
  bool good = branch.all != NULL && branch.order != NULL &&
              hs_cone_parcel_make(&branch.parcel, d, MOST_SENT, d * MOST_SENT) == HS_OK;
  for (int r = 0; good && r < branch.ranks; r++) branch.order[r] = r;
  branch.batch = batch_for(rows);
  hs_status_t status = hs_agree(rows->comm, good ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = hs_agree(rows->comm, hs_cone_tree_create(&branch.tree, &tree));
  if (status == HS_OK) status = run(&branch, result);
  hs_cone_tree_free(&branch.tree);
  hs_cone_parcel_free(&branch.parcel);
  hs_free(branch.all);
  hs_free(branch.order);
  return status;
}
