/* yaml.h: nested YAML mappings as a list of dotted keys with their line numbers. Not collective. */
#ifndef HS_SETTINGS_YAML_H
#define HS_SETTINGS_YAML_H

#include "base/status.h"

#define HS_YAML_KEY 256 /* longest dotted key, with the closing zero */

/* What the reader tells of. For HS_YAML_VALUE the text is the value; an empty unquoted value is "". For
 * HS_YAML_PROBLEM the text says what is wrong; the reader goes on where it can. */
typedef enum hs_yaml_event { HS_YAML_VALUE, HS_YAML_PROBLEM } hs_yaml_event_t;

typedef void (*hs_yaml_visit_t)(void *context, hs_yaml_event_t event, int line, const char *key,
                                const char *text);

/* Read one document whose leaves are scalars and call visit for each, in the order of the text; lines count
 * from 1. HS_NO_MEMORY is the only failure that is not told through visit. */
hs_status_t hs_yaml_read(const char *text, hs_yaml_visit_t visit, void *context);

#endif
