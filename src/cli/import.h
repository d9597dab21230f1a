/* import.h: the command `halfspace import`. Serial: one process runs it. */
#ifndef HS_CLI_IMPORT_H
#define HS_CLI_IMPORT_H

#include <stdio.h>

#include "base/status.h"

/* argv[0] is the first word after "import". */
hs_status_t hs_command_import(int argc, char **argv);

/* The keys, generated from their table. */
void hs_import_help(FILE *stream);

#endif
