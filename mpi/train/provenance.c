#include "mpi/train/provenance.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

#include "base/blas_core.h"
#include "base/log.h"
#include "base/threads.h"
#include "base/version.h"
#include "mpi/comm/agree.h"

#define MOST_HOSTS_TEXT 4096

static char hosts[MOST_HOSTS_TEXT], mpi[MPI_MAX_LIBRARY_VERSION_STRING], blas[200];

/* Names of the nodes, each once, in the order of their first ranks: the first rank of a node speaks for it.
 */
static void collect_hosts(MPI_Comm comm)
{
  char name[MPI_MAX_PROCESSOR_NAME] = "", other[MPI_MAX_PROCESSOR_NAME];
  int length, rank = hs_rank(comm), ranks = hs_ranks(comm);
  HS_MPI(MPI_Get_processor_name(name, &length));
  if (rank != 0) {
    HS_MPI(MPI_Send(name, MPI_MAX_PROCESSOR_NAME, MPI_CHAR, 0, 0, comm));
    return;
  }
  snprintf(hosts, sizeof hosts, "%s", name);
  for (int r = 1; r < ranks; r++) {
    HS_MPI(MPI_Recv(other, MPI_MAX_PROCESSOR_NAME, MPI_CHAR, r, 0, comm, MPI_STATUS_IGNORE));
    size_t used = strlen(hosts);
    if (strcmp(other, name) != 0 && used + strlen(other) + 2 < sizeof hosts) {
      snprintf(hosts + used, sizeof hosts - used, ",%s", other);
      snprintf(name, sizeof name, "%s", other);
    }
  }
}

/* Of a rank: those of our loops, or those of BLAS where it was asked for more. */
static int count_threads(void)
{
  int loops = hs_threads(), of_blas = openblas_get_num_threads();
  return loops > of_blas ? loops : of_blas;
}

/* Threads that take turns on a CPU are slower than one, and mpirun may bind a rank to one core. */
static void warn_of_shared_cpus(int threads)
{
#ifdef _OPENMP
  int cpus = omp_get_num_procs();
  if (threads > cpus)
    hs_warn("%d threads to a rank, which may use %d CPU%s (OMP_NUM_THREADS=%d, or mpirun "
            "--map-by slot:PE=%d)",
            threads, cpus, cpus == 1 ? "" : "s", cpus, threads);
#else
  (void)threads;
#endif
}

hs_provenance_t hs_provenance_collect(MPI_Comm comm)
{
  int length, threads = count_threads();
  warn_of_shared_cpus(threads);
  HS_MPI(MPI_Get_library_version(mpi, &length));
  mpi[strcspn(mpi, ",\n")] = '\0';
  snprintf(blas, sizeof blas, "OpenBLAS %s kernels, %d thread%s", hs_blas_core(), threads,
           threads == 1 ? "" : "s");
  collect_hosts(comm);
  return (hs_provenance_t){.version = HS_VERSION,
                           .commit = (char *)hs_commit(),
                           .ranks = hs_ranks(comm),
                           .threads = threads,
                           .hosts = hosts,
                           .mpi = mpi,
                           .blas = blas};
}
