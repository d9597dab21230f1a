#include "cli/plan.h"

#include <math.h>
#include <mpi.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "mpi/comm/agree.h"
#include "mpi/plan/plan.h"
#include "mpi/train/config.h"
#include "settings/table.h"

#define MOST_ROWS 1e12
#define MOST_FEATURES 1e8
#define MOST_OUTPUTS 1e4

/* The words that are not settings, as texts of the command line; NULL: not given. */
typedef struct words {
  const char *rows, *features, *outputs, *latency, *bandwidth, *reading, *seconds, *ranks;
  bool json;
  int count; /* the other words */
  char **rest;
  bool file; /* a configuration or data file is named */
} words_t;

/* Whole numbers may be written as 1e9. */
static hs_status_t read_count(const char *key, const char *text, double most, int64_t *value)
{
  double number = 0;
  *value = 0;
  if (text == NULL) return HS_OK;
  if (!hs_parse_double(text, &number) || !(number >= 1 && number <= most) || number != floor(number))
    return hs_fail(HS_BAD_USAGE, NULL, key, "'%.60s' (a whole number, 1 to %g)", text, most);
  *value = (int64_t)number;
  return HS_OK;
}

static hs_status_t read_positive(const char *key, const char *text, bool zero, double *value)
{
  *value = NAN;
  if (text == NULL) return HS_OK;
  if (hs_parse_double(text, value) && isfinite(*value) && (*value > 0 || (zero && *value == 0))) return HS_OK;
  return hs_fail(HS_BAD_USAGE, NULL, key, "'%.60s' (a number %s 0)", text, zero ? "of at least" : "above");
}

/* "--json" or "--ranks=LIST". */
static hs_status_t take_flag(words_t *words, const char *word)
{
  static const char *const flags[] = {"json", "ranks"};
  char name[64];
  if (strcmp(word, "json") == 0) {
    words->json = true;
    return HS_OK;
  }
  if (strncmp(word, "ranks=", 6) == 0) {
    words->ranks = word + 6;
    return HS_OK;
  }
  if (strcmp(word, "ranks") == 0)
    return hs_fail(HS_BAD_USAGE, NULL, "--ranks", "has no list (--ranks=1,2,4 for instance)");
  snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
  const char *near = hs_nearest(name, flags, 2);
  if (near != NULL) return hs_fail(HS_BAD_USAGE, NULL, NULL, "unknown --%s (did you mean --%s?)", name, near);
  return hs_fail(HS_BAD_USAGE, NULL, NULL, "unknown --%s (--help lists what this command takes)", name);
}

/* A key of ours; *taken is false for a setting, which is left to the table of settings. */
static hs_status_t take_key(words_t *words, const char *word, bool *taken)
{
  const struct {
    const char *name, **text;
  } keys[] = {{"rows", &words->rows},       {"features", &words->features},   {"outputs", &words->outputs},
              {"latency", &words->latency}, {"bandwidth", &words->bandwidth}, {"reading", &words->reading},
              {"seconds", &words->seconds}};
  const char *names[sizeof keys / sizeof *keys], *equals = strchr(word, '=');
  char name[64];
  *taken = false;
  if (equals == NULL) return HS_OK;
  snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    names[i] = keys[i].name;
    if (strcmp(keys[i].name, name) != 0) continue;
    *keys[i].text = equals + 1;
    *taken = true;
    return HS_OK;
  }
  if (strchr(name, '.') != NULL || hs_setting_find(name) >= 0) return HS_OK;
  const char *near = hs_nearest(name, names, sizeof keys / sizeof *keys);
  if (near == NULL) return HS_OK;
  return hs_fail(HS_BAD_USAGE, NULL, NULL, "unknown key '%s' (did you mean '%s'?)", name, near);
}

/* words->rest has room for all words and one more. */
static hs_status_t sort(words_t *words, int argc, char **argv)
{
  hs_status_t status = HS_OK;
  for (int k = 0; k < argc && status == HS_OK; k++) {
    bool taken = strncmp(argv[k], "--", 2) == 0;
    status = taken ? take_flag(words, argv[k] + 2) : take_key(words, argv[k], &taken);
    if (taken || status != HS_OK) continue;
    bool path = strchr(argv[k], '=') == NULL;
    if (path && words->count > 0)
      return hs_fail(HS_BAD_USAGE, NULL, NULL, "'%.60s' is one word too many (--help shows the usage)",
                     argv[k]);
    words->file |= path || strncmp(argv[k], "data.train=", 11) == 0;
    words->rest[words->count++] = argv[k];
  }
  return status;
}

