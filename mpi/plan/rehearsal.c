#include "mpi/plan/rehearsal.h"

#include <math.h>

#include "base/memory.h"
#include "base/size.h"
#include "block/block_inverse.h"
#include "mpi/admm/solve.h"
#include "mpi/bench/operand.h"
#include "mpi/bench/timing.h"
#include "mpi/comm/agree.h"
#include "mpi/plan/made_up.h"
#include "mpi/plan/vectors.h"

#define SEED 1
#define ITERATIONS 8       /* before any change of rho or of the curvatures would factor the blocks anew */
#define RELATIVE_BETA 1e-6 /* all gates stay on */
#define NEVER 1e-300
#define SECONDS 0.1 /* for the parts of an iteration, at least ... */
#define ROUNDS 4    /* ... so many rounds, the first one included (timing.h) */

typedef struct stage {
  const hs_problem_size_t *size;
  hs_shard_t *shard;
  hs_gate_set_t gates;
  hs_problem_t problem;
  hs_block_inverse_t *inverse;
  double *u, *s, *a, *w, *v, *curvature;
  double *seconds;
} stage_t;

/* Gates, masks, tables and beta_max: what training does between reading and solving. */
static hs_status_t prepare(stage_t *stage)
{
  const hs_problem_size_t *size = stage->size;
  double begin = MPI_Wtime();
  hs_status_t status = hs_gate_set_sample(&stage->gates, MPI_COMM_SELF, stage->shard, size->gates, SEED);
  if (status == HS_OK)
    status = hs_problem_create(&stage->problem, MPI_COMM_SELF, stage->shard, &stage->gates, size->loss,
                               size->groups, RELATIVE_BETA, 0);
  stage->seconds[HS_STAGE_PREPARE] = MPI_Wtime() - begin;
  return status;
}

/* Room for the products and for the inverses, which are applied before they are made: zeros take as long. */
static hs_status_t make_vectors(stage_t *stage)
{
  const hs_problem_t *problem = &stage->problem;
  const hs_partition_t *partition = &stage->shard->partition;
  int64_t entries = problem->rows * problem->outputs;
  stage->u = hs_alloc((size_t)problem->weights, sizeof(double), "weights");
  stage->s = hs_alloc((size_t)problem->weights, sizeof(double), "gradient");
  stage->a = hs_alloc((size_t)entries, sizeof(double), "predictions");
  stage->w = hs_alloc((size_t)entries, sizeof(double), "residual");
  stage->v = hs_alloc((size_t)entries, sizeof(double), "residual");
  stage->curvature = hs_alloc((size_t)problem->rows, sizeof(double), "curvatures");
  int64_t *first = hs_alloc((size_t)partition->blocks + 1, sizeof *first, "block rows");
  bool good = stage->u != NULL && stage->s != NULL && stage->a != NULL && stage->w != NULL &&
              stage->v != NULL && stage->curvature != NULL && first != NULL;
  hs_status_t status = good ? HS_OK : HS_NO_MEMORY;
  if (good) {
    hs_operand_fill(stage->u, problem->weights);
    hs_operand_fill(stage->w, entries);
    for (int64_t k = 0; k < problem->rows; k++) stage->curvature[k] = 1;
    for (int64_t b = 0; b <= partition->blocks; b++) first[b] = hs_partition_block_row(partition, b);
    status =
        hs_block_inverse_create(&stage->inverse, problem->op, problem->outputs, partition->blocks, first);
  }
  hs_free(first);
  return status;
}

static void drop_vectors(stage_t *stage)
{
  double **vectors[] = {&stage->u, &stage->s, &stage->a, &stage->w, &stage->v, &stage->curvature};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    hs_free(*vectors[i]);
    *vectors[i] = NULL;
  }
  hs_block_inverse_free(&stage->inverse);
}

static void adjoint(void *context)
{
  stage_t *stage = context;
  hs_masked_adjoint(stage->problem.op, stage->w, stage->s);
}

static void forward(void *context)
{
  stage_t *stage = context;
  hs_masked_forward(stage->problem.op, stage->u, stage->a);
}

static void solves(void *context)
{
  stage_t *stage = context;
  hs_block_inverse_apply(stage->inverse, stage->w, stage->v);
}

/* What an iteration reads between two accelerations. */
static void sweep(void *context)
{
  adjoint(context);
  solves(context);
}

static void kernel(void *context)
{
  stage_t *stage = context;
  hs_block_inverse_kernel_size(stage->inverse, stage->curvature, 0, stage->shard->partition.blocks);
}

/* In turn, as in an iteration, so that each finds the caches as the others leave them. */
static void time_parts(stage_t *stage, hs_rehearsal_t *rehearsal)
{
  static hs_task_t *const parts[] = {adjoint, forward, solves}, *const estimate[] = {kernel};
  double begin = MPI_Wtime(), round = 0;
  hs_time_tasks(3, parts, stage, SECONDS, stage->seconds + HS_STAGE_ADJOINT);
  for (int i = HS_STAGE_ADJOINT; i <= HS_STAGE_SOLVES; i++) round += stage->seconds[i];
  rehearsal->repeats = fmax(0, MPI_Wtime() - begin - ROUNDS * round);
  hs_time_tasks(1, estimate, stage, 0, stage->seconds + HS_STAGE_KERNEL);
  /* Gates that repeat another on so few rows have been dropped; they will not be on many. */
  double dropped = (double)stage->size->gates / stage->gates.count;
  stage->seconds[HS_STAGE_ADJOINT] *= dropped;
  stage->seconds[HS_STAGE_FORWARD] *= dropped;
}

