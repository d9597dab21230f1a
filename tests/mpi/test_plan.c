/* The plan of a run: shares, memory, forecasts from given rates, and rates measured on every rank count.
 *
 * Truth: shares are counted from the partition; bytes of the large structures are what the C library says it has
 * handed out; forecasts follow by hand from rates that are simple numbers.
 */
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/memory.h"
#include "block/block_inverse.h"
#include "mpi/admm/anderson.h"
#include "mpi/admm/iterate.h"
#include "mpi/comm/agree.h"
#include "mpi/gram/reduction.h"
#include "mpi/plan/forecast.h"
#include "mpi/plan/made_up.h"
#include "mpi/plan/rank_list.h"
#include "mpi/plan/units.h"
#include "mpi/plan/x_forecast.h"
#include "mpi/x_update/x_update.h"
#include "tests/support/mpi_check.h"

static hs_problem_size_t some_size(int64_t rows, int64_t blocks)
{
  return (hs_problem_size_t){.rows = rows,
                             .blocks = blocks,
                             .features = 100,
                             .d = 101,
                             .outputs = 3,
                             .gates = 256,
                             .memory = 10,
                             .precision = HS_DOUBLE,
                             .x_update = HS_X_BLOCK_KERNEL};
}

/* ---- lists of rank counts */

static bool list_is(const char *text, int64_t rows, const char *expected)
{
  hs_rank_list_t list;
  char found[400] = "";
  if (hs_rank_list_parse(&list, text, rows) != HS_OK) {
    hs_error_clear();
    return strcmp(expected, "refused") == 0;
  }
  for (int i = 0; i < list.count; i++)
    sprintf(found + strlen(found), "%s%d", i > 0 ? " " : "", list.ranks[i]);
  if (strcmp(found, expected) != 0) fprintf(stderr, "'%s' is %s\n", text != NULL ? text : "", found);
  return strcmp(found, expected) == 0;
}

static void test_lists(void)
{
  MPI_Comm all = MPI_COMM_WORLD;
  hs_check(all, list_is("64,128", 1000, "64 128"), "a list of rank counts");
  hs_check(all, list_is("64:4096", 5000, "64 128 256 512 1024 2048 4096"), "a doubling range");
  hs_check(all, list_is("3:20,8,1,6", 5000, "1 3 6 8 12"), "ranges and numbers mixed, in order, each once");
  hs_check(all, list_is(NULL, 20, "1 2 4 8 16"), "the default ends at the rows");
  hs_check(all, list_is(NULL, 1, "1"), "the default for one row");
  hs_check(all, list_is(NULL, INT64_C(1000000000000), "1 2 4 8 16 32 64 128 256 512 1024 2048 4096"),
           "the default ends at 4096");
  static const char *const wrong[] = {"",     "0",   "-1", "x",        "4:2",
                                      "1,,2", ",",   "1:", ":4",       "1.5",
                                      "1 ",   "1e3", "1,", "10000000", "99999999999999999999999999"};
  bool refused = true;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    refused = list_is(wrong[i], INT64_C(1000000000), "refused") && refused;
  hs_check(all, refused, "texts that are no lists");
  hs_check(all, list_is("8", 7, "refused") && list_is("7", 7, "7"), "more ranks than rows");
  char many[200] = "1";
  for (int i = 2; i < 50; i++) sprintf(many + strlen(many), ",%d", i);
  hs_check(all, list_is(many, 1000, "refused"), "too many entries");
}

/* ---- shares */

/* The largest share, counted row by row; small problems. */
static bool share_is_largest(int64_t rows, int64_t blocks, int ranks)
{
  hs_problem_size_t size = some_size(rows, blocks);
  hs_share_t share = hs_problem_share(&size, ranks);
  int64_t largest = 0, total = 0;
  bool holds = false;
  for (int rank = 0; rank < ranks; rank++) {
    hs_partition_t partition = hs_partition_make(rows, blocks, rank, ranks);
    int64_t own = hs_partition_first_row(&partition, rank + 1) - hs_partition_first_row(&partition, rank);
    int64_t own_blocks =
        hs_partition_first_block(&partition, rank + 1) - hs_partition_first_block(&partition, rank);
    if (own > largest) largest = own;
    total += own;
    holds = holds || (own == share.rows && own_blocks == share.blocks);
  }
  return total == rows && share.rows == largest && holds;
}

