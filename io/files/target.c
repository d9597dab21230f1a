#include "io/files/target.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define MOST_LINKS 40 /* as many as the system itself follows */

/* Bytes of a path up to and with its last slash. */
static size_t folder_length(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

/* The first `kept` bytes of one text, then another. */
static char *join(const char *head, size_t kept, const char *tail)
{
  size_t length = strlen(tail);
  char *text = hs_alloc(kept + length + 1, 1, "name of a file");
  if (text == NULL) return NULL;
  memcpy(text, head, kept);
  memcpy(text + kept, tail, length);
  return text;
}

char *hs_file_folder(const char *path)
{
  size_t length = folder_length(path);
  return length > 0 ? join(path, length, "") : join("", 0, ".");
}

hs_status_t hs_file_target(const char *path, char **target)
{
  *target = NULL;
  char *at = join("", 0, path);
  char link[PATH_MAX];
  for (int followed = 0; at != NULL; followed++) {
    ssize_t length = readlink(at, link, sizeof link - 1);
    if (length < 0 && (errno == EINVAL || errno == ENOENT)) break; /* no link, or nothing yet */
    if (length < 0 || followed == MOST_LINKS) {
      hs_free(at);
      return hs_fail(HS_IO, path, NULL, "%s", strerror(length < 0 ? errno : ELOOP));
    }
    link[length] = '\0';
    char *next = join(at, link[0] == '/' ? 0 : folder_length(at), link);
    hs_free(at);
    at = next;
  }
  *target = at;
  return at != NULL ? HS_OK : HS_NO_MEMORY;
}
