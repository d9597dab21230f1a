#include "mpi/plan/x_rehearsal.h"

#include <math.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/admm/solve.h"
#include "mpi/bench/operand.h"
#include "mpi/comm/agree.h"
#include "mpi/gram/reduction.h"
#include "mpi/plan/made_up.h"
#include "mpi/plan/vectors.h"
#include "mpi/x_update/x_update.h"

#define SEED 1
#define ITERATIONS 10
#define ROUNDS 10
#define RELATIVE_BETA 1e-6
#define NEVER 1e-300
#define FEW_ROWS                                                                                             \
  2048 /* a rehearsal of an iteration that does not depend on them; twice P d if that is more */
#define MORE_ROWS 4.0   /* times as many, at least, for the second Gram matrix */
#define BYTES 4e8       /* of its data */
#define GRAM_RATE 400e9 /* see x_update/choose.c */
#define PRODUCT_RATE 40e9
#define SMALLER 0.9  /* steps in which a problem is made smaller until it is affordable */
#define MODELLED 2.0 /* set-ups in a rehearsal */

typedef struct stage {
  MPI_Comm comm;
  hs_problem_size_t size; /* with the gates of the rehearsal */
  hs_x_kind_t kind;
  hs_shard_t *shard;
  hs_gate_set_t gates;
  hs_problem_t problem;
  hs_reduction_t *reduction;
  hs_x_update_t *update;
  double *u, *s, *r, *v, *curvature;
} stage_t;

static bool is_gram(hs_x_kind_t kind)
{
  return kind == HS_X_BLOCK_GRAM || kind == HS_X_GLOBAL_GRAM;
}

/* ---- how large ---- */

/* Rows of each rank. */
static int64_t first_rows(const hs_problem_size_t *size, hs_x_kind_t kind, int ranks)
{
  int64_t wanted = hs_max64(FEW_ROWS, 2 * (int64_t)size->gates * size->d);
  int64_t rows = is_gram(kind) ? hs_min64(wanted, size->rows) : size->rows;
  return kind == HS_X_BLOCK_GRAM ? rows : (rows + ranks - 1) / ranks;
}

static double modelled_seconds(const hs_problem_size_t *size, hs_x_kind_t kind, int ranks)
{
  hs_x_estimate_t estimates[HS_X_KINDS];
  hs_x_shape_t shape = hs_problem_shape(size);
  shape.rows = first_rows(size, kind, ranks) * ranks;
  shape.blocks = ranks;
  hs_x_estimate(&shape, ranks, INFINITY, estimates);
  return MODELLED * estimates[kind].setup + (ITERATIONS + ROUNDS) * estimates[kind].iteration;
}

/* The problem made smaller until the model says that it is affordable; the rate of this machine may be another, but
 * not by much. */
static void make_affordable(hs_problem_size_t *size, hs_x_kind_t kind, int ranks, double seconds)
{
  while (modelled_seconds(size, kind, ranks) > seconds) {
    if (is_gram(kind) && size->gates > 1)
      size->gates = (int)floor(SMALLER * size->gates);
    else if (!is_gram(kind) && size->rows > ranks)
      size->rows = hs_max64(ranks, (int64_t)(SMALLER * (double)size->rows));
    else
      return;
  }
}

/* Rows of each rank for the second Gram matrix; as many as for the first where there are no more. */
static int64_t second_rows(const stage_t *stage, int64_t first, double seconds)
{
  const hs_problem_size_t *size = &stage->size;
  double order = (double)size->gates * size->d, C = size->outputs;
  double row_bytes = 8.0 * size->d + size->gates + 100 * C;
  double row_seconds = order * order / GRAM_RATE + 8 * order * C / PRODUCT_RATE;
  double most = fmin(BYTES / row_bytes, seconds / 2 / row_seconds);
  int64_t rows = (int64_t)fmax(most, MORE_ROWS * (double)first);
  return hs_max64(first, hs_min64(rows, size->rows));
}

/* ---- a problem ---- */

static void drop(stage_t *stage)
{
  double **vectors[] = {&stage->u, &stage->s, &stage->r, &stage->v, &stage->curvature};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    hs_free(*vectors[i]);
    *vectors[i] = NULL;
  }
  hs_x_update_free(&stage->update);
  hs_reduction_free(&stage->reduction);
  hs_problem_free(&stage->problem);
  hs_gate_set_free(&stage->gates);
  hs_shard_free(&stage->shard);
}

