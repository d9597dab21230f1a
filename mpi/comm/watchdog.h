/* watchdog.h: ends a job in which an MPI call never returns.
 *
 * When a node dies or is cut off, MPI goes on waiting, for ever and at full speed. Every call that may wait for
 * other ranks is therefore announced by hs_watch_enter and hs_watch_leave, which HS_MPI (mpi/comm/agree.h) does
 * by itself, and a thread looks on. A process that has been inside one announced call for longer than the limit
 * says so on stderr and ends with exit code HS_STALLED, which makes mpirun and srun end the others. mpirun and
 * its daemons may wait for a lost peer in their turn and are ended, too (mpi/comm/launcher.h).
 *
 *   - A process that computes or reads is not waiting and is never ended by its own watchdog. It may make the
 *     others wait: the limit must be longer than what one rank ever does while the others wait for it.
 *   - After a stop of the process itself (SIGSTOP, a debugger, a suspended machine) the count begins anew.
 *   - The watchdog cannot tell a lost rank from a slow one, and knows nothing of the cause.
 */
#ifndef HS_MPI_COMM_WATCHDOG_H
#define HS_MPI_COMM_WATCHDOG_H

#include "base/status.h"

/* Start looking on. Not collective; pass the status to hs_agree.
 *   rank, ranks   of the communicator of the job; with one rank there is nobody to wait for: no watchdog
 *   seconds       the limit; 0: no watchdog. Rank 0 ends the job at the limit, rank r 2 log2(r + 1) seconds
 *                 later, so that one message is seen
 * A second call replaces the limit. HS_NO_MEMORY: no thread could be made. */
hs_status_t hs_watchdog_start(int rank, int ranks, double seconds);

/* Another limit from now on (seconds >= 0); only after hs_watchdog_start. */
hs_status_t hs_watchdog_set_seconds(double seconds);

/* End the thread. Nothing happens if there is none. */
void hs_watchdog_stop(void);

/* This process is about to wait for others, in `where`: the text of an MPI call ("MPI_Barrier(comm)"; what
 * follows the name is not shown) or what is being done ("reading the data"). The text must stay where it is
 * for as long as the process runs. To be put around one library call that ends by itself within the limit
 * when all is well, not around a loop of them. Pairs may be nested: then the outermost counts. Costs ten
 * nanoseconds or so, with and without a watchdog. Only from the thread that calls MPI. */
void hs_watch_enter(const char *where);
void hs_watch_leave(void);

#endif
