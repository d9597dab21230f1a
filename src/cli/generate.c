#include "cli/generate.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <mpi.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "io/hdf5/synthetic_file.h"
#include "mpi/comm/agree.h"

#define MOST_ROWS INT64_C(1000000000000)

/* What was asked for. */
typedef struct request {
  hs_synthetic_kind_t kind;
  const char *path;
  int64_t n, d, seed;
  double noise;
  bool classification;
  hs_precision_t precision;
} request_t;

/* Which of two words text is; *index is left alone where text is NULL. */
static hs_status_t choose(const char *key, const char *text, const char *const names[2], int *index)
{
  if (text == NULL) return HS_OK;
  for (int i = 0; i < 2; i++)
    if (strcmp(names[i], text) == 0) {
      *index = i;
      return HS_OK;
    }
  return hs_fail(HS_BAD_USAGE, NULL, key, "unknown word '%.60s' (%s or %s)", text, names[0], names[1]);
}

static hs_status_t read_int(const char *key, const char *text, int64_t low, int64_t high, int64_t *value)
{
  if (text == NULL || (hs_parse_int64(text, value) && *value >= low && *value <= high)) return HS_OK;
  return hs_fail(HS_BAD_USAGE, NULL, key, "'%.60s' (a whole number, %" PRId64 " to %" PRId64 ")", text, low,
                 high);
}

static hs_status_t read_noise(const char *text, double *value)
{
  if (text == NULL || (hs_parse_double(text, value) && isfinite(*value) && *value >= 0)) return HS_OK;
  return hs_fail(HS_BAD_USAGE, NULL, "noise", "'%.60s' (a number, at least 0)", text);
}

static hs_status_t check_prototypes(request_t *request, const char *d, const char *noise, const char *task)
{
  if (request->kind != HS_PROTOTYPES) return HS_OK;
  if (noise != NULL) return hs_fail(HS_BAD_USAGE, NULL, "noise", "belongs to gaussian (leave it out)");
  if (task != NULL && !request->classification)
    return hs_fail(HS_BAD_USAGE, NULL, "task",
                   "prototypes are classes (task=classification, or leave it out)");
  if (d == NULL) request->d = 784;
  request->classification = true;
  return HS_OK;
}

static hs_status_t parse(request_t *request, int argc, char **argv)
{
  static const char *const names[] = {"KIND (gaussian or prototypes)", "OUT.h5"};
  static const char *const kinds[] = {"gaussian", "prototypes"},
                           *const tasks[] = {"regression", "classification"},
                           *const precisions[] = {"single", "double"};
  const char *paths[2], *n = NULL, *d = NULL, *noise = NULL, *seed = NULL, *task = NULL, *precision = NULL;
  const hs_argument_t known[] = {{"n", NULL, &n},         {"d", NULL, &d},
                                 {"noise", NULL, &noise}, {"seed", NULL, &seed},
                                 {"task", NULL, &task},   {"precision", NULL, &precision}};
  int count, kind = 0, classification = 0, chosen = HS_SINGLE;
  *request = (request_t){.n = 10000, .d = 10, .seed = 1, .noise = 0.1};
  hs_status_t status =
      hs_arguments_sort(argc, argv, known, sizeof known / sizeof *known, names, 2, 2, paths, &count);
  if (status == HS_OK) status = choose("KIND", paths[0], kinds, &kind);
  if (status == HS_OK) status = read_int("n", n, 1, MOST_ROWS, &request->n);
  if (status == HS_OK) status = read_int("d", d, 1, INT_MAX, &request->d);
  if (status == HS_OK) status = read_noise(noise, &request->noise);
  if (status == HS_OK) status = read_int("seed", seed, 0, INT64_MAX, &request->seed);
  if (status == HS_OK) status = choose("task", task, tasks, &classification);
  if (status == HS_OK) status = choose("precision", precision, precisions, &chosen);
  if (status != HS_OK) return status;
  request->path = paths[1];
  request->kind = kind == 0 ? HS_GAUSSIAN : HS_PROTOTYPES;
  request->classification = classification != 0;
  request->precision = (hs_precision_t)chosen;
  return check_prototypes(request, d, noise, task);
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static hs_status_t generate(const request_t *request)
{
  char source[128];
  const char *kind = request->kind == HS_GAUSSIAN ? "gaussian" : "prototypes";
  int length = snprintf(source, sizeof source, "generated: %s, seed %" PRId64, kind, request->seed);
  if (request->kind == HS_GAUSSIAN)
    snprintf(source + length, sizeof source - (size_t)length, ", noise %g", request->noise);
  double begin = now();
  hs_synthetic_t *synthetic;
  hs_status_t status = hs_synthetic_create(&synthetic, request->kind, (int)request->d, request->noise,
                                           (uint64_t)request->seed);
  if (status != HS_OK) return status;
  hs_synthetic_file_t file = {.rows = request->n,
                              .precision = request->precision,
                              .classification = request->classification,
                              .common_unit = request->kind == HS_PROTOTYPES,
                              .source = source};
  status = hs_synthetic_file_write(request->path, synthetic, &file);
  hs_synthetic_free(&synthetic);
  if (status == HS_OK)
    hs_log("%s: %" PRId64 " rows, %" PRId64 " features (%s precision), %s; %s; %.2f s", request->path,
           request->n, request->d, request->precision == HS_SINGLE ? "single" : "double",
           request->classification ? "classes -1 and +1" : "regression", source, now() - begin);
  return status;
}

hs_status_t hs_command_generate(int argc, char **argv)
{
  int parallel = 0;
  HS_MPI(MPI_Initialized(&parallel));
  if (parallel && hs_rank(MPI_COMM_WORLD) != 0) return HS_OK;
  request_t request;
  hs_status_t status = parse(&request, argc, argv);
  return status == HS_OK ? generate(&request) : status;
}

void hs_generate_help(FILE *stream)
{
  fputs("KIND gaussian    features N(0, 1); targets of a ReLU network of 10 units with root mean square 1, "
        "and noise\n"
        "     prototypes  images without negative pixels, about 27 % of them on, of 10 kinds in 2 classes\n\n"
        "  n          10000         rows\n"
        "  d          10            features; prototypes: 784, the square of an integer is best\n"
        "  noise      0.1           standard deviation of the noise on gaussian targets\n"
        "  seed       1             row k depends on the seed and on k alone\n"
        "  task       regression    or classification, the sign of the target; prototypes: always "
        "classification\n"
        "  precision  single        or double, of the features\n",
        stream);
}
