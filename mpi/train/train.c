#include "mpi/train/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "io/hdf5/h5.h"
#include "mpi/admm/block_count.h"
#include "mpi/admm/solve.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/reduce.h"
#include "mpi/data/fingerprint.h"
#include "mpi/data/gate_set.h"
#include "mpi/data/shard.h"
#include "mpi/network/sign_map.h"
#include "mpi/train/outputs.h"
#include "mpi/train/progress.h"
#include "mpi/train/provenance.h"

/* One training run and all it holds. */
typedef struct train {
  MPI_Comm comm;
  int rank;
  const hs_settings_t *settings;
  hs_source_t source;
  hs_shard_t *shard;
  hs_gate_set_t gates;
  hs_problem_t problem;
  hs_outputs_t outputs;
  hs_progress_t progress;
  hs_solution_t solution;
  hs_model_t model;
  double load_seconds;
} train_t;

static hs_loss_t loss_of(const hs_settings_t *settings)
{
  return (hs_loss_t){.kind = settings->model.loss, .huber_width = settings->model.huber_width};
}

/* Data on all ranks, cut into blocks. Collective. */
static hs_status_t load(train_t *train)
{
  const hs_settings_t *settings = train->settings;
  double begin = MPI_Wtime();
  hs_log_live("reading %s ...", settings->data.train);
  hs_status_t status = hs_source_open(&train->source, train->comm, settings->data.train,
                                      settings->data.features, settings->data.targets);
  if (status != HS_OK) return status;
  const hs_data_info_t *info = &train->source.info;
  int outputs = hs_shard_outputs(settings->model.loss, info->class_names_count, info->target_columns);
  int64_t wanted = hs_block_count(info->rows, info->features + settings->data.bias, settings->model.gates,
                                  outputs, settings->solver.block_rows);
  hs_partition_t partition = hs_partition_make(info->rows, wanted, train->rank, hs_ranks(train->comm));
  hs_shard_options_t options = {.bias = settings->data.bias,
                                .precision = settings->solver.precision,
                                .loss = settings->model.loss,
                                .scaling = settings->data.scaling};
  status = hs_shard_load(&train->shard, &train->source, &partition, &options);
  train->load_seconds = MPI_Wtime() - begin;
  return status;
}

/* A mistake in the test data is better told before the training than after it. Collective. */
static hs_status_t check_test(train_t *train)
{
  const hs_settings_t *settings = train->settings;
  if (settings->data.test[0] == '\0') return HS_OK;
  hs_source_t test;
  hs_status_t status = hs_source_open(&test, train->comm, settings->data.test, settings->data.features,
                                      settings->data.targets);
  if (status != HS_OK) return status;
  if (test.info.features != train->shard->features)
    status = hs_fail(HS_BAD_DATA, settings->data.test, NULL, "has %d features, the training data have %d",
                     test.info.features, train->shard->features);
  hs_source_close(&test);
  return status;
}

/* Gates of a file made elsewhere. Collective. */
static hs_status_t gates_from_file(train_t *train)
{
  const char *path = train->settings->model.gates_from;
  hid_t file = -1;
  int64_t shape[3] = {0};
  double *G = NULL;
  hs_status_t status = hs_h5_open(path, &file);
  if (status == HS_OK) status = hs_h5_read_array(file, path, "gates", shape, &G);
  if (file >= 0) H5Fclose(file);
  if (status == HS_OK && shape[2] != 1)
    status = hs_fail(HS_BAD_DATA, path, "gates", "has 3 dimensions (gates x columns)");
  if (status == HS_OK && shape[1] != train->shard->d)
    status = hs_fail(HS_BAD_DATA, path, "gates", "has %" PRId64 " columns (%d: the features%s)", shape[1],
                     train->shard->d, train->shard->bias ? " and the bias" : "");
  for (int64_t e = 0; status == HS_OK && e < shape[0] * shape[1]; e++)
    if (!isfinite(G[e]))
      status = hs_fail(HS_BAD_DATA, path, "gates", "holds NaN or infinity (finite numbers)");
  status = hs_agree(train->comm, status);
  if (status == HS_OK) status = hs_gate_set_given(&train->gates, train->comm, train->shard, shape[0], G);
  hs_free(G);
  return status;
}

