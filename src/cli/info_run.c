#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/info_parts.h"
#include "io/run/run_file.h"
#include "io/run/run_network.h"
#include "io/run/run_path.h"
#include "io/run/run_rounds.h"

/* What a run file tells, with the model where it has one already. */
typedef struct run_info {
  hs_run_summary_t summary;
  hs_model_t model;
  hs_run_facts_t facts;        /* completed from the model where the run does not tell */
  hs_run_path_t path;          /* without points where there is none */
  hs_network_record_t network; /* without starts where there is none */
  hs_run_rounds_t rounds;      /* none: count 0 */
} run_info_t;

static void clear(run_info_t *info)
{
  hs_model_clear(&info->model);
  hs_network_record_clear(&info->network);
  hs_run_path_clear(&info->path);
  hs_run_rounds_clear(&info->rounds);
  hs_run_summary_clear(&info->summary);
}

/* The bracket of a path's run is that of the chosen point, as its model is. */
static void take_chosen(run_info_t *info)
{
  if (info->path.chosen < 0) return;
  const hs_path_point_t *point = &info->path.point[info->path.chosen];
  hs_history_row_t *last = &info->summary.last;
  last->primal = point->primal;
  last->dual = point->dual;
  last->gap = point->primal - point->dual;
  last->relative_gap = point->relative_gap;
  last->active_groups = point->active_groups;
}

static hs_status_t load(const char *path, run_info_t *info)
{
  *info = (run_info_t){0};
  hs_status_t status = hs_run_read_summary(path, &info->summary);
  if (status == HS_OK) status = hs_run_read_path(path, &info->path);
  if (status == HS_OK) status = hs_run_read_network(path, &info->network);
  if (status == HS_OK) status = hs_run_read_rounds(path, &info->rounds);
  if (status == HS_OK && info->summary.has_model) status = hs_run_read_model(path, &info->model);
  if (status != HS_OK) {
    clear(info);
    return status;
  }
  take_chosen(info);
  info->facts = info->summary.facts;
  if (!info->summary.has_model) return HS_OK;
  if (info->facts.gates < 0) info->facts.gates = info->model.gates;
  if (!isfinite(info->facts.beta)) info->facts.beta = info->model.beta;
  if (!isfinite(info->facts.beta_max)) info->facts.beta_max = info->model.beta_max;
  return HS_OK;
}

/* A count that the file may not tell: null then, as for numbers that are not finite. */
static void json_count(hs_json_t *json, const char *key, int64_t value)
{
  if (value >= 0)
    hs_json_int(json, key, value);
  else
    hs_json_text(json, key, NULL);
}

static void json_history(hs_json_t *json, const hs_run_summary_t *summary)
{
  const hs_history_row_t *last = &summary->last;
  bool any = summary->iterations > 0;
  hs_json_int(json, "iterations", any ? last->iteration : 0);
  hs_json_double(json, "primal", any ? last->primal : NAN);
  hs_json_double(json, "dual", any ? last->dual : NAN);
  hs_json_double(json, "gap", any ? last->gap : NAN);
  hs_json_double(json, "relative_gap", any ? last->relative_gap : NAN);
  hs_json_double(json, "seconds", any ? last->seconds : NAN);
  json_count(json, "active_groups", any ? last->active_groups : -1);
}

static void json_bounds(hs_json_t *json, const hs_run_summary_t *summary)
{
  hs_json_open(json, "bounds", '{');
  for (int i = 0; i < summary->bounds; i++) {
    const hs_run_bound_t *bound = &summary->bound[i];
    hs_json_open(json, bound->name, '{');
    hs_json_double(json, "value", bound->value);
    hs_json_text(json, "kind", bound->kind);
    hs_json_text(json, "about", bound->about);
    hs_json_close(json);
  }
  hs_json_close(json);
}

static void json_times(hs_json_t *json, const hs_run_times_t *times)
{
  hs_json_open(json, "times", '{');
  hs_json_double(json, "load_seconds", times->load_seconds);
  hs_json_double(json, "setup_seconds", times->setup_seconds);
  hs_json_double(json, "run_file_seconds", times->run_file_seconds);
  hs_json_double(json, "checkpoint_seconds", times->checkpoint_seconds);
  json_count(json, "checkpoints", times->checkpoints);
  json_count(json, "checkpoint_bytes", times->checkpoint_bytes);
  json_count(json, "resumes", times->resumes);
  json_count(json, "peak_bytes", times->peak_bytes);
  hs_json_close(json);
}

static void json_model(hs_json_t *json, const hs_model_t *model)
{
  hs_json_open(json, "model", '{');
  hs_json_text(json, "loss", hs_loss_name(model->loss.kind));
  hs_json_text(json, "groups", hs_groups_name(model->groups));
  hs_json_text(json, "task", model->classes > 0 ? "classification" : "regression");
  hs_json_int(json, "features", model->features);
  hs_json_int(json, "outputs", model->outputs);
  hs_json_int(json, "classes", model->classes);
  hs_json_int(json, "gates", model->gates);
  hs_json_int(json, "neurons", model->neurons);
  hs_json_close(json);
}

