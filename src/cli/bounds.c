#include "cli/bounds.h"

#include <math.h>
#include <mpi.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/application.h"
#include "cli/arguments.h"
#include "io/files/lock.h"
#include "io/run/run_bracket.h"
#include "io/run/run_file.h"
#include "mpi/bounds/bound_network.h"
#include "mpi/comm/agree.h"

#define SAME 1e-6 /* relative; the objective on other data than those of the training differs by more */

/* The words of the command line. */
typedef struct words {
  const char *paths[2];
  const char *features, *targets, *seconds, *starts, *seed;
  bool json;
} words_t;

/* What the bounds are computed with, and what the run file tells. */
typedef struct bounds_run {
  hs_application_t application;
  hs_relu_problem_t problem;
  hs_neurons_t neurons;
  double *theta, *w; /* rows x C; d */
  hs_settings_t *settings;
  double stored_network; /* objective that the training attained; NAN: not told */
  hs_bracket_t bracket;
  bool same_data; /* as those of the training */
} bounds_run_t;

static hs_status_t override(hs_settings_t *settings, const char *key, const char *value)
{
  char text[HS_TEXT];
  if (value == NULL) return HS_OK;
  snprintf(text, sizeof text, "%s=%s", key, value);
  return hs_settings_override(settings, text);
}

/* Those of the training, but for what is given here. */
static hs_status_t settle(bounds_run_t *run, const words_t *words)
{
  run->settings = hs_alloc(1, sizeof *run->settings, "settings of the run");
  if (run->settings == NULL) return HS_NO_MEMORY;
  hs_status_t status = hs_application_settings(words->paths[0], run->settings);
  if (status == HS_OK) status = override(run->settings, "bounds.max_seconds", words->seconds);
  if (status == HS_OK) status = override(run->settings, "bounds.starts", words->starts);
  if (status == HS_OK) status = override(run->settings, "seed", words->seed);
  return status;
}

static hs_status_t read_stored(bounds_run_t *run, const char *path)
{
  hs_run_summary_t summary;
  hs_status_t status = hs_run_read_summary(path, &summary);
  if (status != HS_OK) return status;
  run->bracket = hs_bracket_none();
  run->bracket.gates = summary.facts.gates;
  run->stored_network = NAN;
  for (int i = 0; i < summary.bounds; i++) {
    if (strcmp(summary.bound[i].name, "gates_lower") == 0) run->bracket.gates_lower = summary.bound[i].value;
    if (strcmp(summary.bound[i].name, "network") == 0) run->stored_network = summary.bound[i].value;
  }
  hs_run_summary_clear(&summary);
  return HS_OK;
}

/* The network of the run file, as neurons. */
static hs_status_t take_network(bounds_run_t *run, const char *path)
{
  const hs_model_t *model = &run->application.model;
  const hs_shard_t *shard = run->application.shard;
  if (model->neurons == 0 && model->gates > 0)
    return hs_fail(HS_BAD_USAGE, path, NULL,
                   "has no ReLU network to bound (train with model.activation=relu)");
  hs_neurons_init(&run->neurons, model->d, model->outputs);
  hs_status_t status = HS_OK;
  for (int64_t k = 0; k < model->neurons && status == HS_OK; k++)
    status = hs_neurons_add(&run->neurons, model->W1 + k * model->d, model->W2 + k * model->outputs);
  run->theta = hs_alloc((size_t)shard->rows * (size_t)shard->outputs, sizeof(double), "residual");
  run->w = hs_alloc((size_t)shard->d, sizeof(double), "direction");
  return run->theta == NULL || run->w == NULL ? HS_NO_MEMORY : status;
}

/* Collective. */
static hs_status_t prepare(bounds_run_t *run, const words_t *words)
{
  hs_status_t status = settle(run, words);
  if (status == HS_OK) status = read_stored(run, words->paths[0]);
  status = hs_agree(MPI_COMM_WORLD, status);
  if (status == HS_OK)
    status = hs_application_open(&run->application, MPI_COMM_WORLD, words->paths[0], words->paths[1],
                                 words->features, words->targets, true);
  if (status != HS_OK) return status;
  run->problem = (hs_relu_problem_t){.comm = MPI_COMM_WORLD,
                                     .shard = run->application.shard,
                                     .loss = run->application.model.loss,
                                     .beta = run->application.model.beta};
  return hs_agree(MPI_COMM_WORLD, take_network(run, words->paths[0]));
}

/* Collective. */
static hs_status_t compute(bounds_run_t *run)
{
  hs_traffic_t traffic = {0};
  hs_relu_value_t value;
  const hs_settings_t *settings = run->settings;
  hs_status_t status = hs_relu_evaluate(&run->problem, &run->neurons, run->theta, &value, &traffic);
  if (status != HS_OK) return status;
  run->bracket.network = value.objective;
  run->bracket.neurons = run->neurons.count;
  run->same_data = fabs(value.objective - run->stored_network) <= SAME * fabs(value.objective);
  if (settings->bounds.starts > 0)
    status = hs_bound_estimate(&run->problem, run->theta, &run->neurons, settings->bounds.starts,
                               settings->seed, 0, &run->bracket, run->w, &traffic);
  hs_proof_outcome_t outcome;
  if (status == HS_OK && settings->bounds.max_seconds > 0 && !hs_interrupted())
    status = hs_bound_prove(&run->problem, run->theta, settings->bounds.max_seconds, 0, &run->bracket, run->w,
                            &outcome, &traffic);
  return status;
}

