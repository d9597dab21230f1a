/* ticker.h: a thread that calls a function every so many seconds, beside whatever the program does.
 *
 * The thread has all signals blocked, so that handlers run where they always did, on the main thread. It may
 * not call MPI (MPI_THREAD_FUNNELED) nor HDF5. Not collective.
 */
#ifndef HS_BASE_TICKER_H
#define HS_BASE_TICKER_H

#include "base/status.h"

typedef struct hs_ticker hs_ticker_t;

/* Call tick(context, passed) every `seconds` (> 0), the first time after one period, never twice at once.
 *   passed   seconds since the tick before, or since the start; much more than a period after a stop of the
 *            process: what was missed meanwhile is left out
 * HS_NO_MEMORY if there is no memory or no thread to be had; *ticker is NULL then. */
hs_status_t hs_ticker_start(hs_ticker_t **ticker, double seconds, void (*tick)(void *context, double passed),
                            void *context);

/* Wait for a running tick, end the thread, release everything, and set *ticker to NULL. Nothing if it is NULL.
 * Not from within a tick. */
void hs_ticker_stop(hs_ticker_t **ticker);

#endif
