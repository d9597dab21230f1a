/* generate.h: the command `halfspace generate`. Serial: under a launcher the first process does it. */
#ifndef HS_CLI_GENERATE_H
#define HS_CLI_GENERATE_H

#include <stdio.h>

#include "base/status.h"

/* argv[0] is the first word after "generate". */
hs_status_t hs_command_generate(int argc, char **argv);
void hs_generate_help(FILE *stream);

#endif
