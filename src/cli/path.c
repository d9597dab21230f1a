#include "cli/path.h"

#include <mpi.h>

#include "base/log.h"
#include "cli/commands.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/watchdog.h"
#include "mpi/path/path.h"
#include "mpi/train/config.h"

hs_status_t hs_command_path(int argc, char **argv)
{
  hs_settings_t settings;
  hs_status_t status = hs_config_load(&settings, MPI_COMM_WORLD, argc, argv);
  if (status != HS_OK) return status;
  status = hs_agree(MPI_COMM_WORLD, hs_watchdog_start(hs_rank(MPI_COMM_WORLD), hs_ranks(MPI_COMM_WORLD),
                                                      settings.watchdog_seconds));
  if (status != HS_OK) return status;
  hs_status_t done = hs_path(MPI_COMM_WORLD, &settings);
  bool saved = done == HS_OK || done == HS_BUDGET;
  if (!saved || settings.data.test[0] == '\0') return done;
  hs_log("test    : %s", settings.data.test);
  char *arguments[] = {settings.output.run, settings.data.test};
  status = hs_command_evaluate(2, arguments);
  return status != HS_OK ? status : done;
}

void hs_path_help(FILE *stream)
{
  fputs("Solves the convex problem for path.points values of beta, in equal ratios from beta_max, where all "
        "weights "
        "are\n"
        "zero, down to model.beta. Each point starts from the one before, with the same factors, and ends at "
        "its own\n"
        "certificate: solver.tolerance and solver.max_iterations are goal and budget of each point,\n"
        "solver.max_seconds is that of the whole path. Every point is scored (accuracy for classes, R2 for\n"
        "regression, of the gated network) on rows that were not trained on: those of data.validation, or\n"
        "path.hold_out of the rows of data.train, one of each group of consecutive ones. The chosen point "
        "becomes\n"
        "the model of output.run, so that evaluate, predict, info and report work on it as on any run; /path "
        "in the\n"
        "file holds the numbers of all points.\n\n"
        "A path that was stopped or killed goes on from its checkpoint when the same command is given again, "
        "with\n"
        "the point that was in hand; signals and checkpoints are as for halfspace train.\n\n"
        "Exit code 0: every point reached solver.tolerance; 4: a budget ended a point or the path, results "
        "saved;\n"
        "75: a signal did, results and checkpoint saved; 8: another rank did not answer for "
        "watchdog_seconds.\n\n"
        "Settings:\n",
        stream);
  hs_settings_help(stream);
}
