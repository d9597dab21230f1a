#include "cli/train.h"

#include <mpi.h>

#include "base/log.h"
#include "cli/commands.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/watchdog.h"
#include "mpi/train/config.h"
#include "mpi/train/train.h"

hs_status_t hs_command_train(int argc, char **argv)
{
  hs_settings_t settings;
  hs_status_t status = hs_config_load(&settings, MPI_COMM_WORLD, argc, argv);
  if (status != HS_OK) return status;
  status = hs_agree(MPI_COMM_WORLD, hs_watchdog_start(hs_rank(MPI_COMM_WORLD), hs_ranks(MPI_COMM_WORLD),
                                                      settings.watchdog_seconds));
  if (status != HS_OK) return status;
  hs_status_t trained = hs_train(MPI_COMM_WORLD, &settings);
  bool saved = trained == HS_OK || trained == HS_BUDGET;
  if (!saved || settings.data.test[0] == '\0') return trained;
  hs_log("test    : %s", settings.data.test);
  char *arguments[] = {settings.output.run, settings.data.test};
  status = hs_command_evaluate(2, arguments);
  return status != HS_OK ? status : trained;
}

void hs_train_help(FILE *stream)
{
  fputs(
      "CONFIG.yaml holds settings, for instance\n\n"
      "  data: {train: magic04.h5}\n"
      "  model: {gates: 128, beta: 0.001, activation: gated}\n\n"
      "A data file (DATA.h5) in its place trains with the defaults. Any setting can be given or overridden "
      "as\n"
      "key=value.\n\n"
      "A run that was stopped or killed goes on from its checkpoint when the same command is given again: "
      "every\n"
      "output.checkpoint_seconds, on SIGUSR1 (and goes on), and on SIGUSR2, SIGTERM or SIGINT (and ends) all "
      "of\n"
      "the iteration is written to output.checkpoint. Budgets, tolerance and number of ranks may change.\n\n"
      "Exit code 0: the relative gap reached solver.tolerance; 4: a budget ended the run, results saved; 75: "
      "a\n"
      "signal did, results and checkpoint saved; 8: another rank did not answer for watchdog_seconds.\n\n"
      "Settings:\n",
      stream);
  hs_settings_help(stream);
}
