#include "mpi/comm/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STEP 0.1 /* seconds between two looks at the launcher */

typedef struct process {
  char name[32];
  char state;
  unsigned long long start;
} process_t;

/* The first line of /proc/PID/stat is "PID (NAME) STATE ...", with the start in column 22; the name may hold
 * blanks and brackets. Also called in a process that was forked from one with threads: no stdio, no malloc. */
static bool look_up(pid_t pid, process_t *process)
{
  char path[40], text[1024];
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return false;
  text[length] = '\0';
  char *name = strchr(text, '('), *end = strrchr(text, ')');
  if (name == NULL || end == NULL || end < name || end[1] != ' ') return false;
  *end = '\0';
  snprintf(process->name, sizeof process->name, "%s", name + 1);
  char *field = end + 2; /* column 3 */
  process->state = *field;
  for (int column = 3; column < 22 && field != NULL; column++) {
    field = strchr(field, ' ');
    if (field != NULL) field += 1;
  }
  process->start = field != NULL ? strtoull(field, NULL, 10) : 0;
  return process->start != 0;
}

hs_launcher_t hs_launcher_find(void)
{
  static const char *const names[] = {"mpirun", "mpiexec", "orterun", "prterun", "orted", "prted"};
  process_t parent;
  pid_t pid = getppid();
  if (!look_up(pid, &parent)) return (hs_launcher_t){0};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(parent.name, names[i]) == 0) return (hs_launcher_t){.pid = pid, .start = parent.start};
  return (hs_launcher_t){0};
}

static bool is_there(const hs_launcher_t *launcher)
{
  process_t process;
  return look_up(launcher->pid, &process) && process.start == launcher->start && process.state != 'Z';
}

/* True if the launcher is gone within so many seconds. */
static bool is_gone_within(const hs_launcher_t *launcher, double seconds)
{
  for (double waited = 0; waited < seconds; waited += STEP) {
    if (!is_there(launcher)) return true;
    nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * STEP)}, NULL);
  }
  return !is_there(launcher);
}

/* Pipes that are held open would keep the launcher waiting for their end. */
static void close_files(void)
{
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 0U, ~0U, 0U) == 0) return;
#endif
  long most = sysconf(_SC_OPEN_MAX);
  if (most < 0 || most > 65536) most = 65536;
  for (int file = 0; file < (int)most; file++) close(file);
}

void hs_launcher_end_later(const hs_launcher_t *launcher, double patience)
{
  if (launcher->pid == 0) return;
  /* Not fork(): it runs the handlers of all libraries first, and one of them may wait for a lock that the
   * thread that hangs in MPI holds. */
  if (syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L) != 0) return;
  setpgid(0, 0); /* the launcher ends its ranks by process group */
  close_files();
  if (!is_gone_within(launcher, patience)) {
    /* mpirun of Open MPI 4 cleans up on SIGTERM and then crashes: without a core file, at least. */
    prlimit(launcher->pid, RLIMIT_CORE, &(struct rlimit){0}, NULL);
    kill(launcher->pid, SIGTERM);
  }
  if (!is_gone_within(launcher, patience)) kill(launcher->pid, SIGKILL);
  _exit(0);
}
