/* lock.h: one job at a time writes an output.
 *
 * The lock of PATH is a small text file PATH.lock, beside the file that PATH leads to. It says who holds it: host,
 * process, start of the process, boot, namespace of process numbers, batch job, user, time. It works where locks of the
 * system do not, on network file systems. One process of a job (rank 0) holds it; nothing here is collective.
 *
 * A holder that died without releasing leaves a stale lock, which the next one takes over:
 *   same host      the system says whether the process is still there; waiting is never needed
 *   same SLURM job requeued since: its earlier start is over
 *   elsewhere      the holder beats every few seconds. A lock without a beat for 60 seconds is stale; a younger one is
 *                  watched until it beats, and then it is refused, or until the 60 seconds are over.
 * Ages are differences of times that the file system gives, so that clocks of hosts may differ.
 *
 * A holder that was merely stopped for so long, and goes on, learns from hs_lock_check that it has lost the output.
 */
#ifndef HS_IO_FILES_LOCK_H
#define HS_IO_FILES_LOCK_H

#include "base/status.h"

typedef struct hs_lock hs_lock_t;

/* Take the lock of the output at path, before anything is written there. The output itself need not exist.
 * May wait for HS_LOCK_STALE_SECONDS, and says so on the log. HS_IO when another job holds it, or the lock cannot be
 * made; HS_INTERRUPTED when a signal (base/interrupt.h) ends the waiting; *lock is NULL then. */
hs_status_t hs_lock_take(hs_lock_t **lock, const char *path);

/* A sign of life, to be given every few seconds (at most HS_LOCK_BEAT_SECONDS apart). One call of the system, on the
 * file that was made and on no other. Any thread may call it, until hs_lock_release is called: it allocates nothing and
 * reports nothing. NULL is fine. */
void hs_lock_beat(hs_lock_t *lock);

/* Is the output still ours? HS_IO, with the name of the new holder, when another job has taken it over: write no more.
 * A lock file that somebody removed is no reason to stop. Costs a look at one name; call it before each write. NULL is
 * fine. */
hs_status_t hs_lock_check(const hs_lock_t *lock);

/* Give it back: removes the lock file if it is still ours. NULL is fine. */
void hs_lock_release(hs_lock_t **lock);

#define HS_LOCK_STALE_SECONDS 60
#define HS_LOCK_BEAT_SECONDS 10

#endif
