#include "mpi/bench/timing.h"

#include <math.h>
#include <time.h>

#include "mpi/comm/agree.h"

#define LEAST_ROUNDS 3

void hs_time_tasks(int count, hs_task_t *const *tasks, void *context, double seconds, double *shortest)
{
  for (int i = 0; i < count; i++) {
    tasks[i](context);
    shortest[i] = INFINITY;
  }
  double start = MPI_Wtime();
  for (int round = 0; round < LEAST_ROUNDS || MPI_Wtime() - start < seconds; round++)
    for (int i = 0; i < count; i++) {
      double begin = MPI_Wtime();
      tasks[i](context);
      shortest[i] = fmin(shortest[i], MPI_Wtime() - begin);
    }
}

void hs_wait_for_all(MPI_Comm comm)
{
  MPI_Request request;
  HS_MPI(MPI_Ibarrier(comm, &request));
  int done = 0;
  while (!done) {
    HS_MPI(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    if (!done) nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
  }
}
