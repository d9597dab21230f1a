#include "mpi/plan/network.h"

#include <math.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/bench/timing.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/reduce.h"

/* A current cluster's network, not its best: what is assumed until somebody measures or knows better. */
#define ASSUMED_LATENCY 2e-6
#define ASSUMED_BANDWIDTH 10e9

#define CALLS_SMALL 50

typedef struct trial {
  MPI_Comm comm;
  double *values;
  int64_t large, small;
} trial_t;

static void sum_large(void *context)
{
  trial_t *trial = context;
  hs_traffic_t traffic = {0};
  hs_sum(trial->comm, trial->values, trial->large, &traffic);
}

static void sum_small(void *context)
{
  trial_t *trial = context;
  hs_traffic_t traffic = {0};
  for (int call = 0; call < CALLS_SMALL; call++) hs_sum(trial->comm, trial->values, trial->small, &traffic);
}

/* Steps of a reduction that halves the distance each time, there and back. */
static double steps(int ranks)
{
  return 2 * ceil(log2(ranks));
}

/* Collective: without a time to fill, every rank does the same number of rounds. */
static hs_status_t measure(hs_network_t *network, MPI_Comm comm, int64_t large, int64_t small)
{
  static hs_task_t *const tasks[] = {sum_large, sum_small};
  int ranks = hs_ranks(comm);
  trial_t trial = {.comm = comm, .large = large, .small = small};
  trial.values = hs_alloc((size_t)hs_max64(large, small), sizeof(double), "reduction");
  hs_status_t status = hs_agree(comm, trial.values != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    double seconds[2];
    hs_time_tasks(2, tasks, &trial, 0, seconds);
    HS_MPI(MPI_Allreduce(MPI_IN_PLACE, seconds, 2, MPI_DOUBLE, MPI_MAX, comm));
    double once = seconds[1] / CALLS_SMALL, bytes = 8 * (double)(large - small);
    network->latency = once / steps(ranks);
    network->latency_source = HS_NETWORK_MEASURED;
    if (bytes > 0 && seconds[0] > once) {
      network->bandwidth = 2 * (ranks - 1.0) / ranks * bytes / (seconds[0] - once);
      network->bandwidth_source = HS_NETWORK_MEASURED;
    }
  }
  hs_free(trial.values);
  return status;
}

hs_status_t hs_network_find(hs_network_t *network, MPI_Comm comm, double latency, double bandwidth,
                            int64_t large, int64_t small)
{
  *network = (hs_network_t){.latency = ASSUMED_LATENCY, .bandwidth = ASSUMED_BANDWIDTH};
  hs_status_t status = HS_OK;
  if (hs_ranks(comm) > 1 && (isnan(latency) || isnan(bandwidth)))
    status = measure(network, comm, large, small);
  if (!isnan(latency)) {
    network->latency = latency;
    network->latency_source = HS_NETWORK_GIVEN;
  }
  if (!isnan(bandwidth)) {
    network->bandwidth = bandwidth;
    network->bandwidth_source = HS_NETWORK_GIVEN;
  }
  return status;
}

double hs_network_seconds(const hs_network_t *network, int ranks, double bytes)
{
  return steps(ranks) * network->latency + 2 * (ranks - 1.0) / ranks * bytes / network->bandwidth;
}

const char *hs_network_source_name(hs_network_source_t source)
{
  static const char *const names[] = {"assumed", "measured", "given"};
  return names[source];
}