/* Collective. */
static hs_status_t set_up(stage_t *stage, int64_t rows)
{
  const hs_problem_size_t *size = &stage->size;
  hs_status_t status = hs_agree(stage->comm, hs_made_up_shard(&stage->shard, size, stage->comm, rows, 1));
  if (status == HS_OK)
    status = hs_gate_set_sample(&stage->gates, stage->comm, stage->shard, size->gates, SEED);
  if (status == HS_OK)
    status = hs_problem_create(&stage->problem, stage->comm, stage->shard, &stage->gates, size->loss,
                               size->groups, RELATIVE_BETA, 0);
  return status;
}

static const hs_problem_t *iterated(const stage_t *stage)
{
  return stage->reduction != NULL ? &stage->reduction->problem : &stage->problem;
}

static hs_status_t make_vectors(stage_t *stage)
{
  const hs_problem_t *problem = iterated(stage);
  int64_t entries = problem->rows * problem->outputs;
  stage->u = hs_alloc((size_t)problem->weights, sizeof(double), "weights");
  stage->s = hs_alloc((size_t)problem->weights, sizeof(double), "gradient");
  stage->r = hs_alloc((size_t)entries, sizeof(double), "residual");
  stage->v = hs_alloc((size_t)entries, sizeof(double), "residual");
  stage->curvature = hs_alloc((size_t)problem->rows, sizeof(double), "curvatures");
  if (stage->u == NULL || stage->s == NULL || stage->r == NULL || stage->v == NULL ||
      stage->curvature == NULL)
    return HS_NO_MEMORY;
  hs_operand_fill(stage->u, problem->weights);
  hs_operand_fill(stage->r, entries);
  for (int64_t k = 0; k < problem->rows; k++) stage->curvature[k] = 1;
  return HS_OK;
}

/* ---- parts ---- */

/* The reduction of so many rows a rank, if there is one. Collective. */
static hs_status_t time_reduction(stage_t *stage, double *seconds)
{
  *seconds = 0;
  if (!hs_problem_is_reduced(&stage->size, stage->kind)) return HS_OK;
  HS_MPI(MPI_Barrier(stage->comm));
  double begin = MPI_Wtime();
  hs_status_t status =
      hs_reduction_create(&stage->reduction, &stage->problem, stage->kind == HS_X_GLOBAL_GRAM);
  *seconds = MPI_Wtime() - begin;
  return status;
}

/* A rho near the mean eigenvalue. Collective. */
static double some_rho(hs_kernel_size_t size, double order)
{
  double rho = size.trace / fmax(1, (double)size.blocks) / order;
  return rho > 0 ? rho : 1;
}

/* Collective. */
static hs_status_t time_factor(stage_t *stage, double *estimate, double *factor, double *rho)
{
  hs_status_t status = hs_x_update_create(&stage->update, iterated(stage), stage->kind);
  if (status == HS_OK) status = hs_agree(stage->comm, make_vectors(stage));
  if (status != HS_OK) return status;
  HS_MPI(MPI_Barrier(stage->comm));
  double begin = MPI_Wtime();
  hs_kernel_size_t size = hs_x_update_kernel_size(stage->update, stage->curvature);
  *estimate = MPI_Wtime() - begin;
  *rho = some_rho(size, (double)stage->problem.gates * stage->problem.d);
  begin = MPI_Wtime();
  status = hs_x_update_factor(stage->update, *rho, stage->curvature);
  *factor = MPI_Wtime() - begin;
  return status;
}

/* Products with L', and what the acceleration finds the caches full of. */
static void multiply(void *context)
{
  stage_t *stage = context;
  hs_problem_forward(iterated(stage), stage->u, stage->v);
  hs_problem_adjoint(iterated(stage), stage->v, stage->s);
}

/* Applications and products in turn, the shortest of each. Collective. */
static void time_parts(stage_t *stage, hs_x_rehearsal_t *rehearsal)
{
  rehearsal->apply = INFINITY;
  rehearsal->products = rehearsal->reduced > 0 ? INFINITY : 0;
  for (int round = 0; round < ROUNDS; round++) {
    hs_traffic_t traffic = {0};
    HS_MPI(MPI_Barrier(stage->comm));
    double begin = MPI_Wtime();
    hs_x_update_apply(stage->update, stage->r, stage->v, &traffic);
    rehearsal->apply = fmin(rehearsal->apply, MPI_Wtime() - begin - traffic.seconds);
    begin = MPI_Wtime();
    if (rehearsal->reduced > 0) multiply(stage);
    rehearsal->products = fmin(rehearsal->products, MPI_Wtime() - begin);
  }
  rehearsal->apply = fmax(0, rehearsal->apply);
}

typedef struct watch {
  double called, messages, shortest;
} watch_t;

