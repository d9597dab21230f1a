/* What must not change the answer, and what the answer must be at the ends of the scale of beta.
 *
 * The optimum is a number of the problem: ranks, blocks, the order of the rows and an orthogonal change of the
 * features (gates turned alike) leave it as it is; features times 2 double beta_max, halve u and leave it, too.
 * It is computed here by proximal gradient steps on all rows (direct.h). At beta >= beta_max the solution is
 * zero; just below, only the gate that attains beta_max is on.
 */
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define BETA 0.05
#define TOLERANCE 1e-9

/* The objective after solving p cut into blocks of block_rows; NAN if the gap stays open. */
static double solved(direct_t *p, double beta, int block_rows, hs_solution_t *kept)
{
  distributed_t x;
  hs_solution_t solution;
  distributed_make(&x, MPI_COMM_WORLD, p, beta, (p->n + block_rows - 1) / block_rows, HS_DOUBLE);
  double objective = distributed_solve(&x, TOLERANCE, &solution) ? solution.last.primal : NAN;
  if (kept != NULL)
    *kept = solution;
  else
    hs_solution_free(&solution);
  distributed_free(&x);
  return objective;
}

static double truth_of(direct_t *p, double beta)
{
  double *u = direct_numbers(p->gates * p->d * p->outputs);
  p->beta = beta * direct_beta_max(p, NULL);
  double objective = direct_solve(p, u, 4000, 1);
  free(u);
  return objective;
}

static void test_blocks(void)
{
  static const int block_rows[] = {5, 17, 50, 131};
  const struct {
    hs_loss_kind_t kind;
    int outputs;
  } cases[] = {{HS_SQUARED, 2}, {HS_LOGISTIC, 1}};
  for (int i = 0; i < 2; i++) {
    direct_t p = direct_make(131, 5, 12, cases[i].outputs, cases[i].kind, HS_JOINT);
    double truth = truth_of(&p, BETA);
    for (int b = 0; b < 4; b++) {
      char name[80];
      snprintf(name, sizeof name, "%s: blocks of %d rows", hs_loss_name(cases[i].kind), block_rows[b]);
      hs_check_near(MPI_COMM_WORLD, solved(&p, BETA, block_rows[b], NULL) / truth, 1, 1e-6, name);
    }
    direct_free(&p);
  }
}

static void test_row_order(void)
{
  direct_t p = direct_make(97, 5, 10, 2, HS_SQUARED, HS_NUCLEAR);
  direct_t q = direct_make(97, 5, 10, 2, HS_SQUARED, HS_NUCLEAR);
  for (int k = 0; k < 97; k++) { /* 41 and 97 have no common divisor */
    memcpy(q.X + k * 5, p.X + (k * 41 + 3) % 97 * 5, 5 * sizeof(double));
    memcpy(q.Y + k * 2, p.Y + (k * 41 + 3) % 97 * 2, 2 * sizeof(double));
  }
  direct_masks(&q);
  hs_check_near(MPI_COMM_WORLD, solved(&q, BETA, 17, NULL) / solved(&p, BETA, 17, NULL), 1, 1e-6,
                "the order of the rows");
  direct_free(&p);
  direct_free(&q);
}

/* Every vector of `count` goes to Q x, Q a product of two reflections: x - 2 v (v'x) / v'v. */
static void turn(int count, int d, double *x)
{
  for (int reflection = 0; reflection < 2; reflection++)
    for (int k = 0; k < count; k++) {
      double inner = 0, square = 0;
      for (int j = 0; j < d; j++) {
        double v = direct_noise(30, reflection * d + j);
        inner += v * x[k * d + j];
        square += v * v;
      }
      for (int j = 0; j < d; j++) x[k * d + j] -= 2 * direct_noise(30, reflection * d + j) * inner / square;
    }
}

static void test_rotation(void)
{
  direct_t p = direct_make(97, 5, 10, 3, HS_SOFTMAX, HS_PER_OUTPUT);
  double before = solved(&p, BETA, 17, NULL);
  turn(p.n, p.d, p.X);
  turn(p.gates, p.d, p.G);
  direct_masks(&p);
  hs_check_near(MPI_COMM_WORLD, solved(&p, BETA, 17, NULL) / before, 1, 1e-6, "a rotation of the features");
  direct_free(&p);
}