static void test_shares(void)
{
  bool good = true;
  for (int ranks = 1; ranks <= 40; ranks++) {
    good = share_is_largest(1000, 16, ranks) && good;
    good = share_is_largest(41, 7, ranks) && good;
  }
  hs_check(MPI_COMM_WORLD, good, "the share is that of the rank with most rows");
  hs_problem_size_t size = some_size(INT64_C(1000000000000), INT64_C(2000000000));
  hs_share_t share = hs_problem_share(&size, 1);
  hs_check(MPI_COMM_WORLD, share.rows == size.rows && share.blocks == size.blocks, "a share of 1e12 rows");
}

/* ---- memory */

/* Bytes that the C library has handed out; 0 where it does not tell. */
static double handed_out(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  struct mallinfo2 info = mallinfo2();
  return (double)info.uordblks + (double)info.hblkhd;
#else
  return 0;
#endif
}

/* Each block is rounded up to a multiple of 64 bytes, large ones to pages. */
static bool same_bytes(const char *what, double found, double planned, int blocks)
{
  bool good = found == 0 || fabs(found - planned) <= 0.001 * planned + 8200.0 * blocks;
  if (!good) fprintf(stderr, "%s: %.0f bytes are planned, %.0f used\n", what, planned, found);
  return good;
}

static bool operator_bytes(hs_precision_t precision, int64_t rows, int d, int outputs, int gates)
{
  hs_masks_t masks = {.rows = rows, .gates = gates, .words = (gates + 63) / 64};
  void *X = hs_alloc((size_t)(rows * d), sizeof(double), "features");
  masks.bits = hs_alloc((size_t)(rows * masks.words), sizeof(uint64_t), "masks");
  hs_masked_t *op;
  double before = handed_out();
  bool good = hs_masked_create(&op, precision, rows, d, outputs, X, &masks) == HS_OK;
  double used = handed_out() - before;
  good =
      good && same_bytes("operator", used, (double)hs_masked_bytes(precision, rows, d, outputs, gates), 20);
  hs_masked_free(&op);
  hs_free(masks.bits);
  hs_free(X);
  return good;
}

static bool inverse_bytes(int64_t blocks, int64_t rows, int outputs)
{
  hs_masks_t masks = {.rows = rows, .gates = 8, .words = 1};
  void *X = hs_alloc((size_t)rows, sizeof(float), "features");
  masks.bits = hs_alloc((size_t)rows, sizeof(uint64_t), "masks");
  int64_t *first = hs_alloc((size_t)blocks + 1, sizeof *first, "block rows");
  for (int64_t b = 0; b <= blocks; b++) first[b] = b * rows / blocks;
  hs_masked_t *op;
  hs_block_inverse_t *inverse = NULL;
  bool good = hs_masked_create(&op, HS_SINGLE, rows, 1, outputs, X, &masks) == HS_OK;
  double before = handed_out();
  good = good && hs_block_inverse_create(&inverse, op, outputs, blocks, first) == HS_OK;
  double used = handed_out() - before;
  good = good && same_bytes("inverses", used, (double)hs_block_inverse_bytes(blocks, rows, outputs), 8);
  hs_block_inverse_free(&inverse);
  hs_masked_free(&op);
  hs_free(first);
  hs_free(masks.bits);
  hs_free(X);
  return good;
}

static bool vector_bytes(int64_t weights, int64_t rows, int outputs, int memory)
{
  hs_iterate_t iterate;
  hs_anderson_t *anderson;
  double before = handed_out();
  bool good = hs_iterate_create(&iterate, weights, rows, outputs) == HS_OK;
  double between = handed_out();
  good = hs_anderson_create(&anderson, memory, weights, rows * outputs) == HS_OK && good;
  double after = handed_out();
  good =
      good && same_bytes("iterate", between - before, (double)hs_iterate_bytes(weights, rows, outputs), 12);
  good = good && same_bytes("Anderson", after - between,
                            (double)hs_anderson_bytes(memory, weights, rows * outputs), 16);
  hs_iterate_free(&iterate);
  hs_anderson_free(&anderson);
  return good;
}

