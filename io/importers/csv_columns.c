#include "io/importers/csv_columns.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "io/importers/row_source.h"

hs_status_t hs_columns_begin(hs_columns_t *columns, int64_t count)
{
  *columns = (hs_columns_t){0};
  columns->at = hs_alloc((size_t)count, sizeof *columns->at, "columns");
  if (columns->at == NULL) return HS_NO_MEMORY;
  columns->count = count;
  return HS_OK;
}

static bool has_name(const hs_column_t *column, const char *name, size_t length)
{
  return column->name != NULL && strlen(column->name) == length && strncmp(column->name, name, length) == 0;
}

static hs_status_t not_found(const hs_columns_t *c, const char *path, const char *key, const char *name)
{
  const char **names = hs_alloc((size_t)c->count, sizeof *names, "names");
  if (names == NULL) return HS_NO_MEMORY;
  int count = 0;
  for (int64_t k = 0; k < c->count && count < INT_MAX; k++)
    if (c->at[k].name != NULL) names[count++] = c->at[k].name;
  bool any = count > 0;
  const char *near = hs_nearest(name, names, count);
  hs_status_t status;
  if (near != NULL)
    status = hs_fail(HS_BAD_DATA, path, key, "no column \"%.80s\" (nearest: %.80s)", name, near);
  else if (any)
    status =
        hs_fail(HS_BAD_DATA, path, key, "no column \"%.80s\" (names from %.60s to %.60s, numbers 1 to %lld)",
                name, c->at[0].name, c->at[c->count - 1].name, (long long)c->count);
  else
    status =
        hs_fail(HS_BAD_DATA, path, key, "no column \"%.80s\" (the columns have no names: numbers 1 to %lld)",
                name, (long long)c->count);
  hs_free(names);
  return status;
}

/* first and last pass over what drop= leaves out. */
static int64_t find_end(const hs_columns_t *c, bool last)
{
  for (int64_t k = 0; k < c->count; k++) {
    int64_t column = last ? c->count - 1 - k : k;
    if (c->at[column].role != HS_ROLE_DROP) return column;
  }
  return -1;
}

/* One entry of a list. A name wins over a number and over the words first and last. */
static int64_t find_column(const hs_columns_t *c, const char *name, size_t length)
{
  for (int64_t k = 0; k < c->count; k++)
    if (has_name(&c->at[k], name, length)) return k;
  if (length == 5 && strncmp(name, "first", 5) == 0) return find_end(c, false);
  if (length == 4 && strncmp(name, "last", 4) == 0) return find_end(c, true);
  if (length == 0 || length > 15 || strspn(name, "0123456789") < length) return -1;
  int64_t number = strtoll(name, NULL, 10);
  return number >= 1 && number <= c->count ? number - 1 : -1;
}

/* Set a role for every entry of a list with commas. */
static hs_status_t assign_list(hs_columns_t *c, const char *path, const char *key, const char *list,
                               hs_role_t role)
{
  for (const char *at = list;; at++) {
    while (*at == ' ') at++;
    size_t length = strcspn(at, ",");
    size_t kept = length;
    while (kept > 0 && at[kept - 1] == ' ') kept--;
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)(kept < 127 ? kept : 127), at);
    int64_t column = find_column(c, at, kept);
    if (column < 0) return not_found(c, path, key, name);
    hs_role_t before = c->at[column].role;
    if (before != HS_ROLE_FEATURE && before != role)
      return hs_fail(HS_BAD_USAGE, path, key, "column \"%s\" cannot be label, dropped or one-hot at once",
                     name);
    if (role == HS_ROLE_TARGET && before == HS_ROLE_TARGET)
      return hs_fail(HS_BAD_USAGE, path, key, "column \"%s\" is named twice", name);
    c->at[column].role = role;
    if (role == HS_ROLE_TARGET) c->at[column].slot = c->targets++;
    at += length;
    if (*at == '\0') return HS_OK;
  }
}

