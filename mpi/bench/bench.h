/* bench.h: what this machine can do, and what the program makes of it.
 *
 * Figures come beside what they are to be judged by: masked products beside a bare GEMM of the same shape in the
 * same minute, the solver beside FISTA, all beside the goals of the design. A missed goal is shown as missed.
 */
#ifndef HS_MPI_BENCH_BENCH_H
#define HS_MPI_BENCH_BENCH_H

#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "mpi/bench/results.h"

typedef struct hs_bench {
  MPI_Comm comm; /* borrowed */
  int rank, ranks;
  double seconds;     /* of a measurement of a kernel; solves take as long as they take */
  int repeats;        /* of each timed solve; the shortest counts */
  const char *folder; /* borrowed; where files are written and removed again */
  hs_results_t results;
} hs_bench_t;

typedef struct hs_bench_options {
  const char *only; /* names of sections with commas between them; NULL: all but the largest */
  double seconds;
  int repeats;
  const char *folder; /* for the files of section io */
  bool json;
} hs_bench_options_t;

/* Measure and print on the standard output of rank 0. Collective. */
hs_status_t hs_bench_run(MPI_Comm comm, const hs_bench_options_t *options);

/* Names and meaning of the sections, one a line. */
void hs_bench_help_sections(FILE *stream);

#endif
