#include "base/ticker.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

struct hs_ticker {
  pthread_t thread;
  pthread_mutex_t lock; /* guards `ended` */
  pthread_cond_t wake;
  bool ended;
  double seconds;
  void (*tick)(void *context, double passed);
  void *context;
};

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Sleep for one period; false if the ticker was ended meanwhile. */
static bool sleep_one_period(hs_ticker_t *ticker)
{
  double end = now() + ticker->seconds;
  struct timespec until = {.tv_sec = (time_t)end, .tv_nsec = (long)(1e9 * (end - floor(end)))};
  pthread_mutex_lock(&ticker->lock);
  while (!ticker->ended && pthread_cond_timedwait(&ticker->wake, &ticker->lock, &until) == 0) {
  }
  bool goes_on = !ticker->ended;
  pthread_mutex_unlock(&ticker->lock);
  return goes_on;
}

static void *run(void *argument)
{
  hs_ticker_t *ticker = argument;
  double before = now();
  while (sleep_one_period(ticker)) {
    double passed = now() - before;
    before += passed;
    ticker->tick(ticker->context, passed);
  }
  return NULL;
}

/* A new thread has the signal mask of the one that makes it. */
static hs_status_t start_thread(hs_ticker_t *ticker)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(&ticker->thread, NULL, run, ticker);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code == 0 ? HS_OK : hs_fail(HS_NO_MEMORY, NULL, NULL, "cannot start a thread: %s", strerror(code));
}

static void release(hs_ticker_t *ticker)
{
  pthread_cond_destroy(&ticker->wake);
  pthread_mutex_destroy(&ticker->lock);
  hs_free(ticker);
}

hs_status_t hs_ticker_start(hs_ticker_t **ticker, double seconds, void (*tick)(void *context, double passed),
                            void *context)
{
  *ticker = NULL;
  hs_ticker_t *made = hs_alloc(1, sizeof *made, "ticker");
  if (made == NULL) return HS_NO_MEMORY;
  made->seconds = seconds;
  made->tick = tick;
  made->context = context;
  pthread_condattr_t clock;
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  pthread_cond_init(&made->wake, &clock);
  pthread_condattr_destroy(&clock);
  pthread_mutex_init(&made->lock, NULL);
  hs_status_t status = start_thread(made);
  if (status == HS_OK)
    *ticker = made;
  else
    release(made);
  return status;
}

void hs_ticker_stop(hs_ticker_t **ticker)
{
  if (*ticker == NULL) return;
  pthread_mutex_lock(&(*ticker)->lock);
  (*ticker)->ended = true;
  pthread_cond_signal(&(*ticker)->wake);
  pthread_mutex_unlock(&(*ticker)->lock);
  pthread_join((*ticker)->thread, NULL);
  release(*ticker);
  *ticker = NULL;
}
