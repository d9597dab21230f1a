/* FISTA against the consensus iteration, and both against the conditions of optimality.
 *
 * 240 rows, 6 features, 12 gates, squared loss and logistic loss. The two methods share neither steps nor
 * steplengths; both bring the gap to 1e-10, hence their objectives agree. Objective and masked gradients are
 * then recomputed here from rows and gates, entry by entry:
 *     A_i'w = beta u_i / |u_i| where u_i is on,   |A_i'w| <= beta where it is off.
 * Until it has converged, FISTA obeys F(z_k) - F* <= 2 l |z*|^2 / (k + 1)^2 (Beck & Teboulle 2009, theorem
 * 4.4), which the same method without momentum does not on these problems.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mpi/bench/fista.h"
#include "mpi/comm/agree.h"
#include "tests/support/mpi_check.h"

#define ROWS 240
#define FEATURES 6
#define GATES 12
#define MOST_ITERATIONS 20000

typedef struct fixture {
  hs_synthetic_t *synthetic;
  hs_shard_t *shard;
  hs_gate_set_t gates;
  hs_problem_t problem;
} fixture_t;

/* Primal values of a run. */
typedef struct trace {
  int64_t count;
  double lipschitz, *primal, largest_dual;
} trace_t;

static int record(void *context, const hs_history_row_t *row)
{
  trace_t *trace = context;
  trace->primal[trace->count++] = row->primal;
  trace->lipschitz = row->rho;
  trace->largest_dual = row->dual;
  return false;
}

static int stop_at_seven(void *context, const hs_history_row_t *row)
{
  return row->iteration >= 7 && *(int *)context;
}

