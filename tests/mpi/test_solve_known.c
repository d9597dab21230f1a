/* The solver against the conditions that the optimum has to satisfy, all losses and norms.
 *
 * u is optimal if and only if, with theta = -grad L(A u),
 *     ||A_i' theta||_* <= beta  for all gates,     <A_i' theta, u_i> = beta ||u_i||.
 * For the joint norm the second condition says A_i' theta = beta u_i / ||u_i|| on active gates. All of it is
 * recomputed from u by the direct loops of direct.h, as are the objective and, by plain proximal gradient
 * steps, the optimum itself. Two problems have answers that can be written down or found by brute force:
 *     d = C = P = 1:   u = soft(m'y, beta) / |m|^2,  m the masked column
 *     P = 2:           100000 proximal gradient steps
 */
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define TOLERANCE 1e-10

static char *name_of(const direct_t *p, const char *what)
{
  static char name[120];
  snprintf(name, sizeof name, "%s, %s, %d output%s: %s", hs_loss_name(p->loss.kind),
           hs_groups_name(p->groups), p->outputs, p->outputs > 1 ? "s" : "", what);
  return name;
}

/* Largest violation of the two conditions, relative to beta. For the joint norm *direction is the largest
 * |A_i' theta / beta - u_i / ||u_i||| over active gates. */
static void conditions(const direct_t *p, const double *u, double *bound, double *alignment,
                       double *direction)
{
  int size = p->d * p->outputs;
  double *s = direct_numbers(p->gates * size);
  direct_gradient(p, u, s);
  *bound = *alignment = *direction = 0;
  for (int i = 0; i < p->gates; i++) {
    const double *ui = u + i * size, *si = s + i * size;
    double norm = direct_norm_of(p, ui, 0), inner = 0, apart = 0;
    *bound = fmax(*bound, direct_norm_of(p, si, 1) / p->beta - 1);
    if (norm == 0) continue;
    for (int e = 0; e < size; e++) {
      inner += ui[e] * si[e];
      apart += pow(si[e] / p->beta - ui[e] / norm, 2);
    }
    *alignment = fmax(*alignment, fabs(inner / (p->beta * norm) - 1));
    if (p->groups == HS_JOINT) *direction = fmax(*direction, sqrt(apart));
  }
  free(s);
}

/* No point has an objective below the dual bound: zero, noise of several sizes, the solution disturbed, and the
 * optimum by other means. */
static bool bound_holds(const direct_t *p, const double *u, double dual)
{
  int count = p->gates * p->d * p->outputs;
  double *v = direct_numbers(count), lowest = direct_objective(p, v);
  for (int trial = 0; trial < 40; trial++) {
    double scale = pow(10, -trial % 5) * 0.3;
    for (int e = 0; e < count; e++)
      v[e] = (trial < 20 ? 0 : u[e]) + scale * direct_noise((uint32_t)(50 + trial), e);
    lowest = fmin(lowest, direct_objective(p, v));
  }
  memset(v, 0, (size_t)count * sizeof *v);
  lowest = fmin(lowest, direct_solve(p, v, 1500, 1));
  free(v);
  return isfinite(dual) && dual > 0 && dual <= lowest * (1 + 1e-12);
}

