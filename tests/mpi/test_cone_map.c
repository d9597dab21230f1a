/* The papers' map from the gated network, and directions of largest margin: constraints, predictions, the certificate of
 * FORMULATIONS.md 1.3 and optimality conditions, all recomputed by plain loops over all rows. */
#include "mpi/network/cone_map.h"
#include "mpi/network/margin.h"
#include "mpi/network/relu_problem.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"
#include "tests/support/thread_counts.h"

#define WORLD MPI_COMM_WORLD

static hs_traffic_t traffic;
static const hs_margin_options_t exact = {.tolerance = 1e-8};
static const char *const direction_names[] = {"gate directions", "directions of largest margin"};

static double dot(int d, const double *x, const double *y)
{
  double sum = 0;
  for (int j = 0; j < d; j++) sum += x[j] * y[j];
  return sum;
}

static const char *name_of(const char *what, const char *more)
{
  static char name[200];
  snprintf(name, sizeof name, "%s: %s", what, more);
  return name;
}

/* A model that borrows the gates of p and weights u. */
static hs_model_t model_of(const direct_t *p, double *u)
{
  return (hs_model_t){.features = p->d,
                      .d = p->d,
                      .outputs = p->outputs,
                      .precision = HS_DOUBLE,
                      .beta = p->beta,
                      .gates = p->gates,
                      .G = p->G,
                      .weights = u};
}

/* min over rows of s_k x_k'v / |x_k|; rows of zeros do not count */
static double distance_inside(const direct_t *p, int gate, const double *v)
{
  double least = INFINITY;
  for (int k = 0; k < p->n; k++) {
    const double *x = p->X + k * p->d;
    double length = direct_length(p->d, x), s = p->mask[k * p->gates + gate] ? 1 : -1;
    if (length > 0) least = fmin(least, s * dot(p->d, x, v) / length);
  }
  return least;
}

static double plain_margin(const direct_t *p, int gate, const double *v)
{
  double least = INFINITY;
  for (int k = 0; k < p->n; k++) {
    double s = p->mask[k * p->gates + gate] ? 1 : -1;
    if (direct_length(p->d, p->X + k * p->d) > 0) least = fmin(least, s * dot(p->d, p->X + k * p->d, v));
  }
  return least;
}

/* Every neuron lies in the cone of one of the gates. */
static bool in_cones(const direct_t *p, const hs_neurons_t *neurons)
{
  for (int j = 0; j < neurons->count; j++) {
    const double *w = neurons->W1 + j * p->d;
    double best = -INFINITY;
    for (int i = 0; i < p->gates; i++) best = fmax(best, distance_inside(p, i, w));
    if (!(best >= -1e-10 * direct_length(p->d, w))) return false;
  }
  return true;
}

/* The largest difference between the predictions of the networks, relative to the sizes of what is added up. */
static double difference(const direct_t *p, const double *u, const hs_neurons_t *neurons)
{
  double *a = direct_numbers(p->n * p->outputs), worst = 0;
  direct_forward(p, u, a);
  for (int k = 0; k < p->n; k++)
    for (int c = 0; c < p->outputs; c++) {
      double f = 0, size = 1;
      for (int j = 0; j < neurons->count; j++) {
        double h = fmax(0, dot(p->d, p->X + k * p->d, neurons->W1 + j * p->d));
        f += h * neurons->W2[j * p->outputs + c];
        size += h * fabs(neurons->W2[j * p->outputs + c]);
      }
      worst = fmax(worst, fabs(f - a[k * p->outputs + c]) / size);
    }
  free(a);
  return worst;
}

static bool balanced(const hs_neurons_t *neurons)
{
  for (int j = 0; j < neurons->count; j++) {
    double w = direct_length(neurons->d, neurons->W1 + j * neurons->d);
    if (!(fabs(w / direct_length(neurons->outputs, neurons->W2 + j * neurons->outputs) - 1) <= 1e-12))
      return false;
  }
  return true;
}

