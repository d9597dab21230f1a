/* A rank that is late, but within the limit, is waited for: nothing happens, however often.
 *
 * The answer is that the program is still there. What happens beyond the limit ends a job and is looked at by
 * tests/faults/test_watchdog.sh.
 */
#include <mpi.h>
#include <stdbool.h>
#include <time.h>

#include "mpi/comm/agree.h"
#include "mpi/comm/reduce.h"
#include "mpi/comm/watchdog.h"
#include "tests/support/mpi_check.h"

#define SECONDS 4 /* the limit */

static int rank, ranks;

static void be_late(void)
{
  nanosleep(&(struct timespec){.tv_nsec = 700000000}, NULL);
}

/* Each rank is late in its turn; together they are late for longer than the limit. */
static void test_late(void)
{
  hs_status_t status = hs_watchdog_start(rank, ranks, SECONDS);
  bool good = hs_agree(MPI_COMM_WORLD, status) == HS_OK;
  double begin = MPI_Wtime(), sum;
  for (int turn = 0; turn < 3; turn++) {
    if (rank == turn % ranks) be_late();
    HS_MPI(MPI_Barrier(MPI_COMM_WORLD));
    if (rank == (turn + 1) % ranks) be_late();
    sum = 1;
    hs_traffic_t traffic = {0};
    hs_sum(MPI_COMM_WORLD, &sum, 1, &traffic);
    good = good && sum == ranks;
  }
  good = good && MPI_Wtime() - begin > SECONDS;
  hs_check(MPI_COMM_WORLD, good, "ranks that are late within the limit are waited for");
}

/* A long computation between two calls is no wait, on any rank. */
static void test_busy(void)
{
  hs_status_t status = hs_watchdog_set_seconds(1);
  bool good = hs_agree(MPI_COMM_WORLD, status) == HS_OK;
  for (double begin = MPI_Wtime(); MPI_Wtime() - begin < 2;) {
  }
  status = hs_watchdog_set_seconds(60); /* the ranks do not finish at the same time */
  hs_check(MPI_COMM_WORLD, good && status == HS_OK, "computing is no wait");
}

/* Without a limit a rank may be late for longer than the limit was. */
static void test_none(void)
{
  hs_status_t status = hs_watchdog_start(rank, ranks, 0.2);
  if (status == HS_OK) status = hs_watchdog_set_seconds(0);
  bool good = hs_agree(MPI_COMM_WORLD, status) == HS_OK;
  if (rank == ranks - 1) be_late();
  HS_MPI(MPI_Barrier(MPI_COMM_WORLD));
  hs_watchdog_stop();
  hs_watchdog_stop(); /* the second finds nothing to do */
  HS_MPI(MPI_Barrier(MPI_COMM_WORLD));
  hs_check(MPI_COMM_WORLD, good, "without a limit nothing happens");
}

int main(int argc, char **argv)
{
  int provided;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  rank = hs_rank(MPI_COMM_WORLD);
  ranks = hs_ranks(MPI_COMM_WORLD);
  test_late();
  test_busy();
  test_none();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
