#include "cli/commands.h"

#include <string.h>

#include "base/text.h"

const hs_command_t hs_command_table[] = {
    {"import", "INPUT... OUTPUT.h5 [key=value...]", "turn CSV, LIBSVM, IDX or NPY files into a data file",
     hs_command_import, hs_import_help, false},
    {"generate", "gaussian|prototypes OUTPUT.h5 [key=value...]", "write a synthetic data file",
     hs_command_generate, hs_generate_help, false},
    {"train", "CONFIG.yaml|DATA.h5 [key=value...]", "train to a certified optimum", hs_command_train,
     hs_train_help, true},
    {"path", "CONFIG.yaml|DATA.h5 [key=value...]",
     "train along a path of beta, each point warm started, and choose by validation score", hs_command_path,
     hs_path_help, true},
    {"evaluate", "RUN.h5 DATA.h5 [--json]", "loss and accuracy of each model of a run", hs_command_evaluate,
     hs_evaluate_help, true},
    {"predict", "RUN.h5 DATA.h5 OUT.h5 [key=value...]", "predictions of each model of a run",
     hs_command_predict, hs_predict_help, true},
    {"export", "RUN.h5 MODEL.onnx|MODEL.npz [key=value...]",
     "write the ReLU network of a run for other programs", hs_command_export, hs_export_help, false},
    {"bounds", "RUN.h5 DATA.h5 [--json] [key=value...]",
     "the bracket on the global optimum of the ReLU network", hs_command_bounds, hs_bounds_help, true},
    {"info", "FILE.h5 [--json]", "what is in any of our files", hs_command_info, hs_info_help, false},
    {"report", "RUN.h5... [OUT.svg|.png|.html] [--scaling|--networks] [--json]",
     "pictures and tables of runs, of a scaling study, or of how good their networks are", hs_command_report,
     hs_report_help, false},
    {"plan", "CONFIG.yaml|DATA.h5 [--ranks=1,2,4,...] [key=value...] [--json]",
     "memory, flops, bytes and seconds for any number of ranks, before a run", hs_command_plan, hs_plan_help,
     true},
    {"bench", "[key=value...]", "rates of this machine: kernels, BLAS, solves, Allreduce", hs_command_bench,
     hs_bench_help, true},
};

const int hs_command_count = (int)(sizeof hs_command_table / sizeof hs_command_table[0]);

const hs_command_t *hs_command_find(const char *name)
{
  for (int i = 0; i < hs_command_count; i++)
    if (strcmp(hs_command_table[i].name, name) == 0) return &hs_command_table[i];
  return NULL;
}

const char *hs_command_nearest(const char *name)
{
  const char *names[sizeof hs_command_table / sizeof hs_command_table[0]];
  for (int i = 0; i < hs_command_count; i++) names[i] = hs_command_table[i].name;
  return hs_nearest(name, names, hs_command_count);
}

void hs_commands_help(FILE *stream)
{
  static const hs_status_t codes[] = {HS_OK, HS_BAD_USAGE, HS_BAD_DATA, HS_BUDGET,     HS_NUMERICAL,
                                      HS_IO, HS_NO_MEMORY, HS_STALLED,  HS_INTERRUPTED};
  fputs("halfspace trains ReLU networks to a certified optimum.\n\n"
        "usage: halfspace COMMAND ... [--quiet]\n"
        "       halfspace COMMAND --help\n"
        "       halfspace --version\n\ncommands (m: in parallel under mpirun or srun):\n",
        stream);
  for (int i = 0; i < hs_command_count; i++) {
    const hs_command_t *command = &hs_command_table[i];
    fprintf(stream, "%s %-9s %s\n            %s\n", command->needs_mpi ? "m" : " ", command->name,
            command->usage, command->summary);
  }
  fputs("\nexit codes:\n", stream);
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
    fprintf(stream, "  %2d  %s\n", (int)codes[i], hs_status_text(codes[i]));
}

void hs_command_help(const hs_command_t *command, FILE *stream)
{
  fprintf(stream, "usage: halfspace %s %s\n%s\n\n", command->name, command->usage, command->summary);
  command->help(stream);
}
