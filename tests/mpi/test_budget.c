/* Budgets and requests to stop: all ranks leave the solver in the same iteration, with the reason and with
 * bounds that belong to the weights. The tolerance is out of reach, so that nothing but the budget ends it.
 */
#include <time.h>

#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define NEVER 1e-300

typedef struct watch {
  int calls;
  int stop_at;          /* iteration in which this rank asks to stop; 0: never */
  double pause;         /* seconds a call takes */
  int64_t last;         /* iteration seen last */
  bool ordered, finite; /* iterations counted from 1, numbers finite */
} watch_t;

static int observe(void *context, const hs_history_row_t *row)
{
  watch_t *watch = context;
  /* The last row may come twice: recomputed in double. */
  if (row->iteration != watch->last) watch->calls += 1;
  watch->ordered = watch->ordered && (row->iteration == watch->last + 1 || row->iteration == watch->last);
  watch->finite = watch->finite && isfinite(row->primal) && isfinite(row->rho) && row->gap > -1e-6;
  watch->last = row->iteration;
  struct timespec time = {.tv_nsec = (long)(watch->pause * 1e9)};
  if (watch->pause > 0) nanosleep(&time, NULL);
  return watch->stop_at > 0 && row->iteration >= watch->stop_at;
}

/* Solve under a budget; true if it ended for this reason, alike everywhere, with what it reports true. */
static bool ends(hs_precision_t precision, hs_solve_options_t options, watch_t *watch, hs_stop_t stop,
                 int64_t *iterations)
{
  direct_t p = direct_make(101, 5, 10, 1, HS_SQUARED, HS_JOINT);
  distributed_t x;
  hs_solution_t solution;
  distributed_make(&x, MPI_COMM_WORLD, &p, 0.01, 4, precision);
  watch->ordered = watch->finite = true;
  options.anderson = 5;
  bool good = hs_solve(&x.problem, &options, observe, watch, &solution) == HS_OK && solution.stop == stop;
  *iterations = good ? solution.last.iteration : -1;
  int64_t first = *iterations;
  MPI_Bcast(&first, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
  good = good && *iterations == first && watch->calls == first && watch->ordered && watch->finite;
  if (good) {
    double *u = direct_numbers(p.gates * p.d), primal = direct_objective(&p, solution.u);
    good = fabs(solution.last.primal / primal - 1) <= 1e-9;
    good = good && solution.last.dual <= direct_solve(&p, u, 3000, 1) * (1 + 1e-9);
    free(u);
  }
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
  return good;
}

static void test_iterations(hs_precision_t precision, const char *name)
{
  int64_t iterations;
  watch_t watch = {0};
  hs_solve_options_t options = {.tolerance = NEVER, .max_iterations = 7};
  bool good = ends(precision, options, &watch, HS_STOP_ITERATIONS, &iterations);
  hs_check(MPI_COMM_WORLD, good && iterations == 7, name);
}

/* The clock of rank 0 decides; the others are kept from looking at theirs by a pause. */
static void test_seconds(hs_precision_t precision, const char *name)
{
  int64_t iterations;
  watch_t watch = {.pause = 0.01};
  hs_solve_options_t options = {.tolerance = NEVER, .max_iterations = 100000, .max_seconds = 0.3};
  double begin = MPI_Wtime();
  bool good = ends(precision, options, &watch, HS_STOP_SECONDS, &iterations);
  hs_check(MPI_COMM_WORLD, good && iterations > 1 && MPI_Wtime() - begin < 20, name);
}

/* One rank asks, each in turn; its wish travels with the next iteration's sums. */
static void test_one_rank_stops(hs_precision_t precision, const char *name)
{
  int rank = hs_rank(MPI_COMM_WORLD), ranks = hs_ranks(MPI_COMM_WORLD);
  bool good = true;
  for (int asking = 0; asking < ranks; asking++) {
    int64_t iterations;
    watch_t watch = {.stop_at = rank == asking ? 4 : 0};
    hs_solve_options_t options = {.tolerance = NEVER, .max_iterations = 3000};
    bool ended = ends(precision, options, &watch, HS_STOP_SIGNAL, &iterations);
    good = ended && (iterations == 4 || iterations == 5) && good;
  }
  hs_check(MPI_COMM_WORLD, good, name);
}

/* In float the gap closes to rounding and the exact certificate denies it: budgets have to count all the same. */
static void test_late(hs_precision_t precision, const char *name)
{
  int64_t iterations;
  int rank = hs_rank(MPI_COMM_WORLD), last = hs_ranks(MPI_COMM_WORLD) - 1;
  hs_solve_options_t options = {.tolerance = 1e-12, .max_iterations = 700};
  watch_t watch = {.stop_at = rank == last ? 600 : 0};
  bool good = ends(precision, options, &watch, HS_STOP_SIGNAL, &iterations);
  hs_check(MPI_COMM_WORLD, good && iterations <= 601, name);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  test_iterations(HS_DOUBLE, "iterations");
  test_iterations(HS_SINGLE, "iterations, single precision");
  test_seconds(HS_DOUBLE, "seconds");
  test_seconds(HS_SINGLE, "seconds, single precision");
  test_one_rank_stops(HS_DOUBLE, "one rank asks to stop");
  test_one_rank_stops(HS_SINGLE, "one rank asks to stop, single precision");
  test_late(HS_SINGLE, "a request to stop at the limit of single precision");
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