/* Collective. */
static hs_status_t set_up(train_t *train)
{
  const hs_settings_t *settings = train->settings;
  hs_status_t status = load(train);
  if (status == HS_OK) status = check_test(train);
  if (status == HS_OK && settings->model.gates_from[0] != '\0')
    status = gates_from_file(train);
  else if (status == HS_OK)
    status =
        hs_gate_set_sample(&train->gates, train->comm, train->shard, settings->model.gates, settings->seed);
  if (status == HS_OK)
    status = hs_problem_create(&train->problem, train->comm, train->shard, &train->gates, loss_of(settings),
                               settings->model.groups, settings->model.beta, settings->model.beta_absolute);
  return status;
}

static void print_banner(const train_t *train, const hs_provenance_t *provenance)
{
  const hs_settings_t *settings = train->settings;
  const hs_shard_t *shard = train->shard;
  const hs_problem_t *problem = &train->problem;
  static const char *const scalings[] = {"auto", "none", "center", "zscore", "unit-norm", "common"};
  hs_scaling_t scaling = hs_shard_scaling(settings->data.scaling, &train->source.info);
  char task[64] = "regression";
  if (shard->classes.count > 0) snprintf(task, sizeof task, "%d classes", shard->classes.count);
  hs_log("halfspace %s (%s)  %" PRId64 " rank%s on %s, %s, %s", provenance->version, provenance->commit,
         provenance->ranks, provenance->ranks == 1 ? "" : "s", provenance->hosts, provenance->mpi,
         provenance->blas);
  hs_log("data    : %s: %" PRId64 " rows, %d features%s, %s, scaling %s, read in %.2f s",
         settings->data.train, shard->partition.rows, shard->features, shard->bias ? " + bias" : "", task,
         scalings[scaling], train->load_seconds);
  hs_log("model   : %d gates (%d duplicate, %d empty dropped), %d output%s, %s loss, %s groups",
         problem->gates, train->gates.duplicates, train->gates.empty, problem->outputs,
         problem->outputs == 1 ? "" : "s", hs_loss_name(problem->loss.kind), hs_groups_name(problem->groups));
  hs_log("penalty : beta %.6g = %.4g x beta_max (%.6g)", problem->beta, problem->beta / problem->beta_max,
         problem->beta_max);
  hs_log("solver  : block-kernel, %" PRId64 " blocks of about %" PRId64 " rows, Anderson memory %" PRId64
         ", %s precision, goal: relative gap %g",
         shard->partition.blocks, shard->partition.rows / shard->partition.blocks, settings->solver.anderson,
         settings->solver.precision == HS_SINGLE ? "single" : "double", settings->solver.tolerance);
}

/* What the run writes, and what it goes on from. Collective. */
static hs_status_t open_outputs(train_t *train)
{
  hs_provenance_t provenance = hs_provenance_collect(train->comm);
  const hs_problem_t *problem = &train->problem;
  const hs_shard_t *shard = train->shard;
  if (train->rank == 0) print_banner(train, &provenance);
  hs_identity_t identity = {
      .settings = train->settings,
      .features = (int64_t)shard->features_print,
      .targets = (int64_t)shard->targets_print,
      .gates = (int64_t)hs_fingerprint(train->gates.G, (int64_t)train->gates.count * train->gates.d * 8)};
  hs_run_facts_t facts = {.rows = shard->partition.rows,
                          .gates = problem->gates,
                          .beta = problem->beta,
                          .beta_max = problem->beta_max};
  train->outputs.times.load_seconds = train->load_seconds;
  return hs_outputs_open(&train->outputs, &identity, &shard->partition, &facts, &provenance);
}

/* After every iteration: history, progress, and what this rank asks for. */
static int observe(void *context, const hs_history_row_t *row)
{
  train_t *train = context;
  if (train->rank == 0) {
    hs_outputs_row(&train->outputs, row);
    hs_progress_row(&train->progress, row);
  }
  bool stop = hs_interrupted() || train->outputs.status != HS_OK;
  return (stop ? HS_STOP : 0) | (hs_checkpoint_asked() ? HS_CHECKPOINT : 0);
}

static void print_resumed(const train_t *train)
{
  const hs_checkpoint_t *checkpoint = train->outputs.checkpoint;
  if (!hs_checkpoint_found(checkpoint)) return;
  int64_t writers = hs_checkpoint_writers(checkpoint), blocks = hs_checkpoint_blocks(checkpoint);
  hs_log("resumed : from %s, after iteration %" PRId64 "%s", hs_checkpoint_path(checkpoint),
         hs_checkpoint_iteration(checkpoint),
         writers == hs_ranks(train->comm) ? "" : ", on another number of ranks (the same to rounding)");
  if (blocks != train->shard->partition.blocks)
    hs_log("          the rows are cut into %" PRId64 " blocks, not %" PRId64
           " as before: the iterates will differ, the optimum does not",
           train->shard->partition.blocks, blocks);
}