static void test_bytes(void)
{
  MPI_Comm all = MPI_COMM_WORLD;
  hs_check(all,
           operator_bytes(HS_DOUBLE, 30000, 50, 1, 200) && operator_bytes(HS_SINGLE, 9000, 7, 10, 64) &&
               operator_bytes(HS_DOUBLE, 100, 300, 2, 65) && operator_bytes(HS_SINGLE, 5000, 1, 1, 1),
           "bytes of the masked operator");
  hs_check(all, inverse_bytes(50, 20007, 1) && inverse_bytes(3, 900, 10) && inverse_bytes(1, 1500, 2),
           "bytes of the inverses");
  hs_check(all,
           vector_bytes(50000, 20000, 1, 10) && vector_bytes(100, 7000, 10, 0) &&
               vector_bytes(300000, 50, 3, 4),
           "bytes of the iterate and of Anderson's memory");
}

static const hs_memory_part_t *find_part(const hs_memory_plan_t *plan, const char *name)
{
  for (int i = 0; i < plan->count; i++)
    if (strcmp(plan->part[i].name, name) == 0) return &plan->part[i];
  return NULL;
}

static void test_memory(void)
{
  MPI_Comm all = MPI_COMM_WORLD;
  hs_problem_size_t size = some_size(1000000, 2000);
  hs_footprint_t footprint = {.start = 1e7, .libraries = 2e6};
  hs_share_t whole = hs_problem_share(&size, 1), half = hs_problem_share(&size, 2);
  hs_memory_plan_t plan = hs_memory_plan(&size, whole, footprint),
                   small = hs_memory_plan(&size, half, footprint);
  double loading = 0, solving = 0;
  for (int i = 0; i < plan.count; i++) {
    if (plan.part[i].when & HS_WHILE_LOADING) loading += plan.part[i].bytes;
    if (plan.part[i].when & HS_WHILE_SOLVING) solving += plan.part[i].bytes;
  }
  hs_check_near(all, plan.loading, loading, 1e-12, "the parts add up while loading");
  hs_check_near(all, plan.solving, solving, 1e-12, "the parts add up while solving");
  hs_check(all, plan.peak == fmax(loading, solving), "the peak is the larger phase");
  hs_check_near(all, find_part(&plan, "features")->bytes, 8.0 * 1e6 * 101, 1e-4, "bytes of the features");
  hs_check_near(all, find_part(&plan, "gate masks")->bytes, 1e6 * 32, 0, "bytes of the masks");
  hs_check_near(all, find_part(&plan, "targets")->bytes, 8.0 * 1e6 * 3, 0, "bytes of the targets");
  bool halves = true;
  for (int i = 0; i < plan.count; i++) {
    const hs_memory_part_t *part = &plan.part[i];
    bool rows = strstr(part->shape, "rows x") != NULL;
    double ratio = part->bytes > 0 ? small.part[i].bytes / part->bytes : rows ? 0.5 : 1;
    if (fabs(ratio - (rows ? 0.5 : 1)) > 0.03) {
      fprintf(stderr, "%s: ratio %g\n", part->name, ratio);
      halves = false;
    }
  }
  hs_check(all, halves, "what belongs to rows halves on two ranks, the rest stays");
  size.precision = HS_SINGLE;
  plan = hs_memory_plan(&size, whole, footprint);
  hs_check_near(all, find_part(&plan, "features")->bytes, 4.0 * 1e6 * 101, 1e-4, "bytes of float features");
  hs_check_near(all, find_part(&plan, "best residual")->bytes, 8.0 * 1e6 * 3, 0,
                "bytes of the best residual");
}

/* ---- x-updates of other kinds */

static double part_bytes(const hs_memory_plan_t *plan, const char *name)
{
  const hs_memory_part_t *part = find_part(plan, name);
  if (part == NULL) fprintf(stderr, "no part is named \"%s\"\n", name);
  return part != NULL ? part->bytes : NAN;
}