/* A gated model solved to a small gap, and its two maps. */
static void check_solved(int n, int outputs, hs_loss_kind_t loss, hs_precision_t precision, const char *name)
{
  direct_t p = direct_make(n, 4, 9, outputs, loss, HS_NUCLEAR);
  distributed_t x;
  hs_solution_t solution;
  distributed_make(&x, WORLD, &p, 0.05, 4, precision);
  bool solved = distributed_solve(&x, 1e-7, &solution) && solution.u != NULL;
  hs_check(WORLD, solved, name_of(name, "solved"));
  hs_relu_problem_t problem = {.comm = WORLD, .shard = x.shard, .loss = p.loss, .beta = p.beta};
  hs_model_t model = model_of(&p, solution.u);
  for (int direction = HS_CONE_GATE; solved && direction <= HS_CONE_MARGIN; direction++) {
    const char *how = direction_names[direction];
    hs_neurons_t neurons;
    hs_neurons_init(&neurons, 1, 1);
    hs_cone_report_t report;
    hs_relu_value_t value;
    bool good = hs_cone_map(&model, WORLD, x.shard, (hs_cone_direction_t)direction, 0, &neurons, &report,
                            &traffic) == HS_OK;
    good = good && report.left_out == 0 && neurons.count > 0 && balanced(&neurons);
    good = good && hs_relu_evaluate(&problem, &neurons, NULL, &value, &traffic) == HS_OK;
    hs_check(WORLD, good && in_cones(&p, &neurons), name_of(name, how));
    hs_check_near(WORLD, difference(&p, solution.u, &neurons), 0, 1e-12,
                  name_of(name, "the same predictions"));
    double gated = direct_objective(&p, solution.u), slack = 1e-9 * gated,
           penalty = direct_penalty(&p, solution.u);
    good = solution.last.dual <= value.objective + slack;
    good = good && value.objective <= gated + 2 * p.beta * report.shift + slack;
    good = good && report.shift > 0 && fabs(p.beta * report.before / penalty - 1) <= 1e-6;
    good = good && fabs(value.norm / report.after - 1) <= 1e-10 && report.after >= report.before * (1 - 1e-9);
    good = good && report.after <= report.before + 2 * report.shift + slack;
    hs_check(WORLD, good, name_of(name, "the certificate"));
    hs_neurons_clear(&neurons);
  }
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
}

/* Gates whose weights already lie in their cones, with both signs, are mapped without any shift. */
static void test_inside(void)
{
  direct_t p = direct_make(101, 5, 8, 1, HS_SQUARED, HS_JOINT);
  double u[40], sizes = 0;
  for (int e = 0; e < 40; e++) u[e] = (e / 5 % 2 ? -1 : 1) * p.G[e];
  for (int i = 0; i < 8; i++) sizes += direct_length(5, u + 5 * i);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 4, HS_DOUBLE);
  hs_model_t model = model_of(&p, u);
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, 5, 1);
  hs_cone_report_t report;
  bool good = hs_cone_map(&model, WORLD, shard, HS_CONE_GATE, 0, &neurons, &report, &traffic) == HS_OK;
  good = good && neurons.count == 8 && report.shift == 0 && report.left_out == 0;
  good = good && fabs(report.before / sizes - 1) <= 1e-12 && fabs(report.after / sizes - 1) <= 1e-12;
  hs_check(WORLD, good && difference(&p, u, &neurons) <= 1e-13,
           "weights that are in their cones stay what they are");
  model.gates = 0;
  good = hs_cone_map(&model, WORLD, shard, HS_CONE_MARGIN, 0, &neurons, &report, &traffic) == HS_OK;
  hs_check(WORLD, good && neurons.count == 0 && report.left_out == 0, "no gates: no neurons");
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Rows on the boundary of gate (0, 0, 1), which is on for all of them, and u = (-1, 1, 0).
 *   (1, 0, 0), (0, 1, 0)    neither u nor -u comes into the cone along g; along (1, 1, 1), which has a margin, both do
 *   (0, 1, 0), (0, -1, 0)   the cone has no interior
 * A row of zeros is in no way. */
