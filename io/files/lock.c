#include "io/files/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files/lock_holder.h"
#include "io/files/lock_private.h"
#include "io/files/target.h"

#define ATTEMPTS 200        /* to catch a lock that changes hands */
#define BREATH_SECONDS 0.01 /* while another job clears a stale lock away */
#define RELEASE_ATTEMPTS 100

struct hs_lock {
  char *path;      /* of the output, as the caller says it */
  char *name;      /* of the lock file */
  char *temporary; /* beside it, until it has its name */
  char *aside;     /* where a stale lock goes */
  int file; /* open for as long as it is ours, so that its number in the file system is not given away */
  dev_t device;
  ino_t number;
  hs_lock_holder_t self;
  char text[HS_LOCK_TEXT];
  size_t length;
};

/* What is found under the name of a lock. */
typedef struct found {
  int file; /* kept open, so that its number in the file system is not given away; -1: we may not read it */
  struct stat info;
  hs_lock_text_t kind;
  hs_lock_holder_t holder; /* when HS_LOCK_WHOLE */
} found_t;

typedef enum answer {
  AGAIN, /* what was found is gone, or another file */
  STALE,
  ALIVE,
  INTERRUPTED
} answer_t;

static bool same_file(const struct stat *a, const struct stat *b)
{
  return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* The size too: the clock of files ticks slowly, and a text may be written in the tick in which its file was made. */
static bool untouched(const struct stat *a, const struct stat *b)
{
  return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_size == b->st_size;
}

static double seconds_between(const struct stat *earlier, const struct stat *later)
{
  return (double)(later->st_mtim.tv_sec - earlier->st_mtim.tv_sec) +
         1e-9 * (double)(later->st_mtim.tv_nsec - earlier->st_mtim.tv_nsec);
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void rest(double seconds)
{
  struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - floor(seconds)))};
  nanosleep(&time, NULL);
}

static hs_status_t cannot(const hs_lock_t *lock)
{
  return hs_fail(HS_IO, lock->path, NULL, "cannot be locked: %s: %s", lock->name, strerror(errno));
}

/* ---- our own file ---- */

static int write_text(const hs_lock_t *lock, int file)
{
  ssize_t put = write(file, lock->text, lock->length);
  if (put >= 0 && put != (ssize_t)lock->length) errno = ENOSPC;
  if (put != (ssize_t)lock->length) return -1;
  /* Other hosts see the text only once it has left this one. */
  return fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : -1;
}

static char *join(const char *a, const char *b)
{
  size_t size = strlen(a) + strlen(b) + 1;
  char *text = hs_alloc(size, 1, "name of the lock");
  if (text != NULL) snprintf(text, size, "%s%s", a, b);
  return text;
}

/* Names, and a file of our own under a temporary one. */
static hs_status_t prepare(hs_lock_t *lock, const char *path)
{
  char *target;
  hs_status_t status = hs_file_target(path, &target);
  if (status != HS_OK) return status;
  lock->path = join(path, "");
  lock->name = join(target, ".lock");
  lock->temporary = join(target, ".lock.XXXXXX");
  hs_free(target);
  if (lock->path == NULL || lock->name == NULL || lock->temporary == NULL) return HS_NO_MEMORY;
  hs_lock_holder_self(&lock->self);
  lock->length = hs_lock_holder_format(&lock->self, lock->text);
  lock->file = mkostemp(lock->temporary, O_CLOEXEC);
  if (lock->file < 0) {
    lock->temporary[0] = '\0'; /* there is nothing to remove */
    return cannot(lock);
  }
  lock->aside = join(lock->temporary, ".stale");
  if (lock->aside == NULL) return HS_NO_MEMORY;
  fchmod(lock->file, 0644);
  return write_text(lock, lock->file) == 0 ? HS_OK : cannot(lock);
}

static void discard(hs_lock_t *lock)
{
  if (lock->file >= 0) close(lock->file);
  if (lock->temporary != NULL && lock->temporary[0] != '\0') unlink(lock->temporary);
  hs_free(lock->path);
  hs_free(lock->name);
  hs_free(lock->temporary);
  hs_free(lock->aside);
  hs_free(lock);
}