/* Powers of two leave all digits alone, and masks with them. */
static void test_scales(void)
{
  direct_t p = direct_make(97, 5, 10, 1, HS_SQUARED, HS_JOINT);
  hs_solution_t one, two;
  double before = solved(&p, BETA, 17, &one), beta = p.beta, apart = 0, length = 0;
  for (int e = 0; e < p.n * p.d; e++) p.X[e] *= 2;
  for (int e = 0; e < p.gates * p.d; e++) p.G[e] *= 0.25;
  double after = solved(&p, BETA, 17, &two);
  for (int e = 0; e < p.gates * p.d && one.u != NULL && two.u != NULL; e++) {
    apart += pow(2 * two.u[e] - one.u[e], 2);
    length += pow(one.u[e], 2);
  }
  hs_check_near(MPI_COMM_WORLD, after / before, 1, 1e-6, "features times 2: the same objective");
  hs_check_near(MPI_COMM_WORLD, p.beta / beta, 2, 1e-12, "features times 2: beta times 2");
  hs_check_near(MPI_COMM_WORLD, sqrt(apart / length), 0, 1e-3, "features times 2: weights by 2");
  for (int k = 0; k < p.n; k++) p.Y[k] *= 8;
  hs_check_near(MPI_COMM_WORLD, solved(&p, BETA, 17, NULL) / before, 64, 1e-6,
                "targets times 8: squared loss times 64");
  hs_solution_free(&one);
  hs_solution_free(&two);
  direct_free(&p);
}

static bool is_zero(int count, const double *u)
{
  for (int e = 0; e < count; e++)
    if (u[e] != 0) return false;
  return true;
}

static void check_zero(hs_loss_kind_t kind, int outputs, double beta, const char *name)
{
  direct_t p = direct_make(60, 4, 7, outputs, kind, HS_JOINT);
  hs_solution_t solution;
  double *zero = direct_numbers(p.gates * p.d * outputs);
  double objective = solved(&p, beta, 17, &solution);
  bool good = isfinite(objective) && solution.last.iteration == 1 && solution.last.relative_gap <= 1e-12 &&
              solution.last.active_groups == 0 && is_zero(p.gates * p.d * outputs, solution.u);
  hs_check(MPI_COMM_WORLD, good, name);
  hs_check_near(MPI_COMM_WORLD, objective, direct_objective(&p, zero), 1e-12, "the objective of zero");
  hs_solution_free(&solution);
  free(zero);
  direct_free(&p);
}

static void test_large_beta(void)
{
  check_zero(HS_SQUARED, 2, 1.0, "beta = beta_max: zero in one iteration");
  check_zero(HS_SQUARED, 1, 3.0, "beta above beta_max: zero in one iteration");
  check_zero(HS_LOGISTIC, 1, 1.0, "logistic, beta = beta_max");
  check_zero(HS_SOFTMAX, 3, 1.5, "softmax, beta above beta_max");
  check_zero(HS_HUBER, 1, 1.0, "huber, beta = beta_max");
  check_zero(HS_SQUARED_HINGE, 1, 1.0, "squared hinge, beta = beta_max");
}

/* It is made sure that no other gate comes close to beta_max. */
static void test_just_below(void)
{
  direct_t p = direct_make(60, 4, 7, 2, HS_SQUARED, HS_JOINT);
  int size = p.d * p.outputs, best = 0, close = 0, on = 0, other = 0;
  double *s = direct_numbers(p.gates * size), beta_max = direct_beta_max(&p, &best);
  direct_gradient(&p, NULL, s);
  for (int i = 0; i < p.gates; i++) close += direct_norm_of(&p, s + i * size, 1) > 0.9985 * beta_max;
  hs_solution_t solution;
  double objective = solved(&p, 0.9995, 17, &solution);
  for (int i = 0; i < p.gates && solution.u != NULL; i++) {
    bool zero = is_zero(size, solution.u + i * size);
    on += !zero && i == best;
    other += !zero && i != best;
  }
  hs_check(MPI_COMM_WORLD, close == 1 && isfinite(objective) && on == 1 && other == 0,
           "beta just below beta_max: exactly the gate that attains it");
  hs_solution_free(&solution);
  free(s);
  direct_free(&p);
}

/* Products in float; what is reported must hold for the features as they are (float holds them exactly). */
static void check_single(hs_loss_kind_t kind, int outputs, const char *name)
{
  direct_t p = direct_make(131, 5, 12, outputs, kind, HS_JOINT);
  /* The features that the program sees. */
  for (int e = 0; e < p.n * p.d; e++) p.X[e] = (double)(float)p.X[e];
  direct_masks(&p);
  distributed_t x;
  hs_solution_t solution;
  double optimum = truth_of(&p, BETA);
  distributed_make(&x, MPI_COMM_WORLD, &p, BETA, 6, HS_SINGLE);
  bool good = distributed_solve(&x, 1e-4, &solution);
  double primal = solution.u != NULL ? direct_objective(&p, solution.u) : NAN;
  good = good && fabs(solution.last.primal / primal - 1) <= 1e-9 && solution.last.relative_gap <= 1e-4;
  /* Proximal gradient steps end up to 1e-8 above the optimum. */
  good = good && solution.last.dual <= optimum * (1 + 1e-9) && primal >= optimum * (1 - 1e-7);
  hs_check(MPI_COMM_WORLD, good, name);
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
}

