#include "mpi/comm/watchdog.h"

#include <math.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/ticker.h"
#include "mpi/comm/launcher.h"

#define LOOKS 20        /* in the time of the limit */
#define LONGEST_LOOK 1. /* seconds between two looks */
#define STOPPED 2.      /* a look that is so many seconds late means that the process was stopped */
#define LATER 2.        /* seconds that rank 1 gives rank 0, rank 3 rank 1, and so on */
#define PATIENCE 30.    /* longest that the launcher is given to end by itself */

/* Written by the thread that calls MPI. Odd: inside a call. A look on that sees the same odd number as before
 * knows that it is still the same call, so that no clock is read around calls. */
static _Atomic uint64_t crossings;
static _Atomic(const char *) place;
static int depth;

static struct {
  hs_ticker_t *ticker;
  int rank, ranks;
  double seconds; /* the limit; 0: none */
  char host[64];
  hs_launcher_t launcher;
  uint64_t seen;    /* crossings at the last look */
  double waited;    /* seconds for which it has been the same odd number */
  bool interrupted; /* by a signal, before the limit was reached */
} dog;

void hs_watch_enter(const char *where)
{
  if (depth++ > 0) return;
  atomic_store_explicit(&place, where, memory_order_relaxed);
  uint64_t before = atomic_load_explicit(&crossings, memory_order_relaxed);
  atomic_store_explicit(&crossings, before + 1, memory_order_release);
}

void hs_watch_leave(void)
{
  if (--depth > 0) return;
  uint64_t before = atomic_load_explicit(&crossings, memory_order_relaxed);
  atomic_store_explicit(&crossings, before + 1, memory_order_release);
}

/* Not through stdio, whose locks another thread may hold, and only if a pipe that nobody reads any more does
 * not block it. */
static void tell(const char *message)
{
  struct pollfd stream = {.fd = STDERR_FILENO, .events = POLLOUT};
  if (poll(&stream, 1, 0) != 1 || (stream.revents & POLLOUT) == 0) return;
  ssize_t written = write(STDERR_FILENO, message, strlen(message));
  (void)written; /* there is nobody left to tell */
}

static void end_job(const char *where)
{
  char message[512];
  snprintf(message, sizeof message,
           "%shalfspace: error: rank %d on %s: waited %.0f s %s %.*s: another rank or the network does not "
           "answer (watchdog_seconds = %g; a checkpoint, if there is one, is whole)\n",
           isatty(STDERR_FILENO) ? "\r\033[K" : "", dog.rank, dog.host, floor(dog.waited),
           strncmp(where, "MPI_", 4) == 0 ? "in" : "while", (int)strcspn(where, "("), where, dog.seconds);
  hs_launcher_end_later(&dog.launcher, fmin(dog.seconds, PATIENCE));
  /* A signal after the limit comes from mpirun: another rank has spoken and left. */
  if (dog.interrupted || !hs_interrupted()) tell(message);
  _exit(HS_STALLED);
}

/* Time for mpirun to end the others after the first rank has left, so that one message is seen. */
static double limit(void)
{
  return dog.seconds + LATER * log2(dog.rank + 1);
}

static double look_seconds(void)
{
  return fmin(dog.seconds / LOOKS, LONGEST_LOOK);
}

static void look(void *unused, double passed)
{
  (void)unused;
  uint64_t now = atomic_load_explicit(&crossings, memory_order_acquire);
  bool waits = now % 2 == 1 && now == dog.seen;
  dog.seen = now;
  dog.waited = waits && passed < look_seconds() + STOPPED ? dog.waited + passed : 0;
  if (dog.waited < dog.seconds) dog.interrupted = hs_interrupted();
  if (dog.waited < limit()) return;
  const char *where = atomic_load_explicit(&place, memory_order_relaxed);
  atomic_thread_fence(memory_order_acquire);
  if (atomic_load_explicit(&crossings, memory_order_relaxed) == now) end_job(where);
}

hs_status_t hs_watchdog_set_seconds(double seconds)
{
  hs_ticker_stop(&dog.ticker);
  dog.seconds = seconds;
  dog.seen = 0;
  dog.waited = 0;
  return seconds > 0 && dog.ranks > 1 ? hs_ticker_start(&dog.ticker, look_seconds(), look, NULL) : HS_OK;
}

hs_status_t hs_watchdog_start(int rank, int ranks, double seconds)
{
  hs_watchdog_stop();
  dog.rank = rank;
  dog.ranks = ranks;
  dog.launcher = hs_launcher_find();
  if (gethostname(dog.host, sizeof dog.host) != 0) dog.host[0] = '\0';
  dog.host[sizeof dog.host - 1] = '\0';
  return hs_watchdog_set_seconds(seconds);
}

void hs_watchdog_stop(void)
{
  hs_ticker_stop(&dog.ticker);
}
