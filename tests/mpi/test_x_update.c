/* The four x-updates: whichever is used, the optimum is that of proximal gradient steps on all rows (direct.h), and
 * the lower bound lies below it. Ranks without rows, fewer rows than weights and dependent columns included. */
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define BETA 0.05

typedef struct shape {
  int n, d, gates, outputs;
  hs_loss_kind_t loss;
  hs_groups_t groups;
} shape_t;

static double truth_of(direct_t *p)
{
  double *u = direct_numbers(p->gates * p->d * p->outputs);
  p->beta = BETA * direct_beta_max(p, NULL);
  double objective = direct_solve(p, u, 6000, 1);
  free(u);
  return objective;
}

static void compare(const shape_t *shape, hs_precision_t precision, bool dependent)
{
  direct_t p = direct_make(shape->n, shape->d, shape->gates, shape->outputs, shape->loss, shape->groups);
  for (int k = 0; dependent && k < p.n; k++) p.X[k * p.d + 1] = 2 * p.X[k * p.d];
  if (dependent) direct_masks(&p);
  double truth = truth_of(&p);
  for (int kind = HS_X_BLOCK_KERNEL; kind <= HS_X_GLOBAL_GRAM; kind++) {
    char name[160];
    snprintf(name, sizeof name, "%s, %s, %s, %d x %d, %d gates, %d outputs, %s%s",
             hs_x_name((hs_x_kind_t)kind), hs_loss_name(shape->loss), hs_groups_name(shape->groups), shape->n,
             shape->d, shape->gates, shape->outputs, precision == HS_SINGLE ? "float" : "double",
             dependent ? ", dependent" : "");
    distributed_t x;
    hs_solution_t solution = {0};
    distributed_make(&x, MPI_COMM_WORLD, &p, BETA, 4, precision);
    double tolerance = precision == HS_SINGLE ? 1e-5 : 1e-7;
    bool good = distributed_solve_by(&x, (hs_x_kind_t)kind, tolerance, &solution);
    double slack = (precision == HS_SINGLE ? 1e-5 : 1e-9) * truth;
    good = good && solution.last.primal <= truth * (1 + 2 * tolerance) + slack &&
           solution.last.dual <= truth + slack && solution.last.primal >= truth - slack &&
           solution.x_update == (hs_x_kind_t)kind;
    /* The objective belongs to the weights. */
    good = good && fabs(direct_objective(&p, solution.u) - solution.last.primal) <= 10 * slack;
    hs_check(MPI_COMM_WORLD, good, name);
    hs_solution_free(&solution);
    distributed_free(&x);
  }
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  static const shape_t shapes[] = {
      {131, 5, 12, 1, HS_SQUARED, HS_JOINT},     {131, 5, 12, 3, HS_SQUARED, HS_NUCLEAR},
      {60, 4, 9, 2, HS_SQUARED, HS_PER_OUTPUT},  {131, 5, 8, 1, HS_LOGISTIC, HS_JOINT},
      {97, 4, 6, 3, HS_SOFTMAX, HS_JOINT},       {97, 4, 6, 1, HS_HUBER, HS_JOINT},
      {97, 4, 6, 1, HS_SQUARED_HINGE, HS_JOINT}, {3, 2, 1, 1, HS_SQUARED, HS_JOINT},
      {20, 6, 10, 1, HS_SQUARED, HS_JOINT},
  };
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) compare(&shapes[i], HS_DOUBLE, false);
  compare(&shapes[0], HS_SINGLE, false);
  compare(&shapes[3], HS_SINGLE, false);
  compare(&shapes[0], HS_DOUBLE, true);
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
