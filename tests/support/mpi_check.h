/* mpi_check.h: checks that hold on every rank or fail on all, for the programs in tests/mpi.
 *
 *   MPI_Init(&argc, &argv);
 *   hs_check(MPI_COMM_WORLD, sum == expected, "sum over the ranks");
 *   int code = hs_check_summary(MPI_COMM_WORLD);
 *   MPI_Finalize();
 *   return code;
 *
 * Rank 0 prints "ok NAME" or "not ok NAME: reason", the lines that tests/run.sh counts.
 * Every function here is collective over its communicator; `name` counts on rank 0 only.
 */
#ifndef HS_TESTS_SUPPORT_MPI_CHECK_H
#define HS_TESTS_SUPPORT_MPI_CHECK_H

#include <math.h>
#include <mpi.h>
#include <stdio.h>

static int hs_check_failures; /* the same on all ranks */

/* True on all ranks if the condition is true on all ranks. Execution goes on either way. */
static inline int hs_check(MPI_Comm comm, int condition, const char *name)
{
  int rank, size, first;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  int mine = condition ? size : rank;
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm);
  if (first < size) hs_check_failures++;
  if (rank == 0 && first == size) printf("ok %s\n", name);
  if (rank == 0 && first < size) printf("not ok %s: false on rank %d of %d\n", name, first, size);
  if (rank == 0) fflush(stdout);
  return first == size;
}

/* |value - truth| <= tolerance * max(1, |truth|) on all ranks; NaN and infinity fail. The rank that is off
 * says by how much. */
static inline int hs_check_near(MPI_Comm comm, double value, double truth, double tolerance, const char *name)
{
  double allowed = tolerance * fmax(1.0, fabs(truth));
  int near = isfinite(value) && isfinite(truth) && fabs(value - truth) <= allowed;
  if (!near)
    fprintf(stderr, "%s: %.17g instead of %.17g (off by %.3g, allowed %.3g)\n", name, value, truth,
            fabs(value - truth), allowed);
  return hs_check(comm, near, name);
}

/* The exit code of the program: 0 if every check held. */
static inline int hs_check_summary(MPI_Comm comm)
{
  int failures = hs_check_failures;
  MPI_Allreduce(MPI_IN_PLACE, &failures, 1, MPI_INT, MPI_MAX, comm);
  return failures > 0;
}

#endif
