/* Locks of outputs: one holder at a time, whoever died, was requeued or races for it.
 *
 * Holders are child processes that live or are killed. Holders elsewhere, and reused process numbers, are made by
 * editing the text of a lock file; silence, by setting its time back. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "io/files/lock_private.h"

static char folder[] = "/tmp/hs_lock_XXXXXX";
static char path[64], lock_file[80];

/* Nobody waits; waiting is short; waiting would be endless and is ended by the alarm. */
static const hs_lock_terms_t at_once = {.stale = 0.0, .poll = 0.01};
static const hs_lock_terms_t short_wait = {.stale = 0.5, .poll = 0.01};
static const hs_lock_terms_t no_wait = {.stale = 1e6, .poll = 0.01};

static void rest(double seconds)
{
  struct timespec time = {.tv_sec = (time_t)seconds,
                          .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
  nanosleep(&time, NULL);
}

/* ---- lock files ---- */

static void read_lock(char text[2000])
{
  FILE *file = fopen(lock_file, "r");
  assert_non_null(file);
  size_t length = fread(text, 1, 1999, file);
  text[length] = '\0';
  fclose(file);
}

static void write_lock(const char *text)
{
  FILE *file = fopen(lock_file, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* Another value in the line of a key. */
static void edit(const char *key, const char *value)
{
  char text[2000], edited[3000], start[40];
  read_lock(text);
  snprintf(start, sizeof start, "\n%s ", key);
  char *line = strstr(text, start);
  assert_non_null(line);
  char *rest_of_file = strchr(line + 1, '\n');
  snprintf(edited, sizeof edited, "%.*s%s%s%s", (int)(line - text), text, start, value, rest_of_file);
  write_lock(edited);
}

static void set_age(double seconds)
{
  struct timespec now, times[2];
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec -= (time_t)seconds;
  times[0] = times[1] = now;
  assert_int_equal(utimensat(AT_FDCWD, lock_file, times, 0), 0);
}

static bool exists(const char *name)
{
  return access(name, F_OK) == 0;
}

/* ---- holders ---- */

/* A child that takes the lock, then waits to be killed. beats: seconds between its beats, 0: none. */
static pid_t start_holder(double beats)
{
  int pipes[2];
  char ready = 0;
  assert_int_equal(pipe(pipes), 0);
  pid_t child = fork();
  if (child == 0) {
    hs_lock_t *lock;
    ready = hs_lock_take_on(&lock, path, &no_wait) == HS_OK;
    if (write(pipes[1], &ready, 1) != 1 || !ready) _exit(1);
    alarm(240);
    for (;;) {
      rest(beats > 0 ? beats : 60);
      hs_lock_beat(lock);
    }
  }
  close(pipes[1]);
  assert_int_equal(read(pipes[0], &ready, 1), 1);
  close(pipes[0]);
  assert_true(ready);
  return child;
}

static void bury(pid_t child)
{
  int ended;
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, &ended, 0), child);
}

static void take_and_release(const hs_lock_terms_t *terms)
{
  hs_lock_t *lock;
  hs_error_clear();
  alarm(240);
  hs_status_t status = hs_lock_take_on(&lock, path, terms);
  alarm(0);
  if (status != HS_OK) print_message("%s\n", hs_error_message());
  assert_int_equal(status, HS_OK);
  assert_int_equal(hs_lock_check(lock), HS_OK);
  hs_lock_release(&lock);
  assert_false(exists(lock_file));
}

static void assert_refused(const hs_lock_terms_t *terms, const char *saying)
{
  hs_lock_t *lock;
  hs_error_clear();
  alarm(240);
  assert_int_equal(hs_lock_take_on(&lock, path, terms), HS_IO);
  alarm(0);
  assert_null(lock);
  assert_non_null(strstr(hs_error_message(), path));
  if (strstr(hs_error_message(), saying) == NULL) print_message("%s\n", hs_error_message());
  assert_non_null(strstr(hs_error_message(), saying));
  hs_error_clear();
}

/* ---- one holder ---- */

static void test_text_and_release(void **state)
{
  (void)state;
  hs_lock_t *lock;
  setenv("SLURM_JOB_ID", "4711", 1);
  assert_int_equal(hs_lock_take(&lock, path), HS_OK);
  unsetenv("SLURM_JOB_ID");
  char text[2000], host[128] = "", line[200];
  read_lock(text);
  gethostname(host, sizeof host - 1);
  snprintf(line, sizeof line, "\nhost %s\npid %ld\n", host, (long)getpid());
  assert_non_null(strstr(text, line));
  assert_non_null(strstr(text, "\njob 4711\n"));
  assert_null(strstr(text, "\nstart 0\n"));
  hs_lock_release(&lock);
  assert_null(lock);
  assert_false(exists(lock_file));
  hs_lock_release(&lock);
  hs_lock_beat(NULL);
  assert_int_equal(hs_lock_check(NULL), HS_OK);
}

static void test_living_holder_is_respected(void **state)
{
  (void)state;
  char who[100], host[128] = "";
  gethostname(host, sizeof host - 1);
  pid_t holder = start_holder(0);
  snprintf(who, sizeof who, "is being written by process %ld on %.40s", (long)holder, host);
  /* Also a holder that has not beaten for long: it is here and it is there. */
  set_age(1000);
  assert_refused(&at_once, who);
  assert_refused(&at_once, "another output.run");
  bury(holder);
  take_and_release(&no_wait);
}

static void test_two_outputs_of_one_run(void **state)
{
  (void)state;
  hs_lock_t *lock;
  assert_int_equal(hs_lock_take(&lock, path), HS_OK);
  assert_refused(&at_once, "is an output of this run already");
  assert_int_equal(hs_lock_check(lock), HS_OK);
  hs_lock_release(&lock);
}

static void test_killed_holder(void **state)
{
  (void)state;
  bury(start_holder(0));
  assert_true(exists(lock_file));
  take_and_release(&no_wait);

  /* Dead, but nobody has asked for its exit code yet. */
  pid_t holder = start_holder(0);
  siginfo_t info;
  kill(holder, SIGKILL);
  assert_int_equal(waitid(P_PID, (id_t)holder, &info, WEXITED | WNOWAIT), 0);
  take_and_release(&no_wait);
  bury(holder);
}

static void test_reused_process_number(void **state)
{
  (void)state;
  pid_t other = start_holder(0);
  edit("start", "1");
  take_and_release(&no_wait);
  bury(other);
}

static void test_check_tells_of_a_takeover(void **state)
{
  (void)state;
  hs_lock_t *first, *second;
  assert_int_equal(hs_lock_take(&first, path), HS_OK);
  edit("start", "1"); /* as if this process were another one */
  assert_int_equal(hs_lock_take_on(&second, path, &no_wait), HS_OK);
  hs_error_clear();
  assert_int_equal(hs_lock_check(first), HS_IO);
  char who[60];
  snprintf(who, sizeof who, "pid %ld", (long)getpid());
  assert_non_null(strstr(hs_error_message(), "was taken over by"));
  assert_non_null(strstr(hs_error_message(), who));
  assert_non_null(strstr(hs_error_message(), path));
  hs_error_clear();

  /* The first one neither keeps the lock of the second alive nor removes it. */
  set_age(1000);
  struct stat before, after;
  stat(lock_file, &before);
  hs_lock_beat(first);
  hs_lock_release(&first);
  assert_int_equal(stat(lock_file, &after), 0);
  assert_true(before.st_mtime == after.st_mtime);
  assert_int_equal(hs_lock_check(second), HS_OK);
  hs_lock_beat(second);
  stat(lock_file, &after);
  assert_true(after.st_mtime > before.st_mtime + 900);
  hs_lock_release(&second);
  assert_false(exists(lock_file));
}

static void test_removed_by_hand(void **state)
{
  (void)state;
  hs_lock_t *lock;
  assert_int_equal(hs_lock_take(&lock, path), HS_OK);
  unlink(lock_file);
  hs_lock_beat(lock);
  assert_int_equal(hs_lock_check(lock), HS_OK);
  hs_lock_t *second;
  assert_int_equal(hs_lock_take(&second, path), HS_OK);
  assert_int_equal(hs_lock_check(lock), HS_IO);
  hs_error_clear();
  hs_lock_release(&lock);
  assert_int_equal(hs_lock_check(second), HS_OK);
  hs_lock_release(&second);
}

/* ---- holders elsewhere ---- */

/* A lock like that of a process on another host, without a process. */
static void leave_lock_of(const char *key, const char *value)
{
  pid_t holder = start_holder(0);
  edit(key, value);
  bury(holder);
}

static void test_silent_holder_elsewhere(void **state)
{
  (void)state;
  static const char *const keys[] = {"host", "boot", "space"};
  for (int k = 0; k < 3; k++) {
    pid_t here = start_holder(0); /* that its process is there says nothing */
    edit(keys[k], "elsewhere");
    set_age(30);
    take_and_release(&short_wait);
    bury(here);

    leave_lock_of(keys[k], "elsewhere"); /* that it is not there neither */
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    take_and_release(&short_wait);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true((double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec) > 0.3);
  }
  /* A time in the future, by a clock that was wrong, is no sign of life. */
  leave_lock_of("host", "elsewhere");
  set_age(-5000);
  take_and_release(&short_wait);
}

static void test_beating_holder_elsewhere(void **state)
{
  (void)state;
  static const hs_lock_terms_t long_wait = {.stale = 50, .poll = 0.01};
  pid_t holder = start_holder(0.05);
  edit("host", "elsewhere");
  assert_refused(&long_wait, "on elsewhere since");
  assert_refused(&long_wait, lock_file); /* says what to remove */
  edit("job", "99");
  assert_refused(&long_wait, "SLURM job 99");
  bury(holder);
  unlink(lock_file);
}

static void test_requeued_job(void **state)
{
  (void)state;
  leave_lock_of("host", "elsewhere");
  edit("job", "42");
  setenv("SLURM_JOB_ID", "42", 1);
  setenv("SLURM_RESTART_COUNT", "1", 1);
  take_and_release(&no_wait);

  /* Not requeued since: another step of the job may hold it. Of another job: its number says nothing. */
  pid_t holder = start_holder(0.05);
  edit("host", "elsewhere");
  assert_refused(&no_wait, "SLURM job 42");
  edit("restarts", "0");
  setenv("SLURM_JOB_ID", "43", 1);
  assert_refused(&no_wait, "SLURM job 42");
  bury(holder);
  unlink(lock_file);
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_RESTART_COUNT");
}

static void test_torn_and_foreign_files(void **state)
{
  (void)state;
  char text[2000];
  pid_t holder = start_holder(0);
  read_lock(text);
  bury(holder);
  static const size_t lengths[] = {100, 5, 0};
  for (int k = 0; k < 3; k++) {
    text[lengths[k]] = '\0';
    write_lock(text);
    set_age(30);
    take_and_release(&short_wait);
    write_lock(text);
    take_and_release(&short_wait); /* after a wait */
  }
  write_lock("kept by somebody else\n");
  set_age(1000);
  assert_refused(&at_once, "is not a lock of this program");
  assert_true(exists(lock_file));
  unlink(lock_file);
  assert_int_equal(mkdir(lock_file, 0777), 0);
  assert_refused(&at_once, "is not a lock of this program");
  assert_int_equal(rmdir(lock_file), 0);
}

/* A file that is being written while we look: the one who wrote it has the lock. */
static void test_text_that_comes_late(void **state)
{
  (void)state;
  char text[2000];
  pid_t holder = start_holder(0);
  read_lock(text);
  write_lock("");
  pid_t writer = fork();
  if (writer == 0) {
    rest(0.2);
    write_lock(text);
    _exit(0);
  }
  assert_refused(&no_wait, "is being written by process");
  bury(writer);
  bury(holder);
  unlink(lock_file);
}

static void test_signal_ends_the_wait(void **state)
{
  (void)state;
  leave_lock_of("host", "elsewhere");
  pid_t child = fork();
  if (child == 0) {
    hs_lock_t *lock;
    hs_interrupt_watch();
    raise(SIGTERM);
    alarm(240);
    hs_error_clear();
    bool right = hs_lock_take_on(&lock, path, &no_wait) == HS_INTERRUPTED && lock == NULL &&
                 strstr(hs_error_message(), "interrupted") != NULL;
    _exit(right ? 0 : 1);
  }
  int ended;
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
  unlink(lock_file);
}

/* ---- places ---- */

static void test_names_of_one_file(void **state)
{
  (void)state;
  char first[96], second[96];
  snprintf(first, sizeof first, "%s/first", folder);
  snprintf(second, sizeof second, "%s/second", folder);
  assert_int_equal(symlink("run.h5", first), 0); /* to a file that is not there yet */
  assert_int_equal(symlink(first, second), 0);
  hs_lock_t *lock, *other;
  assert_int_equal(hs_lock_take(&lock, second), HS_OK);
  assert_true(exists(lock_file));
  assert_refused(&at_once, "already");
  hs_lock_release(&lock);
  unlink(first);
  assert_int_equal(symlink(second, first), 0);
  hs_error_clear();
  assert_int_equal(hs_lock_take(&other, first), HS_IO); /* in a circle */
  hs_error_clear();
  unlink(first);
  unlink(second);
}

static void test_no_folder(void **state)
{
  (void)state;
  hs_lock_t *lock;
  char bad[96];
  snprintf(bad, sizeof bad, "%s/missing/run.h5", folder);
  hs_error_clear();
  assert_int_equal(hs_lock_take(&lock, bad), HS_IO);
  assert_null(lock);
  assert_non_null(strstr(hs_error_message(), bad));
  assert_non_null(strstr(hs_error_message(), "No such file or directory"));
  hs_error_clear();
}

/* ---- races ---- */

#define RACERS 4

typedef struct arena {
  volatile int waiting, go, done, winners, inside, clashes, taken;
  volatile int results[RACERS];
} arena_t;

static arena_t *make_arena(void)
{
  arena_t *arena = mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(arena != MAP_FAILED);
  return arena;
}

/* Start together, hold until all have an answer. */
static void race(arena_t *arena, int racer, const hs_lock_terms_t *terms)
{
  hs_lock_t *lock;
  alarm(240);
  __atomic_add_fetch(&arena->waiting, 1, __ATOMIC_SEQ_CST);
  while (!arena->go) sched_yield();
  hs_status_t status = hs_lock_take_on(&lock, path, terms);
  arena->results[racer] = (int)status;
  if (status == HS_OK) __atomic_add_fetch(&arena->winners, 1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&arena->done, 1, __ATOMIC_SEQ_CST);
  while (arena->done < RACERS) rest(1e-4);
  bool held = status != HS_OK || hs_lock_check(lock) == HS_OK;
  if (!held) fprintf(stderr, "%s\n", hs_error_message());
  _exit(held ? 0 : 1);
}

static void check_race(const hs_lock_terms_t *terms, int rounds, bool elsewhere)
{
  arena_t *arena = make_arena();
  for (int round = 0; round < rounds; round++) {
    if (round == 0) bury(start_holder(0));
    if (elsewhere) {
      edit("host", "elsewhere");
      set_age(1000);
    }
    *arena = (arena_t){0};
    pid_t racers[RACERS];
    for (int r = 0; r < RACERS; r++) {
      racers[r] = fork();
      if (racers[r] == 0) race(arena, r, terms);
    }
    while (arena->waiting < RACERS) sched_yield();
    arena->go = 1;
    for (int r = 0; r < RACERS; r++) {
      int ended;
      assert_int_equal(waitpid(racers[r], &ended, 0), racers[r]);
      assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
      assert_true(arena->results[r] == HS_OK || arena->results[r] == HS_IO);
    }
    assert_int_equal(arena->winners, 1);
    assert_true(exists(lock_file)); /* the winner is dead now: a stale lock for the next round */
  }
  munmap(arena, sizeof *arena);
  unlink(lock_file);
}

static void test_race_for_a_stale_lock(void **state)
{
  (void)state;
  check_race(&no_wait, 150, false);
  check_race(&short_wait, 50, true);
}

static void test_race_without_links(void **state)
{
  (void)state;
  hs_lock_terms_t terms = no_wait;
  terms.one_name = true;
  check_race(&terms, 150, false);
}

/* Take the lock again and again; a third of the holders die over it. */
static void scramble(arena_t *arena, int seed)
{
  hs_lock_t *lock;
  unsigned random = (unsigned)seed;
  alarm(240);
  for (;;) {
    hs_error_clear();
    if (hs_lock_take_on(&lock, path, &no_wait) == HS_OK) break;
    rest(0.0005);
  }
  if (__atomic_add_fetch(&arena->inside, 1, __ATOMIC_SEQ_CST) != 1)
    __atomic_add_fetch(&arena->clashes, 1, __ATOMIC_SEQ_CST);
  rest(1e-6 * (double)(rand_r(&random) % 1500));
  if (hs_lock_check(lock) != HS_OK) __atomic_add_fetch(&arena->clashes, 1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&arena->taken, 1, __ATOMIC_SEQ_CST);
  __atomic_sub_fetch(&arena->inside, 1, __ATOMIC_SEQ_CST);
  if (seed % 3 != 0) hs_lock_release(&lock);
  _exit(0);
}

static void test_scramble(void **state)
{
  (void)state;
  arena_t *arena = make_arena();
  int started = 0, running = 0, bad = 0;
  while (started < 300 || running > 0) {
    int ended;
    if (started < 300 && running < RACERS) {
      pid_t child = fork();
      if (child == 0) scramble(arena, started);
      started++, running++;
    } else {
      assert_true(wait(&ended) > 0);
      running--;
      bad += !(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    }
  }
  assert_int_equal(bad, 0);
  assert_int_equal(arena->clashes, 0);
  assert_int_equal(arena->taken, 300);
  munmap(arena, sizeof *arena);
  unlink(lock_file);
}

/* Holders that are killed at any moment of taking, beating and releasing. */
static void test_killed_at_any_moment(void **state)
{
  (void)state;
  for (int attempt = 0; attempt < 60; attempt++) {
    pid_t child = fork();
    if (child == 0) {
      alarm(240);
      for (;;) {
        hs_lock_t *lock;
        if (hs_lock_take_on(&lock, path, &no_wait) != HS_OK) _exit(1);
        hs_lock_beat(lock);
        hs_lock_release(&lock);
      }
    }
    rest(1e-5 * (double)(37 * attempt % 100) + 0.001);
    int ended;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended));
  }
  hs_lock_t *lock;
  hs_error_clear();
  assert_int_equal(hs_lock_take_on(&lock, path, &no_wait), HS_OK);
  hs_lock_release(&lock);
  assert_false(exists(lock_file));
}

