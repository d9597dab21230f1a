/* path.h: halfspace path CONFIG.yaml|DATA.h5 [key=value...] */
#ifndef HS_CLI_PATH_H
#define HS_CLI_PATH_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_path(int argc, char **argv);
void hs_path_help(FILE *stream);

#endif