/* Collective. */
static hs_status_t solve(train_t *train)
{
  const hs_settings_t *settings = train->settings;
  hs_solve_options_t options = {.tolerance = settings->solver.tolerance,
                                .max_iterations = settings->solver.max_iterations,
                                .max_seconds = settings->solver.max_seconds,
                                .rho = settings->solver.rho,
                                .anderson = (int)settings->solver.anderson,
                                .checkpoint = train->outputs.checkpoint,
                                .checkpoint_seconds = settings->output.checkpoint_seconds};
  print_resumed(train);
  hs_progress_begin(&train->progress, options.tolerance);
  hs_log_live("building and inverting the kernels of the blocks ...");
  hs_status_t status = hs_solve(&train->problem, &options, observe, train, &train->solution);
  if (status == HS_OK) hs_progress_end(&train->progress, &train->solution.last);
  return hs_agree(train->comm, status != HS_OK ? status : train->outputs.status);
}

static bool is_zero(const double *values, int64_t count)
{
  for (int64_t e = 0; e < count; e++)
    if (values[e] != 0) return false;
  return true;
}

/* The gates that are on, their weights, and what prediction needs besides. Replicated. */
static hs_status_t make_model(train_t *train)
{
  const hs_shard_t *shard = train->shard;
  const hs_problem_t *problem = &train->problem;
  hs_model_t *model = &train->model;
  int64_t size = (int64_t)problem->d * problem->outputs;
  *model = (hs_model_t){.features = shard->features,
                        .d = shard->d,
                        .outputs = shard->outputs,
                        .bias = shard->bias,
                        .precision = shard->precision,
                        .loss = problem->loss,
                        .groups = problem->groups,
                        .beta = problem->beta,
                        .beta_max = problem->beta_max,
                        .objective = train->solution.last.primal};
  model->shift = hs_alloc((size_t)shard->features, sizeof(double), "model");
  model->scale = hs_alloc((size_t)shard->features, sizeof(double), "model");
  model->G = hs_alloc((size_t)problem->gates * (size_t)problem->d, sizeof(double), "model");
  model->weights = hs_alloc((size_t)problem->weights, sizeof(double), "model");
  if (model->shift == NULL || model->scale == NULL || model->G == NULL || model->weights == NULL)
    return HS_NO_MEMORY;
  memcpy(model->shift, shard->shift, (size_t)shard->features * sizeof(double));
  memcpy(model->scale, shard->scale, (size_t)shard->features * sizeof(double));
  for (int i = 0; i < problem->gates; i++) {
    const double *u = train->solution.u + i * size;
    if (is_zero(u, size)) continue;
    memcpy(model->G + (int64_t)model->gates * problem->d, train->gates.G + (int64_t)i * problem->d,
           (size_t)problem->d * sizeof(double));
    memcpy(model->weights + model->gates * size, u, (size_t)size * sizeof(double));
    model->gates += 1;
  }
  hs_classes_t classes;
  hs_status_t status = hs_classes_copy(&classes, &shard->classes);
  model->classes = classes.count;
  model->class_values = classes.values;
  model->class_names = classes.names;
  return status;
}

/* Loss of the real ReLU network on the training rows, plus its penalty. Collective. */
static hs_status_t network_objective(train_t *train, double *objective)
{
  const hs_shard_t *shard = train->shard;
  double *scores = hs_alloc((size_t)(shard->rows * shard->outputs), sizeof(double), "scores");
  hs_status_t status =
      scores != NULL ? hs_model_relu_scores(&train->model, shard->rows, shard->X, scores) : HS_NO_MEMORY;
  status = hs_agree(train->comm, status);
  if (status == HS_OK) {
    hs_traffic_t traffic = {0};
    *objective = hs_loss_value(train->problem.loss, shard->rows, shard->outputs, scores, shard->Y);
    hs_sum(train->comm, objective, 1, &traffic);
    *objective += hs_model_relu_penalty(&train->model);
  }
  hs_free(scores);
  return status;
}