static void require(hs_status_t status, const char *what)
{
  if (status == HS_OK) return;
  fprintf(stderr, "%s: %s\n", what, hs_error_message());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static void set_up(fixture_t *fixture, MPI_Comm comm, hs_loss_kind_t kind, hs_precision_t precision,
                   double beta)
{
  hs_source_t source;
  require(hs_synthetic_create(&fixture->synthetic, HS_GAUSSIAN, FEATURES, 0.1, 5), "data");
  hs_source_generate(&source, comm, fixture->synthetic, ROWS, kind == HS_LOGISTIC);
  hs_partition_t partition = hs_partition_make(ROWS, 6, hs_rank(comm), hs_ranks(comm));
  hs_shard_options_t options = {.precision = precision, .loss = kind, .scaling = HS_SCALING_NONE};
  require(hs_shard_load(&fixture->shard, &source, &partition, &options), "shard");
  require(hs_gate_set_sample(&fixture->gates, comm, fixture->shard, GATES, 3), "gates");
  hs_loss_t loss = {.kind = kind};
  require(
      hs_problem_create(&fixture->problem, comm, fixture->shard, &fixture->gates, loss, HS_JOINT, beta, 0),
      "problem");
  hs_source_close(&source);
}

static void tear_down(fixture_t *fixture)
{
  hs_problem_free(&fixture->problem);
  hs_gate_set_free(&fixture->gates);
  hs_shard_free(&fixture->shard);
  hs_synthetic_free(&fixture->synthetic);
}

static bool is_open(const fixture_t *fixture, const double *x, int gate)
{
  double dot = 0;
  for (int j = 0; j < FEATURES; j++) dot += x[j] * fixture->gates.G[gate * FEATURES + j];
  return dot >= 0;
}

/* Loss of this rank's rows and their share of the masked gradients s = A'(-grad L). */
static double add_rows(const fixture_t *fixture, bool logistic, const double *u, double *s)
{
  const hs_shard_t *shard = fixture->shard;
  double loss = 0;
  for (int64_t k = 0; k < shard->rows; k++) {
    const double *x = (const double *)shard->X + k * FEATURES;
    double a = 0, y = shard->Y[k];
    for (int i = 0; i < fixture->gates.count; i++)
      for (int j = 0; j < FEATURES && is_open(fixture, x, i); j++) a += u[i * FEATURES + j] * x[j];
    double w = logistic ? y / (1 + exp(y * a)) : y - a;
    loss += logistic ? log1p(exp(-y * a)) : 0.5 * (a - y) * (a - y);
    for (int i = 0; i < fixture->gates.count; i++)
      for (int j = 0; j < FEATURES && is_open(fixture, x, i); j++) s[i * FEATURES + j] += w * x[j];
  }
  return loss;
}

/* The objective at u, and the largest violation of the conditions of optimality in units of beta. Collective. */
static double recompute(const fixture_t *fixture, bool logistic, const double *u, double *violation)
{
  double s[GATES * FEATURES] = {0}, beta = fixture->problem.beta;
  double objective = add_rows(fixture, logistic, u, s);
  MPI_Allreduce(MPI_IN_PLACE, s, GATES * FEATURES, MPI_DOUBLE, MPI_SUM, fixture->problem.comm);
  MPI_Allreduce(MPI_IN_PLACE, &objective, 1, MPI_DOUBLE, MPI_SUM, fixture->problem.comm);
  *violation = 0;
  for (int i = 0; i < fixture->gates.count; i++) {
    double norm = 0, error = 0, gradient = 0;
    for (int j = 0; j < FEATURES; j++) norm = hypot(norm, u[i * FEATURES + j]);
    for (int j = 0; j < FEATURES; j++) {
      double slope = norm > 0 ? u[i * FEATURES + j] / norm : 0;
      error = hypot(error, s[i * FEATURES + j] / beta - slope);
      gradient = hypot(gradient, s[i * FEATURES + j] / beta);
    }
    objective += beta * norm;
    *violation = fmax(*violation, norm > 0 ? error : fmax(0, gradient - 1));
  }
  return objective;
}

/* The largest ratio of F(z_k) - F* to its bound, over all k with F(z_k) - F* above the accuracy of F*. */
static double worst_ratio(const trace_t *trace, double optimum, const double *u)
{
  double square = 0, worst = 0;
  for (int e = 0; e < GATES * FEATURES; e++) square += u[e] * u[e];
  for (int64_t k = 1; k <= trace->count; k++) {
    double above = trace->primal[k - 1] - optimum;
    double bound = 2 * trace->lipschitz * square / (double)((k + 1) * (k + 1));
    if (above > 1e-6 * optimum) worst = fmax(worst, above / bound);
  }
  return worst;
}

static const char *label(hs_loss_kind_t kind, double beta, const char *what)
{
  static char text[128];
  snprintf(text, sizeof text, "%s loss, beta %g: %s", hs_loss_name(kind), beta, what);
  return text;
}

/*   most  iterations: about twice what it takes. Without restarts: eight, fourteen times as many */
static void compare(MPI_Comm comm, hs_loss_kind_t kind, double beta, int64_t most)
{
  fixture_t fixture;
  set_up(&fixture, comm, kind, HS_DOUBLE, beta);
  hs_solve_options_t options = {.tolerance = 1e-10, .max_iterations = MOST_ITERATIONS, .anderson = 10};
  hs_solution_t consensus, fista;
  trace_t trace = {.primal = hs_alloc(MOST_ITERATIONS, sizeof(double), "history")};
  require(hs_solve(&fixture.problem, &options, NULL, NULL, &consensus), "consensus");
  require(hs_fista(&fixture.problem, &options, record, &trace, &fista), "FISTA");
  hs_check(comm, fista.stop == HS_STOP_CONVERGED, label(kind, beta, "FISTA reaches its gap"));
  hs_check(comm, consensus.stop == HS_STOP_CONVERGED,
           label(kind, beta, "the consensus iteration reaches its gap"));
  hs_check_near(comm, fista.last.primal / consensus.last.primal, 1, 1e-6,
                label(kind, beta, "equal objectives"));
  double violation, objective = recompute(&fixture, kind == HS_LOGISTIC, fista.u, &violation);
  hs_check_near(comm, fista.last.primal / objective, 1, 1e-10,
                label(kind, beta, "objective of FISTA, entry by entry"));
  hs_check_near(comm, violation, 0, 2e-3, label(kind, beta, "conditions of optimality, FISTA"));
  objective = recompute(&fixture, kind == HS_LOGISTIC, consensus.u, &violation);
  hs_check_near(comm, consensus.last.primal / objective, 1, 1e-10,
                label(kind, beta, "objective of consensus, entry by entry"));
  hs_check_near(comm, violation, 0, 2e-3, label(kind, beta, "conditions of optimality, consensus"));
  hs_check(comm, trace.largest_dual <= objective * (1 + 1e-12),
           label(kind, beta, "the bound of FISTA is below the optimum"));
  hs_check(comm, worst_ratio(&trace, objective, consensus.u) <= 1, label(kind, beta, "accelerated rate"));
  hs_check(comm, trace.count == fista.last.iteration,
           label(kind, beta, "one call of the observer in each iteration"));
  hs_check(comm, fista.last.iteration <= most, label(kind, beta, "restarts make it fast"));
  hs_free(trace.primal);
  hs_solution_free(&consensus);
  hs_solution_free(&fista);
  tear_down(&fixture);
}

/* Float32 products: the certificate at the end is in double, and the two precisions agree to 1e-4. */
static void check_single(MPI_Comm comm)
{
  fixture_t fixture;
  hs_solution_t fine, coarse;
  hs_solve_options_t options = {.tolerance = 1e-8, .max_iterations = MOST_ITERATIONS};
  set_up(&fixture, comm, HS_SQUARED, HS_DOUBLE, 0.05);
  require(hs_fista(&fixture.problem, &options, NULL, NULL, &fine), "double");
  tear_down(&fixture);
  options.tolerance = 1e-4;
  set_up(&fixture, comm, HS_SQUARED, HS_SINGLE, 0.05);
  require(hs_fista(&fixture.problem, &options, NULL, NULL, &coarse), "single");
  hs_check(comm, coarse.stop == HS_STOP_CONVERGED, "single precision reaches its gap");
  hs_check_near(comm, coarse.last.primal / fine.last.primal, 1, 2e-4, "single against double");
  tear_down(&fixture);
  hs_solution_free(&fine);
  hs_solution_free(&coarse);
}

/* Budgets, and a wish to stop that only the last rank has. */
static void check_stops(MPI_Comm comm)
{
  fixture_t fixture;
  hs_solution_t solution;
  set_up(&fixture, comm, HS_SQUARED, HS_DOUBLE, 0.05);
  hs_solve_options_t options = {.tolerance = 1e-12, .max_iterations = 5};
  require(hs_fista(&fixture.problem, &options, NULL, NULL, &solution), "iterations");
  hs_check(comm, solution.stop == HS_STOP_ITERATIONS && solution.last.iteration == 5, "stops after 5");
  hs_solution_free(&solution);
  options = (hs_solve_options_t){.max_iterations = INT64_MAX, .max_seconds = 1e-9};
  require(hs_fista(&fixture.problem, &options, NULL, NULL, &solution), "seconds");
  hs_check(comm, solution.stop == HS_STOP_SECONDS && solution.last.iteration == 1, "stops at its time");
  hs_solution_free(&solution);
  int wish = hs_rank(comm) == hs_ranks(comm) - 1;
  options = (hs_solve_options_t){.tolerance = 1e-12, .max_iterations = 100};
  require(hs_fista(&fixture.problem, &options, stop_at_seven, &wish, &solution), "signal");
  hs_check(comm, solution.stop == HS_STOP_SIGNAL && solution.last.iteration == 8, "one rank can stop all");
  hs_solution_free(&solution);
  tear_down(&fixture);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  compare(MPI_COMM_WORLD, HS_SQUARED, 0.05, 640);
  compare(MPI_COMM_WORLD, HS_SQUARED, 0.005, 930);
  compare(MPI_COMM_WORLD, HS_LOGISTIC, 0.02, 2800);
  check_single(MPI_COMM_WORLD);
  check_stops(MPI_COMM_WORLD);
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