static int make_folder(void **state)
{
  (void)state;
  hs_log_open(0, true);
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_RESTART_COUNT");
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(path, sizeof path, "%s/run.h5", folder);
  snprintf(lock_file, sizeof lock_file, "%s.lock", path);
  return 0;
}

/* A kill in the moment between two names leaves the second one. */
static int remove_folder(void **state)
{
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -f %s.??????", lock_file);
  if (system(command) != 0) return -1;
  return rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_and_release),
      cmocka_unit_test(test_living_holder_is_respected),
      cmocka_unit_test(test_two_outputs_of_one_run),
      cmocka_unit_test(test_killed_holder),
      cmocka_unit_test(test_reused_process_number),
      cmocka_unit_test(test_check_tells_of_a_takeover),
      cmocka_unit_test(test_removed_by_hand),
      cmocka_unit_test(test_silent_holder_elsewhere),
      cmocka_unit_test(test_beating_holder_elsewhere),
      cmocka_unit_test(test_requeued_job),
      cmocka_unit_test(test_torn_and_foreign_files),
      cmocka_unit_test(test_text_that_comes_late),
      cmocka_unit_test(test_signal_ends_the_wait),
      cmocka_unit_test(test_names_of_one_file),
      cmocka_unit_test(test_no_folder),
      cmocka_unit_test(test_race_for_a_stale_lock),
      cmocka_unit_test(test_race_without_links),
      cmocka_unit_test(test_scramble),
      cmocka_unit_test(test_killed_at_any_moment),
  };
  return cmocka_run_group_tests_name("lock", tests, make_folder, remove_folder);
}
