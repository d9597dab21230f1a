/* run_file.h: the run file, what training leaves behind: history, settings, bounds and model in one HDF5
 * file.
 *
 *   /history/FIELD        1-D, one entry per iteration; the fields of hs_history_row_t. Rows from the attribute
 *                         polish_from of /status on are Newton steps
 *   /model                gates [P, d], weights [P, d, C], shift [features], scale [features]
 *   /model/relu           W1 [d, m], W2 [m, C]; only when the model has a ReLU network
 *   /bounds/NAME          attributes value, kind, about
 *   /config               the resolved settings as YAML; its attributes say by what and where
 *   /status               attribute stop: running | converged | iterations | seconds | signal; facts, times, loss, polish
 *
 * The file at its name is whole at every moment, for readers during the run and after a kill at any instruction: it is
 * kept in memory, and each flush writes all of it to PATH.new and renames that to PATH (io/files/replace.h). A flush
 * that fails, on a full disk or because the folder has vanished, is HS_IO with the reason; the version before stays on
 * the disk, and a later flush may succeed. Where PATH is a symbolic link, the file it leads to is written.
 *
 * A kill loses the rows since the last flush. That is half a second of rows; up to one second where a flush, which
 * costs time in proportion to the file, would otherwise take more than 5 % of the run; and with a disk so slow that a
 * flush takes over half a second, as much as it takes, and half of the time goes into flushes. Nothing is flushed while
 * nothing is called: before a long pause call hs_run_flush.
 *
 * One process writes (rank 0), and holds the lock of the file (io/files/lock.h); nothing here is collective. Errors:
 * HS_IO where the disk or the permissions are at fault, HS_BAD_DATA where the contents of a file are, HS_NO_MEMORY
 * where the file does not fit into memory: nothing is written any more then.
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

/* Where the time and the memory of a run went; attributes of /status with these names. NAN and -1: not known. */
typedef struct hs_run_times {
  double load_seconds;       /* reading and scaling the data */
  double setup_seconds;      /* kernels and factors before the first iteration, of the last part */
  double run_file_seconds;   /* writing this file, on rank 0 */
  double checkpoint_seconds; /* all checkpoints together */
  int64_t checkpoints;       /* how many were written */
  int64_t checkpoint_bytes;  /* of the last one */
  int64_t resumes;           /* how often the run went on from a checkpoint */
  int64_t peak_bytes;        /* memory, summed over ranks */
} hs_run_times_t;

/* By what means a result was reached; attributes of /status with these names. Texts are borrowed. */
typedef struct hs_run_method {
  const char *x_update;    /* "block-kernel", ... : what was used, also where the setting says auto */
  const char *products;    /* of the iteration: "float32" or "float64" */
  const char *certificate; /* how the bounds of the last row were computed */
} hs_run_method_t;

/* Newton's method at the end of a run; attributes of /status with the names in brackets. In its rows of history rho is
 * 1 / (blocks sigma), sigma the length of the proximal step; primal_residual and dual_residual tell how far the weights
 * are from the optimum and from the minimum of the step, in units of the square root of the objective. */
typedef struct hs_run_polish {
  int64_t from;    /* iteration of its first row (polish_from); 0: it has none, and no attribute */
  const char *end; /* converged | steps | seconds | signal | stalled | trouble (polish_end); NULL: going
                      on, and no further attributes */
  int64_t steps;   /* of Newton (polish_steps) */
  double seconds;  /* (polish_seconds) */
} hs_run_polish_t;

/* Make the file, with an empty history and stop = "running"; it is on the disk at once, whole, in the place of an
 * earlier one. On failure *run is NULL and whatever was at path is untouched. config_yaml, provenance: copied. */
hs_status_t hs_run_create(hs_run_t **run, const char *path, const char *config_yaml,
                          const hs_provenance_t *provenance);

/* Open an existing run file to add to it or to replace parts of it; nothing is written yet. HS_BAD_DATA when it is
 * none, HS_IO when it may not be written. Everything it holds is loaded into memory. */
hs_status_t hs_run_open(hs_run_t **run, const char *path);

/* Write or replace the facts; pricing rounds may change them. */
hs_status_t hs_run_write_facts(hs_run_t *run, const hs_run_facts_t *facts);

/* Write or replace the times; what is not known is not written. run_file_seconds is filled in by the run file itself,
 * with the time of all flushes so far, and once more by hs_run_finish. */
hs_status_t hs_run_write_times(hs_run_t *run, const hs_run_times_t *times);

/* Write or replace the method. */
hs_status_t hs_run_write_method(hs_run_t *run, const hs_run_method_t *method);

/* Write or replace what is told of the polish. */
hs_status_t hs_run_write_polish(hs_run_t *run, const hs_run_polish_t *polish);

/* Add a row of history; a row of the same iteration as the last one takes its place. Costs a copy, and now and then a
 * flush: at once when the row before came more than 0.2 s ago, else every half second (see above). */
hs_status_t hs_run_append(hs_run_t *run, const hs_history_row_t *row);

/* All rows and changes so far, to the disk. Does nothing when they are there. */
hs_status_t hs_run_flush(hs_run_t *run);

/* Write or replace the model: gates and weights, with the ReLU network when model->neurons > 0. */
hs_status_t hs_run_write_model(hs_run_t *run, const hs_model_t *model);

/* Write or replace /bounds/NAME. kind: proved | estimated | attained. This, facts and times flush at once where a flush
 * is cheap (under 50 ms); else several of them share one, at the latest that of hs_run_flush, _finish or _close. */
hs_status_t hs_run_write_bound(hs_run_t *run, const char *name, double value, const char *kind,
                               const char *about);

/* Say why the run ended, and the loss (the sum over the training rows, without penalty; NAN: not known). Everything is
 * on the disk when it returns HS_OK, and would outlive the machine. */
hs_status_t hs_run_finish(hs_run_t *run, const char *stop, double loss);

/* Flush what is not on the disk yet, and close. NULL is fine. Without hs_run_finish the file keeps its stop. */
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
  hs_run_times_t times;  /* NAN and -1 where the file does not tell */
  int64_t polish_from;   /* iteration of the first row that is a Newton step; 0: none */
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
