#include "cli/bench.h"

#include <mpi.h>

#include "base/text.h"
#include "cli/arguments.h"
#include "mpi/bench/bench.h"

#define LONGEST_MEASUREMENT 600.0
#define MOST_REPEATS 100

static hs_status_t read_numbers(hs_bench_options_t *options, const char *seconds, const char *repeat)
{
  if (seconds != NULL && !(hs_parse_double(seconds, &options->seconds) && options->seconds > 0 &&
                           options->seconds <= LONGEST_MEASUREMENT))
    return hs_fail(HS_BAD_USAGE, NULL, "seconds", "'%.60s' (a number above 0, at most %g)", seconds,
                   LONGEST_MEASUREMENT);
  int64_t repeats = options->repeats;
  if (repeat != NULL && !(hs_parse_int64(repeat, &repeats) && repeats >= 1 && repeats <= MOST_REPEATS))
    return hs_fail(HS_BAD_USAGE, NULL, "repeat", "'%.60s' (a whole number, 1 to %d)", repeat, MOST_REPEATS);
  options->repeats = (int)repeats;
  return HS_OK;
}

hs_status_t hs_command_bench(int argc, char **argv)
{
  hs_bench_options_t options = {.seconds = 1, .repeats = 3, .folder = "."};
  const char *seconds = NULL, *repeat = NULL;
  const hs_argument_t known[] = {{"json", &options.json, NULL},
                                 {"only", NULL, &options.only},
                                 {"seconds", NULL, &seconds},
                                 {"repeat", NULL, &repeat},
                                 {"folder", NULL, &options.folder}};
  int count;
  hs_status_t status =
      hs_arguments_sort(argc, argv, known, sizeof known / sizeof *known, NULL, 0, 0, NULL, &count);
  if (status == HS_OK) status = read_numbers(&options, seconds, repeat);
  return status == HS_OK ? hs_bench_run(MPI_COMM_WORLD, &options) : status;
}

void hs_bench_help(FILE *stream)
{
  fputs("  only=A,B,...  these sections, else all but those told below (some minutes)\n"
        "  seconds=1     measure each kernel for so long\n"
        "  repeat=3      runs of each timed solve; the shortest counts\n"
        "  folder=.      where section io writes its files, which it removes again\n"
        "  --json        for programs\n\nSections:\n",
        stream);
  hs_bench_help_sections(stream);
  fputs("\nA goal is what the design asks for, on a machine that nothing else runs on.\n", stream);
}
