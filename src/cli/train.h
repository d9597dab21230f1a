/* train.h: halfspace train. Collective. */
#ifndef HS_CLI_TRAIN_H
#define HS_CLI_TRAIN_H

#include <stdio.h>

#include "base/status.h"

hs_status_t hs_command_train(int argc, char **argv);
void hs_train_help(FILE *stream);

#endif
