/* import.h: text and array files in, HDF5 data files out.
 *
 * Steps: recognise the inputs, scan them (pass 1), decide on task, classes and features, lay out the order,
 * write (pass 2), rename. Memory is bounded but for 8 to 16 bytes a row. Serial: one process imports.
 */
#ifndef HS_IMPORT_IMPORT_H
#define HS_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "io/importers/like.h"
#include "io/importers/options.h"
#include "io/importers/order.h"
#include "io/importers/row_source.h"
#include "io/importers/table_writer.h"

#define HS_IMPORT_PATH 4096

/* One import on its way. Index 0: the first part or the train input; 1: the test part or the test input. */
typedef struct hs_import {
  const hs_import_options_t *options; /* borrowed */
  hs_format_t format;
  hs_like_t like;
  hs_row_source_t sources[2];
  int source_count; /* 2: train and test were given */
  hs_task_t task;   /* HS_TASK_AUTO: no targets and nobody said */
  hs_class_list_t classes;
  char **names; /* [features] from names=, owned, or NULL */
  hs_order_t order;
  char paths[2][HS_IMPORT_PATH];
  hs_table_form_t forms[2];
  hs_table_writer_t *writers[2];
  double seconds;
} hs_import_t;

/* Do it all, and say on stderr what was found and written. On failure no output file is changed. */
hs_status_t hs_import_run(const hs_import_options_t *options);

/* Step 1 (arrange.c): formats, pairs, the files of both parts. */
hs_status_t hs_import_arrange(hs_import_t *import);

/* After the scan (decide.c): task, classes and number of features, the same for both parts. */
hs_status_t hs_import_decide(hs_import_t *import);

/* names=: a list with commas, or a file with one name a line; as many as there are features. */
hs_status_t hs_import_read_names(hs_import_t *import);

/* The log of a finished import (report.c). */
void hs_import_report(const hs_import_t *import);

#endif
