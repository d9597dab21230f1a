/* resume.h: may a run that was begun with other settings be gone on with? Not collective. */
#ifndef HS_SETTINGS_RESUME_H
#define HS_SETTINGS_RESUME_H

#include <stdbool.h>

#include "settings/settings.h"

#define HS_DIFFERENCE 512

/* The first setting that differs and that the iterates depend on: "model.beta was 0.01 and is 0.003 now". Budgets,
 * tolerance, names of files and what happens after the convex problem may change. False: there is none. */
bool hs_settings_differ(const hs_settings_t *before, const hs_settings_t *now, char what[HS_DIFFERENCE]);

#endif
