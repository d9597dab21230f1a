#include "io/report/gnuplot.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127 /* as the shell says it */

static void become_gnuplot(int script, int messages)
{
  if (dup2(script, STDIN_FILENO) < 0 || dup2(messages, STDERR_FILENO) < 0 ||
      dup2(messages, STDOUT_FILENO) < 0)
    _exit(1);
  execlp("gnuplot", "gnuplot", "-", (char *)NULL);
  _exit(errno == ENOENT ? NOT_FOUND : 1);
}

/* The last line that is not blank: gnuplot repeats the command first and says what is wrong at the end. */
static void last_line(FILE *messages, char *text, size_t size)
{
  char line[512];
  text[0] = '\0';
  rewind(messages);
  while (fgets(line, sizeof line, messages) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (line[strspn(line, " \t")] != '\0') snprintf(text, size, "%s", line + strspn(line, " \t"));
  }
}

static hs_status_t judge(int ended, FILE *messages, const char *output)
{
  if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return HS_OK;
  if (WIFEXITED(ended) && WEXITSTATUS(ended) == NOT_FOUND)
    return hs_fail(HS_IO, output, NULL,
                   "gnuplot draws it and is not in PATH (Debian, Ubuntu: apt-get install gnuplot-nox; Spack, "
                   "conda and module name: gnuplot)");
  char text[300];
  last_line(messages, text, sizeof text);
  return hs_fail(HS_IO, output, NULL, "gnuplot failed: %s", text[0] != '\0' ? text : "without a message");
}

hs_status_t hs_gnuplot_run(FILE *script, const char *output)
{
  FILE *messages = tmpfile();
  if (messages == NULL || fflush(script) != 0 || fseek(script, 0, SEEK_SET) != 0) {
    if (messages != NULL) fclose(messages);
    return hs_fail(HS_IO, output, NULL, "no room for a temporary file: %s", strerror(errno));
  }
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) become_gnuplot(fileno(script), fileno(messages));
  int ended = -1;
  while (child > 0 && waitpid(child, &ended, 0) < 0 && errno == EINTR) continue;
  hs_status_t status = child > 0
                           ? judge(ended, messages, output)
                           : hs_fail(HS_IO, output, NULL, "gnuplot cannot be started: %s", strerror(errno));
  fclose(messages);
  return status;
}