static void json_point(hs_json_t *json, const hs_path_point_t *point)
{
  hs_json_open(json, NULL, '{');
  hs_json_double(json, "beta", point->beta);
  hs_json_double(json, "beta_relative", point->beta_relative);
  hs_json_double(json, "primal", point->primal);
  hs_json_double(json, "dual", point->dual);
  hs_json_double(json, "relative_gap", point->relative_gap);
  hs_json_int(json, "first_iteration", point->first_iteration);
  hs_json_int(json, "iterations", point->iterations);
  hs_json_double(json, "seconds", point->seconds);
  hs_json_int(json, "active_groups", point->active_groups);
  hs_json_double(json, "train_loss", point->train_loss);
  hs_json_double(json, "validation_loss", point->validation_loss);
  hs_json_double(json, "validation_score", point->validation_score);
  hs_json_double(json, "validation_error", point->validation_error);
  hs_json_close(json);
}

static void json_path(hs_json_t *json, const hs_run_path_t *path)
{
  hs_json_open(json, "path", '{');
  hs_json_int(json, "wanted", path->wanted);
  hs_json_int(json, "count", path->count);
  hs_json_text(json, "score", path->score);
  hs_json_text(json, "choose", path->choose);
  hs_json_text(json, "validation", path->validation);
  hs_json_int(json, "validation_rows", path->validation_rows);
  json_count(json, "chosen", path->chosen);
  json_count(json, "best", path->best);
  json_count(json, "one_error", path->one_error);
  hs_json_open(json, "points", '[');
  for (int64_t k = 0; k < path->count; k++) json_point(json, &path->point[k]);
  hs_json_close(json);
  hs_json_close(json);
}

static void print_json(const run_info_t *info)
{
  const hs_run_summary_t *summary = &info->summary;
  const hs_run_facts_t *facts = &info->facts;
  hs_json_t json = hs_json_start(stdout);
  hs_json_open(&json, NULL, '{');
  hs_json_text(&json, "kind", "run");
  hs_json_text(&json, "stop", summary->stop);
  json_history(&json, summary);
  json_count(&json, "gates", facts->gates);
  hs_json_double(&json, "beta", facts->beta);
  hs_json_double(&json, "beta_max", facts->beta_max);
  json_count(&json, "rows", facts->rows);
  hs_json_double(&json, "loss", summary->loss);
  hs_json_double(&json, "mean_loss", facts->rows > 0 ? summary->loss / (double)facts->rows : NAN);
  hs_json_int(&json, "ranks", summary->provenance.ranks);
  hs_json_int(&json, "threads", summary->provenance.threads);
  json_times(&json, &summary->times);
  json_bounds(&json, summary);
  if (info->path.count > 0) json_path(&json, &info->path);
  hs_info_json_rounds(&json, &info->rounds);
  hs_info_json_network(&json, &info->network);
  if (summary->has_model) json_model(&json, &info->model);
  hs_json_text(&json, "version", summary->provenance.version);
  hs_json_text(&json, "commit", summary->provenance.commit);
  hs_json_text(&json, "config", summary->config);
  hs_json_close(&json);
}

static void print_history(const hs_run_summary_t *summary)
{
  const hs_history_row_t *last = &summary->last;
  if (summary->iterations == 0) {
    printf("history   no iteration yet\n");
    return;
  }
  printf("history   %" PRId64 " iterations in %.4g s (%.1f %% in reductions)\n", last->iteration,
         last->seconds, 100 * last->comm_seconds / fmax(last->seconds, 1e-12));
  printf("bracket   %.9g <= optimum over the gates in hand <= %.9g\n", last->dual, last->primal);
  printf("gap       %.3g, relative %.3g\n", last->gap, last->relative_gap);
}

static void print_seconds(const char *what, double seconds, int *printed)
{
  if (!isfinite(seconds)) return;
  printf("%s%s %.4g s", *printed > 0 ? ", " : "times     ", what, seconds);
  *printed += 1;
}

/* What the file tells of them. */
static void print_times(const hs_run_times_t *times)
{
  int printed = 0;
  print_seconds("data", times->load_seconds, &printed);
  print_seconds("set-up", times->setup_seconds, &printed);
  print_seconds("run file", times->run_file_seconds, &printed);
  if (times->checkpoints > 0 && times->checkpoint_bytes >= 0) {
    char label[64];
    snprintf(label, sizeof label, "%" PRId64 " checkpoint%s of %.4g MB", times->checkpoints,
             times->checkpoints == 1 ? "" : "s", (double)times->checkpoint_bytes / 1e6);
    print_seconds(label, times->checkpoint_seconds, &printed);
  }
  if (printed > 0) printf("\n");
  if (times->resumes > 0)
    printf("resumed   %" PRId64 " time%s from a checkpoint\n", times->resumes,
           times->resumes == 1 ? "" : "s");
  if (times->peak_bytes >= 0)
    printf("memory    %.4g MB at most, on all ranks\n", (double)times->peak_bytes / 1e6);
}