/* Squared loss: what a reduction and its x-update hold, all ranks together; and the same of a kernel of all rows. */
static bool kind_bytes(hs_x_kind_t kind, int64_t rows, int outputs)
{
  int ranks = hs_ranks(MPI_COMM_WORLD);
  hs_problem_size_t size = {.rows = rows * ranks,
                            .blocks = ranks,
                            .features = 12,
                            .d = 12,
                            .outputs = outputs,
                            .gates = 60,
                            .memory = 3,
                            .loss = {.kind = HS_SQUARED},
                            .precision = HS_DOUBLE,
                            .x_update = kind};
  hs_shard_t *shard;
  hs_gate_set_t gates;
  hs_problem_t problem;
  hs_reduction_t *reduction = NULL;
  hs_x_update_t *update = NULL;
  hs_status_t status = hs_made_up_shard(&shard, &size, MPI_COMM_WORLD, rows, 1);
  if (status == HS_OK) status = hs_gate_set_sample(&gates, MPI_COMM_WORLD, shard, size.gates, 1);
  if (status == HS_OK)
    status = hs_problem_create(&problem, MPI_COMM_WORLD, shard, &gates, size.loss, size.groups, 0.1, 0);
  bool reduced = hs_problem_is_reduced(&size, kind);
  /* Once before: MPI and BLACS keep what they take for their first messages. */
  if (status == HS_OK && reduced)
    status = hs_reduction_create(&reduction, &problem, kind == HS_X_GLOBAL_GRAM);
  hs_reduction_free(&reduction);
  double before = handed_out();
  if (status == HS_OK && reduced)
    status = hs_reduction_create(&reduction, &problem, kind == HS_X_GLOBAL_GRAM);
  double between = handed_out();
  if (status == HS_OK)
    status = hs_x_update_create(&update, reduction != NULL ? &reduction->problem : &problem, kind);
  double after = handed_out();
  size.gates = problem.gates;
  hs_share_t share = hs_problem_mean_share(&size, ranks);
  hs_memory_plan_t plan = hs_memory_plan(&size, share, (hs_footprint_t){0});
  double planned[2] = {part_bytes(&plan, "spread Gram matrix") + part_bytes(&plan, "triangular factor") +
                           part_bytes(&plan, "kernel of reduced rows") +
                           part_bytes(&plan, "reduced weights, targets"),
                       part_bytes(&plan, "inverse of reduced rows") + part_bytes(&plan, "spread matrix") +
                           part_bytes(&plan, "its inverse or factor") + part_bytes(&plan, "fetched rows")};
  double used[2] = {between - before, after - between};
  for (int i = 0; i < 2; i++) planned[i] *= ranks;
  MPI_Allreduce(MPI_IN_PLACE, used, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  bool good = status == HS_OK;
  for (int i = 0; i < 2 && after > 0; i++) {
    bool near = fabs(used[i] - planned[i]) <= 0.05 * planned[i] + 100e3 * ranks;
    if (!near)
      fprintf(stderr, "%s, %s: %.0f bytes are planned, %.0f used\n", hs_x_name(kind),
              i == 0 ? "reduction" : "x-update", planned[i], used[i]);
    good = good && near;
  }
  hs_x_update_free(&update);
  hs_reduction_free(&reduction);
  hs_problem_free(&problem);
  hs_gate_set_free(&gates);
  hs_shard_free(&shard);
  return good;
}

static void test_kind_bytes(void)
{
  MPI_Comm all = MPI_COMM_WORLD;
  hs_check(all, kind_bytes(HS_X_GLOBAL_GRAM, 3000, 1) && kind_bytes(HS_X_GLOBAL_GRAM, 2000, 3),
           "bytes of global-gram");
  hs_check(all, kind_bytes(HS_X_BLOCK_GRAM, 3000, 1) && kind_bytes(HS_X_BLOCK_GRAM, 2000, 3),
           "bytes of block-gram");
  hs_check(all, kind_bytes(HS_X_GLOBAL_KERNEL, 700, 1) && kind_bytes(HS_X_GLOBAL_KERNEL, 3200, 2),
           "bytes of global-kernel, by its inverse and by its factor");
}

/* The kind is that of training: as set, else blocks where their rows are given, else the model's choice. */
static void test_kinds(void)
{
  MPI_Comm all = MPI_COMM_WORLD;
  hs_problem_size_t size = some_size(200000, 1000);
  size.d = 21;
  size.gates = 50;
  size.outputs = 1;
  size.machine_bytes = 1e11;
  size.node_ranks = 4;
  for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++) {
    size.x_update = (hs_x_kind_t)kind;
    hs_check(all, (int)hs_problem_kind(&size, 2) == kind, "the kind that is set");
  }
  size.x_update = HS_X_AUTO;
  hs_x_shape_t shape = hs_problem_shape(&size);
  bool good = true;
  for (int ranks = 1; ranks <= 64; ranks *= 4)
    good =
        good && hs_problem_kind(&size, ranks) == hs_x_choose(&shape, ranks, 0.5e11 / (ranks < 4 ? ranks : 4));
  hs_check(all, good, "the kind that the model chooses");
  hs_check(all, hs_problem_kind(&size, 1) != HS_X_BLOCK_KERNEL, "many rows and few weights are reduced");
  size.machine_bytes = 1e6;
  hs_check(all, hs_problem_kind(&size, 1) == HS_X_BLOCK_KERNEL, "blocks where memory is short");
  size.machine_bytes = 1e11;
  size.blocks_given = true;
  hs_check(all, hs_problem_kind(&size, 1) == HS_X_BLOCK_KERNEL, "blocks where their rows are given");
  size.x_update = HS_X_GLOBAL_GRAM;
  hs_check(all, hs_problem_share(&size, 1).reduced == 1051, "reduced rows of one rank");
  /* Three quarters of the numbers of L' are in its first half: n (1 - 1/2) rows are left for the last of 4 ranks. */
  hs_check(all, hs_problem_share(&size, 4).reduced == 1050 - 525 + 1, "reduced rows of the last of 4 ranks");
  size.loss.kind = HS_LOGISTIC;
  hs_check(all, hs_problem_share(&size, 1).reduced == 0, "other losses are not reduced");
}

