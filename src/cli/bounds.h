/* bounds.h: halfspace bounds. Collective. */
#ifndef HS_CLI_BOUNDS_H
#define HS_CLI_BOUNDS_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_bounds(int argc, char **argv);
void hs_bounds_help(FILE *stream);

#endif