/* With rows and features no data are opened, but settings are not complete without a name for them. */
static hs_status_t need_data(words_t *words)
{
  static char placeholder[] = "data.train=(rows and features are given)";
  if (words->rows != NULL && words->features != NULL)
    words->rest[words->count++] = placeholder;
  else if (!words->file && words->rows != NULL)
    return hs_fail(HS_BAD_USAGE, NULL, "features",
                   "is not given (without a data file, rows= and features= are both needed)");
  else if (!words->file)
    return hs_fail(
        HS_BAD_USAGE, NULL, NULL,
        "no data (give a configuration CONFIG.yaml or a data file DATA.h5, or, for data that do not "
        "exist yet, rows= and features=)");
  return HS_OK;
}

static hs_status_t read_options(const words_t *words, hs_plan_options_t *options)
{
  hs_given_size_t *given = &options->given;
  hs_status_t status = read_count("rows", words->rows, MOST_ROWS, &given->rows);
  if (status == HS_OK) status = read_count("features", words->features, MOST_FEATURES, &given->features);
  if (status == HS_OK) status = read_count("outputs", words->outputs, MOST_OUTPUTS, &given->outputs);
  if (status == HS_OK) status = read_positive("latency", words->latency, true, &options->latency);
  if (status == HS_OK) status = read_positive("bandwidth", words->bandwidth, false, &options->bandwidth);
  if (status == HS_OK) status = read_positive("reading", words->reading, false, &options->reading);
  if (status == HS_OK) status = read_positive("seconds", words->seconds, false, &options->seconds);
  if (words->seconds == NULL) options->seconds = 1;
  options->ranks = words->ranks;
  options->json = words->json;
  return status;
}

/* Every rank reads the same words. */
static hs_status_t read_words(words_t *words, hs_plan_options_t *options, int argc, char **argv)
{
  hs_status_t status = words->rest != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) status = sort(words, argc, argv);
  if (status == HS_OK) status = read_options(words, options);
  if (status == HS_OK) status = need_data(words);
  return hs_agree(MPI_COMM_WORLD, status);
}

hs_status_t hs_command_plan(int argc, char **argv)
{
  words_t words = {.rest = hs_alloc((size_t)argc + 1, sizeof *words.rest, "words")};
  hs_plan_options_t options = {0};
  hs_settings_t settings;
  hs_status_t status = read_words(&words, &options, argc, argv);
  if (status == HS_OK) status = hs_config_load(&settings, MPI_COMM_WORLD, words.count, words.rest);
  if (status == HS_OK) status = hs_plan_run(MPI_COMM_WORLD, &settings, &options);
  hs_free(words.rest);
  return status;
}

void hs_plan_help(FILE *stream)
{
  fputs("Sizes come from the header of the data file, rates from a few seconds of measurements on as many\n"
        "ranks as the command is run on. Settings as for train: model.gates, solver.precision, ...\n\n"
        "  --ranks=LIST  1,2,4,8 or 64:4096 (doubling), else 1 to 4096, doubling\n"
        "  --json        for programs\n"
        "  rows=         another number of rows than the data file holds; 1e9 is read as well\n"
        "  features=     and rows=: data that do not exist yet, no file is opened\n"
        "  outputs=      the number of outputs C, where no file tells it (1)\n"
        "  latency=      of the network, seconds a step (measured between several ranks, else 2e-6)\n"
        "  bandwidth=    of the network, bytes a second and rank (measured likewise, else 10e9)\n"
        "  reading=      bytes a second that all ranks read together (else as measured, each rank as fast)\n"
        "  seconds=      of the largest measurement (1); longer ones use more rows\n\n"
        "Examples:\n"
        "  mpirun -n 2 halfspace plan config.yaml\n"
        "  halfspace plan rows=1e9 features=100 model.gates=256 --ranks=64:4096\n",
        stream);
}