static void test_edges(bool flat, const char *name)
{
  direct_t p = direct_make(6, 3, 1, 1, HS_SQUARED, HS_JOINT);
  const double X[18] = {1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 1, 2, 0, 1, -0.5, 0, 2}, G[3] = {0, 0, 1};
  double u[3] = {-1, 1, 0}, E[3], margin;
  memcpy(p.X, X, sizeof X);
  memcpy(p.G, G, sizeof G);
  if (flat) p.X[0] = 0, p.X[1] = -1;
  direct_masks(&p);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 3, HS_DOUBLE);
  hs_model_t model = model_of(&p, u);
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, 3, 1);
  hs_cone_report_t report;
  hs_margin_report_t margins;
  bool good = hs_cone_map(&model, WORLD, shard, HS_CONE_GATE, 0, &neurons, &report, &traffic) == HS_OK;
  good = good && report.left_out == 1 && neurons.count == 1 && report.shift == 0;
  good = good && hs_cone_map(&model, WORLD, shard, HS_CONE_MARGIN, 0, &neurons, &report, &traffic) == HS_OK;
  good = good && hs_margin_directions(WORLD, shard, 1, p.G, &exact, E, &margin, &margins, &traffic) == HS_OK;
  good = good && report.left_out == flat && margins.flat == flat && (margin > 0) == !flat;
  if (!flat) good = good && difference(&p, u, &neurons) <= 1e-14 && in_cones(&p, &neurons);
  hs_check(WORLD, good, name);
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* d = 2: the best of a hundred thousand directions. */
static void test_brute_force(int n, const char *name)
{
  direct_t p = direct_make(n, 2, 6, 1, HS_SQUARED, HS_JOINT);
  for (int k = 0; k < n; k++) p.X[2 * k + 1] = direct_noise(80, k);
  direct_masks(&p);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 5, HS_DOUBLE);
  double E[12], margins[6];
  hs_margin_report_t report;
  bool good = hs_margin_directions(WORLD, shard, 6, p.G, &exact, E, margins, &report, &traffic) == HS_OK;
  good = good && report.flat == 0 && report.unsolved == 0;
  for (int i = 0; i < 6 && good; i++) {
    double best = -INFINITY;
    for (int step = 0; step < 20000; step++) {
      double angle = step * 2 * M_PI / 20000, e[2] = {cos(angle), sin(angle)}, margin = INFINITY;
      for (int k = 0; k < n && margin > best; k++) {
        double value = dot(2, p.X + 2 * k, e);
        margin = fmin(margin, p.mask[k * 6 + i] ? value : -value);
      }
      best = fmax(best, margin);
    }
    good = good && fabs(direct_length(2, E + 2 * i) - 1) <= 1e-14;
    good = good && fabs(plain_margin(&p, i, E + 2 * i) - margins[i]) <= 1e-13;
    good =
        good && margins[i] >= best - 1e-13 && margins[i] <= best + 5e-4 * 4; /* |x| <= 4, half a step off */
  }
  hs_check(WORLD, good, name);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Solve the small dense system A x = b by elimination with pivots; A (m x m) and b are destroyed. */
static void eliminate(int m, double *A, double *b)
{
  for (int c = 0; c < m; c++) {
    int top = c;
    for (int r = c + 1; r < m; r++)
      if (fabs(A[r * m + c]) > fabs(A[top * m + c])) top = r;
    for (int j = 0; j < m; j++) {
      double t = A[c * m + j];
      A[c * m + j] = A[top * m + j];
      A[top * m + j] = t;
    }
    double t = b[c];
    b[c] = b[top];
    b[top] = t;
    for (int r = 0; r < m; r++) {
      double factor = r == c ? 0 : A[r * m + c] / A[c * m + c];
      for (int j = 0; j < m; j++) A[r * m + j] -= factor * A[c * m + j];
      b[r] -= factor * b[c];
    }
  }
  for (int c = 0; c < m; c++) b[c] /= A[c * m + c];
}

/* tau e must be a convex combination of the rows z whose margin is tau: weights by least squares. */
static bool is_optimal(const direct_t *p, int gate, const double *e, double tau)
{
  double Z[32][16], A[32 * 32], b[32], sum = 0, left = 0;
  int tight = 0, d = p->d;
  for (int k = 0; k < p->n && tight < 32; k++) {
    double s = p->mask[k * p->gates + gate] ? 1 : -1;
    for (int j = 0; j < d; j++) Z[tight][j] = s * p->X[k * d + j];
    tight += dot(d, Z[tight], e) <= tau * (1 + 1e-6);
  }
  if (tight == 0 || tight > d) return false;
  for (int a = 0; a < tight; a++) {
    b[a] = tau * dot(d, Z[a], e);
    for (int c = 0; c < tight; c++) A[a * tight + c] = dot(d, Z[a], Z[c]);
  }
  eliminate(tight, A, b);
  for (int a = 0; a < tight; a++) sum += b[a];
  for (int j = 0; j < d; j++) {
    double r = tau * e[j];
    for (int a = 0; a < tight; a++) r -= b[a] * Z[a][j];
    left += r * r;
  }
  for (int a = 0; a < tight; a++)
    if (b[a] < -1e-5) return false;
  return fabs(sum - 1) <= 1e-5 && sqrt(left) <= 1e-5 * tau;
}