typedef struct watch {
  double called[ITERATIONS + 1]; /* when the solver told of an iteration */
  double bytes[ITERATIONS + 1];
  double last; /* when it told of the last one for the last time */
} watch_t;

static int observe(void *context, const hs_history_row_t *row)
{
  watch_t *watch = context;
  watch->last = MPI_Wtime();
  if (row->iteration <= ITERATIONS && watch->called[row->iteration] == 0) {
    watch->called[row->iteration] = watch->last;
    watch->bytes[row->iteration] = row->comm_bytes;
  }
  return HS_GO_ON;
}

/* The shortest but for the first one, as elsewhere. */
static double shortest_iteration(const watch_t *watch)
{
  double shortest = INFINITY;
  for (int i = 2; i <= ITERATIONS; i++) shortest = fmin(shortest, watch->called[i] - watch->called[i - 1]);
  return shortest;
}

/* A few iterations of the solver, at a rho near the mean eigenvalue of a block and without acceleration. */
static hs_status_t time_solver(stage_t *stage, hs_rehearsal_t *rehearsal)
{
  watch_t watch = {.last = 0};
  hs_solve_options_t options = {.tolerance = NEVER,
                                .max_iterations = ITERATIONS,
                                .x_update = HS_X_BLOCK_KERNEL,
                                .no_newton = true,
                                .rho = (double)rehearsal->rows / (double)rehearsal->blocks};
  hs_solution_t solution;
  hs_status_t status = hs_solve(&stage->problem, &options, observe, &watch, &solution);
  if (status == HS_OK) {
    stage->seconds[HS_STAGE_FACTOR] = solution.setup_seconds;
    stage->seconds[HS_STAGE_ITERATION] = shortest_iteration(&watch);
    stage->seconds[HS_STAGE_EXACT] = watch.last - watch.called[ITERATIONS];
    rehearsal->small_bytes = watch.bytes[2] - watch.bytes[1] - 8 * (double)stage->problem.weights;
  }
  hs_solution_free(&solution);
  return status;
}

/* Collective over comm: the ranks begin each part together. */
static hs_status_t run(stage_t *stage, MPI_Comm comm, hs_rehearsal_t *rehearsal)
{
  const hs_problem_size_t *size = stage->size;
  hs_status_t status = hs_agree(
      comm, hs_made_up_shard(&stage->shard, size, MPI_COMM_SELF, rehearsal->rows, rehearsal->blocks));
  if (status == HS_OK) status = hs_agree(comm, prepare(stage));
  if (status == HS_OK) status = hs_agree(comm, make_vectors(stage));
  if (status != HS_OK) return status;
  time_parts(stage, rehearsal);
  status = hs_agree(comm, hs_time_anderson(size->memory, 0, rehearsal->rows * size->outputs, sweep, stage,
                                           &stage->seconds[HS_STAGE_ANDERSON]));
  drop_vectors(stage);
  return status == HS_OK ? hs_agree(comm, time_solver(stage, rehearsal)) : status;
}

/* From blocks of `rows` rows to longer ones: n numbers a row are applied, n (n + d) flops a row make them. */
static void stretch(hs_rehearsal_t *rehearsal, int d, double block_rows)
{
  double *seconds = rehearsal->seconds, rows = rehearsal->block_rows, ratio = block_rows / rows,
         longer = (block_rows + d) / (rows + d);
  seconds[HS_STAGE_ITERATION] += (ratio - 1) * seconds[HS_STAGE_SOLVES];
  seconds[HS_STAGE_SOLVES] *= ratio;
  seconds[HS_STAGE_FACTOR] *= ratio * longer;
  seconds[HS_STAGE_KERNEL] *= ratio * ratio;
  rehearsal->block_rows = block_rows;
}

hs_status_t hs_rehearse(hs_rehearsal_t *rehearsal, MPI_Comm comm, const hs_problem_size_t *size, int64_t rows,
                        int64_t block_rows)
{
  double begin = MPI_Wtime();
  *rehearsal = (hs_rehearsal_t){.rows = rows, .blocks = hs_max64(1, (rows + block_rows / 2) / block_rows)};
  stage_t stage = {.size = size, .seconds = rehearsal->seconds};
  hs_status_t status = run(&stage, comm, rehearsal);
  drop_vectors(&stage);
  hs_problem_free(&stage.problem);
  hs_gate_set_free(&stage.gates);
  hs_shard_free(&stage.shard);
  rehearsal->elapsed = MPI_Wtime() - begin - rehearsal->repeats;
  if (status != HS_OK) return status;
  rehearsal->block_rows = (double)rows / (double)rehearsal->blocks;
  if (rows < block_rows) stretch(rehearsal, size->d, (double)block_rows);
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, rehearsal->seconds, HS_STAGES, MPI_DOUBLE, MPI_MAX, comm));
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &rehearsal->elapsed, 1, MPI_DOUBLE, MPI_MAX, comm));
  return HS_OK;
}
