/* Ticks come one after the other, tell the time that has passed, leave signals to the main thread, and end when
 * they are told to.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ticker.h"

typedef struct counter {
  atomic_int ticks, running, twice_at_once;
  double passed;
  pthread_t thread;
  long tick_nanoseconds; /* duration of a tick */
} counter_t;

static void wait_seconds(double seconds)
{
  struct timespec left = {.tv_sec = (time_t)seconds,
                          .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
  while (nanosleep(&left, &left) != 0) {
  }
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void count(void *context, double passed)
{
  counter_t *counter = context;
  if (atomic_fetch_add(&counter->running, 1) > 0) counter->twice_at_once += 1;
  counter->passed += passed;
  counter->thread = pthread_self();
  nanosleep(&(struct timespec){.tv_nsec = counter->tick_nanoseconds}, NULL);
  counter->running -= 1;
  counter->ticks += 1;
}

static void wait_for_ticks(counter_t *counter, int ticks)
{
  for (int tries = 0; tries < 2000 && counter->ticks < ticks; tries++) wait_seconds(0.01);
}

static void test_ticks(void **state)
{
  (void)state;
  counter_t counter = {0};
  hs_ticker_t *ticker = NULL;
  double begin = now();
  assert_int_equal(hs_ticker_start(&ticker, 0.02, count, &counter), HS_OK);
  wait_for_ticks(&counter, 10);
  hs_ticker_stop(&ticker);
  double seconds = now() - begin;
  assert_null(ticker);
  assert_true(counter.ticks >= 10);
  assert_false(pthread_equal(counter.thread, pthread_self()));
  assert_true(counter.passed >= 0.02 * counter.ticks - 1e-3); /* none came early */
  assert_true(counter.passed <= seconds);
}

/* Ticks that take longer than a period are neither heaped up nor run at the same time. */
static void test_slow_ticks(void **state)
{
  (void)state;
  counter_t counter = {.tick_nanoseconds = 50000000};
  hs_ticker_t *ticker = NULL;
  assert_int_equal(hs_ticker_start(&ticker, 0.01, count, &counter), HS_OK);
  wait_for_ticks(&counter, 5);
  hs_ticker_stop(&ticker);
  assert_true(counter.ticks >= 5);
  assert_int_equal(counter.twice_at_once, 0);
  assert_true(counter.passed >= 0.06 * (counter.ticks - 1)); /* the time within ticks has passed, too */
  assert_int_equal(counter.running, 0);                      /* stopping waited for the tick */
}

/* A long period does not delay the end; nothing is called after it. */
static void test_stop(void **state)
{
  (void)state;
  counter_t counter = {0};
  hs_ticker_t *ticker = NULL;
  assert_int_equal(hs_ticker_start(&ticker, 1000, count, &counter), HS_OK);
  hs_ticker_stop(&ticker);
  assert_int_equal(counter.ticks, 0);
  hs_ticker_stop(&ticker); /* nothing left to stop */
  assert_int_equal(hs_ticker_start(&ticker, 0.01, count, &counter), HS_OK);
  hs_ticker_stop(&ticker);
  int ticks = counter.ticks;
  wait_seconds(0.1);
  assert_int_equal(counter.ticks, ticks);
}

static volatile sig_atomic_t handled;

static void handle(int number)
{
  handled = number;
}

/* A signal that the main thread has blocked must wait for it: no other thread takes it. */
static void test_signals(void **state)
{
  (void)state;
  counter_t counter = {0};
  hs_ticker_t *ticker = NULL;
  sigset_t usr1, pending;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  signal(SIGUSR1, handle);
  assert_int_equal(hs_ticker_start(&ticker, 0.01, count, &counter), HS_OK);
  pthread_sigmask(SIG_BLOCK, &usr1, NULL);
  kill(getpid(), SIGUSR1);
  wait_for_ticks(&counter, 5);
  assert_int_equal(handled, 0);
  sigpending(&pending);
  assert_int_equal(sigismember(&pending, SIGUSR1), 1);
  pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
  assert_int_equal(handled, SIGUSR1);
  hs_ticker_stop(&ticker);
  signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ticks),
      cmocka_unit_test(test_slow_ticks),
      cmocka_unit_test(test_stop),
      cmocka_unit_test(test_signals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
