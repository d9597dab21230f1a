/* run_network.h: how the ReLU network came about, in the run file.
 *
 *   /network          attributes: penalty (what non-convex penalty the objective has), chosen (start that was gone on from),
 *                     ended (why column generation ended)
 *   /network/starts   1-D, one entry per start: kind, number, start, end, neurons, left, iterations, seconds;
 *                     attribute names: what the kinds are called                             src/network/record.h
 *   /network/rounds   1-D, one entry per round of column generation: round, neurons, objective, lower, price, seconds
 */
#ifndef HS_IO_RUN_RUN_NETWORK_H
#define HS_IO_RUN_RUN_NETWORK_H

#include <hdf5.h>

#include "io/run/run_file.h"
#include "network/record.h"

/* Write or replace the group. */
hs_status_t hs_run_write_network(hs_run_t *run, const hs_network_record_t *record);

/* A run without the group has no starts and no rounds, and is no error. */
hs_status_t hs_run_read_network(const char *file, hs_network_record_t *record);

/* ---- between memory and the file; for the run file's writer only ---- */

hs_status_t hs_run_put_network(hid_t file, const hs_network_record_t *record);

#endif