/* Collective. */
static hs_status_t save(train_t *train, double network)
{
  const hs_solution_t *solution = &train->solution;
  double mine = (double)hs_peak_bytes(), total;
  HS_MPI(MPI_Allreduce(&mine, &total, 1, MPI_DOUBLE, MPI_SUM, train->comm));
  train->outputs.times.peak_bytes = (int64_t)total;
  train->outputs.times.setup_seconds = solution->setup_seconds;
  hs_results_bounds_t bounds = {.gates_lower = solution->last.dual, .network = network};
  return hs_outputs_save(&train->outputs, &train->model, &bounds, hs_stop_name(solution->stop),
                         solution->loss);
}

static void print_checkpoint(const train_t *train)
{
  hs_checkpoint_cost_t cost = hs_checkpoint_cost(train->outputs.checkpoint);
  bool goes_on = train->solution.stop != HS_STOP_CONVERGED;
  if (cost.written > 0)
    hs_log("         %s%s: %" PRId64 " checkpoint%s in %.2f s, %.1f MB",
           goes_on ? " " : " no longer needed: ", hs_checkpoint_path(train->outputs.checkpoint), cost.written,
           cost.written == 1 ? "" : "s", cost.seconds, (double)cost.bytes / 1e6);
  if (goes_on && train->solution.resumed_at == train->solution.last.iteration)
    hs_warn("the budget had been used up before: no iteration was added");
  if (goes_on)
    hs_log(
        "          the same command goes on from the checkpoint (with a larger budget if one was used up)");
}

static void print_summary(const train_t *train, double network)
{
  const hs_solution_t *solution = &train->solution;
  const hs_history_row_t *last = &solution->last;
  static const char *const reasons[] = {"converged: the gap reached its goal",
                                        "stopped at solver.max_iterations", "stopped at solver.max_seconds",
                                        "stopped by a signal"};
  hs_log("status  : %s after %" PRId64 " iterations", reasons[solution->stop], last->iteration);
  hs_log("bracket : %.8g <= optimum of the gated problem <= %.8g (relative gap %.2e, certified in double)",
         last->dual, last->primal, last->relative_gap);
  hs_log("weights : %d of %d gates are on; mean loss %.6g a row", train->model.gates, train->problem.gates,
         solution->loss / (double)train->shard->partition.rows);
  if (isfinite(network))
    hs_log("network : %d ReLU neurons by the sign map, objective %.8g (before any polish)",
           train->model.neurons, network);
  hs_log("time    : %.2f s = set-up %.2f + %" PRId64
         " iterations %.2f (%.1f ms each, %d factorings, reductions %.1f %%); "
         "peak memory %.0f MB on all ranks",
         last->seconds, solution->setup_seconds, last->iteration, last->seconds - solution->setup_seconds,
         1e3 * (last->seconds - solution->setup_seconds) / (double)last->iteration, solution->factorings,
         100 * last->comm_seconds / fmax(last->seconds, 1e-9), (double)train->outputs.times.peak_bytes / 1e6);
  hs_log("saved   : %s", train->settings->output.run);
  print_checkpoint(train);
}

static void release(train_t *train)
{
  hs_solution_free(&train->solution);
  hs_problem_free(&train->problem);
  hs_gate_set_free(&train->gates);
  hs_shard_free(&train->shard);
  hs_source_close(&train->source);
  hs_model_clear(&train->model);
  hs_outputs_release(&train->outputs);
}

/* A signal leaves little time: what takes long waits for the end. */
static bool is_interrupted(const train_t *train)
{
  return train->solution.stop == HS_STOP_SIGNAL;
}

hs_status_t hs_train(MPI_Comm comm, const hs_settings_t *settings)
{
  train_t train = {.comm = comm, .rank = hs_rank(comm), .settings = settings};
  double network = NAN;
  hs_settings_warn_idle(settings);
  hs_interrupt_watch();
  hs_status_t status = hs_outputs_claim(&train.outputs, comm, settings);
  if (status == HS_OK) status = set_up(&train);
  if (status == HS_OK) status = open_outputs(&train);
  if (status == HS_OK) status = solve(&train);
  if (status == HS_OK) status = hs_agree(comm, make_model(&train));
  if (status == HS_OK && settings->model.activation == HS_RELU && !is_interrupted(&train))
    status = hs_sign_map(&train.model, comm, train.shard);
  if (status == HS_OK && train.model.neurons > 0) status = network_objective(&train, &network);
  if (status == HS_OK) status = save(&train, network);
  if (status == HS_OK) print_summary(&train, network);
  if (status == HS_OK && train.solution.stop != HS_STOP_CONVERGED)
    status = is_interrupted(&train) ? HS_INTERRUPTED : HS_BUDGET;
  release(&train);
  return status;
}
