#include "settings/resume.h"

#include <stdio.h>
#include <string.h>

#include "settings/table.h"

/* The data are known by their fingerprint, wherever they lie. */
static const char *const may_change[] = {"data.train",
                                         "data.test",
                                         "data.features",
                                         "data.targets",
                                         "model.activation",
                                         "model.init",
                                         "model.width",
                                         "model.restarts",
                                         "solver.tolerance",
                                         "solver.max_iterations",
                                         "solver.max_seconds",
                                         "solver.polish",
                                         "path.choose",
                                         "bounds.max_seconds",
                                         "bounds.starts",
                                         "network.method",
                                         "network.rounds",
                                         "network.tolerance",
                                         "network.max_seconds",
                                         "watchdog_seconds",
                                         "output.run",
                                         "output.checkpoint",
                                         "output.checkpoint_seconds"};

static bool is_free(const char *key)
{
  for (size_t i = 0; i < sizeof may_change / sizeof *may_change; i++)
    if (strcmp(key, may_change[i]) == 0) return true;
  return false;
}

bool hs_settings_differ(const hs_settings_t *before, const hs_settings_t *now, char what[HS_DIFFERENCE])
{
  for (int i = 0; i < hs_setting_count; i++) {
    const hs_setting_t *row = &hs_setting_table[i];
    char old[HS_TEXT], new[HS_TEXT];
    hs_setting_write(row, before, old);
    hs_setting_write(row, now, new);
    if (is_free(row->key) || strcmp(old, new) == 0) continue;
    snprintf(what, HS_DIFFERENCE, "%s was '%.150s' and is '%.150s' now", row->key, old, new);
    return true;
  }
  return false;
}
