/* csv_columns.h: what each column of a table is: feature, target, left out, or turned into 0/1 features.
 *
 * Columns are named by their name, by a number counted from 1, or by "first" and "last" among those that
 * are not dropped. Not collective.
 */
#ifndef HS_IMPORT_CSV_COLUMNS_H
#define HS_IMPORT_CSV_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "io/importers/labels.h"
#include "io/importers/options.h"

typedef enum hs_role { HS_ROLE_FEATURE, HS_ROLE_TARGET, HS_ROLE_DROP, HS_ROLE_ONEHOT } hs_role_t;

typedef struct hs_column {
  char *name; /* owned, or NULL */
  hs_role_t role;
  int64_t slot;               /* first feature, or number of the target */
  hs_labels_t values;         /* of a one-hot column */
  hs_class_list_t categories; /* the same sorted: one feature each */
} hs_column_t;

typedef struct hs_columns {
  hs_column_t *at; /* [count], owned */
  int64_t count, targets;
} hs_columns_t;

/* `count` unnamed features. */
hs_status_t hs_columns_begin(hs_columns_t *columns, int64_t count);

/* Give roles after label, drop and onehot of the options. `label` replaces a label that was not given.
 * HS_BAD_DATA when a column does not exist, with the nearest name; HS_BAD_USAGE for two roles at once. */
hs_status_t hs_columns_assign(hs_columns_t *columns, const hs_import_options_t *options, const char *path,
                              const char *label);

/* Number the features; one-hot columns have as many as categories. Returns how many there are. */
int64_t hs_columns_number(hs_columns_t *columns);

/* "column 3 (width)", or "column 3" without a name. */
void hs_columns_describe(const hs_columns_t *columns, int64_t column, char *text, size_t size);

/* The column of feature 0, 1, ... or target -1, -2, ... */
int64_t hs_columns_find(const hs_columns_t *columns, int64_t feature);

/* Names of the features and targets as lists of hs_names_new, or NULL when the columns have none. */
hs_status_t hs_columns_names(const hs_columns_t *columns, int64_t features, char ***names,
                             char ***target_names);

/* Accepts a zeroed structure. */
void hs_columns_free(hs_columns_t *columns);

#endif
