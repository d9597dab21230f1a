/* Agreement on failures: every rank must return the same status and hold the same message.
 *
 * The answer: the largest status of all ranks, with the message of the lowest rank that has it; HS_OK and no
 * message when nobody failed.
 */
#include <stdbool.h>
#include <string.h>

#include "base/status.h"
#include "mpi/comm/agree.h"
#include "mpi/comm/reduce.h"
#include "tests/support/mpi_check.h"

static int rank, ranks;

/* Fail with this status on this rank, agree, and compare with what must come out. */
static bool agreed(hs_status_t mine, hs_status_t expected, int teller)
{
  hs_error_clear();
  if (mine != HS_OK) hs_fail(mine, "data.h5", NULL, "rank %d is to blame (%d)", rank, (int)mine);
  hs_status_t status = hs_agree(MPI_COMM_WORLD, mine);
  char message[100] = "";
  if (expected != HS_OK)
    snprintf(message, sizeof message, "data.h5: rank %d is to blame (%d)", teller, (int)expected);
  return status == expected && strcmp(hs_error_message(), message) == 0;
}

static void test_nobody(void)
{
  hs_check(MPI_COMM_WORLD, agreed(HS_OK, HS_OK, 0), "nobody fails: OK and no message");
}

static void test_each_in_turn(void)
{
  bool good = true;
  for (int guilty = 0; guilty < ranks; guilty++)
    good = agreed(rank == guilty ? HS_BAD_DATA : HS_OK, HS_BAD_DATA, guilty) && good;
  hs_check(MPI_COMM_WORLD, good, "one rank fails, each in turn: all have its status and message");
}

static void test_all(void)
{
  hs_check(MPI_COMM_WORLD, agreed(HS_IO, HS_IO, 0), "all fail alike: the message of rank 0");
}

/* Two different failures: the larger code wins wherever it is. */
static void test_largest(void)
{
  bool good = true;
  for (int worst = 0; worst < ranks; worst++)
    good = agreed(rank == worst ? HS_INTERRUPTED : HS_BAD_USAGE, HS_INTERRUPTED, worst) && good;
  hs_check(MPI_COMM_WORLD, good, "different failures: the largest status and its message");
}

/* Ranks 1 and up hold the same, larger status: the lowest of them speaks. */
static void test_lowest_rank(void)
{
  bool several = ranks > 1;
  hs_status_t mine = several && rank == 0 ? HS_BAD_USAGE : HS_NO_MEMORY;
  hs_check(MPI_COMM_WORLD, agreed(mine, HS_NO_MEMORY, several ? 1 : 0),
           "equal failures: the message of the lowest rank");
}

/* A message beyond all measure keeps its beginning on all ranks. */
static void test_long_message(void)
{
  char text[2 * HS_ERROR_LENGTH];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  hs_error_clear();
  if (rank == ranks - 1) hs_fail(HS_BAD_DATA, NULL, NULL, "%s", text);
  hs_status_t status = hs_agree(MPI_COMM_WORLD, rank == ranks - 1 ? HS_BAD_DATA : HS_OK);
  size_t length = strlen(hs_error_message());
  hs_check(MPI_COMM_WORLD, status == HS_BAD_DATA && length >= 400 && length < HS_ERROR_LENGTH,
           "a message that is too long is cut, not lost");
}

/* sum over ranks of (rank + 1) e, for lengths that are and are not whole cache lines. */
static void test_sum(void)
{
  double values[129];
  bool good = true;
  hs_traffic_t traffic = {0};
  for (int count = 0; count <= 129; count += 43) {
    for (int e = 0; e < count; e++) values[e] = (rank + 1) * e;
    hs_sum(MPI_COMM_WORLD, values, count, &traffic);
    for (int e = 0; e < count; e++) good = good && values[e] == ranks * (ranks + 1) / 2 * e;
  }
  good = good && traffic.calls == 4 && traffic.bytes == 8.0 * (43 + 86 + 129) && traffic.seconds >= 0;
  hs_check(MPI_COMM_WORLD, good, "sums over ranks, with bytes and calls counted");
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  rank = hs_rank(MPI_COMM_WORLD);
  ranks = hs_ranks(MPI_COMM_WORLD);
  test_nobody();
  test_each_in_turn();
  test_all();
  test_largest();
  test_lowest_rank();
  test_long_message();
  test_sum();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
