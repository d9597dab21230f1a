/* log.h: the one place that writes to stderr for a human reader.
 *
 * Rank 0 speaks; the other ranks are silent unless they are told to. Standard output is left to results
 * that programs read (--json). Not collective.
 */
#ifndef HS_BASE_LOG_H
#define HS_BASE_LOG_H

#include <stdbool.h>

/* Say which rank this is, and whether progress is wanted. Before the call, rank 0 is assumed. */
void hs_log_open(int rank, bool quiet);

/* A line of progress or result; rank 0 only, nothing when quiet. The newline is added. */
void hs_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "halfspace: warning: ..."; rank 0 only, also when quiet. */
void hs_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that replaces itself on a terminal; nothing elsewhere. NULL erases it. */
void hs_log_live(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Is stderr a terminal on this rank (and rank 0, and not quiet)? */
bool hs_log_is_live(void);

#endif
