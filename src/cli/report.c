#include "cli/report.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/arguments.h"
#include "io/report/report.h"

#define MOST_RUNS 64

/* run.h5 -> run.svg. hs_free. */
static char *default_output(const char *run)
{
  size_t length = strlen(run);
  if (length > 3 && strcmp(run + length - 3, ".h5") == 0) length -= 3;
  char *output = hs_alloc(length + 5, 1, "file name");
  if (output == NULL) return NULL;
  memcpy(output, run, length);
  memcpy(output + length, ".svg", 5);
  return output;
}

/* A picture of another kind was probably meant when the last word has another ending. */
static hs_status_t check_ending(const char *word)
{
  const char *dot = strrchr(word, '.');
  static const char *const others[] = {".pdf", ".eps", ".jpg", ".jpeg", ".gif", ".htm", ".ps"};
  for (size_t i = 0; dot != NULL && i < sizeof others / sizeof *others; i++)
    if (strcmp(dot, others[i]) == 0)
      return hs_fail(HS_BAD_USAGE, word, NULL,
                     "unknown kind of report (the name ends in .svg, .png or .html)");
  return HS_OK;
}

hs_status_t hs_command_report(int argc, char **argv)
{
  static const char *const names[] = {"RUN.h5"};
  const char *paths[MOST_RUNS + 1];
  int count;
  hs_status_t status = hs_arguments_sort(argc, argv, NULL, 0, names, 1, MOST_RUNS + 1, paths, &count);
  if (status == HS_OK) status = check_ending(paths[count - 1]);
  if (status != HS_OK) return status;
  hs_report_kind_t kind = HS_REPORT_SVG;
  char *own = NULL;
  const char *output = NULL;
  if (hs_report_kind(paths[count - 1], &kind)) output = paths[--count];
  if (count == 0) return hs_fail(HS_BAD_USAGE, NULL, NULL, "RUN.h5 is missing (--help shows the usage)");
  if (output == NULL) output = own = default_output(paths[0]);
  status = output != NULL ? hs_report_write(count, paths, output, kind) : HS_NO_MEMORY;
  if (status == HS_OK) hs_log("report of %d run%s: %s", count, count > 1 ? "s" : "", output);
  hs_free(own);
  return status;
}

void hs_report_help(FILE *stream)
{
  fputs(
      "Draws the relative gap against iteration and time, the bracket of objective and bound, and the "
      "active\n"
      "groups, of one run or of several (up to 64) for comparison. A run that is still going on can be "
      "drawn.\n"
      "The last word names the output if it ends in .svg, .png or .html (a page with the numbers as well);\n"
      "default: the name of the first run, with .svg. gnuplot must be in PATH.\n",
      stream);
}
