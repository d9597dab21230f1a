#include "cli/report.h"

#include <string.h>

#include "base/memory.h"
#include "cli/arguments.h"
#include "io/report/report.h"

#define MOST_RUNS 256

/* run.h5 -> run.svg, run.scaling.svg, run.networks.svg. hs_free. */
static char *default_output(const char *run, const char *ending)
{
  size_t length = strlen(run);
  if (length > 3 && strcmp(run + length - 3, ".h5") == 0) length -= 3;
  char *output = hs_alloc(length + strlen(ending) + 1, 1, "file name");
  if (output == NULL) return NULL;
  memcpy(output, run, length);
  strcpy(output + length, ending);
  return output;
}

/* A picture of another kind was probably meant when the last word has another ending. */
static hs_status_t check_ending(const char *word)
{
  const char *dot = strrchr(word, '.');
  static const char *const others[] = {".pdf", ".eps", ".jpg", ".jpeg", ".gif", ".htm", ".ps", ".json"};
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
  bool scaling = false, networks = false;
  hs_report_order_t order = {.paths = paths};
  const hs_argument_t known[] = {
      {"scaling", &scaling, NULL}, {"networks", &networks, NULL}, {"json", &order.json, NULL}};
  hs_status_t status = hs_arguments_sort(argc, argv, known, 3, names, 1, MOST_RUNS + 1, paths, &order.count);
  if (status == HS_OK && scaling && networks)
    status = hs_fail(HS_BAD_USAGE, NULL, NULL,
                     "--scaling and --networks are two different reports (one at a time)");
  if (status == HS_OK) status = check_ending(paths[order.count - 1]);
  if (status != HS_OK) return status;
  char *own = NULL;
  if (hs_report_kind(paths[order.count - 1], &order.kind)) order.output = paths[--order.count];
  if (order.count == 0)
    return hs_fail(HS_BAD_USAGE, NULL, NULL, "RUN.h5 is missing (--help shows the usage)");
  if (order.output == NULL && !order.json) {
    order.output = own = default_output(paths[0], scaling    ? ".scaling.svg"
                                                  : networks ? ".networks.svg"
                                                             : ".svg");
    if (own == NULL) status = HS_NO_MEMORY;
  }
  if (status == HS_OK)
    status = scaling    ? hs_report_scaling(&order)
             : networks ? hs_report_networks(&order)
                        : hs_report_write(&order);
  hs_free(own);
  return status;
}

void hs_report_help(FILE *stream)
{
  fputs(
      "Draws the relative gap against iteration and time, the bracket of objective and bound, and the "
      "active\n"
      "groups, of one run or of several (up to 256) for comparison. A run that is still going on can be "
      "drawn.\n"
      "The last word names the output if it ends in .svg, .png or .html (a page with tables of results, "
      "times,\n"
      "memory, bounds and the settings that differ); default: the name of the first run, with .svg. gnuplot\n"
      "must be in PATH.\n\n"
      "  --scaling  each run is a point of a scaling study; default output: first run, with .scaling.svg\n"
      "               strong            the same rows on different ranks: speed-up and efficiency\n"
      "               weak              rows in proportion to ranks, within 5 %: efficiency\n"
      "               over rows         different rows on the same ranks: slope of time over rows\n"
      "             Printed and drawn: time of an iteration (the median of a run), efficiency or rate, "
      "where\n"
      "             the time of a run goes, iterations and memory per rank. Of runs at the same point the\n"
      "             fastest counts; the others are small dots.\n"
      "  --networks how near to the global optimum networks are that came about in different ways: rounded "
      "from "
      "the\n"
      "             convex solution, after the local method, after column generation, from random starts; "
      "each\n"
      "             objective relative to the run's lower bound on the global optimum, against the number of "
      "rows,\n"
      "             with a panel for each ratio of rows to features. Default output: first run, with "
      ".networks.svg\n"
      "  --json     the numbers as JSON on standard output; a picture only if an output is named\n",
      stream);
}