static void print_problem(const run_info_t *info)
{
  const hs_run_facts_t *facts = &info->facts;
  if (facts->rows > 0) printf("rows      %" PRId64 "\n", facts->rows);
  if (facts->gates >= 0 && info->summary.iterations > 0)
    printf("gates     %" PRId64 ", active groups %" PRId64 "\n", facts->gates,
           info->summary.last.active_groups);
  if (isfinite(facts->beta))
    printf("beta      %.9g = %.4g of beta_max %.9g\n", facts->beta, facts->beta / facts->beta_max,
           facts->beta_max);
  if (isfinite(info->summary.loss) && facts->rows > 0)
    printf("loss      %.9g, mean %.9g a row\n", info->summary.loss, info->summary.loss / (double)facts->rows);
}

static void print_model(const hs_model_t *model)
{
  printf("model     %s, %s loss, %s groups, %d features%s, %d output%s, %d gates with weights, ",
         model->classes > 0 ? "classification" : "regression", hs_loss_name(model->loss.kind),
         hs_groups_name(model->groups), model->features, model->bias ? " + bias" : "", model->outputs,
         model->outputs > 1 ? "s" : "", model->gates);
  if (model->neurons > 0)
    printf("ReLU network of %d neurons\n", model->neurons);
  else
    printf("no ReLU network\n");
  if (model->classes == 0) return;
  printf("classes   %d:", model->classes);
  for (int c = 0; c < model->classes && c < 12; c++) printf(" %s", model->class_names[c]);
  printf("%s\n", model->classes > 12 ? " ..." : "");
}

static void print_bounds(const hs_run_summary_t *summary)
{
  for (int i = 0; i < summary->bounds; i++) {
    const hs_run_bound_t *bound = &summary->bound[i];
    printf("%s%-24s %16.9g  %-10s %s\n", i == 0 ? "bounds    " : "          ", bound->name, bound->value,
           bound->kind, bound->about);
  }
}

static void print_choice(const hs_run_path_t *path, const char *what, int64_t k)
{
  if (k < 0) return;
  const hs_path_point_t *point = &path->point[k];
  printf("          %-10s point %" PRId64 ", beta %.6g = %.4g of beta_max, %s %.4f +- %.4f, %" PRId64
         " active groups\n",
         what, k + 1, point->beta, point->beta_relative, path->score, point->validation_score,
         point->validation_error, point->active_groups);
}

static void print_path(const hs_run_path_t *path)
{
  if (path->count == 0) return;
  printf("path      %" PRId64 " of %" PRId64 " values of beta, %.4g to %.4g of beta_max; scored on %" PRId64
         " rows of %s\n",
         path->count, path->wanted, path->point[0].beta_relative, path->point[path->count - 1].beta_relative,
         path->validation_rows, path->validation);
  print_choice(path, "chosen", path->chosen);
  if (path->best != path->chosen) print_choice(path, "best", path->best);
  if (path->one_error != path->chosen) print_choice(path, "one error", path->one_error);
}

static void print_config(const hs_run_summary_t *summary)
{
  const hs_provenance_t *from = &summary->provenance;
  printf("made by   halfspace %s (%s), %" PRId64 " rank%s, %" PRId64 " thread%s each%s%s\n", from->version,
         from->commit, from->ranks, from->ranks == 1 ? "" : "s", from->threads, from->threads == 1 ? "" : "s",
         from->hosts[0] != '\0' ? " on " : "", from->hosts);
  printf("with      MPI %s; BLAS %s; HDF5 %s\n", from->mpi, from->blas, from->hdf5);
  printf("settings\n");
  for (const char *line = summary->config; *line != '\0';) {
    int length = (int)strcspn(line, "\n");
    printf("  %.*s\n", length, line);
    line += length + (line[length] == '\n');
  }
}

hs_status_t hs_info_run(const char *path, bool json)
{
  run_info_t info;
  hs_status_t status = load(path, &info);
  if (status != HS_OK) return status;
  if (json) {
    print_json(&info);
  } else {
    printf("%s: a run of halfspace, stop = %s\n", path, info.summary.stop);
    print_history(&info.summary);
    print_times(&info.summary.times);
    print_problem(&info);
    print_path(&info.path);
    hs_info_print_rounds(&info.rounds);
    if (info.summary.has_model) print_model(&info.model);
    hs_info_print_network(&info.network);
    print_bounds(&info.summary);
    print_config(&info.summary);
  }
  clear(&info);
  return HS_OK;
}
