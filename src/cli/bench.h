/* bench.h: the command `halfspace bench`. */
#ifndef HS_CLI_BENCH_H
#define HS_CLI_BENCH_H

#include <stdio.h>

#include "base/status.h"

/* argv[0] is the first word after "bench". Collective over MPI_COMM_WORLD. */
hs_status_t hs_command_bench(int argc, char **argv);
void hs_bench_help(FILE *stream);

#endif
