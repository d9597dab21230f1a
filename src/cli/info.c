#include "cli/info.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "cli/arguments.h"
#include "cli/info_parts.h"
#include "io/run/run_file.h"

static void shape_text(const hs_contents_set_t *set, char *text, size_t size)
{
  size_t used = (size_t)snprintf(text, size, "[");
  for (int i = 0; i < set->rank && i < 4 && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%" PRId64, i > 0 ? ", " : "", set->extent[i]);
  if (used < size) snprintf(text + used, size - used, "%s]", set->rank > 4 ? ", ..." : "");
}

static void print_sets(const hs_contents_t *contents)
{
  for (int i = 0; i < contents->count; i++) {
    char shape[128];
    shape_text(&contents->sets[i], shape, sizeof shape);
    printf("  %-28s %-10s %s\n", contents->sets[i].name, contents->sets[i].type, shape);
  }
}

static void print_sets_json(const hs_contents_t *contents, const char *kind)
{
  hs_json_t json = hs_json_start(stdout);
  hs_json_open(&json, NULL, '{');
  hs_json_text(&json, "kind", kind);
  if (contents->run != NULL) hs_json_text(&json, "run", contents->run);
  if (contents->data != NULL) hs_json_text(&json, "data", contents->data);
  hs_json_open(&json, "sets", '{');
  for (int i = 0; i < contents->count; i++) {
    const hs_contents_set_t *set = &contents->sets[i];
    hs_json_open(&json, set->name, '{');
    hs_json_text(&json, "type", set->type);
    hs_json_open(&json, "shape", '[');
    for (int k = 0; k < set->rank; k++) hs_json_int(&json, NULL, set->extent[k]);
    hs_json_close(&json);
    hs_json_close(&json);
  }
  hs_json_close(&json);
  hs_json_close(&json);
}

hs_status_t hs_info_contents(const char *path, const hs_contents_t *contents, bool json)
{
  bool ours = contents->kind != NULL && strcmp(contents->kind, "predictions") == 0;
  if (json) {
    print_sets_json(contents, ours ? "predictions" : "other");
    return HS_OK;
  }
  if (ours)
    printf("%s: predictions of %s on %s\n", path, contents->run != NULL ? contents->run : "a run",
           contents->data != NULL ? contents->data : "unknown data");
  else
    printf("%s: an HDF5 file, not written by halfspace; %s\n", path,
           contents->count > 0 ? "it holds" : "it holds no data sets");
  print_sets(contents);
  if (!ours && contents->count > 0)
    printf("features=NAME (and targets=NAME) describes these sets as training data.\n");
  return HS_OK;
}

hs_status_t hs_command_info(int argc, char **argv)
{
  static const char *const names[] = {"FILE.h5"};
  const char *path, *features = NULL, *targets = NULL;
  bool json = false;
  const hs_argument_t known[] = {
      {"json", &json, NULL}, {"features", NULL, &features}, {"targets", NULL, &targets}};
  int count;
  hs_status_t status = hs_arguments_sort(argc, argv, known, 3, names, 1, 1, &path, &count);
  if (status != HS_OK) return status;
  hs_contents_t contents;
  status = hs_contents_read(path, &contents);
  if (status != HS_OK) return status;
  bool asked = features != NULL;
  if (features == NULL) features = "features";
  if (targets == NULL && hs_contents_find(&contents, "targets") != NULL) targets = "targets";
  const hs_contents_set_t *set = hs_contents_find(&contents, features);
  if (hs_run_is_run_file(path))
    status = hs_info_run(path, json);
  else if (hs_contents_find(&contents, "check/hashes") != NULL)
    status = hs_info_checkpoint(path, json);
  else if (asked || (set != NULL && set->rank == 2))
    status = hs_info_data(path, features, targets, json);
  else
    status = hs_info_contents(path, &contents, json);
  hs_contents_clear(&contents);
  return status;
}

void hs_info_help(FILE *stream)
{
  fputs(
      "Tells what a file holds: a run (why it stopped, gap, bounds, model, settings, versions), a "
      "checkpoint, "
      "training data\n"
      "(rows, features, targets, classes and their counts), predictions, or any other HDF5 file.\n\n"
      "  --json         the same as JSON on standard output\n"
      "  features=NAME  data set of the features, targets=NAME of the targets, where they have other names\n",
      stream);
}
