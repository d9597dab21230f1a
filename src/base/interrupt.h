/* interrupt.h: signals that a long run obeys. Not collective: ranks agree in a reduction.
 *
 *   SIGTERM, SIGINT, SIGUSR2   stop in good order, with a checkpoint
 *   SIGUSR1                    write a checkpoint and go on
 *
 * mpirun and srun pass SIGUSR1 and SIGUSR2 on to all ranks; mpirun answers SIGTERM by killing them.
 */
#ifndef HS_BASE_INTERRUPT_H
#define HS_BASE_INTERRUPT_H

#include <stdbool.h>

/* From now on these signals only raise flags. A second SIGINT ends the process at once. */
void hs_interrupt_watch(void);

/* Has a signal asked to stop? */
bool hs_interrupted(void);

/* Has a signal asked for a checkpoint since the last call? */
bool hs_checkpoint_asked(void);

/* A write beyond the limit of file sizes shall fail like one to a full disk rather than kill the process. */
void hs_interrupt_ignore_file_limit(void);

#endif
