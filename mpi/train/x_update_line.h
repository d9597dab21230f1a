/* x_update_line.h: the banner's words on the x-update: which one, and what each is estimated to cost. */
#ifndef HS_MPI_TRAIN_X_UPDATE_LINE_H
#define HS_MPI_TRAIN_X_UPDATE_LINE_H

#include "mpi/data/partition.h"
#include "mpi/x_update/choose.h"

/*   given      what the settings say; HS_X_AUTO: the choice was the model's
 *   kind       what is used
 *   estimates  HS_X_KINDS of them
 * Rank 0; not collective. */
void hs_x_update_print(hs_x_kind_t given, hs_x_kind_t kind, const hs_x_estimate_t *estimates,
                       const hs_partition_t *partition);

#endif
