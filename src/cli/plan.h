/* plan.h: halfspace plan. */
#ifndef HS_CLI_PLAN_H
#define HS_CLI_PLAN_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_plan(int argc, char **argv);
void hs_plan_help(FILE *stream);

#endif
