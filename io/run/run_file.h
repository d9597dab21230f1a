/* run_file.h: the run file, what training leaves behind: history, settings, bounds and model in one HDF5
 * file.
 *
 *   /history/FIELD        1-D, one entry per iteration; the fields of hs_history_row_t
 *   /model                gates [P, d], weights [P, d, C], shift [features], scale [features]
 *   /model/relu           W1 [d, m], W2 [m, C]; only when the model has a ReLU network
 *   /bounds/NAME          attributes value, kind, about
 *   /config               the resolved settings as YAML; its attributes say by what and where
 *   /status               attribute stop: running | converged | iterations | seconds | signal
 *
 * The file is made beside its name, as PATH.new.PID, and renamed when it is whole: an earlier run file is
 * replaced by a whole one or not at all. From then on it grows, and can be read at any time, also after the
 * writer was killed: rows up to the last flush are in it.
 *
 * One process writes (rank 0); nothing here is collective. Errors: HS_IO where the disk or the permissions
 * are at fault, HS_BAD_DATA where the contents of a file are.
 */
#ifndef HS_IO_RUN_RUN_FILE_H
#define HS_IO_RUN_RUN_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/history.h"
#include "model/model.h"

typedef struct hs_run hs_run_t;

/* Attributes of /config. Texts are borrowed by the writer and owned by the summary; NULL counts as "". */
typedef struct hs_provenance {
  char *version, *commit;
  int64_t ranks, threads;
  char *hosts, *mpi, *blas;
  char *hdf5; /* NULL when writing: the version of the library in use */
} hs_provenance_t;

/* What is known before the first iteration; attributes of /status. */
typedef struct hs_run_facts {
  int64_t rows;  /* samples over all ranks */
  int64_t gates; /* gates of the training problem; the model keeps those with non-zero weights */
  double beta, beta_max;
} hs_run_facts_t;

/* Make the file, with an empty history and stop = "running". On failure *run is NULL and whatever was at path
 * is untouched. */
hs_status_t hs_run_create(hs_run_t **run, const char *path, const char *config_yaml,
                          const hs_provenance_t *provenance);

/* Write or replace the facts; pricing rounds may change them. */
hs_status_t hs_run_write_facts(hs_run_t *run, const hs_run_facts_t *facts);

/* Add a row of history. Costs a copy; rows reach the disk at most every half second, and with every other
 * call below. */
hs_status_t hs_run_append(hs_run_t *run, const hs_history_row_t *row);

/* All rows so far, to the disk. */
hs_status_t hs_run_flush(hs_run_t *run);

/* Write or replace the model: gates and weights, with the ReLU network when model->neurons > 0. */
hs_status_t hs_run_write_model(hs_run_t *run, const hs_model_t *model);

/* Write or replace /bounds/NAME. kind: proved | estimated | attained. */
hs_status_t hs_run_write_bound(hs_run_t *run, const char *name, double value, const char *kind,
                               const char *about);

/* Say why the run ended, and the loss (the sum over the training rows, without penalty; NAN: not known). */
hs_status_t hs_run_finish(hs_run_t *run, const char *stop, double loss);

/* Flush and close. NULL is fine. Without hs_run_finish the file keeps stop = "running". */
hs_status_t hs_run_close(hs_run_t **run);

typedef struct hs_run_bound {
  char *name, *kind, *about; /* owned */
  double value;
} hs_run_bound_t;

typedef struct hs_run_summary {
  char *stop;            /* owned */
  int64_t iterations;    /* rows of history */
  hs_history_row_t last; /* all zero when there is none */
  hs_run_facts_t facts;  /* rows, gates -1 and beta NAN where the file does not tell */
  double loss;           /* NAN: not known */
  bool has_model;
  char *config;               /* owned */
  hs_provenance_t provenance; /* texts owned, never NULL */
  int bounds;
  hs_run_bound_t *bound; /* in alphabetical order, owned */
} hs_run_summary_t;

/* Does the file at path look like a run file? False for whatever cannot be opened. */
bool hs_run_is_run_file(const char *path);

/* HS_BAD_DATA for a foreign file, and for a run that has no model yet. *model is cleared on failure. */
hs_status_t hs_run_read_model(const char *path, hs_model_t *model);

/* *history is an array of *rows, owned by the caller (hs_free). */
hs_status_t hs_run_read_history(const char *path, int64_t *rows, hs_history_row_t **history);

hs_status_t hs_run_read_summary(const char *path, hs_run_summary_t *summary);
void hs_run_summary_clear(hs_run_summary_t *summary);

#endif
