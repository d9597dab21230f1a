/* run_rounds.h: rounds of search for gates in the run file.
 *
 *   /gate_rounds/FIELD   1-D, one entry per round; the fields of hs_gate_round_t
 *   /gate_rounds         attribute price: what gates were searched by, "gated" or "relu"
 *
 * /history holds the iterations of all rounds one after the other; the gap of a row is that over the gates of its round.
 */
#ifndef HS_IO_RUN_RUN_ROUNDS_H
#define HS_IO_RUN_RUN_ROUNDS_H

#include <hdf5.h>

#include "io/run/run_file.h"
#include "model/gate_round.h"

/* Rounds and text are borrowed by the writer, and owned when read. */
typedef struct hs_run_rounds {
  int64_t count;
  hs_gate_round_t *round;
  char *price;
} hs_run_rounds_t;

/* Write or replace the group. Goes to the disk as hs_run_write_bound does. */
hs_status_t hs_run_write_rounds(hs_run_t *run, const hs_run_rounds_t *rounds);

/* A run without rounds has count = 0, and is no error. */
hs_status_t hs_run_read_rounds(const char *file, hs_run_rounds_t *rounds);
void hs_run_rounds_clear(hs_run_rounds_t *rounds);

/* ---- between memory and the file; for the run file's writer only ---- */

hs_status_t hs_run_put_rounds(hid_t file, const hs_run_rounds_t *rounds);

#endif
