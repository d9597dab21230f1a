/* agree.h: one place where ranks agree on failures, and where a failure of MPI itself ends the job.
 *
 * The rule that keeps jobs from hanging: between two collectives a local failure is kept in a
 * status; then hs_agree; then all ranks branch together.
 */
#ifndef HS_MPI_COMM_AGREE_H
#define HS_MPI_COMM_AGREE_H

#include <mpi.h>

#include "base/status.h"
#include "mpi/comm/watchdog.h"

/* Every rank returns the largest status passed by any rank; if that is not HS_OK, the message of
 * the lowest rank that holds it becomes the message of all ranks. Collective. */
hs_status_t hs_agree(MPI_Comm comm, hs_status_t local);

/* Make an MPI call under the eyes of the watchdog and check it. After a failure of MPI there is no agreeing:
 * print and MPI_Abort. */
#define HS_MPI(call) (hs_watch_enter(#call), hs_mpi_check((call), #call, __FILE__, __LINE__))
void hs_mpi_check(int code, const char *call, const char *file, int line);

int hs_rank(MPI_Comm comm);
int hs_ranks(MPI_Comm comm);

/* Number of ranks of comm on this node. Collective. */
int hs_ranks_on_node(MPI_Comm comm);

#endif