static int observe(void *context, const hs_history_row_t *row)
{
  watch_t *watch = context;
  double now = MPI_Wtime(), compute = now - watch->called - (row->comm_seconds - watch->messages);
  if (row->iteration > 2 && row->iteration <= ITERATIONS) watch->shortest = fmin(watch->shortest, compute);
  watch->called = now;
  watch->messages = row->comm_seconds;
  return HS_GO_ON;
}

/* Iterations of the solver, without acceleration: what they take besides products and x-update. Collective. */
static hs_status_t time_solver(stage_t *stage, double rho, hs_x_rehearsal_t *rehearsal)
{
  watch_t watch = {.shortest = INFINITY};
  hs_solve_options_t options = {.tolerance = NEVER,
                                .max_iterations = ITERATIONS,
                                .x_update = stage->kind,
                                .no_newton = true,
                                .rho = rho};
  hs_solution_t solution;
  hs_status_t status = hs_solve(&stage->problem, &options, observe, &watch, &solution);
  hs_solution_free(&solution);
  rehearsal->vectors = fmax(0, watch.shortest - rehearsal->products - rehearsal->apply);
  return status;
}

/* Everything with the first number of rows. Collective. */
static hs_status_t time_first(stage_t *stage, hs_x_rehearsal_t *rehearsal)
{
  double rho = 1;
  hs_status_t status = set_up(stage, rehearsal->rows);
  if (status == HS_OK) status = time_reduction(stage, &rehearsal->make);
  if (status == HS_OK) status = time_factor(stage, &rehearsal->estimate, &rehearsal->factor, &rho);
  if (status != HS_OK) return status;
  bool reduced = stage->reduction != NULL;
  rehearsal->gates = stage->problem.gates;
  rehearsal->reduced = reduced ? stage->reduction->problem.rows : 0;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &rehearsal->reduced, 1, MPI_INT64_T, MPI_MAX, stage->comm));
  time_parts(stage, rehearsal);
  if (!reduced) return HS_OK;
  status =
      hs_agree(stage->comm, hs_time_anderson(stage->size.memory, 0, rehearsal->reduced * stage->size.outputs,
                                             multiply, stage, &rehearsal->anderson));
  hs_x_update_free(&stage->update);
  hs_reduction_free(&stage->reduction);
  return status == HS_OK ? time_solver(stage, rho, rehearsal) : status;
}

/* The Gram matrix once more, of more rows. Collective. */
static hs_status_t time_second(stage_t *stage, int64_t rows, hs_x_rehearsal_t *rehearsal)
{
  double make = 0, estimate = 0, factor = 0, rho;
  hs_status_t status = set_up(stage, rows);
  bool reduced = hs_problem_is_reduced(&stage->size, stage->kind);
  if (status == HS_OK && reduced) status = time_reduction(stage, &make);
  if (status == HS_OK && !reduced) status = time_factor(stage, &estimate, &factor, &rho);
  double longer = reduced ? make - rehearsal->make : factor - rehearsal->factor;
  rehearsal->per_row = fmax(0, longer) / (double)(rows - rehearsal->rows);
  return status;
}

/* The slowest rank's. Collective. */
static void find_slowest(hs_x_rehearsal_t *rehearsal, MPI_Comm comm)
{
  double *seconds[] = {&rehearsal->products, &rehearsal->apply,  &rehearsal->vectors,  &rehearsal->anderson,
                       &rehearsal->make,     &rehearsal->factor, &rehearsal->estimate, &rehearsal->per_row};
  for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
    HS_MPI(MPI_Allreduce(MPI_IN_PLACE, seconds[i], 1, MPI_DOUBLE, MPI_MAX, comm));
}

hs_status_t hs_x_rehearse(hs_x_rehearsal_t *rehearsal, MPI_Comm comm, const hs_problem_size_t *size,
                          hs_x_kind_t kind, double seconds)
{
  int ranks = hs_ranks(comm);
  stage_t stage = {.comm = comm, .size = *size, .kind = kind};
  make_affordable(&stage.size, kind, ranks, seconds);
  *rehearsal = (hs_x_rehearsal_t){.kind = kind,
                                  .ranks = ranks,
                                  .rows = first_rows(&stage.size, kind, ranks),
                                  .smaller = stage.size.gates < size->gates || stage.size.rows < size->rows};
  hs_status_t status = time_first(&stage, rehearsal);
  drop(&stage);
  int64_t rows = is_gram(kind) ? second_rows(&stage, rehearsal->rows, seconds) : rehearsal->rows;
  if (status == HS_OK && rows > rehearsal->rows) status = time_second(&stage, rows, rehearsal);
  drop(&stage);
  find_slowest(rehearsal, comm);
  rehearsal->measured = status == HS_OK;
  return status;
}
