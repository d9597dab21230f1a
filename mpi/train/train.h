/* train.h: a whole training run, from settings to run file. */
#ifndef HS_MPI_TRAIN_TRAIN_H
#define HS_MPI_TRAIN_TRAIN_H

#include <mpi.h>

#include "settings/settings.h"

/* Load the data, sample gates, solve, map to a ReLU network if asked for, and save. Returns HS_OK when the
 * gap reached its tolerance, HS_BUDGET when a budget ended the run first, and HS_INTERRUPTED when a signal did;
 * results are saved in all cases, and a checkpoint in the last two. A checkpoint that is there is gone on from. A
 * run file of an earlier run is replaced once the data have been read and checked. Collective. */
hs_status_t hs_train(MPI_Comm comm, const hs_settings_t *settings);

#endif
