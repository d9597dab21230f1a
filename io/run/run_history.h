/* run_history.h: the history between memory and its group in the run file, both ways. For the run file's writer
 * and reader only. */
#ifndef HS_IO_RUN_RUN_HISTORY_H
#define HS_IO_RUN_RUN_HISTORY_H

#include <assert.h>
#include <hdf5.h>
#include <stdint.h>

#include "base/status.h"
#include "model/history.h"

/* A history row is HS_HISTORY_FIELDS numbers of 8 bytes: an array of rows is a matrix with one column per data set,
 * and HDF5 picks the columns out. */
#define HS_HISTORY_FIELDS 13
static_assert(sizeof(hs_history_row_t) == 8 * HS_HISTORY_FIELDS, "a field of 8 bytes for each data set");

/* The open data sets; -1: not open. */
typedef struct hs_run_history {
  hid_t set[HS_HISTORY_FIELDS];
} hs_run_history_t;

/* Properties that a file must be created with, so that a short history takes little room. The caller closes them. */
hid_t hs_run_history_file_properties(void);

/* Make the group with empty data sets, or open them as they are. To be closed also on failure, which is HS_IO. */
hs_status_t hs_run_history_create(hs_run_history_t *history, hid_t file);
hs_status_t hs_run_history_open(hs_run_history_t *history, hid_t file);
void hs_run_history_close(hs_run_history_t *history);

/* Put rows behind the first `start` ones; whatever was there goes. */
hs_status_t hs_run_history_put(const hs_run_history_t *history, int64_t start, int64_t count,
                               const hs_history_row_t *rows);

/* Read all whole rows. *history is an array of *rows, owned by the caller, NULL on failure; path is for messages. */
hs_status_t hs_run_history_get(hid_t file, const char *path, int64_t *rows, hs_history_row_t **history);

#endif