static void test_optimality(int n, int d, hs_precision_t precision, int threads, const char *name)
{
  enum { GATES = 7 };
  direct_t p = direct_make(n, d, GATES, 1, HS_SQUARED, HS_JOINT);
  if (!set_threads(threads)) set_threads(1);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 5, precision);
  double *E = direct_numbers(GATES * d), margins[GATES];
  hs_margin_report_t report;
  hs_traffic_t mine = {0};
  bool good = hs_margin_directions(WORLD, shard, GATES, p.G, &exact, E, margins, &report, &mine) == HS_OK;
  good = good && report.flat == 0 && report.unsolved == 0 && report.gap <= 1e-8 &&
         mine.calls <= 3 * report.rounds;
  for (int i = 0; i < GATES && good; i++) {
    const double *g = p.G + i * d;
    good = good && fabs(plain_margin(&p, i, E + i * d) - margins[i]) <= 1e-13;
    good = good && margins[i] >= plain_margin(&p, i, g) / direct_length(d, g) && margins[i] > 0;
    good = good && is_optimal(&p, i, E + i * d, margins[i]);
  }
  hs_check(WORLD, good, name);
  free(E);
  hs_shard_free(&shard);
  direct_free(&p);
  set_threads(1);
}

/* The usual tolerance, and no time at all: never worse than the gates themselves, certified gaps that are true, the same on
 * all ranks. */
static void test_limits(int n, int d, const char *name)
{
  enum { GATES = 5 };
  direct_t p = direct_make(n, d, GATES, 1, HS_SQUARED, HS_JOINT);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 5, HS_DOUBLE);
  const hs_margin_options_t usual = {0}, no_time = {.max_seconds = 1e-9};
  const hs_margin_options_t *options[] = {&exact, &usual, &no_time};
  double *E = direct_numbers(GATES * d), *first = direct_numbers(GATES * d), margins[3][GATES];
  hs_margin_report_t report[3];
  bool good = true;
  for (int o = 0; o < 3 && good; o++) {
    good = hs_margin_directions(WORLD, shard, GATES, p.G, options[o], E, margins[o], &report[o], &traffic) ==
           HS_OK;
    memcpy(first, E, (size_t)(GATES * d) * sizeof *E);
    MPI_Bcast(first, GATES * d, MPI_DOUBLE, 0, WORLD);
    good = good && memcmp(first, E, (size_t)(GATES * d) * sizeof *E) == 0;
    for (int i = 0; i < GATES && good; i++) {
      const double *g = p.G + i * d;
      good = fabs(plain_margin(&p, i, E + i * d) - margins[o][i]) <= 1e-13;
      good = good && margins[o][i] >= plain_margin(&p, i, g) / direct_length(d, g) - 1e-13;
      good = good && margins[o][i] >= (1 - report[o].gap) * margins[0][i] * (1 - 1e-12);
      good = good && margins[o][i] <= margins[0][i] * (1 + 2e-8);
    }
  }
  good = good && report[0].unsolved == 0 && report[0].gap <= 1e-8;
  good = good && report[1].unsolved == 0 && report[1].gap <= 1e-3;
  good = good && report[2].rounds <= 2 && report[2].gap > 0;
  hs_check(WORLD, good, name);
  free(E);
  free(first);
  hs_shard_free(&shard);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  set_threads(1);
  test_brute_force(40, "largest margins in the plane");
  test_brute_force(3, "largest margins of 3 rows, perhaps fewer than ranks");
  test_optimality(300, 6, HS_DOUBLE, 1, "largest margins: optimality conditions");
  test_optimality(1500, 12, HS_SINGLE, 1, "largest margins: features in single precision");
  test_optimality(1500, 5, HS_DOUBLE, 3, "largest margins: threads");
  test_limits(40, 40, "largest margins: as many features as rows");
  test_limits(700, 30, "largest margins: tolerances and limits of time");
  test_limits(4500, 3, "largest margins: more rows than are multiplied once and for all");
  check_solved(120, 1, HS_SQUARED, HS_DOUBLE, "one output");
  check_solved(120, 1, HS_LOGISTIC, HS_SINGLE, "one output, logistic, single precision");
  check_solved(120, 3, HS_SQUARED, HS_DOUBLE, "three outputs");
  test_inside();
  test_edges(false, "rows on the boundary, and one of zeros");
  test_edges(true, "a cone without interior is left out");
  int code = hs_check_summary(WORLD);
  MPI_Finalize();
  return code;
}
