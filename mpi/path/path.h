/* path.h: a whole path of beta, from settings to run file. */
#ifndef HS_MPI_PATH_PATH_H
#define HS_MPI_PATH_PATH_H

#include <mpi.h>

#include "settings/settings.h"

/* Solve the convex problem for path.points values of beta, from beta_max down to model.beta, each to solver.tolerance
 * and from where the last one ended; score each on the validation rows; keep the chosen one as the model of the run.
 * Returns HS_OK when all points reached their goal, HS_BUDGET when some were left at solver.max_iterations (a budget
 * of each point) or solver.max_seconds (of the path) ended it, and HS_INTERRUPTED when a signal did. What is done is
 * saved in all cases, with a checkpoint in the last two: the same command goes on at the point that was in hand.
 * Collective. */
hs_status_t hs_path(MPI_Comm comm, const hs_settings_t *settings);

#endif
