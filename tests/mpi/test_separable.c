/* Separable classes and almost no penalty: the loss is flat for nearly all rows, its curvature there next to
 * nothing, and quadratic models of it can mislead. The solver has to notice and to arrive all the same.
 *
 * Data: 90 rows, class by the sign of the first feature, beta down to 2e-4 beta_max. What counts as arrived is
 * recomputed by direct loops: the objective of the weights, and that no other solver gets below the bound.
 */
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

static bool arrives(hs_loss_kind_t loss, double relative_beta)
{
  direct_t p = direct_make(90, 4, 24, 1, loss, HS_JOINT);
  for (int k = 0; k < p.n; k++) p.Y[k] = p.X[k * p.d] > 0 ? 1 : -1;
  distributed_t x;
  hs_solution_t solution;
  distributed_make(&x, MPI_COMM_WORLD, &p, relative_beta, 6, HS_DOUBLE);
  bool good = distributed_solve(&x, 1e-3, &solution);
  if (good) {
    double primal = direct_objective(&p, solution.u), *u = direct_numbers(p.gates * p.d);
    /* Not below the bound: what an unrelated solver attains from zero. */
    double attained = direct_solve(&p, u, 3000, 1);
    good = fabs(primal - solution.last.primal) <= 1e-9 * primal &&
           solution.last.dual <= attained * (1 + 1e-9) && primal - solution.last.dual <= 1.001e-3 * primal;
    free(u);
  }
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
  return good;
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  MPI_Comm comm = MPI_COMM_WORLD;
  hs_check(comm, arrives(HS_LOGISTIC, 2e-4), "logistic, separable, small beta");
  hs_check(comm, arrives(HS_SQUARED_HINGE, 1e-2), "squared hinge, separable");
  hs_check(comm, arrives(HS_HUBER, 1e-2), "huber, most rows beyond the width");
  int code = hs_check_summary(comm);
  MPI_Finalize();
  return code;
}
