#include "io/files/lock_holder.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define FIRST_LINE "lock of halfspace\n"
#define LAST_LINE "end\n"
#define START_TOKEN                                                                                          \
  20 /* field 22 of /proc/PID/stat, counted from the one behind the name, which is the state */

/* Lines "KEY VALUE" of the file, in this order. */
typedef struct line {
  const char *key;
  size_t offset, size; /* in hs_lock_holder_t; size 0: a number */
} line_t;

#define TEXT(key, field)                                                                                     \
  {                                                                                                          \
    key, offsetof(hs_lock_holder_t, field), sizeof((hs_lock_holder_t *)NULL)->field                          \
  }
#define NUMBER(key, field)                                                                                   \
  {                                                                                                          \
    key, offsetof(hs_lock_holder_t, field), 0                                                                \
  }
static const line_t lines[] = {
    TEXT("host", host),   NUMBER("pid", pid), NUMBER("start", start),       TEXT("boot", boot),
    TEXT("space", space), TEXT("job", job),   NUMBER("restarts", restarts), TEXT("user", user),
    TEXT("time", time),   TEXT("mark", mark)};
#define LINES (sizeof lines / sizeof *lines)

/* Copy what fits; whatever could end a line becomes '_'. */
static void put_text(char *to, size_t size, const char *from)
{
  size_t k = 0;
  for (; from != NULL && from[k] != '\0' && k + 1 < size; k++)
    to[k] = (unsigned char)from[k] >= ' ' ? from[k] : '_';
  to[k] = '\0';
}

/* The first line of a small file of the system, "" where there is none. */
static void read_line(const char *path, char *line, size_t size)
{
  line[0] = '\0';
  FILE *file = fopen(path, "re");
  if (file == NULL) return;
  if (fgets(line, (int)size, file) == NULL) line[0] = '\0';
  line[strcspn(line, "\n")] = '\0';
  fclose(file);
}

/* State and start of a process. False where the system does not tell. */
static bool look_up(int64_t pid, char *state, int64_t *start)
{
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
  read_line(path, text, sizeof text);
  char *rest = strrchr(text, ')'); /* the name before it may hold anything */
  if (rest == NULL) return false;
  char *save = NULL, *token = strtok_r(rest + 1, " ", &save);
  if (token == NULL) return false;
  *state = token[0];
  for (int k = 1; k < START_TOKEN && token != NULL; k++) token = strtok_r(NULL, " ", &save);
  return token != NULL && hs_parse_int64(token, start);
}

static void put_user(hs_lock_holder_t *holder)
{
  const char *name = getenv("USER");
  if (name == NULL || name[0] == '\0') name = getenv("LOGNAME");
  if (name != NULL && name[0] != '\0')
    put_text(holder->user, sizeof holder->user, name);
  else
    snprintf(holder->user, sizeof holder->user, "user %ld", (long)getuid());
}

static void put_time(hs_lock_holder_t *holder)
{
  struct timespec now;
  struct tm local;
  clock_gettime(CLOCK_REALTIME, &now);
  if (localtime_r(&now.tv_sec, &local) != NULL)
    strftime(holder->time, sizeof holder->time, "%Y-%m-%d %H:%M:%S %z", &local);
  snprintf(holder->mark, sizeof holder->mark, "%" PRId64 ".%09ld", (int64_t)now.tv_sec, now.tv_nsec);
}

void hs_lock_holder_self(hs_lock_holder_t *holder)
{
  *holder = (hs_lock_holder_t){.pid = getpid()};
  if (gethostname(holder->host, sizeof holder->host - 1) != 0) snprintf(holder->host, 10, "localhost");
  read_line("/proc/sys/kernel/random/boot_id", holder->boot, sizeof holder->boot);
  char space[64];
  ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space - 1);
  space[length > 0 ? length : 0] = '\0';
  put_text(holder->space, sizeof holder->space, space);
  char state;
  look_up(holder->pid, &state, &holder->start);
  put_text(holder->job, sizeof holder->job, getenv("SLURM_JOB_ID"));
  const char *restarts = getenv("SLURM_RESTART_COUNT");
  if (restarts != NULL) hs_parse_int64(restarts, &holder->restarts);
  put_user(holder);
  put_time(holder);
}

