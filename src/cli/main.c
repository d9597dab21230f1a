/* main.c: find the command, start MPI if it needs it, run it, tell the error once, leave. */
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blas_core.h"
#include "base/blas_memory.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/version.h"
#include "cli/commands.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/watchdog.h"

/* The rank as the launcher tells it, before MPI_Init or without it; 0 if there is no launcher. */
static int launched_rank(void)
{
  static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const char *value = getenv(names[i]);
    if (value != NULL) return atoi(value);
  }
  return 0;
}

/* A budget or a signal ended the run as it should: the command has said so, and it is no error. */
static void tell_error(hs_status_t status, int rank)
{
  if (rank != 0 || status == HS_OK || status == HS_BUDGET || status == HS_INTERRUPTED) return;
  const char *message = hs_error_message();
  hs_log_live(NULL);
  fflush(stdout);
  fprintf(stderr, "halfspace: error: %s\n", message[0] != '\0' ? message : hs_status_text(status));
}

/* Results on standard output count only once they have arrived: a full disk shows here. */
static hs_status_t flush_output(hs_status_t status)
{
  bool lost = fflush(stdout) != 0 || ferror(stdout) != 0;
  return lost && status == HS_OK ? hs_fail(HS_IO, "standard output", NULL, "cannot be written (disk full?)")
                                 : status;
}

/* Remove every `word` from argv; true if there was one. */
static bool take_flag(int *argc, char **argv, const char *word)
{
  int kept = 0;
  for (int i = 0; i < *argc; i++)
    if (strcmp(argv[i], word) != 0) argv[kept++] = argv[i];
  bool found = kept < *argc;
  *argc = kept;
  argv[kept] = NULL;
  return found;
}

static hs_status_t run_serial(const hs_command_t *command, int argc, char **argv, bool quiet)
{
  /* Under a launcher every process is asked to do the same work, on the same files: the first does it. */
  if (launched_rank() != 0) return HS_OK;
  hs_log_open(0, quiet);
  hs_status_t status = flush_output(command->run(argc, argv));
  tell_error(status, 0);
  return status;
}

static hs_status_t run_parallel(const hs_command_t *command, int argc, char **argv, bool quiet)
{
  int provided;
  HS_MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided));
  HS_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  int rank = hs_rank(MPI_COMM_WORLD);
  hs_log_open(rank, quiet);
  hs_status_t status = hs_agree(MPI_COMM_WORLD, hs_blas_take_memory());
  if (status == HS_OK) status = flush_output(command->run(argc, argv));
  /* What a command has agreed stays as it is; this covers the output of one rank. */
  status = hs_agree(MPI_COMM_WORLD, status);
  tell_error(status, rank);
  HS_MPI(MPI_Finalize());
  hs_watchdog_stop();
  return status;
}

/* Told by one process. The others report success: a launcher ends all at the first that fails, perhaps before the
 * one that speaks has spoken. */
static hs_status_t unknown_command(const char *name)
{
  if (launched_rank() != 0) return HS_OK;
  const char *near = hs_command_nearest(name);
  if (near != NULL)
    hs_fail(HS_BAD_USAGE, NULL, NULL, "unknown command '%.60s' (did you mean '%s'?)", name, near);
  else
    hs_fail(HS_BAD_USAGE, NULL, NULL, "unknown command '%.60s' (halfspace --help lists all commands)", name);
  tell_error(HS_BAD_USAGE, 0);
  return HS_BAD_USAGE;
}

static hs_status_t print(void (*write)(const hs_command_t *command, FILE *stream),
                         const hs_command_t *command)
{
  if (launched_rank() != 0) return HS_OK;
  write(command, stdout);
  hs_status_t status = flush_output(HS_OK);
  tell_error(status, 0);
  return status;
}

static void write_help(const hs_command_t *command, FILE *stream)
{
  if (command != NULL)
    hs_command_help(command, stream);
  else
    hs_commands_help(stream);
}

static void write_version(const hs_command_t *command, FILE *stream)
{
  (void)command;
  fprintf(stream, "halfspace %s (%s)\n", HS_VERSION, hs_commit());
}

int main(int argc, char **argv)
{
  hs_blas_select_core(argv);
  hs_blas_threads_default();
  hs_interrupt_ignore_file_limit();
  hs_log_open(launched_rank(), false);
  if (argc < 2) {
    if (launched_rank() != 0) return HS_OK;
    hs_commands_help(stderr);
    return HS_BAD_USAGE;
  }
  const char *name = argv[1];
  bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
  if (strcmp(name, "--version") == 0) return (int)print(write_version, NULL);
  if (help && argc < 3) return (int)print(write_help, NULL);

  const hs_command_t *command = hs_command_find(help ? argv[2] : name);
  if (command == NULL) return (int)unknown_command(help ? argv[2] : name);
  argc -= 2;
  argv += 2;
  help |= take_flag(&argc, argv, "--help");
  help |= take_flag(&argc, argv, "-h");
  if (help) return (int)print(write_help, command);
  bool quiet = take_flag(&argc, argv, "--quiet");
  return (int)(command->needs_mpi ? run_parallel : run_serial)(command, argc, argv, quiet);
}
