/* make_run.c: run files with given numbers, for tests of reports: of machines and runs that are not at hand.
 *
 *   make_run FILE.h5 [key=value...]
 *
 * A regular run of which every number is known:
 *   ranks=1 threads=1 rows=1000 gates=64        as in the file
 *   iterations=20 seconds=0.01                  seconds of one iteration
 *   slow=0                                      one in so many iterations takes ten times as long (0: none)
 *   comm=0.1                                    share of an iteration spent in reductions
 *   setup=0 load=-1 checkpoint=-1               seconds; -1: the file does not tell
 *   memory=-1 resumes=0                         bytes over all ranks
 *   gap=0.5                                     relative gap of iteration k is gap^k
 *   zero=0                                      1: the last gap is exactly 0
 *   optimum=100 stop=converged tolerance=1e-3 data=data.h5 beta=0.01
 *   features=0                                  of a model without weights; 0: the file has no model
 *   starts=                                     KIND:START:END,... of the ReLU network: KIND is a number
 *                                               (src/network/record.h), END - where no local method was run
 *   network=-1 estimated=-1 proved=-1           bounds; -1: none. rounds=0 of column generation
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "io/run/run_file.h"
#include "io/run/run_network.h"

static int word_count;
static char **words;

static const char *text(const char *key, const char *otherwise)
{
  size_t length = strlen(key);
  for (int i = 0; i < word_count; i++)
    if (strncmp(words[i], key, length) == 0 && words[i][length] == '=') return words[i] + length + 1;
  return otherwise;
}

static double number(const char *key, double otherwise)
{
  const char *word = text(key, NULL);
  return word != NULL ? strtod(word, NULL) : otherwise;
}

static double known(const char *key)
{
  double value = number(key, -1);
  return value >= 0 ? value : NAN;
}

static void good(hs_status_t status)
{
  if (status == HS_OK) return;
  fprintf(stderr, "make_run: %s\n", hs_error_message());
  exit(2);
}

/* What holds for all iterations; the set-up is part of the seconds of the first. */
static void append_history(hs_run_t *run, int iterations)
{
  double seconds = number("setup", 0), comm = 0, optimum = number("optimum", 100);
  double each = number("seconds", 0.01);
  int slow = (int)number("slow", 0);
  for (int k = 1; k <= iterations; k++) {
    double gap = k == iterations && number("zero", 0) > 0 ? 0 : pow(number("gap", 0.5), k);
    double taken = slow > 0 && k % slow == 0 ? 10 * each : each;
    seconds += taken;
    comm += number("comm", 0.1) * taken;
    hs_history_row_t row = {.iteration = k,
                            .primal = optimum / (1 - gap / 2),
                            .rho = k < iterations / 2 ? 10 : 40,
                            .active_groups = (int64_t)(number("gates", 64) * (0.6 + 0.4 * gap)),
                            .seconds = seconds,
                            .compute_seconds = seconds - comm,
                            .comm_seconds = comm,
                            .comm_bytes = 8e4 * k};
    row.gap = gap * row.primal;
    row.dual = row.primal - row.gap;
    row.relative_gap = gap;
    good(hs_run_append(run, &row));
  }
}

static void write_model(hs_run_t *run, int features)
{
  hs_model_t model = {.features = features, .d = features, .outputs = 1, .gates = 1};
  model.shift = hs_alloc((size_t)features, sizeof(double), "model");
  model.scale = hs_alloc((size_t)features, sizeof(double), "model");
  model.G = hs_alloc((size_t)features, sizeof(double), "model");
  model.weights = hs_alloc((size_t)features, sizeof(double), "model");
  for (int j = 0; j < features; j++) model.scale[j] = 1;
  good(hs_run_write_model(run, &model));
  hs_model_clear(&model);
}

static void write_bound(hs_run_t *run, const char *key, const char *name, const char *kind)
{
  if (number(key, -1) >= 0) good(hs_run_write_bound(run, name, number(key, -1), kind, "made up"));
}

/* Nothing unless a start is given. */
static void write_network(hs_run_t *run)
{
  hs_network_record_t record = {.chosen = -1};
  char list[1024];
  int numbers[HS_START_RANDOM_ADAM + 1] = {0};
  snprintf(list, sizeof list, "%s", text("starts", ""));
  for (char *word = strtok(list, ","); word != NULL; word = strtok(NULL, ",")) {
    char *rest = NULL;
    hs_start_record_t start = {.kind = (hs_start_kind_t)strtol(word, &rest, 10), .neurons = 10, .left = 5};
    start.start = strtod(rest + 1, &rest);
    start.end = rest[1] == '-' ? NAN : strtod(rest + 1, NULL);
    if (start.kind >= HS_START_RANDOM_LBFGS) start.number = ++numbers[start.kind];
    good(hs_network_record_start(&record, &start));
  }
  for (int k = 1; k <= (int)number("rounds", 0); k++)
    good(hs_network_record_round(&record,
                                 &(hs_round_record_t){.round = k, .objective = number("network", 1)}));
  if (record.rounds > 0) snprintf(record.ended, sizeof record.ended, "rounds");
  if (record.starts > 0) good(hs_run_write_network(run, &record));
  hs_network_record_clear(&record);
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fputs("usage: make_run FILE.h5 [key=value...]\n", stderr);
    return 2;
  }
  word_count = argc - 2;
  words = argv + 2;
  char config[4096];
  snprintf(config, sizeof config,
           "data:\n  train: \"%s\"\nmodel:\n  gates: %s\n  beta: %s\nsolver:\n  tolerance: %s\noutput:\n  "
           "run: \"%s\"\n",
           text("data", "data.h5"), text("gates", "64"), text("beta", "0.01"), text("tolerance", "1e-3"),
           argv[1]);
  hs_provenance_t from = {.version = "1.0",
                          .commit = "abc",
                          .ranks = (int64_t)number("ranks", 1),
                          .threads = (int64_t)number("threads", 1),
                          .hosts = "node",
                          .mpi = "MPI",
                          .blas = "BLAS"};
  hs_run_facts_t facts = {.rows = (int64_t)number("rows", 1000),
                          .gates = (int64_t)number("gates", 64),
                          .beta = 1000 * number("beta", 0.01),
                          .beta_max = 1000};
  hs_run_times_t times = {.load_seconds = known("load"),
                          .setup_seconds = known("setup"),
                          .run_file_seconds = NAN,
                          .checkpoint_seconds = known("checkpoint"),
                          .checkpoints = (int64_t)number("checkpoints", -1),
                          .checkpoint_bytes = -1,
                          .resumes = (int64_t)number("resumes", 0),
                          .peak_bytes = (int64_t)number("memory", -1)};
  const char *stop = text("stop", "converged");
  hs_run_t *run = NULL;
  good(hs_run_create(&run, argv[1], config, &from));
  if (facts.rows > 0) good(hs_run_write_facts(run, &facts));
  append_history(run, (int)number("iterations", 20));
  good(hs_run_write_times(run, &times));
  good(hs_run_write_bound(run, "gates_lower", number("optimum", 100), "proved",
                          "of the gated problem <made up>"));
  write_bound(run, "network", "network", "attained");
  write_bound(run, "estimated", "global_lower_estimated", "estimated");
  write_bound(run, "proved", "global_lower", "proved");
  if (number("features", 0) > 0) write_model(run, (int)number("features", 0));
  write_network(run);
  if (strcmp(stop, "running") != 0) good(hs_run_finish(run, stop, 0.5 * number("optimum", 100)));
  good(hs_run_close(&run));
  return 0;
}
