/* run_about.h: what the run file says about a run beside history and model, between memory and the file, both ways:
 * settings, provenance, facts, times, the end, bounds. For the run file's writer and reader only.
 *
 * Writing: HS_IO when HDF5 refuses, without a message of use to the user. Reading: path is for messages. */
#ifndef HS_IO_RUN_RUN_ABOUT_H
#define HS_IO_RUN_RUN_ABOUT_H

#include <hdf5.h>

#include "io/run/run_file.h"

/* Into a file without /config. */
hs_status_t hs_run_put_config(hid_t file, const char *yaml, const hs_provenance_t *provenance);

/* Into the group /status; what stands there is replaced, and what is not known is removed. */
hs_status_t hs_run_put_facts(hid_t status, const hs_run_facts_t *facts);
hs_status_t hs_run_put_times(hid_t status, const hs_run_times_t *times);
hs_status_t hs_run_put_method(hid_t status, const hs_run_method_t *method);
hs_status_t hs_run_put_polish(hid_t status, const hs_run_polish_t *polish);
hs_status_t hs_run_put_end(hid_t status, const char *stop, double loss, int64_t rows);

/* Into /bounds, which is made when needed. */
hs_status_t hs_run_put_bound(hid_t file, const char *name, double value, const char *kind, const char *about);

/* Fill in config and provenance; stop, facts, times and loss; bounds. On failure the caller clears the summary. */
hs_status_t hs_run_get_config(hid_t file, const char *path, hs_run_summary_t *summary);
hs_status_t hs_run_get_status(hid_t file, const char *path, hs_run_summary_t *summary);
hs_status_t hs_run_get_bounds(hid_t file, hs_run_summary_t *summary);

#endif
