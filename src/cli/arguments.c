#include "cli/arguments.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define MOST_KNOWN 16

static hs_status_t unknown(const char *word, size_t length, const char *dashes, const char *equals,
                           const hs_argument_t *known, int count, bool flags)
{
  const char *names[MOST_KNOWN];
  int candidates = 0;
  for (int i = 0; i < count && candidates < MOST_KNOWN; i++)
    if ((known[i].flag != NULL) == flags) names[candidates++] = known[i].name;
  char name[64];
  size_t kept = length < sizeof name ? length : sizeof name - 1;
  memcpy(name, word, kept);
  name[kept] = '\0';
  const char *near = hs_nearest(name, names, candidates);
  if (near != NULL)
    return hs_fail(HS_BAD_USAGE, NULL, NULL, "unknown %s%s%s (did you mean %s%s%s?)", dashes, name, equals,
                   dashes, near, equals);
  return hs_fail(HS_BAD_USAGE, NULL, NULL, "unknown %s%s%s (--help lists what this command takes)", dashes,
                 name, equals);
}

static hs_status_t take_flag(const char *word, const hs_argument_t *known, int count)
{
  for (int i = 0; i < count; i++)
    if (known[i].flag != NULL && strcmp(known[i].name, word) == 0) {
      *known[i].flag = true;
      return HS_OK;
    }
  return unknown(word, strlen(word), "--", "", known, count, true);
}

/* *taken: the word is a key=value, known or not. A file may have '=' in its name; it then exists. */
static hs_status_t take_key(const char *word, const hs_argument_t *known, int count, bool *taken)
{
  const char *equals = strchr(word, '=');
  *taken = false;
  if (equals == NULL) return HS_OK;
  size_t length = (size_t)(equals - word);
  for (int i = 0; i < count; i++)
    if (known[i].text != NULL && strncmp(known[i].name, word, length) == 0 && known[i].name[length] == '\0') {
      *known[i].text = equals + 1;
      *taken = true;
      return HS_OK;
    }
  if (memchr(word, '/', length) != NULL || access(word, F_OK) == 0) return HS_OK;
  *taken = true;
  return unknown(word, length, "", "=", known, count, false);
}

hs_status_t hs_arguments_sort(int argc, char **argv, const hs_argument_t *known, int count,
                              const char *const *names, int least, int most, const char **paths,
                              int *path_count)
{
  hs_status_t status = HS_OK;
  *path_count = 0;
  for (int k = 0; k < argc && status == HS_OK; k++) {
    bool taken = strncmp(argv[k], "--", 2) == 0;
    status = taken ? take_flag(argv[k] + 2, known, count) : take_key(argv[k], known, count, &taken);
    if (status != HS_OK || taken) continue;
    if (*path_count == most)
      return hs_fail(HS_BAD_USAGE, NULL, NULL, "'%s' is one word too many (--help shows the usage)", argv[k]);
    paths[(*path_count)++] = argv[k];
  }
  if (status == HS_OK && *path_count < least)
    status = hs_fail(HS_BAD_USAGE, NULL, NULL, "%s is missing (--help shows the usage)", names[*path_count]);
  return status;
}
