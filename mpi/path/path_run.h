/* path_run.h: one run along a path, and all it holds. For mpi/path alone. */
#ifndef HS_MPI_PATH_PATH_RUN_H
#define HS_MPI_PATH_PATH_RUN_H

#include "io/run/run_path.h"
#include "mpi/path/kept_weights.h"
#include "mpi/path/validation.h"
#include "mpi/path/warm_start.h"
#include "mpi/train/network_stage.h"
#include "mpi/train/outputs.h"
#include "mpi/train/setup.h"
#include "mpi/x_update/choose.h"

typedef struct hs_path_run {
  MPI_Comm comm;
  int rank;
  const hs_settings_t *settings;
  hs_setup_t setup;
  hs_validation_t validation;
  hs_outputs_t outputs;
  hs_solve_options_t options;
  hs_solver_t *solver;
  hs_warm_start_t warm;
  int points, done;       /* of the grid; behind us */
  double *beta;           /* points, owned */
  hs_path_point_t *point; /* points, owned */
  hs_kept_weights_t kept; /* of all points, or of the chosen one so far */
  bool keep_all;
  hs_history_row_t
      behind; /* last row of the history at the end of the last point: clocks and counts go on from it */
  hs_history_row_t latest; /* last row of the history */
  double begin;            /* MPI_Wtime, as if the run had never paused */
  double saved_at;         /* MPI_Wtime of the last checkpoint, or of the start */
  double live_at;          /* of the last live line */
  double setup_seconds;
  bool asked;     /* for a checkpoint, by a signal to this rank */
  int resumed_at; /* points done then */
  hs_stop_t stop;
} hs_path_run_t;

/* Write a checkpoint: the points that are done and the start of the next one. Collective. */
hs_status_t hs_path_save_state(hs_path_run_t *run, const char *stop);

/* The kind of x-update that the checkpoint was found with. HS_BAD_USAGE when it is none of a path. Collective. */
hs_status_t hs_path_stored_kind(hs_path_run_t *run, hs_x_kind_t *kind);

/* Settle options.x_update: as set, that of the checkpoint, or what is done soonest along a path.
 *   estimates  HS_X_KINDS of them, of one solve each
 * Collective. */
hs_status_t hs_path_choose_kind(hs_path_run_t *run, hs_x_estimate_t *estimates);

/* Take up what the checkpoint holds, which was found; with the solver just created. Collective. */
hs_status_t hs_path_restore_state(hs_path_run_t *run);

/* Lines on the screen. Rank 0; not collective. */
void hs_path_print_banner(const hs_path_run_t *run, const hs_provenance_t *provenance);
void hs_path_print_resumed(const hs_path_run_t *run);
void hs_path_print_heading(const hs_path_run_t *run);
void hs_path_print_point(const hs_path_run_t *run, int k);
void hs_path_print_live(hs_path_run_t *run, const hs_history_row_t *row);
void hs_path_print_summary(const hs_path_run_t *run, const hs_run_path_t *result,
                           const hs_network_result_t *network);

#endif