/* What a reduced iteration takes does not depend on the rows of data; a global one is shared by the ranks. */
static void test_kind_forecast(void)
{
  MPI_Comm all = MPI_COMM_WORLD;
  hs_problem_size_t size = some_size(1000000, 2000);
  int64_t order = (int64_t)size.gates * size.d;
  hs_x_rehearsal_t at = {.kind = HS_X_GLOBAL_GRAM,
                         .measured = true,
                         .ranks = 1,
                         .gates = size.gates,
                         .rows = 2000,
                         .reduced = order + 1,
                         .products = 4,
                         .apply = 8,
                         .vectors = 0.5,
                         .anderson = 0.25,
                         .make = 100,
                         .factor = 50,
                         .estimate = 10,
                         .per_row = 0.01};
  hs_network_t network = {.latency = 1e-6, .bandwidth = 1e9};
  size.x_update = at.kind;
  hs_x_forecast_t one = hs_x_forecast(&size, &at, hs_problem_share(&size, 1), 0.1, &network),
                  four = hs_x_forecast(&size, &at, hs_problem_share(&size, 4), 0.1, &network);
  hs_check_near(all, one.products, 4, 1e-12, "products as measured");
  hs_check_near(all, one.apply, 8, 1e-12, "x-update as measured");
  hs_check_near(all, one.vectors, 0.5, 1e-12, "vectors as measured");
  hs_check(all, one.messages == 0, "one rank sends nothing");
  hs_check_near(all, one.setup, 80 + 0.01 * 1e6 + 50 + 10, 1e-12, "set-up grows with the rows");
  hs_check_near(all, four.products, 1, 1e-12, "a quarter of the products");
  hs_check_near(all, four.apply, 2, 1e-12, "a quarter of the x-update");
  hs_check_near(all, four.vectors, 0.1 + 0.2, 1e-3, "the last rank has half of the reduced rows");
  hs_check_near(all, four.renewal, 12.5, 1e-12, "a quarter of the factor");
  hs_check(all, four.messages > 0 && four.message_bytes > 8.0 * (double)order, "messages of 4 ranks");
  size.rows *= 4;
  size.blocks *= 4;
  hs_x_forecast_t more = hs_x_forecast(&size, &at, hs_problem_share(&size, 1), 0.1, &network);
  hs_check_near(all, more.apply + more.products, 12, 1e-12, "more rows, the same iteration");
  at.kind = size.x_update = HS_X_BLOCK_GRAM;
  four = hs_x_forecast(&size, &at, hs_problem_share(&size, 4), 0.1, &network);
  hs_check_near(all, four.apply, 8, 1e-12, "a block for each rank is shared by none");
  at.kind = size.x_update = HS_X_GLOBAL_KERNEL;
  at.reduced = 0;
  size.rows = 4000;
  size.blocks = 8;
  four = hs_x_forecast(&size, &at, hs_problem_share(&size, 1), 0.1, &network);
  /* Half of the rows were inverted: twice the order, and a factor that is read twice. */
  hs_check_near(all, four.apply, 64, 1e-12, "a kernel of twice the rows, from a smaller one");
}

