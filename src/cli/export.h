/* export.h: halfspace export. Not collective. */
#ifndef HS_CLI_EXPORT_H
#define HS_CLI_EXPORT_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_export(int argc, char **argv);
void hs_export_help(FILE *stream);

#endif
