/* launcher.h: the mpirun or daemon that started this process, and how to end it when it does not end by itself.
 *
 * A daemon of Open MPI that has lost its peers, or mpirun that waits for such a daemon, may wait for ever,
 * also after all of its ranks are gone. Only a direct parent that is mpirun (mpiexec, orterun, prterun) or one
 * of its daemons (orted, prted) is ever touched; the step daemon of SLURM, a shell or a container runtime is
 * not. Needs /proc; elsewhere no launcher is found. Not collective.
 */
#ifndef HS_MPI_COMM_LAUNCHER_H
#define HS_MPI_COMM_LAUNCHER_H

#include <sys/types.h>

typedef struct hs_launcher {
  pid_t pid;                /* 0: none that may be touched */
  unsigned long long start; /* in ticks since boot: tells it from a later process of the same number */
} hs_launcher_t;

/* To be called while all is well: a parent that is lost later is replaced by init or a reaper. */
hs_launcher_t hs_launcher_find(void);

/* Leave behind a process that gives the launcher `patience` seconds to end in order, sends SIGTERM, waits as
 * long again and sends SIGKILL. It holds no file open and ends as soon as the launcher is gone. May be called
 * from any thread, whatever the others do; nothing happens if no process can be made. */
void hs_launcher_end_later(const hs_launcher_t *launcher, double patience);

#endif
