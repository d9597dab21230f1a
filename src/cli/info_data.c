#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/size.h"
#include "cli/info_parts.h"
#include "io/hdf5/data_file.h"

#define MOST_LABELS 10000
#define SLAB ((int64_t)1 << 16) /* labels read at a time */

/* Distinct labels, ascending, and how often each occurs. */
typedef struct label_counts {
  int count;
  bool too_many; /* more than MOST_LABELS: no classes */
  int64_t *values, *counts;
} label_counts_t;

static void count_label(label_counts_t *labels, int64_t value)
{
  int low = 0, high = labels->count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (labels->values[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == labels->count || labels->values[low] != value) {
    labels->too_many = labels->too_many || labels->count == MOST_LABELS;
    if (labels->too_many) return;
    size_t after = (size_t)(labels->count - low) * sizeof(int64_t);
    memmove(labels->values + low + 1, labels->values + low, after);
    memmove(labels->counts + low + 1, labels->counts + low, after);
    labels->values[low] = value;
    labels->counts[low] = 0;
    labels->count++;
  }
  labels->counts[low]++;
}

static hs_status_t count_labels(hs_data_file_t *file, int64_t rows, label_counts_t *labels)
{
  labels->values = hs_alloc(MOST_LABELS, sizeof(int64_t), "labels");
  labels->counts = hs_alloc(MOST_LABELS, sizeof(int64_t), "label counts");
  int64_t *slab = hs_alloc((size_t)SLAB, sizeof *slab, "labels");
  hs_status_t status =
      labels->values != NULL && labels->counts != NULL && slab != NULL ? HS_OK : HS_NO_MEMORY;
  for (int64_t first = 0; first < rows && status == HS_OK; first += SLAB) {
    int64_t count = hs_min64(SLAB, rows - first);
    status = hs_data_read_labels(file, first, count, slab);
    for (int64_t k = 0; k < count && status == HS_OK; k++) count_label(labels, slab[k]);
  }
  hs_free(slab);
  return status;
}

static const char *task_of(const hs_data_info_t *info)
{
  if (!info->has_targets) return NULL;
  return info->targets_are_classes ? "classification" : "regression";
}

/* The name of a label; text is room for its number. */
static const char *label_name(const hs_data_info_t *info, int64_t value, char text[32])
{
  if (value >= 0 && value < info->class_names_count) return info->class_names[value];
  snprintf(text, 32, "%" PRId64, value);
  return text;
}

static void print_json(const hs_data_info_t *info, const label_counts_t *labels)
{
  hs_json_t json = hs_json_start(stdout);
  hs_json_open(&json, NULL, '{');
  hs_json_text(&json, "kind", "data");
  hs_json_int(&json, "rows", info->rows);
  hs_json_int(&json, "features", info->features);
  hs_json_int(&json, "target_columns", info->target_columns);
  hs_json_text(&json, "task", task_of(info));
  hs_json_bool(&json, "common_unit", info->common_unit);
  hs_json_open(&json, "classes", '[');
  for (int i = 0; i < labels->count; i++) {
    char number[32];
    hs_json_open(&json, NULL, '{');
    hs_json_text(&json, "name", label_name(info, labels->values[i], number));
    hs_json_int(&json, "label", labels->values[i]);
    hs_json_int(&json, "count", labels->counts[i]);
    hs_json_close(&json);
  }
  hs_json_close(&json);
  hs_json_close(&json);
}

static void print_text(const char *path, const hs_data_info_t *info, const label_counts_t *labels)
{
  printf("%s: training data\nrows      %" PRId64 "\nfeatures  %d%s\n", path, info->rows, info->features,
         info->common_unit ? ", all of one unit" : "");
  if (!info->has_targets)
    printf("targets   none\n");
  else
    printf("targets   %d column%s, %s\n", info->target_columns, info->target_columns > 1 ? "s" : "",
           task_of(info));
  if (labels->too_many) printf("classes   more than %d different labels\n", MOST_LABELS);
  for (int i = 0; i < labels->count && i < 40; i++) {
    char number[32];
    printf("%s%-24s %12" PRId64 "  (%.1f %%)\n", i == 0 ? "classes   " : "          ",
           label_name(info, labels->values[i], number), labels->counts[i],
           100.0 * (double)labels->counts[i] / (double)info->rows);
  }
  if (labels->count > 40) printf("          and %d more\n", labels->count - 40);
}

hs_status_t hs_info_data(const char *path, const char *features, const char *targets, bool json)
{
  hs_data_file_t *file;
  hs_data_info_t info;
  label_counts_t labels = {0};
  hs_status_t status = hs_data_open(&file, path, features, targets, &info);
  if (status == HS_OK && info.has_targets && info.targets_are_classes)
    status = count_labels(file, info.rows, &labels);
  if (labels.too_many) labels.count = 0;
  if (status == HS_OK && json) print_json(&info, &labels);
  if (status == HS_OK && !json) print_text(path, &info, &labels);
  hs_free(labels.values);
  hs_free(labels.counts);
  hs_data_close(&file);
  return status;
}
