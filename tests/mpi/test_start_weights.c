/* A solve that begins from given weights: it ends where the one from zero ends, it never ends above its start, whatever
 * the budget, and from the optimum it has nothing to do.
 */
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

static hs_solution_t solve(const distributed_t *x, hs_x_kind_t kind, const double *start, int64_t iterations,
                           double tolerance)
{
  hs_solution_t solution;
  hs_solve_options_t options = {
      .tolerance = tolerance, .max_iterations = iterations, .anderson = 10, .x_update = kind, .start = start};
  if (hs_solve(&x->problem, &options, NULL, NULL, &solution) != HS_OK) {
    fprintf(stderr, "solve: %s\n", hs_error_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  return solution;
}

/* Any weights, a good part of them zero; small enough to be worth something. */
static double *some_weights(const direct_t *p, double size)
{
  int group = p->d * p->outputs;
  double *u = direct_numbers(p->gates * group);
  for (int e = 0; e < p->gates * group; e++) u[e] = e / group % 3 == 1 ? 0 : size * direct_noise(60, e);
  return u;
}

/* At budgets of few iterations the weights returned have the objective that is told, not above that of the start. */
static bool never_above(const direct_t *p, const distributed_t *x, hs_x_kind_t kind, const double *start,
                        double slack)
{
  double before = direct_objective(p, start), last = before;
  bool good = true;
  for (int iterations = 1; iterations <= 9; iterations += 4) {
    hs_solution_t solution = solve(x, kind, start, iterations, 1e-12);
    double objective = direct_objective(p, solution.u);
    good = good && fabs(objective - solution.last.primal) <= slack * objective &&
           objective <= last * (1 + slack);
    last = objective;
    hs_solution_free(&solution);
  }
  return good;
}

static void check_kind(hs_x_kind_t kind, hs_loss_kind_t loss, hs_groups_t groups, hs_precision_t precision,
                       const char *name)
{
  char what[160];
  direct_t p = direct_make(90, 4, 8, 2, loss, groups);
  distributed_t x;
  distributed_make(&x, MPI_COMM_WORLD, &p, 0.05, 5, precision);
  double slack = precision == HS_SINGLE ? 1e-6 : 1e-11, tolerance = precision == HS_SINGLE ? 1e-5 : 1e-9;
  hs_solution_t cold = solve(&x, kind, NULL, 5000, tolerance);
  double *start = some_weights(&p, 0.1);
  hs_solution_t warm = solve(&x, kind, start, 5000, tolerance);
  snprintf(what, sizeof what, "%s: the same optimum from given weights", name);
  hs_check(MPI_COMM_WORLD, cold.stop == HS_STOP_CONVERGED && warm.stop == HS_STOP_CONVERGED, what);
  hs_check_near(MPI_COMM_WORLD, direct_objective(&p, warm.u), direct_objective(&p, cold.u), 3 * tolerance,
                what);
  snprintf(what, sizeof what, "%s: never above the start", name);
  hs_check(MPI_COMM_WORLD,
           never_above(&p, &x, kind, start, slack) && never_above(&p, &x, kind, cold.u, slack), what);
  hs_solution_t again = solve(&x, kind, cold.u, 5000, 10 * tolerance);
  snprintf(what, sizeof what, "%s: little to do from the optimum", name);
  hs_check(MPI_COMM_WORLD, again.stop == HS_STOP_CONVERGED && 2 * again.last.iteration <= cold.last.iteration,
           what);
  free(start);
  hs_solution_free(&cold);
  hs_solution_free(&warm);
  hs_solution_free(&again);
  distributed_free(&x);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  check_kind(HS_X_BLOCK_KERNEL, HS_SQUARED, HS_JOINT, HS_DOUBLE, "blocks of rows");
  check_kind(HS_X_BLOCK_KERNEL, HS_SOFTMAX, HS_NUCLEAR, HS_DOUBLE, "softmax");
  check_kind(HS_X_BLOCK_KERNEL, HS_SQUARED, HS_PER_OUTPUT, HS_SINGLE, "single precision");
  check_kind(HS_X_BLOCK_GRAM, HS_SQUARED, HS_JOINT, HS_DOUBLE, "reduced rows of ranks");
  check_kind(HS_X_GLOBAL_GRAM, HS_SQUARED, HS_PER_OUTPUT, HS_DOUBLE, "reduced rows");
  check_kind(HS_X_GLOBAL_KERNEL, HS_SQUARED, HS_JOINT, HS_DOUBLE, "one block");
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
