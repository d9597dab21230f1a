#include "io/report/runs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "io/report/label.h"
#include "settings/yaml.h"

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

/* What reports need of the settings; those of another version are no problem here. */
static void take_setting(void *context, hs_yaml_event_t event, int line, const char *key, const char *text)
{
  hs_report_run_t *run = context;
  (void)line;
  if (event != HS_YAML_VALUE) return;
  if (strcmp(key, "solver.tolerance") == 0) hs_parse_double(text, &run->tolerance);
  if (strcmp(key, "data.train") == 0 && run->data == NULL) run->data = hs_label_clean(last_part(text));
}

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double hs_iteration_seconds(int64_t entries, const hs_history_row_t *history)
{
  double *pause = entries > 1 ? hs_alloc((size_t)entries - 1, sizeof *pause, "times of iterations") : NULL;
  if (pause == NULL) return NAN;
  int64_t count = 0;
  for (int64_t k = 1; k < entries; k++) {
    int64_t iterations = history[k].iteration - history[k - 1].iteration;
    double seconds = history[k].seconds - history[k - 1].seconds;
    if (iterations > 0 && seconds >= 0) pause[count++] = seconds / (double)iterations;
  }
  qsort(pause, (size_t)count, sizeof *pause, compare);
  double median = count > 0 ? (pause[(count - 1) / 2] + pause[count / 2]) / 2 : NAN;
  hs_free(pause);
  return median;
}

bool hs_report_converged(const hs_report_run_t *run)
{
  return strcmp(run->summary.stop, "converged") == 0;
}

const char *hs_report_stop_text(const hs_report_run_t *run)
{
  static const char *const texts[][2] = {{"running", "still running"},
                                         {"iterations", "out of iterations"},
                                         {"seconds", "out of time"},
                                         {"signal", "stopped by a signal"}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (strcmp(run->summary.stop, texts[i][0]) == 0) return texts[i][1];
  return run->summary.stop;
}

static hs_status_t read_run(const char *path, hs_report_run_t *run)
{
  run->path = path;
  run->tolerance = NAN;
  hs_status_t status = hs_run_read_summary(path, &run->summary);
  if (status == HS_OK) status = hs_run_read_history(path, &run->entries, &run->history);
  if (status == HS_OK) status = hs_yaml_read(run->summary.config, take_setting, run);
  if (status == HS_OK && run->data == NULL) run->data = hs_label_clean("");
  if (status == HS_OK && run->data == NULL) status = HS_NO_MEMORY;
  if (status == HS_OK) run->iteration_seconds = hs_iteration_seconds(run->entries, run->history);
  return status;
}

static void clear(hs_report_run_t *run)
{
  hs_run_summary_clear(&run->summary);
  hs_free(run->history);
  hs_free(run->label);
  hs_free(run->short_label);
  hs_free(run->data);
  *run = (hs_report_run_t){0};
}

static bool any_alike(int count, const hs_report_run_t *runs)
{
  for (int i = 0; i < count; i++)
    for (int k = 0; k < i; k++)
      if (strcmp(last_part(runs[i].path), last_part(runs[k].path)) == 0) return true;
  return false;
}

/* The label without the ending that all run files have. */
static char *stem_of(const char *label)
{
  char *stem = hs_label_clean(label);
  size_t length = stem != NULL ? strlen(stem) : 0;
  if (length > 3 && strcmp(stem + length - 3, ".h5") == 0) stem[length - 3] = '\0';
  return stem;
}

/* stems and shorter have room for count; both may be NULL. */
static bool label_with(int count, hs_report_run_t *runs, char **stems, char **shorter)
{
  bool alike = any_alike(count, runs), good = stems != NULL && shorter != NULL;
  for (int i = 0; i < count && good; i++) {
    runs[i].label = hs_label_clean(alike ? runs[i].path : last_part(runs[i].path));
    stems[i] = runs[i].label != NULL ? stem_of(runs[i].label) : NULL;
    good = stems[i] != NULL;
  }
  if (good) hs_labels_shorten(count, (const char *const *)stems, HS_LABEL_MOST, shorter);
  for (int i = 0; i < count && good; i++) runs[i].short_label = shorter[i];
  for (int i = 0; i < count && good; i++) good = runs[i].short_label != NULL;
  return good;
}

/* File names, or whole paths where two names are alike. */
static hs_status_t label_runs(int count, hs_report_run_t *runs)
{
  char **stems = hs_alloc((size_t)count, sizeof *stems, "labels");
  char **shorter = hs_alloc((size_t)count, sizeof *shorter, "labels");
  bool good = label_with(count, runs, stems, shorter);
  for (int i = 0; i < count && stems != NULL; i++) hs_free(stems[i]);
  hs_free(stems);
  hs_free(shorter);
  return good ? HS_OK : HS_NO_MEMORY;
}

static bool is_among(const char *path, int count, const char *const *paths)
{
  for (int i = 0; i < count; i++)
    if (strcmp(paths[i], path) == 0) return true;
  return false;
}

hs_status_t hs_report_runs_read(int count, const char *const *paths, int *read, hs_report_run_t **out)
{
  *read = 0;
  *out = NULL;
  hs_report_run_t *runs = hs_alloc((size_t)count, sizeof *runs, "runs");
  hs_status_t status = runs != NULL ? HS_OK : HS_NO_MEMORY;
  int kept = 0;
  for (int i = 0; i < count && status == HS_OK; i++) {
    if (is_among(paths[i], i, paths)) {
      hs_warn("%s: is given twice: counted once", paths[i]);
      continue;
    }
    status = read_run(paths[i], &runs[kept]);
    if (status == HS_OK && runs[kept].entries > 0) {
      kept++;
      continue;
    }
    if (status == HS_OK && count > 1) hs_warn("%s: has no iteration yet: left out", paths[i]);
    clear(&runs[kept]);
  }
  if (status == HS_OK && kept == 0)
    status = hs_fail(HS_BAD_DATA, paths[0], NULL, "has no iteration yet: there is nothing to show");
  if (status == HS_OK) status = label_runs(kept, runs);
  if (status != HS_OK) {
    hs_report_runs_free(kept, runs);
    return status;
  }
  *read = kept;
  *out = runs;
  return HS_OK;
}

const char *hs_report_common_data(int count, const hs_report_run_t *runs)
{
  for (int i = 1; i < count; i++)
    if (strcmp(runs[i].data, runs[0].data) != 0) return "";
  return runs[0].data;
}

void hs_report_runs_free(int count, hs_report_run_t *runs)
{
  for (int i = 0; runs != NULL && i < count; i++) clear(&runs[i]);
  hs_free(runs);
}