/* ---- forecasts from given rates */

/* Every stage takes `stage + 1` microseconds a row, an iteration 100. */
static hs_rates_t simple_rates(void)
{
  hs_rates_t rates = {.count = 2, .weights = 0.001, .anderson_weights = 0.002, .read_row = 1e-6, .ranks = 1};
  for (int i = 0; i < 2; i++) {
    hs_rehearsal_t *at = &rates.rehearsal[i];
    *at = (hs_rehearsal_t){.rows = i == 0 ? 1000 : 10000, .small_bytes = 80};
    at->blocks = at->rows / 500;
    for (int stage = 0; stage < HS_STAGES; stage++)
      at->seconds[stage] = 1e-6 * (stage + 1) * (double)at->rows;
    at->seconds[HS_STAGE_ITERATION] = rates.weights + 1e-4 * (double)at->rows;
  }
  rates.network = (hs_network_t){.latency = 1e-6, .bandwidth = 1e9};
  return rates;
}

static double parts_of(const hs_forecast_t *forecast)
{
  return forecast->products + forecast->solves + forecast->vectors + forecast->reductions;
}

static void test_forecast(void)
{
  MPI_Comm all = MPI_COMM_WORLD;
  hs_problem_size_t size = some_size(1000000, 2000);
  hs_rates_t rates = simple_rates();
  hs_footprint_t footprint = {.start = 1e7};
  hs_forecast_t one = hs_forecast(&size, &rates, 1, footprint, NAN),
                four = hs_forecast(&size, &rates, 4, footprint, NAN);
  hs_check_near(all, one.iteration, parts_of(&one), 1e-14, "the parts of an iteration add up");
  hs_check_near(all, four.iteration, parts_of(&four), 1e-14, "the parts of an iteration on 4 ranks add up");
  /* 1 + 2 microseconds a row for the products, 3 for the solves, 94 others and 5 of the acceleration */
  hs_check_near(all, one.products, 3, 1e-12, "products");
  hs_check_near(all, one.solves, 3, 1e-12, "block solves");
  hs_check_near(all, one.vectors, 0.001 + 94 + 5 + 0.002, 1e-12, "vectors");
  hs_check(all, one.reductions == 0, "one rank reduces nothing");
  hs_check_near(all, four.products, 0.75, 1e-12, "products of a quarter of the rows");
  hs_check_near(all, four.vectors, 0.003 + 99.0 / 4, 1e-12, "work on weights does not shrink");
  double large = 8.0 * 256 * 101 * 3, small = 80 + 2 * 10 * 8;
  hs_check_near(all, four.reduced_bytes, large + small, 0, "bytes reduced");
  hs_check_near(all, four.reductions, 2 * 4 * 1e-6 + 1.5 * (large + small) / 1e9, 1e-12,
                "reductions of 4 ranks");
  hs_check_near(all, one.flops, 3e6 * (4.0 * 101 * 256 + 1000), 1e-12, "flops of an iteration");
  hs_check_near(all, one.read, 1, 1e-12, "reading as measured");
  hs_check_near(all, one.setup, 6 + 7 + 16 * 8e-6 * 10000, 1e-12, "set-up");
  hs_check_near(all, one.run, one.setup + HS_FORECAST_ITERATIONS * one.iteration + 7 + 9, 1e-12, "a run");
  hs_forecast_t given = hs_forecast(&size, &rates, 4, footprint, 1e8);
  hs_check_near(all, given.read, 1e6 * 100 * 8 / 1e8, 1e-12, "reading at a given rate");
  size.rows *= 2;
  size.blocks *= 2;
  hs_forecast_t twice = hs_forecast(&size, &rates, 1, footprint, NAN);
  hs_check_near(all, twice.products, 2 * one.products, 1e-12, "twice the rows, twice the products");
  hs_check_near(all, twice.solves, 2 * one.solves, 1e-12, "twice the rows, twice the solves");
  hs_check_near(all, twice.flops, 2 * one.flops, 1e-12, "twice the rows, twice the flops");
}

