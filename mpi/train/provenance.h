/* provenance.h: by what, where and on how many ranks a run was made. */
#ifndef HS_MPI_TRAIN_PROVENANCE_H
#define HS_MPI_TRAIN_PROVENANCE_H

#include <mpi.h>

#include "io/run/run_file.h"

/* Texts are static or owned by the module until the next call. hosts is complete on rank 0. Collective. */
hs_provenance_t hs_provenance_collect(MPI_Comm comm);

#endif