static void check_problem(direct_t p, double beta)
{
  int gate = 0;
  double beta_max = direct_beta_max(&p, &gate);
  distributed_t x;
  distributed_make(&x, MPI_COMM_WORLD, &p, beta, 3, HS_DOUBLE);
  hs_solution_t solution;
  bool converged = distributed_solve(&x, TOLERANCE, &solution);
  bool good = hs_check_near(MPI_COMM_WORLD, x.problem.beta_max, beta_max, 1e-12, name_of(&p, "beta_max"));
  good = hs_check(MPI_COMM_WORLD, converged, name_of(&p, "converges")) && good;
  if (solution.u != NULL && good) {
    double bound, alignment, direction, primal = direct_objective(&p, solution.u);
    conditions(&p, solution.u, &bound, &alignment, &direction);
    hs_check_near(MPI_COMM_WORLD, fmax(0, bound), 0, 1e-5, name_of(&p, "dual norms are at most beta"));
    hs_check_near(MPI_COMM_WORLD, alignment, 0, 1e-4, name_of(&p, "active gates attain beta"));
    if (p.groups == HS_JOINT)
      hs_check_near(MPI_COMM_WORLD, direction, 0, 1e-4, name_of(&p, "gradients point along the weights"));
    hs_check_near(MPI_COMM_WORLD, solution.last.primal / primal, 1, 1e-9, name_of(&p, "objective"));
    hs_check(MPI_COMM_WORLD, bound_holds(&p, solution.u, solution.last.dual), name_of(&p, "lower bound"));
    hs_check(MPI_COMM_WORLD, (primal - solution.last.dual) / primal <= 2 * TOLERANCE,
             name_of(&p, "the bounds meet"));
  }
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
}

static void test_all_kinds(void)
{
  for (int loss = HS_SQUARED; loss <= HS_HUBER; loss++)
    for (int groups = HS_JOINT; groups <= HS_NUCLEAR; groups++) {
      hs_loss_kind_t kind = (hs_loss_kind_t)loss;
      check_problem(direct_make(97, 4, 8, 3, kind, (hs_groups_t)groups), 0.1);
      if (groups == HS_JOINT && kind != HS_SOFTMAX)
        check_problem(direct_make(150, 4, 10, 1, kind, HS_JOINT), 0.03);
    }
}

static void test_one_number(void)
{
  direct_t p = direct_make(31, 1, 1, 1, HS_SQUARED, HS_JOINT);
  double square = 0, inner = 0;
  p.G[0] = -2;
  for (int k = 0; k < p.n; k++) {
    p.X[k] = direct_noise(70, k);
    if (p.X[k] > 0) continue;
    square += p.X[k] * p.X[k];
    inner += p.X[k] * p.Y[k];
  }
  direct_masks(&p);
  distributed_t x;
  distributed_make(&x, MPI_COMM_WORLD, &p, 0.3, 4, HS_DOUBLE);
  hs_solution_t solution;
  bool converged = distributed_solve(&x, 1e-12, &solution);
  double truth = (inner > 0 ? 1 : -1) * (fabs(inner) - 0.3 * fabs(inner)) / square;
  hs_check(MPI_COMM_WORLD, converged && fabs(truth) > 0.01, "one gate, one feature: converges");
  hs_check_near(MPI_COMM_WORLD, solution.u != NULL ? solution.u[0] : NAN, truth, 1e-6,
                "one gate, one feature: the soft threshold");
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
}

static void check_two_gates(hs_loss_kind_t kind)
{
  direct_t p = direct_make(40, 2, 2, 1, kind, HS_JOINT);
  distributed_t x;
  distributed_make(&x, MPI_COMM_WORLD, &p, 0.2, 2, HS_DOUBLE);
  hs_solution_t solution;
  double truth[4] = {0}, apart = 0;
  bool converged = distributed_solve(&x, 1e-12, &solution);
  double objective = direct_solve(&p, truth, 100000, 0);
  for (int e = 0; e < 4; e++) apart += solution.u != NULL ? pow(solution.u[e] - truth[e], 2) : NAN;
  hs_check(MPI_COMM_WORLD, converged, name_of(&p, "two gates: converges"));
  hs_check_near(MPI_COMM_WORLD, solution.last.primal, objective, 1e-10, name_of(&p, "two gates: optimum"));
  hs_check_near(MPI_COMM_WORLD, sqrt(apart), 0, 1e-5, name_of(&p, "two gates: weights"));
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  test_one_number();
  check_two_gates(HS_SQUARED);
  check_two_gates(HS_LOGISTIC);
  test_all_kinds();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
