/* evaluate.h: halfspace evaluate. Collective. */
#ifndef HS_CLI_EVALUATE_H
#define HS_CLI_EVALUATE_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_evaluate(int argc, char **argv);
void hs_evaluate_help(FILE *stream);

#endif
