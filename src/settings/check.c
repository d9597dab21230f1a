/* check.c: what no single row of the table can judge. */
#include <string.h>

#include "base/log.h"
#include "settings/table.h"

/* Values set by a program rather than by text have not passed the table yet. */
static hs_status_t check_ranges(const hs_settings_t *settings)
{
  char what[HS_SETTING_WHAT], value[HS_TEXT];
  for (int i = 0; i < hs_setting_count; i++) {
    if (hs_setting_judge(&hs_setting_table[i], settings, what)) continue;
    hs_setting_write(&hs_setting_table[i], settings, value);
    return hs_fail(HS_BAD_USAGE, NULL, NULL, "%s = %.60s: %s", hs_setting_table[i].key, value, what);
  }
  return HS_OK;
}

/* "key = value: this version ..." */
static hs_status_t unsupported(const hs_settings_t *settings, const char *key, const char *what)
{
  char value[HS_TEXT];
  hs_setting_write(&hs_setting_table[hs_setting_find(key)], settings, value);
  return hs_fail(HS_BAD_USAGE, NULL, NULL, "%s = %.60s: this version %s", key, value, what);
}

static hs_status_t check_supported(const hs_settings_t *settings)
{
  if (settings->model.layers != 2) return unsupported(settings, "model.layers", "trains 2 layers (set 2)");
  if (settings->model.solve != HS_SOLVE_GATED)
    return unsupported(settings, "model.solve", "solves the gated program (set gated)");
  return HS_OK;
}

bool hs_setting_is_idle(const hs_setting_t *row)
{
  static const char *const idle[] = {"model.hidden"};
  for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++)
    if (strcmp(idle[i], row->key) == 0) return true;
  return false;
}

void hs_settings_warn_idle(const hs_settings_t *settings)
{
  for (int i = 0; i < hs_setting_count; i++) {
    const hs_setting_t *row = &hs_setting_table[i];
    char value[HS_TEXT];
    hs_setting_write(row, settings, value);
    if (hs_setting_is_idle(row) && strcmp(value, row->initial) != 0)
      hs_warn("%s = %.60s has no effect in this version", row->key, value);
  }
}

/* The same name: a slip that would overwrite data. Other spellings of one path are for the file system to
 * find. */
static hs_status_t check_overwriting(const hs_settings_t *settings, const char *key, const char *output)
{
  static const char *const inputs[] = {"data.train", "data.test", "data.validation", "model.gates_from"};
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs && output[0] != '\0'; i++) {
    const hs_setting_t *row = &hs_setting_table[hs_setting_find(inputs[i])];
    if (strcmp(output, (const char *)settings + row->offset) == 0)
      return hs_fail(HS_BAD_USAGE, NULL, NULL, "%s = %.200s: would overwrite %s (give another name)", key,
                     output, inputs[i]);
  }
  return HS_OK;
}

static hs_status_t check_files(const hs_settings_t *settings)
{
  if (settings->data.train[0] == '\0')
    return hs_fail(
        HS_BAD_USAGE, NULL, "data.train",
        "is not given (write data: {train: FILE.h5} or add data.train=FILE.h5 to the command line; "
        "halfspace import makes such a file)");
  if (strcmp(settings->data.features, settings->data.targets) == 0)
    return hs_fail(HS_BAD_USAGE, NULL, NULL,
                   "data.targets = %.200s: is the data set of the features as well (give two names)",
                   settings->data.targets);
  hs_status_t status = check_overwriting(settings, "output.run", settings->output.run);
  if (status == HS_OK) status = check_overwriting(settings, "output.checkpoint", settings->output.checkpoint);
  if (status == HS_OK && strcmp(settings->output.run, settings->output.checkpoint) == 0)
    status = hs_fail(HS_BAD_USAGE, NULL, NULL,
                     "output.checkpoint = %.200s: is output.run as well (give two names)",
                     settings->output.checkpoint);
  return status;
}

hs_status_t hs_settings_check(const hs_settings_t *settings)
{
  hs_status_t status = check_ranges(settings);
  if (status == HS_OK) status = check_supported(settings);
  if (status == HS_OK) status = check_files(settings);
  return status;
}
