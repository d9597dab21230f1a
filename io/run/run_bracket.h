/* run_bracket.h: the bracket on the global optimum, as the bounds of the run file (/bounds/NAME). */
#ifndef HS_IO_RUN_RUN_BRACKET_H
#define HS_IO_RUN_RUN_BRACKET_H

#include "io/run/run_file.h"
#include "network/bracket.h"

/* Write or replace gates_lower, network, global_lower_estimated and global_lower: those that are known. */
hs_status_t hs_run_write_bracket(hs_run_t *run, const hs_bracket_t *bracket);

#endif
