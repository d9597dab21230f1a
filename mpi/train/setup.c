#include "mpi/train/setup.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "mpi/admm/block_count.h"
#include "mpi/comm/agree.h"
#include "mpi/data/fingerprint.h"
#include "mpi/x_update/choose.h"

static hs_loss_t loss_of(const hs_settings_t *settings)
{
  return (hs_loss_t){.kind = settings->model.loss, .huber_width = settings->model.huber_width};
}

/* Data on all ranks, cut into blocks. Collective. */
static hs_status_t load(hs_setup_t *setup)
{
  const hs_settings_t *settings = setup->settings;
  double begin = MPI_Wtime();
  hs_log_live("reading %s ...", settings->data.train);
  hs_status_t status = hs_source_open(&setup->source, setup->comm, settings->data.train,
                                      settings->data.features, settings->data.targets);
  if (status == HS_OK && setup->held_out > 0)
    status = hs_source_choose(&setup->source, setup->held_out, settings->seed, HS_ROWS_TRAINING);
  if (status != HS_OK) return status;
  const hs_data_info_t *info = &setup->source.info;
  int outputs = hs_shard_outputs(settings->model.loss, info->class_names_count, info->target_columns);
  int64_t wanted = hs_block_count(info->rows, info->features + settings->data.bias, settings->model.gates,
                                  outputs, settings->solver.block_rows);
  hs_partition_t partition = hs_partition_make(info->rows, wanted, setup->rank, hs_ranks(setup->comm));
  hs_shard_options_t options = {.bias = settings->data.bias,
                                .precision = settings->solver.precision,
                                .loss = settings->model.loss,
                                .scaling = settings->data.scaling};
  status = hs_shard_load(&setup->shard, &setup->source, &partition, &options);
  setup->load_seconds = MPI_Wtime() - begin;
  return status;
}

/* A mistake in the test data is better told before the training than after it. Collective. */
static hs_status_t check_test(hs_setup_t *setup)
{
  const hs_settings_t *settings = setup->settings;
  if (settings->data.test[0] == '\0') return HS_OK;
  hs_source_t test;
  hs_status_t status = hs_source_open(&test, setup->comm, settings->data.test, settings->data.features,
                                      settings->data.targets);
  if (status != HS_OK) return status;
  if (test.info.features != setup->shard->features)
    status = hs_fail(HS_BAD_DATA, settings->data.test, NULL, "has %d features, the training data have %d",
                     test.info.features, setup->shard->features);
  hs_source_close(&test);
  return status;
}

/* Gates of a file made elsewhere. Collective. */
static hs_status_t gates_from_file(hs_setup_t *setup)
{
  const char *path = setup->settings->model.gates_from;
  hid_t file = -1;
  int64_t shape[3] = {0};
  double *G = NULL;
  hs_status_t status = hs_h5_open(path, &file);
  if (status == HS_OK) status = hs_h5_read_array(file, path, "gates", shape, &G);
  if (file >= 0) H5Fclose(file);
  if (status == HS_OK && shape[2] != 1)
    status = hs_fail(HS_BAD_DATA, path, "gates", "has 3 dimensions (gates x columns)");
  if (status == HS_OK && shape[1] != setup->shard->d)
    status = hs_fail(HS_BAD_DATA, path, "gates", "has %" PRId64 " columns (%d: the features%s)", shape[1],
                     setup->shard->d, setup->shard->bias ? " and the bias" : "");
  for (int64_t e = 0; status == HS_OK && e < shape[0] * shape[1]; e++)
    if (!isfinite(G[e]))
      status = hs_fail(HS_BAD_DATA, path, "gates", "holds NaN or infinity (finite numbers)");
  status = hs_agree(setup->comm, status);
  if (status == HS_OK) status = hs_gate_set_given(&setup->gates, setup->comm, setup->shard, shape[0], G);
  hs_free(G);
  return status;
}

/* Collective. */
static hs_status_t make(hs_setup_t *setup)
{
  const hs_settings_t *settings = setup->settings;
  hs_status_t status = load(setup);
  if (status == HS_OK) status = check_test(setup);
  if (status == HS_OK && settings->model.gates_from[0] != '\0')
    status = gates_from_file(setup);
  else if (status == HS_OK)
    status =
        hs_gate_set_sample(&setup->gates, setup->comm, setup->shard, settings->model.gates, settings->seed);
  if (status == HS_OK)
    status = hs_problem_create(&setup->problem, setup->comm, setup->shard, &setup->gates, loss_of(settings),
                               settings->model.groups, settings->model.beta, settings->model.beta_absolute);
  return status;
}

