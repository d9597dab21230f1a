/* status.h: what a function returns when something can go wrong, and the message that goes with it.
 *
 * A status is also the exit code of the program, so that nothing has to be translated on the way out.
 * The function that finds the fault calls hs_fail once, with all that a user needs to mend it; callers
 * pass the status up and say nothing. The command line prints the message when it leaves, once, from one
 * rank (mpi/comm/agree.h carries it there).
 */
#ifndef HS_BASE_STATUS_H
#define HS_BASE_STATUS_H

typedef enum hs_status {
  HS_OK = 0,
  HS_BAD_USAGE = 2,   /* command line or settings */
  HS_BAD_DATA = 3,    /* data or file contents */
  HS_BUDGET = 4,      /* stopped at a budget, results saved; not a failure */
  HS_NUMERICAL = 5,   /* a factorisation or the iteration broke down */
  HS_IO = 6,          /* disk full, permission, file vanished */
  HS_NO_MEMORY = 7,   /* an allocation failed */
  HS_STALLED = 8,     /* a rank or the network stopped answering; ended by the watchdog */
  HS_INTERRUPTED = 75 /* stopped by a signal with a checkpoint saved */
} hs_status_t;

/* Record "FILE: where: what is wrong (what would be right)" and return code. Not collective.
 *   file, where  may be NULL: then that part of the message is left out
 *   format       what is wrong, and in brackets what would be right
 * The first message since the last hs_error_clear wins: it is the cause, later ones are its consequences. */
hs_status_t hs_fail(hs_status_t code, const char *file, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The recorded message, "" if there is none. Valid until the next call of this module. */
const char *hs_error_message(void);

/* Record a message that was composed elsewhere, on another rank for instance. */
void hs_error_set(const char *message);

void hs_error_clear(void);

/* One sentence for each status. */
const char *hs_status_text(hs_status_t code);

#define HS_ERROR_LENGTH 1024 /* longest message, with the closing zero */

#endif