static void test_interpolation(void)
{
  MPI_Comm all = MPI_COMM_WORLD;
  hs_rates_t rates = simple_rates();
  rates.rehearsal[1].seconds[HS_STAGE_FORWARD] = 0.2;
  rates.rehearsal[0].seconds[HS_STAGE_FORWARD] = 0.01;
  hs_check_near(all, hs_rates_seconds(&rates, HS_STAGE_FORWARD, 0, 1000), 0.01, 1e-14, "at the first size");
  hs_check_near(all, hs_rates_seconds(&rates, HS_STAGE_FORWARD, 0, 10000), 0.2, 1e-14, "at the last size");
  hs_check_near(all, hs_rates_seconds(&rates, HS_STAGE_FORWARD, 0, 5500), 0.105, 1e-14, "between them");
  hs_check_near(all, hs_rates_seconds(&rates, HS_STAGE_FORWARD, 0, 30000), 0.6, 1e-14, "beyond the last");
  hs_check_near(all, hs_rates_seconds(&rates, HS_STAGE_FORWARD, 0.1, 30000), 0.4, 1e-14,
                "beyond the last, half of it fixed");
  hs_check_near(all, hs_rates_seconds(&rates, HS_STAGE_FORWARD, 0, 100), 0.001, 1e-14, "below the first");
}

static void test_huge(void)
{
  hs_problem_size_t size = some_size(1000000000, 2000000);
  hs_rates_t rates = simple_rates();
  bool good = true;
  double last = INFINITY;
  for (int ranks = 64; ranks <= 4096; ranks *= 2) {
    hs_forecast_t forecast = hs_forecast(&size, &rates, ranks, (hs_footprint_t){0}, NAN);
    good = good && forecast.iteration < last && forecast.memory.peak > 8.0 * 101e9 / ranks;
    good = good && forecast.total_bytes >= 8.0 * 101e9 && forecast.total_bytes < 8e12;
    last = forecast.iteration;
  }
  hs_check(MPI_COMM_WORLD, good, "1e9 rows on 64 to 4096 ranks");
}

/* ---- units */

static bool unit_is(const char *text, const char *expected)
{
  if (strcmp(text, expected) != 0) fprintf(stderr, "\"%s\" instead of \"%s\"\n", text, expected);
  return strcmp(text, expected) == 0;
}

static void test_units(void)
{
  char t[HS_UNIT_TEXT];
  bool good =
      unit_is(hs_quantity_bytes(0, t), "0") && unit_is(hs_quantity_bytes(999, t), "999 B") &&
      unit_is(hs_quantity_bytes(999.7, t), "1.00 kB") && unit_is(hs_quantity_bytes(12345, t), "12.3 kB") &&
      unit_is(hs_quantity_bytes(1e12, t), "1.00 TB") && unit_is(hs_quantity_bytes(1e21, t), "1000000 PB");
  good = good && unit_is(hs_quantity_flops(9.996e9, t), "10.0 GF") && unit_is(hs_quantity_flops(NAN, t), "-");
  good = good && unit_is(hs_quantity_seconds(1e-7, t), "0.10 us") &&
         unit_is(hs_quantity_seconds(0.0123, t), "12.3 ms") &&
         unit_is(hs_quantity_seconds(59, t), "59.0 s") && unit_is(hs_quantity_seconds(90, t), "1.50 min") &&
         unit_is(hs_quantity_seconds(7200, t), "2.00 h") &&
         unit_is(hs_quantity_seconds(864000, t), "10.0 days");
  hs_check(MPI_COMM_WORLD, good, "quantities with units");
}

/* ---- rates measured here */