hs_status_t hs_columns_assign(hs_columns_t *c, const hs_import_options_t *options, const char *path,
                              const char *label)
{
  if (options->label != NULL) label = options->label;
  hs_status_t status = HS_OK;
  if (options->drop != NULL) status = assign_list(c, path, "drop", options->drop, HS_ROLE_DROP);
  if (status == HS_OK && strcmp(label, "none") != 0)
    status = assign_list(c, path, "label", label, HS_ROLE_TARGET);
  if (status == HS_OK && options->onehot != NULL)
    status = assign_list(c, path, "onehot", options->onehot, HS_ROLE_ONEHOT);
  return status;
}

static int64_t width_of(const hs_column_t *column)
{
  return column->role == HS_ROLE_FEATURE ? 1 : column->role == HS_ROLE_ONEHOT ? column->categories.count : 0;
}

int64_t hs_columns_number(hs_columns_t *c)
{
  int64_t features = 0;
  for (int64_t k = 0; k < c->count; k++) {
    if (width_of(&c->at[k]) == 0) continue;
    c->at[k].slot = features;
    features += width_of(&c->at[k]);
  }
  return features;
}

void hs_columns_describe(const hs_columns_t *c, int64_t column, char *text, size_t size)
{
  const char *name = column >= 0 && column < c->count ? c->at[column].name : NULL;
  if (name == NULL || *name == '\0') {
    snprintf(text, size, "column %lld", (long long)column + 1);
    return;
  }
  char quoted[48];
  hs_row_source_quote(name, strlen(name), quoted, sizeof quoted);
  snprintf(text, size, "column %lld (%s)", (long long)column + 1, quoted);
}

int64_t hs_columns_find(const hs_columns_t *c, int64_t feature)
{
  for (int64_t k = 0; k < c->count; k++) {
    const hs_column_t *column = &c->at[k];
    if (feature < 0 && column->role == HS_ROLE_TARGET && column->slot == -1 - feature) return k;
    if (feature >= column->slot && feature < column->slot + width_of(column)) return k;
  }
  return -1;
}

static bool name_features(const hs_column_t *column, char **names)
{
  if (column->role == HS_ROLE_FEATURE)
    return hs_names_set(names, column->slot, column->name, strlen(column->name));
  for (int64_t k = 0; k < column->categories.count; k++) {
    char name[400];
    int length = snprintf(name, sizeof name, "%.150s=%.200s", column->name, column->categories.texts[k]);
    if (!hs_names_set(names, column->slot + k, name, (size_t)length)) return false;
  }
  return true;
}

hs_status_t hs_columns_names(const hs_columns_t *c, int64_t features, char ***names, char ***target_names)
{
  *names = *target_names = NULL;
  if (c->count == 0 || c->at[0].name == NULL) return HS_OK;
  *names = hs_names_new(features);
  *target_names = c->targets > 0 ? hs_names_new(c->targets) : NULL;
  bool good = *names != NULL && (c->targets == 0 || *target_names != NULL);
  for (int64_t k = 0; good && k < c->count; k++) {
    const hs_column_t *column = &c->at[k];
    if (column->role == HS_ROLE_TARGET)
      good = hs_names_set(*target_names, column->slot, column->name, strlen(column->name));
    else if (column->role != HS_ROLE_DROP)
      good = name_features(column, *names);
  }
  if (good) return HS_OK;
  hs_names_free(names, features);
  hs_names_free(target_names, c->targets);
  return HS_NO_MEMORY;
}

void hs_columns_free(hs_columns_t *c)
{
  for (int64_t k = 0; k < c->count; k++) {
    hs_free(c->at[k].name);
    hs_labels_free(&c->at[k].values);
    hs_class_list_free(&c->at[k].categories);
  }
  hs_free(c->at);
  *c = (hs_columns_t){0};
}