/* Rank 0. */
static hs_status_t store(const bounds_run_t *run, const char *path)
{
  hs_lock_t *lock = NULL;
  hs_run_t *file = NULL;
  hs_status_t status = hs_lock_take(&lock, path);
  if (status == HS_OK) status = hs_run_open(&file, path);
  if (status == HS_OK) status = hs_run_write_bracket(file, &run->bracket);
  hs_status_t closed = hs_run_close(&file);
  hs_lock_release(&lock);
  return status != HS_OK ? status : closed;
}

static void print_json(const bounds_run_t *run)
{
  const hs_bracket_t *bracket = &run->bracket;
  hs_json_t json = hs_json_start(stdout);
  hs_json_open(&json, NULL, '{');
  hs_json_open(&json, "network", '{');
  hs_json_double(&json, "value", bracket->network);
  hs_json_text(&json, "kind", "attained");
  hs_json_int(&json, "neurons", bracket->neurons);
  hs_json_close(&json);
  if (isfinite(bracket->estimated)) {
    hs_json_open(&json, "global_lower_estimated", '{');
    hs_json_double(&json, "value", bracket->estimated);
    hs_json_text(&json, "kind", "estimated");
    hs_json_double(&json, "relative_gap", hs_bracket_width(bracket, bracket->estimated));
    hs_json_int(&json, "starts", bracket->starts);
    hs_json_double(&json, "price", bracket->price);
    hs_json_close(&json);
  }
  if (isfinite(bracket->proved)) {
    hs_json_open(&json, "global_lower", '{');
    hs_json_double(&json, "value", bracket->proved);
    hs_json_text(&json, "kind", "proved");
    hs_json_double(&json, "relative_gap", hs_bracket_width(bracket, bracket->proved));
    hs_json_text(&json, "method", bracket->method);
    hs_json_int(&json, "rank", bracket->rank);
    hs_json_double(&json, "price", bracket->price_most);
    hs_json_bool(&json, "finished", bracket->finished);
    hs_json_int(&json, "nodes", bracket->nodes);
    hs_json_double(&json, "seconds", bracket->proof_seconds);
    hs_json_close(&json);
  }
  if (isfinite(bracket->gates_lower)) {
    hs_json_open(&json, "gates_lower", '{');
    hs_json_double(&json, "value", bracket->gates_lower);
    hs_json_text(&json, "kind", "proved");
    hs_json_int(&json, "gates", bracket->gates);
    hs_json_close(&json);
  }
  hs_json_double(&json, "beta", run->problem.beta);
  hs_json_bool(&json, "training_data", run->same_data);
  hs_json_close(&json);
}

/* Collective. */
static hs_status_t tell(const bounds_run_t *run, const words_t *words)
{
  hs_status_t status = HS_OK;
  int rank = hs_rank(MPI_COMM_WORLD);
  if (!run->same_data)
    hs_warn("%s: the network's objective there is not that of the training (%.9g, not %.9g): the bracket is "
            "on training "
            "with these data, and not stored in the run",
            words->paths[1], run->bracket.network, run->stored_network);
  if (run->same_data && rank == 0) status = store(run, words->paths[0]);
  status = hs_agree(MPI_COMM_WORLD, status);
  if (status != HS_OK) return status;
  if (words->json && rank == 0) print_json(run);
  if (!words->json) hs_bracket_print(&run->bracket);
  return HS_OK;
}

static void release(bounds_run_t *run)
{
  hs_application_close(&run->application);
  hs_neurons_clear(&run->neurons);
  hs_free(run->theta);
  hs_free(run->w);
  hs_free(run->settings);
}

hs_status_t hs_command_bounds(int argc, char **argv)
{
  static const char *const names[] = {"RUN.h5", "DATA.h5"};
  words_t words = {0};
  const hs_argument_t known[] = {{"json", &words.json, NULL},
                                 {"features", NULL, &words.features},
                                 {"targets", NULL, &words.targets},
                                 {"bounds.max_seconds", NULL, &words.seconds},
                                 {"bounds.starts", NULL, &words.starts},
                                 {"seed", NULL, &words.seed}};
  int count;
  hs_status_t status = hs_arguments_sort(argc, argv, known, 6, names, 2, 2, words.paths, &count);
  if (status != HS_OK) return status;
  hs_interrupt_watch();
  bounds_run_t run = {0};
  status = prepare(&run, &words);
  if (status == HS_OK) status = compute(&run);
  if (status == HS_OK) status = tell(&run, &words);
  release(&run);
  return status;
}

void hs_bounds_help(FILE *stream)
{
  fputs(
      "The bracket on the global optimum of the training problem of the run's ReLU network (weight decay, "
      "any width),\n"
      "from the network itself and DATA.h5, the data it was trained on:\n\n"
      "  network                 attained: objective of this network, through a real ReLU\n"
      "  global_lower_estimated  estimated: dual bound if the best of so many searches is the highest price\n"
      "  global_lower            proved: by branch and bound up to rank 7 of the features, by a quadratic "
      "bound beyond\n"
      "  gates_lower             proved, of the gated problem over the gates of the run (from the run "
      "file)\n\n"
      "The bounds are stored in the run file, in the place of those that are there; with other data they are "
      "only\n"
      "printed.\n\n"
      "  --json                   the numbers as JSON on standard output\n"
      "  bounds.max_seconds=S     time for the proof (default: as in training; 0: none)\n"
      "  bounds.starts=N          searches behind the estimate (default: as in training; 0: none)\n"
      "  seed=N                   of the searches (default: as in training)\n"
      "  features=NAME            data set of the features (default: as in training)\n"
      "  targets=NAME             data set of the targets (default: as in training)\n",
      stream);
}
