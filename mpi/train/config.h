/* config.h: settings from a YAML file and the command line, alike on all ranks. */
#ifndef HS_MPI_TRAIN_CONFIG_H
#define HS_MPI_TRAIN_CONFIG_H

#include <mpi.h>

#include "settings/settings.h"

/* argv: [CONFIG.yaml | DATA.h5] key=value ... Rank 0 reads the file and all ranks parse the same text. A data
 * file in place of a configuration stands for data.train. Collective. */
hs_status_t hs_config_load(hs_settings_t *settings, MPI_Comm comm, int argc, char **argv);

#endif
