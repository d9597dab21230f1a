/* report.c: what was found, decided and written. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "io/importers/import.h"

#define SHOWN_CLASSES 12

static int64_t rows_of_class(const hs_labels_t *labels, int64_t c)
{
  int64_t rows = 0;
  for (int64_t k = 0; k < labels->count; k++)
    if (labels->entries[k].class_index == c) rows += labels->entries[k].count;
  return rows;
}

static void log_classes(const hs_import_t *import)
{
  char list[640] = "";
  size_t used = 0;
  const hs_class_list_t *classes = &import->classes;
  for (int64_t c = 0; c < classes->count && c < SHOWN_CLASSES; c++) {
    char text[48];
    hs_row_source_quote(classes->texts[c], strlen(classes->texts[c]), text, sizeof text);
    int more = snprintf(list + used, sizeof list - used, "%s%s %" PRId64, c > 0 ? ", " : "", text,
                        rows_of_class(&import->sources[0].labels, c));
    if (more < 0 || used + (size_t)more >= sizeof list) break;
    used += (size_t)more;
  }
  hs_log("classes: %" PRId64 " (%s%s)", classes->count, list, classes->count > SHOWN_CLASSES ? ", ..." : "");
  if (classes->count == 1) hs_warn("only one class: there is nothing to tell apart");
}

static void log_decisions(const hs_import_t *import)
{
  const hs_row_source_t *source = &import->sources[0];
  bool columns = import->format == HS_FORMAT_CSV || (import->format == HS_FORMAT_NPY && source->targets == 0);
  const char *hint = import->options->label != NULL || !columns
                         ? ""
                         : "  (label= takes a name, a number, first, last or none)";
  hs_log("label  : %s%s", source->label_about, hint);
  if (source->targets == 0) return;
  bool classes = import->task == HS_TASK_CLASSIFICATION;
  hint = import->options->task != HS_TASK_AUTO || source->targets > 1 || !source->labels.all_numbers ? ""
         : classes ? "  (task=regression for numbers)"
                   : "  (task=classification for classes)";
  hs_log("task   : %s%s", classes ? "classification" : "regression", hint);
  if (classes) log_classes(import);
}

void hs_import_report(const hs_import_t *import)
{
  for (int k = 0; k < import->source_count; k++) {
    const hs_row_source_t *source = &import->sources[k];
    hs_log("read   : %s: %s, %" PRId64 " rows, %" PRId64 " features", source->path, source->about,
           source->rows, source->features);
  }
  log_decisions(import);
  char order[80];
  for (int k = 0; k < 2 && import->writers[k] != NULL; k++) {
    const hs_table_form_t *form = &import->forms[k];
    bool kept = import->options->shuffle == 0 || (k == 1 && import->source_count == 2);
    snprintf(order, sizeof order, "shuffled with seed %" PRIu64, import->options->shuffle);
    hs_log("wrote  : %s: %" PRId64 " x %" PRId64 " %s, %s", import->paths[k], form->rows, form->features,
           form->precision == HS_SINGLE ? "float32" : "float64", kept ? "rows in their order" : order);
  }
  hs_log("time   : %.2f s", import->seconds);
}
