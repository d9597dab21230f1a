/* reductions.c: what a sum over the ranks costs. */
#include <math.h>

#include "base/memory.h"
#include "mpi/bench/sections.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/reduce.h"

#define BATCHES 5
#define LEAST_CALLS 10
#define MOST_CALLS 2000

/* Mean seconds of a call in the fastest of some batches. Collective. */
static double time_sum(hs_bench_t *bench, double *values, int64_t count)
{
  hs_traffic_t traffic = {0};
  double shortest = INFINITY;
  int calls = count > 1000 ? LEAST_CALLS : MOST_CALLS;
  for (int batch = 0; batch < BATCHES; batch++) {
    HS_MPI(MPI_Barrier(bench->comm));
    double begin = MPI_Wtime();
    for (int call = 0; call < calls; call++) hs_sum(bench->comm, values, count, &traffic);
    shortest = fmin(shortest, (MPI_Wtime() - begin) / calls);
  }
  return shortest;
}

hs_status_t hs_bench_reduce(hs_bench_t *bench)
{
  static const int64_t counts[] = {1, 1000, 100000};
  static const hs_column_t columns[] = {
      {"doubles", "doubles"}, {"microseconds", "microseconds"}, {"gbytes", "GB/s"}};
  double *values = hs_alloc(100000, sizeof *values, "benchmark");
  hs_status_t status = hs_agree(bench->comm, values != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    hs_results_table(&bench->results, "reduce", "MPI_Allreduce over all ranks, sum of doubles in place",
                     columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < 3; i++) {
      double seconds = time_sum(bench, values, counts[i]);
      hs_results_number(&bench->results, (double)counts[i], 0);
      hs_results_number(&bench->results, 1e6 * seconds, 1);
      double rate = bench->ranks > 1 ? 8e-9 * (double)counts[i] / seconds : NAN; /* one rank moves nothing */
      hs_results_number(&bench->results, rate, 3);
    }
    hs_results_end(&bench->results);
  }
  hs_free(values);
  return status;
}
