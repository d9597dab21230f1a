#include "cli/evaluate.h"

#include <inttypes.h>
#include <mpi.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/application.h"
#include "cli/arguments.h"
#include "mpi/comm/agree.h"
#include "mpi/score/score.h"

/* What is told of one model. Numbers that do not apply are NAN. */
typedef struct evaluation {
  bool present;
  double loss, objective;
  double accuracy;
  double rmse, r2;
} evaluation_t;

/* Collective. */
static hs_status_t evaluate(const hs_application_t *application, hs_kind_t kind, evaluation_t *result)
{
  const hs_shard_t *shard = application->shard;
  const hs_model_t *model = &application->model;
  *result = (evaluation_t){.present = true};
  double penalty = 0;
  double *scores = hs_alloc((size_t)shard->rows * (size_t)shard->outputs, sizeof *scores, "scores");
  hs_status_t status = scores != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) status = hs_application_score(application, kind, scores);
  if (status == HS_OK) status = hs_application_penalty(application, kind, &penalty);
  status = hs_agree(application->comm, status);
  hs_score_t score = {0};
  if (status == HS_OK) status = hs_score(application->comm, shard, model->loss, scores, &score);
  result->loss = score.loss;
  result->objective = score.loss + penalty;
  result->accuracy = score.accuracy;
  result->rmse = score.rmse;
  result->r2 = score.r2;
  hs_free(scores);
  return status;
}

static void print_json(const hs_application_t *application, const evaluation_t *results)
{
  int64_t n = application->shard->partition.rows;
  hs_json_t json = hs_json_start(stdout);
  hs_json_open(&json, NULL, '{');
  for (int kind = 0; kind < HS_KINDS; kind++) {
    const evaluation_t *result = &results[kind];
    if (!result->present) continue;
    hs_json_open(&json, hs_kind_name((hs_kind_t)kind), '{');
    hs_json_double(&json, "loss", result->loss);
    hs_json_double(&json, "mean_loss", result->loss / (double)n);
    hs_json_double(&json, "objective", result->objective);
    if (application->model.classes > 0) {
      hs_json_double(&json, "accuracy", result->accuracy);
    } else {
      hs_json_double(&json, "rmse", result->rmse);
      hs_json_double(&json, "r2", result->r2);
    }
    hs_json_int(&json, "n", n);
    hs_json_close(&json);
  }
  hs_json_close(&json);
}

static void print_table(const hs_application_t *application, const evaluation_t *results)
{
  bool classes = application->model.classes > 0;
  int64_t n = application->shard->partition.rows;
  hs_log("%-6s %10s %14s %12s %14s %10s %10s", "model", "n", "loss", "mean loss", "objective",
         classes ? "accuracy" : "rmse", classes ? "" : "r2");
  for (int kind = 0; kind < HS_KINDS; kind++) {
    const evaluation_t *result = &results[kind];
    if (!result->present) continue;
    char quality[48];
    if (classes)
      snprintf(quality, sizeof quality, "%10.4f", result->accuracy);
    else
      snprintf(quality, sizeof quality, "%10.5g %10.5f", result->rmse, result->r2);
    hs_log("%-6s %10" PRId64 " %14.7g %12.6g %14.7g %s", hs_kind_name((hs_kind_t)kind), n, result->loss,
           result->loss / (double)n, result->objective, quality);
  }
}

hs_status_t hs_command_evaluate(int argc, char **argv)
{
  static const char *const names[] = {"RUN.h5", "DATA.h5"};
  const char *paths[2], *features = NULL, *targets = NULL;
  bool json = false;
  const hs_argument_t known[] = {
      {"json", &json, NULL}, {"features", NULL, &features}, {"targets", NULL, &targets}};
  int count;
  hs_status_t status = hs_arguments_sort(argc, argv, known, 3, names, 2, 2, paths, &count);
  if (status != HS_OK) return status;
  hs_application_t application;
  status = hs_application_open(&application, MPI_COMM_WORLD, paths[0], paths[1], features, targets, true);
  if (status != HS_OK) return status;
  evaluation_t results[HS_KINDS] = {{0}};
  for (int kind = 0; kind < HS_KINDS && status == HS_OK; kind++)
    if (hs_application_has(&application, (hs_kind_t)kind))
      status = evaluate(&application, (hs_kind_t)kind, &results[kind]);
  if (status == HS_OK && json && hs_rank(MPI_COMM_WORLD) == 0) print_json(&application, results);
  if (status == HS_OK && !json) print_table(&application, results);
  hs_application_close(&application);
  return status;
}

void hs_evaluate_help(FILE *stream)
{
  fputs("Each model in the run (gated, relu) is applied to the data, whose features are scaled as in "
        "training:\n"
        "loss (the sum over the rows), mean loss, objective (loss + beta * norms), and accuracy for classes "
        "or\n"
        "RMSE and R2 for regression.\n\n"
        "  --json         the numbers as JSON on standard output\n"
        "  features=NAME  data set of the features (default: as in training)\n"
        "  targets=NAME   data set of the targets (default: as in training)\n",
        stream);
}
