/* info.h: halfspace info. Serial. */
#ifndef HS_CLI_INFO_H
#define HS_CLI_INFO_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_info(int argc, char **argv);
void hs_info_help(FILE *stream);

#endif
