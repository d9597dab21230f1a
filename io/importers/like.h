/* like.h: what a later file must share with one imported before: features, classes, task.
 *
 * Reads HDF5 serially with the default driver. Not collective.
 */
#ifndef HS_IMPORT_LIKE_H
#define HS_IMPORT_LIKE_H

#include <stdint.h>

#include "base/status.h"
#include "io/importers/labels.h"
#include "io/importers/options.h"

typedef struct hs_like {
  const char *path; /* borrowed */
  int64_t features;
  hs_task_t task;          /* HS_TASK_AUTO when the file does not say */
  hs_class_list_t classes; /* count 0 when there are none */
  char **names;            /* [features], owned, or NULL */
} hs_like_t;

/* HS_BAD_DATA when the file is missing, foreign or has no /features [n, d]. */
hs_status_t hs_like_read(hs_like_t *like, const char *path);

/* Accepts a zeroed structure. */
void hs_like_free(hs_like_t *like);

#endif
