/* report.h: halfspace report. Serial. */
#ifndef HS_CLI_REPORT_H
#define HS_CLI_REPORT_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_report(int argc, char **argv);
void hs_report_help(FILE *stream);

#endif
