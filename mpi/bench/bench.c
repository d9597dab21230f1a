#include "mpi/bench/bench.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "mpi/bench/sections.h"
#include "mpi/bench/timing.h"
#include "mpi/comm/agree.h"
#include "mpi/train/provenance.h"

typedef struct section {
  const char *name, *meaning;
  hs_status_t (*run)(hs_bench_t *bench);
  int rules; /* of those below */
} section_t;

enum {
  ALONE = 1,  /* on rank 0, while the others sleep */
  BY_NAME = 2 /* only when it is asked for */
};

static const section_t sections[] = {
    {"products", "masked products against the bare GEMM of the same shape", hs_bench_products, ALONE},
    {"kernel", "kernels of blocks, their inverses and the use of these", hs_bench_kernel, ALONE},
    {"gram", "Gram matrices against a bare GEMM", hs_bench_gram, ALONE},
    {"gaussian", "iterations on 4000 x 10, 50 gates, three beta; FISTA beside", hs_bench_gaussian, 0},
    {"logistic", "the same for the logistic loss", hs_bench_logistic, 0},
    {"B", "20000 x 50, 200 gates, double, two beta; FISTA beside", hs_bench_b, 0},
    {"C", "60000 x 784 non-negative, 50 gates, single", hs_bench_c, 0},
    {"x-updates", "the four x-updates on several shapes, and the automatic choice", hs_bench_x_updates, 0},
    {"scaling", "B on one rank and on all", hs_bench_scaling, 0},
    {"reduce", "MPI_Allreduce", hs_bench_reduce, 0},
    {"io", "data files and checkpoints against plain reads and writes", hs_bench_io, 0},
    {"dense", "a matrix over all ranks: its factor, its inverse, products", hs_bench_dense, 0},
    {"x-updates-small", "x-updates on problems of a tenth of a second", hs_bench_x_updates_small, BY_NAME},
    {"large", "1000000 x 20, 50 gates, by rows and by Gram matrices", hs_bench_large, BY_NAME},
};
#define SECTIONS ((int)(sizeof sections / sizeof *sections))

/* Mark the sections in a list with commas. */
static hs_status_t choose(const char *only, bool chosen[SECTIONS])
{
  for (int i = 0; i < SECTIONS; i++) chosen[i] = only == NULL && !(sections[i].rules & BY_NAME);
  while (only != NULL) {
    size_t length = strcspn(only, ",");
    int found = -1;
    for (int i = 0; i < SECTIONS; i++)
      if (strlen(sections[i].name) == length && strncmp(sections[i].name, only, length) == 0) found = i;
    if (found < 0) {
      const char *names[SECTIONS];
      char word[64];
      for (int i = 0; i < SECTIONS; i++) names[i] = sections[i].name;
      snprintf(word, sizeof word, "%.*s", (int)length, only);
      const char *near = hs_nearest(word, names, SECTIONS);
      return hs_fail(HS_BAD_USAGE, NULL, "only", "unknown section '%s' (%s%s%s)", word,
                     near != NULL ? "did you mean '" : "--help lists them", near != NULL ? near : "",
                     near != NULL ? "'?" : "");
    }
    chosen[found] = true;
    only = only[length] == ',' ? only + length + 1 : NULL;
  }
  return HS_OK;
}

/* The model of the CPU as Linux tells it; "unknown" elsewhere. */
static void read_cpu(char *name, size_t size)
{
  snprintf(name, size, "unknown");
  FILE *file = fopen("/proc/cpuinfo", "r");
  if (file == NULL) return;
  char line[256];
  while (fgets(line, sizeof line, file) != NULL) {
    const char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || colon == NULL) continue;
    snprintf(name, size, "%s", colon + 1 + strspn(colon + 1, " "));
    name[strcspn(name, "\n")] = '\0';
    break;
  }
  fclose(file);
}

/* Collective. */
static void print_machine(hs_bench_t *bench)
{
  char cpu[128], build[128], ranks[512];
  hs_provenance_t provenance = hs_provenance_collect(bench->comm);
  int on_node = hs_ranks_on_node(bench->comm);
  read_cpu(cpu, sizeof cpu);
  snprintf(build, sizeof build, "%s (%s)", provenance.version, provenance.commit);
  snprintf(ranks, sizeof ranks, "%d, of these %d on the node of the first; %s", bench->ranks, on_node,
           provenance.mpi);
  hs_results_fact(&bench->results, "version", build);
  hs_results_fact(&bench->results, "machine", cpu);
  hs_results_fact(&bench->results, "blas", provenance.blas);
  hs_results_fact(&bench->results, "ranks", ranks);
}

/* Collective. */
static hs_status_t run_section(hs_bench_t *bench, const section_t *section)
{
  hs_log_live("measuring %s ...", section->name);
  hs_status_t status = HS_OK;
  if (!(section->rules & ALONE) || bench->rank == 0) status = section->run(bench);
  hs_wait_for_all(bench->comm);
  hs_log_live(NULL);
  return hs_agree(bench->comm, status);
}

hs_status_t hs_bench_run(MPI_Comm comm, const hs_bench_options_t *options)
{
  bool chosen[SECTIONS];
  hs_status_t status = choose(options->only, chosen);
  if (status != HS_OK) return status;
  hs_bench_t bench = {.comm = comm,
                      .rank = hs_rank(comm),
                      .ranks = hs_ranks(comm),
                      .seconds = options->seconds,
                      .repeats = options->repeats,
                      .folder = options->folder};
  hs_results_start(&bench.results, bench.rank == 0 ? stdout : NULL, options->json);
  print_machine(&bench);
  for (int i = 0; i < SECTIONS && status == HS_OK; i++)
    if (chosen[i]) status = run_section(&bench, &sections[i]);
  hs_results_finish(&bench.results);
  return status;
}

void hs_bench_help_sections(FILE *stream)
{
  for (int i = 0; i < SECTIONS; i++)
    fprintf(stream, "  %-15s %s%s\n", sections[i].name, sections[i].meaning,
            sections[i].rules & BY_NAME ? " (only by name)" : "");
}
