/* predict.h: halfspace predict. Collective. */
#ifndef HS_CLI_PREDICT_H
#define HS_CLI_PREDICT_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_predict(int argc, char **argv);
void hs_predict_help(FILE *stream);

#endif
