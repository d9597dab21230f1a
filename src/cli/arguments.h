/* arguments.h: the words after a command: paths, --flags and key=value. Not collective. */
#ifndef HS_CLI_ARGUMENTS_H
#define HS_CLI_ARGUMENTS_H

#include <stdbool.h>

#include "base/status.h"

/* A flag ("--json", sets *flag) or a key ("features=", points *text into argv). The other pointer is NULL. */
typedef struct hs_argument {
  const char *name; /* without -- or = */
  bool *flag;
  const char **text;
} hs_argument_t;

/* Sort the words. Paths go to paths[], in their order.
 *   names  what the paths are, for messages: {"RUN.h5", "DATA.h5"}; `least` of them have to be there
 *   most   room in paths; at least as large as least
 * HS_BAD_USAGE names the nearest known flag or key for an unknown one, and the path that is missing. */
hs_status_t hs_arguments_sort(int argc, char **argv, const hs_argument_t *known, int count,
                              const char *const *names, int least, int most, const char **paths,
                              int *path_count);

#endif