static void test_few_rows(void)
{
  direct_t p = direct_make(3, 2, 2, 1, HS_SQUARED, HS_JOINT);
  const double G[4] = {1, 0.1, -1, 0.1};
  memcpy(p.G, G, sizeof G);
  p.X[0] = 1.5, p.X[2] = -0.5, p.X[4] = -2;
  direct_masks(&p);
  double truth = truth_of(&p, 0.3);
  hs_check_near(MPI_COMM_WORLD, solved(&p, 0.3, 1, NULL), truth, 1e-8, "3 rows, perhaps fewer than ranks");
  direct_free(&p);
}

/* Iterations and what they did, to be compared. Times differ and are left out. */
typedef struct tape {
  int count;
  hs_history_row_t row[500];
} tape_t;

static int record(void *context, const hs_history_row_t *row)
{
  tape_t *tape = context;
  hs_history_row_t kept = *row;
  kept.seconds = kept.compute_seconds = kept.comm_seconds = 0;
  if (tape->count < 500) tape->row[tape->count] = kept;
  tape->count += 1;
  return false;
}

static void record_solve(MPI_Comm comm, direct_t *p, int64_t blocks, tape_t *tape, hs_solution_t *solution)
{
  distributed_t x;
  hs_solve_options_t options = {.tolerance = 1e-6, .max_iterations = 400, .anderson = 10};
  distributed_make(&x, comm, p, 0.01, blocks, HS_DOUBLE);
  if (hs_solve(&x.problem, &options, record, tape, solution) != HS_OK) tape->count = 0;
  distributed_free(&x);
}

/* As long as there are enough blocks, a run takes the same steps wherever it runs: sums in another order move the
 * last digits, and these grow slowly. */
static void test_history(void)
{
  static tape_t shared, alone;
  direct_t p = direct_make(403, 5, 12, 1, HS_SQUARED, HS_JOINT);
  hs_solution_t solutions[2];
  record_solve(MPI_COMM_WORLD, &p, 40, &shared, &solutions[0]);
  record_solve(MPI_COMM_SELF, &p, 40, &alone, &solutions[1]);
  bool good = shared.count > 5 && shared.count == alone.count;
  for (int i = 0; i < shared.count && good; i++)
    good = fabs(shared.row[i].primal / alone.row[i].primal - 1) <= 1e-6 &&
           fabs(shared.row[i].rho / alone.row[i].rho - 1) <= 1e-6;
  hs_check(MPI_COMM_WORLD, good, "the same history as on one rank");
  for (int run = 0; run < 2; run++) hs_solution_free(&solutions[run]);
  direct_free(&p);
}

static void test_repeatable(void)
{
  static tape_t tapes[2];
  direct_t p = direct_make(131, 5, 12, 3, HS_SOFTMAX, HS_JOINT);
  int size = p.gates * p.d * p.outputs;
  hs_solution_t solutions[2];
  for (int run = 0; run < 2; run++) record_solve(MPI_COMM_WORLD, &p, 8, &tapes[run], &solutions[run]);
  bool good = tapes[0].count > 5 && memcmp(&tapes[0], &tapes[1], sizeof tapes[0]) == 0;
  good = good && memcmp(solutions[0].u, solutions[1].u, (size_t)size * sizeof(double)) == 0;
  hs_check(MPI_COMM_WORLD, good, "two solves on the same ranks: the same bits");
  double *first = direct_numbers(size);
  if (solutions[0].u != NULL) memcpy(first, solutions[0].u, (size_t)size * sizeof *first);
  MPI_Bcast(first, size, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  good = solutions[0].u != NULL && memcmp(first, solutions[0].u, (size_t)size * sizeof *first) == 0;
  hs_check(MPI_COMM_WORLD, good, "all ranks hold the same bits");
  free(first);
  for (int run = 0; run < 2; run++) hs_solution_free(&solutions[run]);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  test_blocks();
  test_row_order();
  test_rotation();
  test_scales();
  test_large_beta();
  test_just_below();
  check_single(HS_SQUARED, 2, "single precision, squared: the bounds hold in double");
  check_single(HS_LOGISTIC, 1, "single precision, logistic: the bounds hold in double");
  check_single(HS_HUBER, 1, "single precision, huber: the bounds hold in double");
  test_few_rows();
  test_history();
  test_repeatable();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
