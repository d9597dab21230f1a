#include "io/files/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/files/target.h"

#define PIECE ((size_t)1 << 30) /* bytes of one call of the system, which takes a little less than 2^31 */

/* All of these return 0, or -1 with errno set. */
static int write_all(int file, const char *content, size_t bytes)
{
  while (bytes > 0) {
    ssize_t put = write(file, content, bytes < PIECE ? bytes : PIECE);
    if (put < 0 && errno == EINTR) continue;
    if (put == 0) errno = ENOSPC;
    if (put <= 0) return -1;
    content += put;
    bytes -= (size_t)put;
  }
  return 0;
}

/* Some file systems have nothing to bring to the disk and say so. */
static int sync_file(int file)
{
  return fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : -1;
}

static int sync_folder(const char *path)
{
  char *folder = hs_file_folder(path);
  int file = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  hs_free(folder);
  if (file < 0) return 0; /* one may write into a folder and not be allowed to open it */
  int result = sync_file(file), reason = errno;
  close(file);
  errno = reason;
  return result;
}

/* What is replaced by a rename must be an ordinary file: /dev/null, for one, must not. */
static int look_at(const char *path, struct stat *earlier, bool *there)
{
  *there = lstat(path, earlier) == 0;
  if (!*there) return errno == ENOENT ? 0 : -1;
  if (S_ISREG(earlier->st_mode)) return 0;
  errno = S_ISDIR(earlier->st_mode) ? EISDIR : EINVAL;
  return -1;
}

/* Is the name still that of the file we have written? Not if another program took us for dead. */
static int still_ours(const char *name, const struct stat *written)
{
  struct stat named;
  if (lstat(name, &named) != 0) return -1;
  if (named.st_ino == written->st_ino && named.st_dev == written->st_dev) return 0;
  errno = EBUSY;
  return -1;
}

static int fill(const char *temporary, int file, const struct stat *earlier, const void *content,
                size_t bytes, bool durable)
{
  struct stat written;
  if (earlier != NULL) fchmod(file, earlier->st_mode & 0777); /* where file systems know permissions */
  int result = write_all(file, content, bytes);
  if (result == 0 && durable) result = sync_file(file);
  if (result == 0) result = fstat(file, &written);
  int reason = errno;
  if (close(file) != 0 && result == 0) return -1; /* network file systems tell of a full disk only here */
  errno = reason;
  return result == 0 ? still_ours(temporary, &written) : -1;
}

static int replace(const char *path, const char *temporary, const void *content, size_t bytes, bool durable)
{
  struct stat earlier;
  bool there;
  if (look_at(path, &earlier, &there) != 0) return -1;
  /* A new file in any case: a writer that was taken for dead may still hold the old one open. */
  if (unlink(temporary) != 0 && errno != ENOENT) return -1;
  int file = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  if (file < 0) return -1;
  if (fill(temporary, file, there ? &earlier : NULL, content, bytes, durable) == 0 &&
      rename(temporary, path) == 0)
    return durable ? sync_folder(path) : 0;
  int reason = errno;
  if (reason != EBUSY) unlink(temporary);
  errno = reason;
  return -1;
}

hs_status_t hs_file_replace(const char *path, const void *content, size_t bytes, bool durable)
{
  size_t size = strlen(path) + 8;
  char *temporary = hs_alloc(size, 1, "name of a file");
  if (temporary == NULL) return HS_NO_MEMORY;
  snprintf(temporary, size, "%s.new", path);
  hs_status_t status = HS_OK;
  if (replace(path, temporary, content, bytes, durable) != 0)
    status = hs_fail(HS_IO, path, NULL, "cannot be written: %s", strerror(errno));
  hs_free(temporary);
  return status;
}
