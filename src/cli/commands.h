/* commands.h: the table of commands. Help, dispatch and the search for the nearest name are loops over it. */
#ifndef HS_CLI_COMMANDS_H
#define HS_CLI_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"

typedef struct hs_command {
  const char *name;
  const char *usage;   /* what follows the name on the command line */
  const char *summary; /* one line */
  /* argv[0] is the first word after the command; --quiet and --help have been dealt with. With MPI the
   * function is collective over MPI_COMM_WORLD and returns on every rank. */
  hs_status_t (*run)(int argc, char **argv);
  void (*help)(FILE *stream); /* what follows usage and summary in the help */
  bool needs_mpi;             /* false: runs on one process, without MPI_Init */
} hs_command_t;

extern const hs_command_t hs_command_table[];
extern const int hs_command_count;

/* The row of this name, NULL if there is none. */
const hs_command_t *hs_command_find(const char *name);

/* The name that was probably meant, NULL if none is close. */
const char *hs_command_nearest(const char *name);

/* "halfspace --help" and "halfspace COMMAND --help". */
void hs_commands_help(FILE *stream);
void hs_command_help(const hs_command_t *command, FILE *stream);

hs_status_t hs_command_import(int argc, char **argv);
hs_status_t hs_command_generate(int argc, char **argv);
hs_status_t hs_command_train(int argc, char **argv);
hs_status_t hs_command_path(int argc, char **argv);
hs_status_t hs_command_evaluate(int argc, char **argv);
hs_status_t hs_command_predict(int argc, char **argv);
hs_status_t hs_command_bounds(int argc, char **argv);
hs_status_t hs_command_export(int argc, char **argv);
hs_status_t hs_command_info(int argc, char **argv);
hs_status_t hs_command_report(int argc, char **argv);
hs_status_t hs_command_plan(int argc, char **argv);
hs_status_t hs_command_bench(int argc, char **argv);

void hs_import_help(FILE *stream);
void hs_generate_help(FILE *stream);
void hs_train_help(FILE *stream);
void hs_path_help(FILE *stream);
void hs_evaluate_help(FILE *stream);
void hs_predict_help(FILE *stream);
void hs_bounds_help(FILE *stream);
void hs_export_help(FILE *stream);
void hs_info_help(FILE *stream);
void hs_report_help(FILE *stream);
void hs_plan_help(FILE *stream);
void hs_bench_help(FILE *stream);

#endif