size_t hs_lock_holder_format(const hs_lock_holder_t *holder, char text[HS_LOCK_TEXT])
{
  size_t used = (size_t)snprintf(text, HS_LOCK_TEXT, "%s", FIRST_LINE);
  for (size_t k = 0; k < LINES; k++) {
    const char *field = (const char *)holder + lines[k].offset;
    int64_t number;
    memcpy(&number, field, sizeof number);
    if (lines[k].size > 0)
      used += (size_t)snprintf(text + used, HS_LOCK_TEXT - used, "%s %s\n", lines[k].key, field);
    else
      used += (size_t)snprintf(text + used, HS_LOCK_TEXT - used, "%s %" PRId64 "\n", lines[k].key, number);
  }
  return used + (size_t)snprintf(text + used, HS_LOCK_TEXT - used, "%s", LAST_LINE);
}

/* Take in the line at *at and go on behind it. False when it is not the line that should be there. */
static bool take_line(const line_t *line, const char **at, hs_lock_holder_t *holder)
{
  size_t key = strlen(line->key), length = strcspn(*at, "\n");
  if ((*at)[length] != '\n' || length <= key || strncmp(*at, line->key, key) != 0 || (*at)[key] != ' ')
    return false;
  char value[HS_LOCK_TEXT], *field = (char *)holder + line->offset;
  snprintf(value, sizeof value, "%.*s", (int)(length - key - 1), *at + key + 1);
  *at += length + 1;
  if (line->size > 0) {
    put_text(field, line->size, value);
    return true;
  }
  int64_t number;
  if (!hs_parse_int64(value, &number)) return false;
  memcpy(field, &number, sizeof number);
  return true;
}

hs_lock_text_t hs_lock_holder_parse(const char *text, hs_lock_holder_t *holder)
{
  *holder = (hs_lock_holder_t){0};
  size_t length = strlen(text), first = strlen(FIRST_LINE);
  if (strncmp(text, FIRST_LINE, length < first ? length : first) != 0) return HS_LOCK_FOREIGN;
  const char *at = text + first;
  bool whole = length >= first;
  for (size_t k = 0; k < LINES && whole; k++) whole = take_line(&lines[k], &at, holder);
  if (!whole || strcmp(at, LAST_LINE) != 0 || holder->pid < 1 || holder->pid > INT_MAX) return HS_LOCK_TORN;
  return HS_LOCK_WHOLE;
}

/* One kernel, one set of process numbers. The name of the host too: copies of a virtual machine share the rest. */
static bool same_host(const hs_lock_holder_t *a, const hs_lock_holder_t *b)
{
  return strcmp(a->host, b->host) == 0 && strcmp(a->boot, b->boot) == 0 && strcmp(a->space, b->space) == 0;
}

static bool is_there(const hs_lock_holder_t *holder)
{
  if (kill((pid_t)holder->pid, 0) != 0 && errno == ESRCH) return false;
  char state;
  int64_t start;
  if (!look_up(holder->pid, &state, &start)) return true; /* hidden from us */
  if (state == 'Z' || state == 'X') return false;         /* dead, its parent has not asked yet */
  return holder->start == 0 || holder->start == start;
}

hs_lock_life_t hs_lock_holder_life(const hs_lock_holder_t *holder, const hs_lock_holder_t *self)
{
  if (same_host(holder, self)) return is_there(holder) ? HS_LOCK_ALIVE : HS_LOCK_GONE;
  bool requeued =
      holder->job[0] != '\0' && strcmp(holder->job, self->job) == 0 && holder->restarts < self->restarts;
  return requeued ? HS_LOCK_GONE : HS_LOCK_ELSEWHERE;
}