/* Where files cannot have two names. A reader may meet this one before its text is in it. */
static int create_alone(hs_lock_t *lock)
{
  int file = open(lock->name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
  if (file < 0) return -1;
  if (write_text(lock, file) != 0) {
    int reason = errno;
    close(file);
    unlink(lock->name);
    errno = reason;
    return -1;
  }
  close(lock->file);
  lock->file = file;
  return 0;
}

/* Give our file the name of the lock. 0, or -1 with errno, EEXIST if the name is taken. */
static int put_name(hs_lock_t *lock, bool one_name)
{
  if (one_name) return create_alone(lock);
  if (link(lock->temporary, lock->name) == 0) return 0;
  int reason = errno;
  struct stat own;
  /* The answer of a server can get lost and the request be repeated: what counts is whether there are two names. */
  if (fstat(lock->file, &own) == 0 && own.st_nlink == 2) return 0;
  errno = reason;
  bool no_links = reason == EPERM || reason == ENOTSUP || reason == ENOSYS || reason == EMLINK;
  return no_links ? create_alone(lock) : -1;
}

/* ---- what others have put there ---- */

/* Opening makes a network file system ask its server, where looking at the name may be answered from memory.
 * False when there is nothing. */
static bool look(const char *name, struct stat *info)
{
  int file = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  bool there = file >= 0 ? fstat(file, info) == 0 : lstat(name, info) == 0;
  if (file >= 0) close(file);
  return there;
}

/* False when there is nothing. The file is to be closed by forget. */
static bool find(const char *name, found_t *found)
{
  char text[HS_LOCK_TEXT] = "";
  const int how = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  *found = (found_t){.kind = HS_LOCK_TORN};
  found->file = open(name, O_RDWR | how); /* network file systems lock only what is open for writing */
  if (found->file < 0) found->file = open(name, O_RDONLY | how);
  if (found->file < 0) return lstat(name, &found->info) == 0;
  bool there = fstat(found->file, &found->info) == 0;
  if (there && S_ISREG(found->info.st_mode) && read(found->file, text, sizeof text - 1) < 0) text[0] = '\0';
  found->kind = hs_lock_holder_parse(text, &found->holder);
  return there;
}

static void forget(found_t *found)
{
  if (found->file >= 0) close(found->file);
  found->file = -1;
}

static void name_holder(const found_t *found, char *text, size_t size)
{
  const hs_lock_holder_t *holder = &found->holder;
  if (found->kind != HS_LOCK_WHOLE)
    snprintf(text, size, "an unknown process");
  else
    snprintf(text, size, "process %" PRId64 " on %s%s%s", holder->pid, holder->host,
             holder->job[0] != '\0' ? ", SLURM job " : "", holder->job);
}

static hs_status_t refuse(const hs_lock_t *lock, const found_t *found)
{
  char who[300];
  name_holder(found, who, sizeof who);
  bool known = found->kind == HS_LOCK_WHOLE;
  if (known && hs_lock_holder_life(&found->holder, &lock->self) == HS_LOCK_ALIVE) {
    if (found->holder.pid == lock->self.pid)
      return hs_fail(HS_IO, lock->path, NULL,
                     "is an output of this run already (give each output a name of its own)");
    return hs_fail(HS_IO, lock->path, NULL,
                   "is being written by %s since %s (wait for it, or give another output.run)", who,
                   found->holder.time);
  }
  return hs_fail(
      HS_IO, lock->path, NULL,
      "is being written by %s%s%s (wait for it, or give another output.run; if it is dead all the same, "
      "remove %s)",
      who, known ? " since " : "", found->holder.time, lock->name);
}

/* Seconds since the last beat, by the clock of the file system, which has just touched a file of ours. */
static double age(const hs_lock_t *lock, const found_t *found)
{
  struct stat own;
  if (futimens(lock->file, NULL) != 0 || fstat(lock->file, &own) != 0) return 0;
  return fmax(0, seconds_between(&found->info, &own));
}

/* Look at it until it shows a sign of life or the time is over. */
static answer_t watch(const hs_lock_t *lock, const found_t *found, double seconds, double poll)
{
  for (double end = now() + seconds; now() < end;) {
    rest(fmin(poll, fmax(end - now(), 1e-3)));
    struct stat info;
    if (!look(lock->name, &info) || !same_file(&info, &found->info)) return AGAIN;
    if (!untouched(&info, &found->info)) return found->kind == HS_LOCK_WHOLE ? ALIVE : AGAIN;
    if (hs_interrupted()) return INTERRUPTED;
  }
  return STALE;
}

/* Of a holder that cannot be seen from here. */
static answer_t judge_by_beats(const hs_lock_t *lock, const found_t *found, const hs_lock_terms_t *terms,
                               bool *told)
{
  double silent = age(lock, found), left = terms->stale - silent;
  if (left <= 0) return STALE;
  char who[300];
  name_holder(found, who, sizeof who);
  if (!*told)
    hs_log("%s: locked by %s; waiting up to %.0f s for a sign of life", lock->path, who, ceil(left));
  *told = true;
  return watch(lock, found, left, terms->poll);
}

/* ---- taking over ---- */

static bool unchanged(const char *name, const found_t *found)
{
  struct stat info;
  return lstat(name, &info) == 0 && same_file(&info, &found->info) && untouched(&info, &found->info);
}

/* Move the stale file out of the way, and look whether it was the one. If it was not, put it back: a link, because
 * a third one may have taken the name meanwhile. */
static hs_status_t step_in(const hs_lock_t *lock, const found_t *found)
{
  if (!unchanged(lock->name, found)) return HS_OK;
  if (rename(lock->name, lock->aside) != 0) {
    if (errno == ENOENT) return HS_OK;
    return hs_fail(HS_IO, lock->path, NULL, "has a lock of a dead job that cannot be removed: %s: %s",
                   lock->name, strerror(errno));
  }
  if (!unchanged(lock->aside, found) && link(lock->aside, lock->name) != 0 && errno != EEXIST)
    rename(lock->aside, lock->name);
  unlink(lock->aside);
  return HS_OK;
}

/* The one who holds the system's lock on the stale file may remove it: exactly one, where the file system knows such
 * locks. Elsewhere two may get here together, and step_in sees to it. Forgetting the file gives the system's lock
 * back. */
static hs_status_t clear_away(const hs_lock_t *lock, const found_t *found)
{
  if (found->file >= 0 && flock(found->file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    rest(BREATH_SECONDS);
    return HS_OK;
  }
  return step_in(lock, found);
}

static hs_status_t judge(const hs_lock_t *lock, const found_t *found, const hs_lock_terms_t *terms,
                         bool *told)
{
  if (!S_ISREG(found->info.st_mode) || found->kind == HS_LOCK_FOREIGN)
    return hs_fail(
        HS_IO, lock->path, NULL,
        "cannot be locked: %s is not a lock of this program (remove it, or give another output.run)",
        lock->name);
  hs_lock_life_t life = HS_LOCK_ELSEWHERE;
  if (found->kind == HS_LOCK_WHOLE) life = hs_lock_holder_life(&found->holder, &lock->self);
  answer_t answer = life == HS_LOCK_ALIVE ? ALIVE : STALE;
  if (life == HS_LOCK_ELSEWHERE) answer = judge_by_beats(lock, found, terms, told);
  if (answer == ALIVE) return refuse(lock, found);
  if (answer == STALE) return clear_away(lock, found);
  if (answer == AGAIN) return HS_OK;
  return hs_fail(HS_INTERRUPTED, lock->path, NULL, "interrupted by a signal while waiting for %s",
                 lock->name);
}

/* The name is taken. HS_OK when it is worth another attempt. */
static hs_status_t deal_with_holder(const hs_lock_t *lock, const hs_lock_terms_t *terms, bool *told)
{
  found_t found;
  hs_status_t status = find(lock->name, &found) ? judge(lock, &found, terms, told) : HS_OK;
  forget(&found);
  return status;
}

static hs_status_t acquire(hs_lock_t *lock, const hs_lock_terms_t *terms)
{
  bool told = false;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (put_name(lock, terms->one_name) == 0) {
      struct stat own;
      if (fstat(lock->file, &own) != 0) return cannot(lock);
      lock->device = own.st_dev;
      lock->number = own.st_ino;
      return HS_OK;
    }
    if (errno != EEXIST) return cannot(lock);
    hs_status_t status = deal_with_holder(lock, terms, &told);
    if (status != HS_OK) return status;
  }
  return hs_fail(HS_IO, lock->path, NULL, "cannot be locked: %s changes hands all the time (try again)",
                 lock->name);
}

hs_status_t hs_lock_take_on(hs_lock_t **out, const char *path, const hs_lock_terms_t *terms)
{
  *out = NULL;
  hs_lock_t *lock = hs_alloc(1, sizeof *lock, "lock");
  if (lock == NULL) return HS_NO_MEMORY;
  lock->file = -1;
  hs_status_t status = prepare(lock, path);
  if (status == HS_OK) status = acquire(lock, terms);
  if (status != HS_OK) {
    discard(lock);
    return status;
  }
  unlink(lock->temporary);
  lock->temporary[0] = '\0';
  *out = lock;
  return HS_OK;
}

hs_status_t hs_lock_take(hs_lock_t **lock, const char *path)
{
  const hs_lock_terms_t terms = {.stale = HS_LOCK_STALE_SECONDS, .poll = 1};
  return hs_lock_take_on(lock, path, &terms);
}

/* ---- holding it ---- */

void hs_lock_beat(hs_lock_t *lock)
{
  /* There is nothing to be done about a failure: hs_lock_check finds out what it leads to. */
  if (lock != NULL) futimens(lock->file, NULL);
}

/* Is this the file we have made? Some file systems number files anew now and then: the text decides. */
static bool is_ours(const hs_lock_t *lock, const found_t *found)
{
  if (found->info.st_ino == lock->number && found->info.st_dev == lock->device) return true;
  char text[HS_LOCK_TEXT];
  if (found->kind != HS_LOCK_WHOLE) return false;
  return hs_lock_holder_format(&found->holder, text) == lock->length && strcmp(text, lock->text) == 0;
}

hs_status_t hs_lock_check(const hs_lock_t *lock)
{
  if (lock == NULL) return HS_OK;
  struct stat info;
  if (lstat(lock->name, &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return HS_OK;
    return hs_fail(HS_IO, lock->path, NULL, "its lock cannot be seen: %s: %s", lock->name, strerror(errno));
  }
  if (info.st_ino == lock->number && info.st_dev == lock->device) return HS_OK;
  found_t found;
  bool lost = find(lock->name, &found) && !is_ours(lock, &found);
  forget(&found);
  if (!lost) return HS_OK;
  if (found.kind != HS_LOCK_WHOLE)
    return hs_fail(HS_IO, lock->path, NULL, "was taken over by another job (see %s)", lock->name);
  return hs_fail(HS_IO, lock->path, NULL,
                 "was taken over by %s pid %" PRId64
                 " at %s, which took this job for dead (what was written until "
                 "then stays)",
                 found.holder.host, found.holder.pid, found.holder.time);
}

/* Somebody who looks whether it can be removed holds the system's lock on it for a moment. Whoever holds it for long is
 * about to remove it. */
static bool wait_for_file(const hs_lock_t *lock)
{
  for (int attempt = 0; attempt < RELEASE_ATTEMPTS; attempt++) {
    if (flock(lock->file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return true;
    rest(BREATH_SECONDS);
  }
  return false;
}

void hs_lock_release(hs_lock_t **out)
{
  hs_lock_t *lock = *out;
  *out = NULL;
  if (lock == NULL) return;
  found_t found;
  if (wait_for_file(lock)) {
    if (find(lock->name, &found) && is_ours(lock, &found)) unlink(lock->name);
    forget(&found);
  }
  discard(lock);
}