static bool same_on_all(double value)
{
  double first = value;
  MPI_Bcast(&first, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  return first == value;
}

static void test_measured(hs_loss_kind_t loss, hs_precision_t precision, int outputs, const char *name)
{
  hs_problem_size_t size = {.rows = 3000,
                            .blocks = 30,
                            .features = 5,
                            .d = 6,
                            .outputs = outputs,
                            .gates = 20,
                            .memory = 3,
                            .loss = {.kind = loss, .huber_width = 1},
                            .precision = precision};
  hs_rates_t rates;
  int ranks = hs_ranks(MPI_COMM_WORLD);
  hs_rates_request_t request = {.least = 100, .most = 1500, .seconds = 1, .latency = NAN, .bandwidth = NAN};
  hs_status_t status = hs_rates_measure(&rates, MPI_COMM_WORLD, &size, &request);
  bool good = status == HS_OK && rates.count >= 2 && rates.ranks == ranks && isnan(rates.read_row);
  for (int i = 0; good && i < rates.count; i++) {
    const hs_rehearsal_t *at = &rates.rehearsal[i];
    good = good && (i == 0 || at->rows > at[-1].rows) && at->rows <= 1500;
    for (int stage = 0; stage < HS_STAGES; stage++) {
      bool positive = at->seconds[stage] > 0 || (stage == HS_STAGE_EXACT && precision == HS_DOUBLE);
      good = good && positive && isfinite(at->seconds[stage]) && same_on_all(at->seconds[stage]);
    }
    /* The sums of a step, and a few numbers besides. */
    good = good && at->small_bytes > 0 && at->small_bytes < 200;
  }
  good = good && rates.network.latency_source == (ranks > 1 ? HS_NETWORK_MEASURED : HS_NETWORK_ASSUMED);
  good =
      good && rates.network.latency > 0 && rates.network.bandwidth > 0 && same_on_all(rates.network.latency);
  hs_check(MPI_COMM_WORLD, good, name);
}

static void test_rehearsed(hs_x_kind_t kind, hs_loss_kind_t loss, double seconds, bool smaller,
                           const char *name)
{
  hs_problem_size_t size = {.rows = 3000,
                            .blocks = 30,
                            .features = 5,
                            .d = 6,
                            .outputs = 2,
                            .gates = 40,
                            .memory = 3,
                            .loss = {.kind = loss},
                            .precision = HS_DOUBLE,
                            .x_update = kind};
  hs_x_rehearsal_t x;
  bool reduced = hs_problem_is_reduced(&size, kind);
  bool good = hs_x_rehearse(&x, MPI_COMM_WORLD, &size, kind, seconds) == HS_OK && x.measured;
  good = good && x.kind == kind && x.smaller == smaller && x.ranks == hs_ranks(MPI_COMM_WORLD);
  good =
      good && x.apply > 0 && x.factor > 0 && x.estimate > 0 && same_on_all(x.apply) && same_on_all(x.factor);
  good = good && (x.reduced > 0) == reduced && (x.products > 0) == reduced && (x.make > 0) == reduced;
  good = good && (x.gates < size.gates || !smaller || kind == HS_X_GLOBAL_KERNEL);
  hs_check(MPI_COMM_WORLD, good, name);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  test_lists();
  test_shares();
  test_bytes();
  test_memory();
  test_kind_bytes();
  test_kinds();
  test_kind_forecast();
  test_forecast();
  test_interpolation();
  test_huge();
  test_units();
  test_measured(HS_SQUARED, HS_DOUBLE, 1, "measured rates, squared loss");
  test_measured(HS_SOFTMAX, HS_SINGLE, 3, "measured rates, softmax loss in single precision");
  test_measured(HS_SQUARED_HINGE, HS_DOUBLE, 1, "measured rates, squared hinge");
  test_rehearsed(HS_X_GLOBAL_GRAM, HS_SQUARED, 10, false, "global-gram rehearsed");
  test_rehearsed(HS_X_BLOCK_GRAM, HS_SQUARED, 10, false, "block-gram rehearsed");
  test_rehearsed(HS_X_GLOBAL_KERNEL, HS_SQUARED, 100, false, "global-kernel rehearsed");
  test_rehearsed(HS_X_GLOBAL_GRAM, HS_LOGISTIC, 10, false, "global-gram rehearsed, logistic loss");
  test_rehearsed(HS_X_BLOCK_GRAM, HS_SOFTMAX, 10, false, "block-gram rehearsed, softmax loss");
  test_rehearsed(HS_X_GLOBAL_GRAM, HS_SQUARED, 1e-3, true, "global-gram rehearsed with fewer gates");
  test_rehearsed(HS_X_GLOBAL_KERNEL, HS_SQUARED, 1e-2, true, "global-kernel rehearsed with fewer rows");
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
