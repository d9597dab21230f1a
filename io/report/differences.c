#include "io/report/differences.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "settings/yaml.h"

#define MOST_ROWS 256

typedef struct table {
  hs_differences_t *found;
  int run; /* whose values are read */
  bool short_of_memory;
} table_t;

static char *copy_of(const char *text)
{
  char *copy = hs_alloc(strlen(text) + 1, 1, "setting");
  return copy != NULL ? strcpy(copy, text) : NULL;
}

/* Settings that say where results go, how long a run may take and what it reads: they do not change the
 * work of an iteration. */
static bool is_of_work(const char *key)
{
  static const char *const others[] = {"data.train",
                                       "data.test",
                                       "solver.tolerance",
                                       "solver.max_iterations",
                                       "solver.max_seconds",
                                       "watchdog_seconds",
                                       "seed",
                                       "ranks",
                                       "hosts"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(key, others[i]) == 0) return false;
  return strncmp(key, "bounds.", 7) != 0 && strncmp(key, "output.", 7) != 0;
}

static hs_difference_t *row_of(table_t *table, const char *key)
{
  hs_differences_t *found = table->found;
  for (int i = 0; i < found->count; i++)
    if (strcmp(found->row[i].key, key) == 0) return &found->row[i];
  if (found->count == MOST_ROWS) return NULL;
  hs_difference_t *row = &found->row[found->count];
  row->key = copy_of(key);
  row->value = hs_alloc((size_t)found->runs, sizeof *row->value, "settings");
  row->of_work = is_of_work(key);
  found->count++;
  table->short_of_memory = table->short_of_memory || row->key == NULL || row->value == NULL;
  return table->short_of_memory ? NULL : row;
}

static void put(table_t *table, const char *key, const char *text)
{
  if (table->short_of_memory || strcmp(key, "output.run") == 0 || strcmp(key, "output.checkpoint") == 0)
    return;
  hs_difference_t *row = row_of(table, key);
  if (row == NULL || row->value[table->run] != NULL) return;
  row->value[table->run] = copy_of(text);
  table->short_of_memory = table->short_of_memory || row->value[table->run] == NULL;
}

static void take(void *context, hs_yaml_event_t event, int line, const char *key, const char *text)
{
  (void)line;
  if (event == HS_YAML_VALUE) put(context, key, text);
}

static void put_provenance(table_t *table, const hs_provenance_t *from)
{
  char text[128];
  snprintf(text, sizeof text, "%" PRId64, from->ranks);
  put(table, "ranks", text);
  snprintf(text, sizeof text, "%" PRId64, from->threads);
  put(table, "threads", text);
  put(table, "hosts", from->hosts);
  snprintf(text, sizeof text, "%.60s (%.60s)", from->version, from->commit);
  put(table, "version", text);
}

/* A setting that another version of the program does not know is no difference: the row of versions tells. */
static bool differs(const hs_difference_t *row, int runs)
{
  bool different = false;
  for (int i = 0; i < runs; i++) {
    if (row->value[i] == NULL) return false;
    different = different || strcmp(row->value[i], row->value[0]) != 0;
  }
  return different;
}

static void free_row(hs_difference_t *row, int runs)
{
  for (int i = 0; i < runs && row->value != NULL; i++) hs_free(row->value[i]);
  hs_free(row->value);
  hs_free(row->key);
}

static void keep_different(hs_differences_t *found)
{
  int kept = 0;
  for (int i = 0; i < found->count; i++)
    if (differs(&found->row[i], found->runs))
      found->row[kept++] = found->row[i];
    else
      free_row(&found->row[i], found->runs);
  found->count = kept;
}

hs_status_t hs_differences_find(hs_differences_t *differences, int count, const hs_report_run_t *runs)
{
  *differences = (hs_differences_t){.runs = count};
  table_t table = {.found = differences};
  differences->row = hs_alloc(MOST_ROWS, sizeof *differences->row, "settings");
  hs_status_t status = differences->row != NULL ? HS_OK : HS_NO_MEMORY;
  for (int i = 0; i < count && status == HS_OK; i++) {
    table.run = i;
    status = hs_yaml_read(runs[i].summary.config, take, &table);
    if (status == HS_OK) put_provenance(&table, &runs[i].summary.provenance);
    if (table.short_of_memory) status = HS_NO_MEMORY;
  }
  if (status != HS_OK)
    hs_differences_clear(differences);
  else
    keep_different(differences);
  return status;
}

void hs_differences_clear(hs_differences_t *differences)
{
  for (int i = 0; i < differences->count; i++) free_row(&differences->row[i], differences->runs);
  hs_free(differences->row);
  *differences = (hs_differences_t){0};
}

void hs_differences_of_work(const hs_differences_t *differences, char *text, int size)
{
  int used = 0;
  text[0] = '\0';
  for (int i = 0; i < differences->count; i++) {
    const hs_difference_t *row = &differences->row[i];
    if (!row->of_work || used + (int)strlen(row->key) + 3 > size) continue;
    used += snprintf(text + used, (size_t)(size - used), "%s%s", used > 0 ? ", " : "", row->key);
  }
}