hs_status_t hs_setup_create(hs_setup_t *setup, MPI_Comm comm, const hs_settings_t *settings, double held_out)
{
  *setup = (hs_setup_t){.comm = comm, .rank = hs_rank(comm), .settings = settings, .held_out = held_out};
  hs_status_t status = make(setup);
  const hs_gate_set_t *gates = &setup->gates;
  if (status == HS_OK)
    setup->gates_print = (int64_t)hs_fingerprint(gates->G, (int64_t)gates->count * gates->d * 8);
  return status;
}

hs_status_t hs_setup_use_gates(hs_setup_t *setup, int64_t count, const double *G)
{
  double beta = setup->problem.beta, beta_max = setup->problem.beta_max;
  hs_problem_free(&setup->problem);
  hs_gate_set_free(&setup->gates);
  hs_status_t status = hs_gate_set_given(&setup->gates, setup->comm, setup->shard, count, G);
  if (status == HS_OK)
    status = hs_problem_create(&setup->problem, setup->comm, setup->shard, &setup->gates,
                               loss_of(setup->settings), setup->settings->model.groups, 0, beta);
  if (status == HS_OK) setup->problem.beta_max = beta_max;
  return status;
}

void hs_setup_free(hs_setup_t *setup)
{
  hs_problem_free(&setup->problem);
  hs_gate_set_free(&setup->gates);
  hs_shard_free(&setup->shard);
  hs_source_close(&setup->source);
}

hs_identity_t hs_setup_identity(const hs_setup_t *setup)
{
  return (hs_identity_t){.settings = setup->settings,
                         .features = (int64_t)setup->shard->features_print,
                         .targets = (int64_t)setup->shard->targets_print,
                         .gates = setup->gates_print};
}

hs_run_facts_t hs_setup_facts(const hs_setup_t *setup)
{
  const hs_problem_t *problem = &setup->problem;
  return (hs_run_facts_t){.rows = setup->shard->partition.rows,
                          .gates = problem->gates,
                          .beta = problem->beta,
                          .beta_max = problem->beta_max};
}

void hs_setup_print_problem(const hs_setup_t *setup, const hs_provenance_t *provenance)
{
  const hs_settings_t *settings = setup->settings;
  const hs_shard_t *shard = setup->shard;
  const hs_problem_t *problem = &setup->problem;
  static const char *const scalings[] = {"auto", "none", "center", "zscore", "unit-norm", "common"};
  hs_scaling_t scaling = hs_shard_scaling(settings->data.scaling, &setup->source.info);
  char task[64] = "regression";
  if (shard->classes.count > 0) snprintf(task, sizeof task, "%d classes", shard->classes.count);
  hs_log("halfspace %s (%s)  %" PRId64 " rank%s on %s, %s, %s", provenance->version, provenance->commit,
         provenance->ranks, provenance->ranks == 1 ? "" : "s", provenance->hosts, provenance->mpi,
         provenance->blas);
  hs_log("data    : %s: %" PRId64 " rows, %d features%s, %s, scaling %s, read in %.2f s",
         settings->data.train, shard->partition.rows, shard->features, shard->bias ? " + bias" : "", task,
         scalings[scaling], setup->load_seconds);
  hs_log("model   : %d gates (%d duplicate, %d empty dropped), %d output%s, %s loss, %s groups",
         problem->gates, setup->gates.duplicates, setup->gates.empty, problem->outputs,
         problem->outputs == 1 ? "" : "s", hs_loss_name(problem->loss.kind), hs_groups_name(problem->groups));
}

hs_run_method_t hs_setup_method(const hs_setup_t *setup, hs_x_kind_t kind, bool polished)
{
  bool gram = kind == HS_X_BLOCK_GRAM || kind == HS_X_GLOBAL_GRAM;
  bool reduced = gram && setup->problem.loss.kind == HS_SQUARED;
  bool single = setup->settings->solver.precision == HS_SINGLE;
  const char *certificate = "float64, from the products of the iteration";
  if (single || reduced) certificate = "float64, computed again from the data where the run ended";
  if (polished) certificate = "float64, from the products of the polish";
  return (hs_run_method_t){.x_update = hs_x_name(kind),
                           .products = single && !reduced ? "float32" : "float64",
                           .certificate = certificate};
}

void hs_setup_print_solver(const hs_setup_t *setup)
{
  const hs_settings_t *settings = setup->settings;
  hs_log("solver  : Anderson memory %" PRId64 ", %s precision, goal: relative gap %g",
         settings->solver.anderson, settings->solver.precision == HS_SINGLE ? "single" : "double",
         settings->solver.tolerance);
}
