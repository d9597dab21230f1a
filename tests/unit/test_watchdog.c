/* Which waits the watchdog ends, seen from outside: every case runs in a process of its own, whose exit code and
 * message are looked at. No MPI: waits are announced by hand.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mpi/comm/watchdog.h"

#define FOR_EVER 60 /* a wait that only the watchdog ends */

static char message[1000]; /* what the last process wrote to its stderr */

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

static void wait_in(const char *where, double seconds)
{
  hs_watch_enter(where);
  wait_seconds(seconds);
  hs_watch_leave();
}

/* Start a process that runs the case and ends with code 0 if nobody ends it. */
static pid_t start(void (*run)(void), int *read_end)
{
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    alarm(2 * FOR_EVER);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    run();
    hs_watchdog_stop();
    _exit(0);
  }
  close(ends[1]);
  *read_end = ends[0];
  return child;
}

/* The exit code; 128 + number after a signal. */
static int finish(pid_t child, int read_end)
{
  size_t length = 0;
  for (ssize_t got = 1; got > 0; length += (size_t)got) {
    got = read(read_end, message + length, sizeof message - 1 - length);
    if (got < 0) got = 0;
  }
  message[length] = '\0';
  close(read_end);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int code_of(void (*run)(void))
{
  int read_end;
  pid_t child = start(run, &read_end);
  return finish(child, read_end);
}

static void check_message(int rank, const char *where, const char *seconds)
{
  char host[64], expected[500];
  gethostname(host, sizeof host);
  snprintf(expected, sizeof expected,
           "halfspace: error: rank %d on %s: waited %s s %s: another rank or the network does not answer "
           "(watchdog_seconds = %s; a checkpoint, if there is one, is whole)\n",
           rank, host, seconds, where, seconds);
  assert_string_equal(message, expected);
}

static void wait_too_long(void)
{
  hs_watchdog_start(0, 2, 1);
  wait_in("MPI_Allreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, comm)", FOR_EVER);
}

static void read_too_long(void)
{
  hs_watchdog_start(0, 2, 1);
  wait_in("reading the data", FOR_EVER);
}

static void test_too_long(void **state)
{
  (void)state;
  assert_int_equal(code_of(wait_too_long), HS_STALLED);
  check_message(0, "in MPI_Allreduce", "1");
  assert_int_equal(code_of(read_too_long), HS_STALLED);
  check_message(0, "while reading the data", "1");
}

static void wait_on_rank_3(void)
{
  hs_watchdog_start(3, 4, 0.2);
  wait_in("MPI_Barrier(comm)", FOR_EVER);
}

/* The others leave the first word to rank 0. */
static void test_other_rank(void **state)
{
  (void)state;
  double begin = now();
  assert_int_equal(code_of(wait_on_rank_3), HS_STALLED);
  assert_true(now() - begin >= 4); /* 2 log2(3 + 1) */
  assert_non_null(strstr(message, "halfspace: error: rank 3 on "));
  assert_non_null(strstr(message, " in MPI_Barrier: "));
}

static void wait_often(void)
{
  hs_watchdog_start(0, 2, 1);
  for (int k = 0; k < 30; k++) wait_in("MPI_Barrier(comm)", 0.1);
}

static void compute(void)
{
  hs_watchdog_start(0, 2, 0.5);
  wait_in("MPI_Barrier(comm)", 0.01);
  wait_seconds(2);
}

/* What counts is one wait, not their sum, and not what lies between them. */
static void test_within_limit(void **state)
{
  (void)state;
  assert_int_equal(code_of(wait_often), 0);
  assert_string_equal(message, "");
  assert_int_equal(code_of(compute), 0);
  assert_string_equal(message, "");
}

static void poll_inside(void)
{
  hs_watchdog_start(0, 2, 1);
  hs_watch_enter("asking again and again");
  for (double begin = now(); now() - begin < FOR_EVER;) wait_in("MPI_Test(&request)", 0.01);
  hs_watch_leave();
}

static void compute_after_nested(void)
{
  hs_watchdog_start(0, 2, 0.5);
  hs_watch_enter("outside");
  wait_in("MPI_Barrier(comm)", 0.01);
  hs_watch_leave();
  wait_seconds(2);
}

static void test_nested(void **state)
{
  (void)state;
  assert_int_equal(code_of(poll_inside), HS_STALLED);
  check_message(0, "while asking again and again", "1");
  assert_int_equal(code_of(compute_after_nested), 0);
}

static void wait_without_start(void)
{
  wait_in("MPI_Barrier(comm)", 1);
}

static void wait_alone(void)
{
  hs_watchdog_start(0, 1, 0.2);
  wait_in("MPI_Barrier(comm)", 1);
}

static void wait_without_limit(void)
{
  hs_watchdog_start(0, 2, 0);
  wait_in("MPI_Barrier(comm)", 1);
}

static void wait_after_stop(void)
{
  hs_watchdog_start(0, 2, 0.2);
  hs_watchdog_stop();
  wait_in("MPI_Barrier(comm)", 1);
}

static void test_none(void **state)
{
  (void)state;
  assert_int_equal(code_of(wait_without_start), 0);
  assert_int_equal(code_of(wait_alone), 0);
  assert_int_equal(code_of(wait_without_limit), 0);
  assert_int_equal(code_of(wait_after_stop), 0);
}

static void switch_off(void)
{
  hs_watchdog_start(0, 2, 0.5);
  hs_watch_enter("MPI_Barrier(comm)");
  hs_watchdog_set_seconds(0);
  wait_seconds(2);
  hs_watch_leave();
}

static void switch_on(void)
{
  hs_watchdog_start(0, 2, 0);
  hs_watch_enter("MPI_Barrier(comm)");
  hs_watchdog_set_seconds(1);
  wait_seconds(FOR_EVER);
}

static void test_set_seconds(void **state)
{
  (void)state;
  assert_int_equal(code_of(switch_off), 0);
  assert_int_equal(code_of(switch_on), HS_STALLED);
  check_message(0, "in MPI_Barrier", "1");
}

/* In the wait when it is stopped, and for a while after it goes on: then the answer comes. */
static void wait_while_stopped(void)
{
  hs_watchdog_start(0, 2, 1);
  hs_watch_enter("MPI_Barrier(comm)");
  dprintf(STDERR_FILENO, "r");
  double begin = now();
  while (now() - begin < 2) wait_seconds(0.001);
  wait_seconds(0.3);
  hs_watch_leave();
}

/* A process that was stopped for longer than the limit gets all of the limit again. */
static void test_stopped(void **state)
{
  (void)state;
  int read_end;
  char ready;
  pid_t child = start(wait_while_stopped, &read_end);
  assert_int_equal(read(read_end, &ready, 1), 1);
  wait_seconds(0.3); /* the watchdog has seen the wait by now */
  kill(child, SIGSTOP);
  wait_seconds(4);
  kill(child, SIGCONT);
  assert_int_equal(finish(child, read_end), 0);
  assert_string_equal(message, "");
}

static void fill_stderr(void)
{
  char block[4096] = {0};
  fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
  while (write(STDERR_FILENO, block, sizeof block) > 0) {
  }
  fcntl(STDERR_FILENO, F_SETFL, 0);
  wait_too_long();
}

/* A stderr that nobody reads any more does not keep the process. */
static void test_full_stderr(void **state)
{
  (void)state;
  int read_end, status;
  pid_t child = start(fill_stderr, &read_end);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), HS_STALLED);
  close(read_end);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_too_long),     cmocka_unit_test(test_other_rank),
      cmocka_unit_test(test_within_limit), cmocka_unit_test(test_nested),
      cmocka_unit_test(test_none),         cmocka_unit_test(test_set_seconds),
      cmocka_unit_test(test_stopped),      cmocka_unit_test(test_full_stderr),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
