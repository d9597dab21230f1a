/* Only a parent with the name of mpirun or a daemon of Open MPI is ended, and only if it does not end by itself.
 *
 * Every case makes a process that calls itself by some name, and below it a "rank" that asks for its end and
 * leaves; how the process ended is looked at.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mpi/comm/launcher.h"

#define PATIENCE 0.5

typedef enum manner {
  WAITS,    /* until somebody ends it */
  DEAF,     /* the same, and ignores SIGTERM */
  STOPPED,  /* hears nothing at all */
  FINISHES, /* by itself, with code 8, once its rank has left */
  LASTS     /* longer than a launcher would be given, then code 8 */
} manner_t;

static void wait_seconds(double seconds)
{
  struct timespec left = {.tv_sec = (time_t)seconds,
                          .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
  while (nanosleep(&left, &left) != 0) {
  }
}

static void be_launcher(const char *name, manner_t manner)
{
  prctl(PR_SET_NAME, name);
  if (manner == DEAF) signal(SIGTERM, SIG_IGN);
  pid_t rank = fork();
  if (rank == 0) {
    hs_launcher_t launcher = hs_launcher_find();
    hs_launcher_end_later(&launcher, PATIENCE);
    _exit(0);
  }
  if (manner == STOPPED) raise(SIGSTOP);
  waitpid(rank, NULL, 0);
  if (manner == LASTS) wait_seconds(2.5 * PATIENCE);
  if (manner == FINISHES || manner == LASTS) _exit(8);
  wait_seconds(60);
  _exit(1);
}

/* The exit code of the launcher; 128 + number after a signal. */
static int end_of(const char *name, manner_t manner)
{
  int status;
  pid_t launcher = fork();
  assert_true(launcher >= 0);
  if (launcher == 0) be_launcher(name, manner);
  assert_int_equal(waitpid(launcher, &status, 0), launcher);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_hangs(void **state)
{
  (void)state;
  assert_int_equal(end_of("mpirun", WAITS), 128 + SIGTERM);
  assert_int_equal(end_of("orted", WAITS), 128 + SIGTERM);
  assert_int_equal(end_of("prted", DEAF), 128 + SIGKILL);
  assert_int_equal(end_of("orted", STOPPED), 128 + SIGKILL);
}

static void test_ends_by_itself(void **state)
{
  (void)state;
  assert_int_equal(end_of("mpirun", FINISHES), 8);
}

static void test_others(void **state)
{
  (void)state;
  assert_int_equal(end_of("slurmstepd", LASTS), 8);
  assert_int_equal(end_of("bash", LASTS), 8);
  assert_int_equal(end_of("mpirun2", LASTS), 8);
  assert_int_equal(end_of("a (mpirun) b", LASTS), 8);
}

/* A process with the number of the launcher, but not the one that was there at the start. */
static void test_another_process(void **state)
{
  (void)state;
  int status;
  pid_t process = fork();
  assert_true(process >= 0);
  if (process == 0) {
    wait_seconds(2.5 * PATIENCE);
    _exit(8);
  }
  hs_launcher_t stale = {.pid = process, .start = 1};
  hs_launcher_end_later(&stale, PATIENCE);
  assert_int_equal(waitpid(process, &status, 0), process);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 8);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hangs),
      cmocka_unit_test(test_ends_by_itself),
      cmocka_unit_test(test_others),
      cmocka_unit_test(test_another_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
