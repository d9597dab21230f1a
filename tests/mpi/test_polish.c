/* The polish against the conditions that the optimum has to satisfy, all losses
 * and norms.
 *
 * u is optimal if and only if, with theta = -grad L(A u), on every unit (a
 * gate; one output of it for per-output groups)
 *     ||A_i' theta||_* <= beta   where u_i = 0,      A_i' theta = beta u_i /
 * ||u_i||   elsewhere; for the nuclear norm the second reads ||A_i' theta||_*
 * <= beta and <A_i' theta, u_i> = beta ||u_i||. All of it, and the objective,
 * is recomputed from u by the direct loops of direct.h.
 */
#include "base/interrupt.h"
#include "mpi/polish/solve_polished.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#include <signal.h>

#define PROMISED 1e-10 /* gap that is promised */
#define ACCURACY 2e-9  /* of the conditions, in units of beta, after steps until nothing gets better */

static MPI_Comm world;

static char *name_of(const direct_t *p, const char *what)
{
  static char name[160];
  snprintf(name, sizeof name, "%s, %s, %d output%s, beta %.3g: %s", hs_loss_name(p->loss.kind),
           hs_groups_name(p->groups), p->outputs, p->outputs > 1 ? "s" : "", p->beta, what);
  return name;
}

/* What the observer has seen. */
typedef struct trace {
  int64_t rows, first, last;
  double primal, dual; /* of the last row */
  bool monotone;       /* no bound has ever become worse, and iterations count up by
                    one */
  int64_t stop_after;  /* rows; 0: never. On the last rank only */
} trace_t;

static int watch(void *context, const hs_history_row_t *row)
{
  trace_t *trace = context;
  if (trace->rows == 0) {
    trace->first = row->iteration;
    trace->monotone = true;
  } else if (row->iteration != trace->last + 1 || row->primal > trace->primal * (1 + 1e-13) ||
             row->dual < trace->dual) {
    trace->monotone = false;
  }
  trace->rows += 1;
  trace->last = row->iteration;
  trace->primal = row->primal;
  trace->dual = row->dual;
  bool last_rank = hs_rank(world) == hs_ranks(world) - 1;
  return trace->stop_after > 0 && trace->rows >= trace->stop_after && last_rank ? HS_STOP : HS_GO_ON;
}

/* Violation on one unit of `count` weights, in units of beta. */
static double unit_violation(const direct_t *p, int count, const double *u, const double *s)
{
  double norm = direct_length(count, u), apart = 0;
  if (norm == 0) return fmax(0, direct_length(count, s) / p->beta - 1);
  for (int e = 0; e < count; e++) apart += pow(s[e] / p->beta - u[e] / norm, 2);
  return sqrt(apart);
}

static double nuclear_violation(const direct_t *p, int count, const double *u, const double *s)
{
  double norm = direct_norm_of(p, u, 0), inner = 0, above = fmax(0, direct_norm_of(p, s, 1) / p->beta - 1);
  for (int e = 0; e < count; e++) inner += u[e] * s[e];
  return norm > 0 ? fmax(above, fabs(inner / (p->beta * norm) - 1)) : above;
}

/* Largest violation over all units. */
static double violation(const direct_t *p, const double *u)
{
  int block = p->d * p->outputs, count = p->groups == HS_PER_OUTPUT ? p->d : block;
  double *s = direct_numbers(p->gates * block), worst = 0;
  direct_gradient(p, u, s);
  for (int first = 0; first < p->gates * block; first += count) {
    double found = p->groups == HS_NUCLEAR ? nuclear_violation(p, count, u + first, s + first)
                                           : unit_violation(p, count, u + first, s + first);
    worst = fmax(worst, found);
  }
  free(s);
  return worst;
}

static int64_t units_on(const direct_t *p, const double *u)
{
  int block = p->d * p->outputs, count = p->groups == HS_PER_OUTPUT ? p->d : block;
  int64_t on = 0;
  for (int first = 0; first < p->gates * block; first += count) on += direct_length(count, u + first) > 0;
  return on;
}

static hs_certificate_t nothing_known(void)
{
  return (hs_certificate_t){.primal = INFINITY, .dual = -INFINITY};
}

/* The weights that come out, whatever went in. */
static void check_optimal(const direct_t *p, const double *u, const hs_certificate_t *certificate,
                          const hs_polish_report_t *report)
{
  double primal = direct_objective(p, u), off = violation(p, u);
  hs_check_near(world, certificate->primal / primal, 1, 1e-12, name_of(p, "objective"));
  hs_check(world, hs_certificate_relative_gap(certificate) <= PROMISED, name_of(p, "gap"));
  hs_check(world, certificate->dual <= primal * (1 + 1e-14), name_of(p, "the bound is below the objective"));
  hs_check_near(world, off, 0, ACCURACY, name_of(p, "conditions of optimality"));
  hs_check(world, report->end == HS_POLISH_CONVERGED || report->end == HS_POLISH_STALLED,
           name_of(p, hs_polish_end_name(report->end)));
  hs_check(world, report->last.active_groups >= units_on(p, u), name_of(p, "active groups"));
}

/* The largest difference to the weights of rank 0. */
static double apart_from_first(const direct_t *p, const double *u)
{
  int count = p->gates * p->d * p->outputs;
  double *first = direct_numbers(count), most = 0;
  memcpy(first, u, (size_t)count * sizeof *first);
  MPI_Bcast(first, count, MPI_DOUBLE, 0, world);
  for (int e = 0; e < count; e++) most = fmax(most, fabs(first[e] - u[e]));
  free(first);
  return most;
}

/* From zero, then from weights far away. Both have to come to the same
 * objective. */
static void check_problem(direct_t p, double beta, int blocks, hs_precision_t precision)
{
  distributed_t x;
  distributed_make(&x, world, &p, beta, blocks, precision);
  int count = p.gates * p.d * p.outputs;
  double *u = direct_numbers(count), from_zero;
  trace_t trace = {0};
  hs_polish_options_t options = {
      .tolerance = 0, .max_steps = HS_POLISH_STEPS, .observer = watch, .context = &trace};
  options.last.iteration = 7;
  hs_certificate_t certificate = nothing_known();
  hs_polish_report_t report;
  hs_polish(&x.problem, &options, u, &certificate, &report);
  check_optimal(&p, u, &certificate, &report);
  hs_check(world,
           trace.monotone && trace.rows == report.steps && trace.first == 8 && trace.last == 7 + trace.rows,
           name_of(&p, "one row a step, no bound becomes worse"));
  hs_check(world, apart_from_first(&p, u) == 0, name_of(&p, "the same weights on all ranks"));
  from_zero = certificate.primal;
  for (int e = 0; e < count; e++) u[e] = 3 * direct_noise(41, e);
  double before = direct_objective(&p, u);
  certificate = nothing_known();
  hs_polish(&x.problem, &options, u, &certificate, &report);
  hs_check(world, before > 1.2 * from_zero, name_of(&p, "the second start is far away"));
  hs_check_near(world, certificate.primal / from_zero, 1, 1e-9,
                name_of(&p, "the same optimum from far away"));
  hs_check(world, hs_certificate_relative_gap(&certificate) <= PROMISED, name_of(&p, "gap from far away"));
  free(u);
  distributed_free(&x);
  direct_free(&p);
}

static void test_all_kinds(void)
{
  for (int loss = HS_SQUARED; loss <= HS_HUBER; loss++)
    for (int groups = HS_JOINT; groups <= HS_NUCLEAR; groups++) {
      hs_loss_kind_t kind = (hs_loss_kind_t)loss;
      check_problem(direct_make(97, 4, 8, 3, kind, (hs_groups_t)groups), 0.1, 5, HS_DOUBLE);
      check_problem(direct_make(97, 4, 8, 3, kind, (hs_groups_t)groups), 0.01, 5, HS_DOUBLE);
      if (groups == HS_JOINT && kind != HS_SOFTMAX)
        check_problem(direct_make(150, 4, 10, 1, kind, HS_JOINT), 0.03, 4, HS_DOUBLE);
    }
}

/* Single precision: products of the polish are in double all the same. */
static void test_single(void)
{
  check_problem(direct_make(97, 4, 8, 3, HS_SQUARED, HS_JOINT), 0.02, 5, HS_SINGLE);
  check_problem(direct_make(97, 4, 8, 3, HS_SOFTMAX, HS_NUCLEAR), 0.02, 5, HS_SINGLE);
}

/* More outputs than features, one output, one feature; rows for a few of the
 * ranks only. */
static void test_shapes(void)
{
  check_problem(direct_make(60, 2, 4, 4, HS_SQUARED, HS_NUCLEAR), 0.05, 3, HS_DOUBLE);
  check_problem(direct_make(60, 3, 5, 1, HS_LOGISTIC, HS_NUCLEAR), 0.05, 3, HS_DOUBLE);
  check_problem(direct_make(3, 2, 1, 1, HS_SQUARED, HS_JOINT), 0.1, 3, HS_DOUBLE);
  check_problem(direct_make(2, 2, 1, 2, HS_SOFTMAX, HS_JOINT), 0.1, 2, HS_DOUBLE);
}

/* Beyond the size of a matrix, by conjugate gradients. */
static void test_large(void)
{
  direct_t p = direct_make(120, 30, 110, 1, HS_LOGISTIC, HS_JOINT);
  distributed_t x;
  distributed_make(&x, world, &p, 1e-4, 4, HS_DOUBLE);
  double *u = direct_numbers(p.gates * p.d);
  hs_polish_options_t options = {.tolerance = PROMISED, .max_steps = HS_POLISH_STEPS};
  hs_certificate_t certificate = nothing_known();
  hs_polish_report_t report;
  hs_polish(&x.problem, &options, u, &certificate, &report);
  hs_check(world, report.end == HS_POLISH_CONVERGED, name_of(&p, "large: converges"));
  hs_check(world, report.products > 0, name_of(&p, "large: conjugate gradients"));
  hs_check_near(world, certificate.primal / direct_objective(&p, u), 1, 1e-12,
                name_of(&p, "large: objective"));
  hs_check_near(world, violation(&p, u), 0, 1e-4, name_of(&p, "large: conditions of optimality"));
  free(u);
  distributed_free(&x);
  direct_free(&p);
}

/* beta at and above the one whose solution is zero. */
static void test_zero(void)
{
  for (int k = 0; k < 2; k++) {
    direct_t p = direct_make(50, 3, 6, 2, HS_HUBER, HS_JOINT);
    distributed_t x;
    distributed_make(&x, world, &p, k == 0 ? 1 + 1e-9 : 3, 2, HS_DOUBLE);
    double *u = direct_numbers(p.gates * p.d * p.outputs);
    for (int e = 0; e < p.gates * p.d * p.outputs; e++) u[e] = direct_noise(43, e);
    hs_polish_options_t options = {.tolerance = PROMISED, .max_steps = HS_POLISH_STEPS};
    hs_certificate_t certificate = nothing_known();
    hs_polish_report_t report;
    hs_polish(&x.problem, &options, u, &certificate, &report);
    hs_check(world, report.end == HS_POLISH_CONVERGED, name_of(&p, "converges"));
    hs_check(world, units_on(&p, u) == 0, name_of(&p, "the solution is zero"));
    free(u);
    distributed_free(&x);
    direct_free(&p);
  }
}

/* Budgets, a wish to stop that only the last rank has, a signal: what there is
 * by then is kept. */
static void test_ends(void)
{
  direct_t p = direct_make(97, 4, 8, 3, HS_LOGISTIC, HS_NUCLEAR);
  distributed_t x;
  distributed_make(&x, world, &p, 0.01, 5, HS_DOUBLE);
  int count = p.gates * p.d * p.outputs;
  double *u = direct_numbers(count), zero = direct_objective(&p, u), after[4];
  const hs_polish_end_t expected[4] = {HS_POLISH_STEPS_USED, HS_POLISH_STOPPED, HS_POLISH_SECONDS_USED,
                                       HS_POLISH_STEPS_USED};
  for (int k = 0; k < 4; k++) {
    trace_t trace = {.stop_after = k == 1 ? 5 : 0};
    hs_polish_options_t options = {.tolerance = 0,
                                   .max_steps = k == 0   ? 4
                                                : k == 3 ? 0
                                                         : HS_POLISH_STEPS,
                                   .max_seconds = k == 2 ? 1e-9 : 0,
                                   .observer = watch,
                                   .context = &trace};
    hs_certificate_t certificate = nothing_known();
    hs_polish_report_t report;
    memset(u, 0, (size_t)count * sizeof *u);
    hs_polish(&x.problem, &options, u, &certificate, &report);
    after[k] = direct_objective(&p, u);
    hs_check(world, report.end == expected[k], name_of(&p, hs_polish_end_name(expected[k])));
    hs_check(world,
             report.steps == trace.rows && (k != 0 || report.steps == 4) && (k != 1 || report.steps == 6) &&
                 (k != 2 || report.steps <= 1) && (k != 3 || report.steps == 0),
             name_of(&p, "steps until then"));
    hs_check(world, after[k] <= zero && (report.improved ? after[k] < zero : after[k] == zero),
             name_of(&p, "not worse than the start"));
    hs_check_near(world, certificate.primal / after[k], 1, 1e-12, name_of(&p, "objective at a budget"));
  }
  hs_check(world, after[0] < zero, name_of(&p, "four steps make it better"));
  free(u);
  distributed_free(&x);
  direct_free(&p);
}

/* From the optimum nothing can get better, nor may it get worse. A start that
 * is not finite is refused. */
static void test_starts(void)
{
  direct_t p = direct_make(80, 3, 6, 2, HS_SQUARED_HINGE, HS_PER_OUTPUT);
  distributed_t x;
  distributed_make(&x, world, &p, 0.02, 3, HS_DOUBLE);
  int count = p.gates * p.d * p.outputs;
  double *u = direct_numbers(count);
  hs_polish_options_t options = {.tolerance = PROMISED, .max_steps = HS_POLISH_STEPS};
  hs_certificate_t certificate = nothing_known();
  hs_polish_report_t report;
  hs_polish(&x.problem, &options, u, &certificate, &report);
  double best = direct_objective(&p, u);
  hs_polish(&x.problem, &options, u, &certificate, &report);
  hs_check(world, report.end == HS_POLISH_CONVERGED && report.steps == 0, "polished again: no step");
  options.tolerance = 0;
  hs_polish(&x.problem, &options, u, &certificate, &report);
  hs_check(world, report.end != HS_POLISH_TROUBLE || report.message[0] != '\0',
           "out of reach: says why it ends");
  hs_check(world, direct_objective(&p, u) <= best * (1 + 1e-13), "out of reach: nothing is lost");
  const double bad[] = {NAN, INFINITY, 1e200};
  for (int k = 0; k < 3; k++) {
    memset(u, 0, (size_t)count * sizeof *u);
    u[1] = bad[k];
    certificate = nothing_known();
    hs_polish(&x.problem, &options, u, &certificate, &report);
    hs_check(world,
             report.end == HS_POLISH_TROUBLE && strstr(report.message, "not finite") != NULL &&
                 !report.improved,
             "a start that is not finite is refused");
    hs_check(world, k == 0 ? isnan(u[1]) : u[1] == bad[k], "and left alone");
  }
  free(u);
  distributed_free(&x);
  direct_free(&p);
}

/* The same ranks, the same bits. */
static void test_repeats(void)
{
  direct_t p = direct_make(97, 4, 8, 3, HS_SOFTMAX, HS_NUCLEAR);
  distributed_t x;
  distributed_make(&x, world, &p, 0.02, 5, HS_DOUBLE);
  int count = p.gates * p.d * p.outputs;
  double *u = direct_numbers(count), *v = direct_numbers(count);
  hs_polish_options_t options = {.tolerance = PROMISED, .max_steps = HS_POLISH_STEPS};
  hs_certificate_t first = nothing_known(), second = nothing_known();
  hs_polish_report_t report;
  hs_polish(&x.problem, &options, u, &first, &report);
  hs_polish(&x.problem, &options, v, &second, &report);
  hs_check(world, memcmp(u, v, (size_t)count * sizeof *u) == 0 && first.dual == second.dual,
           "repeated: the same bits");
  free(u);
  free(v);
  distributed_free(&x);
  direct_free(&p);
}

/* The iteration and the polish together. */
static void check_together(hs_precision_t precision, double tolerance, double goal)
{
  direct_t p = direct_make(150, 4, 10, 1, HS_LOGISTIC, HS_JOINT);
  distributed_t x;
  distributed_make(&x, world, &p, 0.01, 4, precision);
  trace_t trace = {0};
  hs_solve_options_t options = {.tolerance = tolerance, .max_iterations = 2000, .anderson = 10};
  hs_solution_t solution;
  hs_polished_t polished;
  hs_status_t status = hs_solve_polished(&x.problem, &options, 0, watch, &trace, &solution, &polished);
  hs_check(world,
           status == HS_OK && solution.stop == HS_STOP_CONVERGED && polished.begun && !polished.unfinished,
           name_of(&p, "together: converges"));
  hs_check(world, solution.last.relative_gap <= goal, name_of(&p, "together: gap"));
  hs_check(world,
           solution.last.iteration == polished.iterations + polished.report.steps &&
               polished.report.steps > 0,
           name_of(&p, "together: iterations and steps"));
  hs_check(world, precision == HS_SINGLE || (trace.monotone && trace.last == solution.last.iteration),
           name_of(&p, "together: one row each"));
  hs_check_near(world, solution.last.primal / direct_objective(&p, solution.u), 1, 1e-12,
                name_of(&p, "together: objective"));
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
}

/* At a budget of iterations what there is is polished; a wish to stop comes
 * first; and a polish that does not get there is told apart from a budget. */
static void test_budgets(void)
{
  direct_t p = direct_make(150, 4, 10, 1, HS_LOGISTIC, HS_JOINT);
  distributed_t x;
  distributed_make(&x, world, &p, 0.01, 4, HS_DOUBLE);
  hs_solve_options_t options = {.tolerance = 1e-3, .max_iterations = 5, .anderson = 10};
  hs_solution_t solution;
  hs_polished_t polished;
  hs_check(world,
           hs_solve_polished(&x.problem, &options, 0, NULL, NULL, &solution, &polished) == HS_OK &&
               solution.stop == HS_STOP_CONVERGED && polished.iterations == 5,
           "polished at the budget of iterations");
  hs_solution_free(&solution);
  trace_t trace = {.stop_after = 3};
  options.max_iterations = 2000;
  hs_check(world,
           hs_solve_polished(&x.problem, &options, 0, watch, &trace, &solution, &polished) == HS_OK &&
               solution.stop == HS_STOP_SIGNAL && !polished.begun,
           "no polish when asked to stop");
  hs_solution_free(&solution);
  trace = (trace_t){.stop_after = 0};
  options.tolerance = 1e-300;
  hs_check(world,
           hs_solve_polished(&x.problem, &options, 0, watch, &trace, &solution, &polished) == HS_OK &&
               (polished.unfinished || solution.last.relative_gap == 0) &&
               solution.last.relative_gap <= PROMISED,
           "a tolerance out of reach: unfinished, with what was reached");
  hs_solution_free(&solution);
  distributed_free(&x);
  direct_free(&p);
}

/* Of two solutions the better weights and the better bound. */
static void test_combine(void)
{
  direct_t p = direct_make(40, 2, 3, 1, HS_SQUARED, HS_JOINT);
  distributed_t x;
  distributed_make(&x, world, &p, 0.1, 2, HS_DOUBLE);
  double good[6] = {1, 1, 1, 1, 1, 1}, bad[6] = {0};
  hs_solution_t mine = {
      .u = bad, .loss = 4, .last = {.primal = 10, .dual = 8, .gap = 2, .relative_gap = 0.2}};
  hs_solution_t other = {.u = good, .loss = 3, .last = {.primal = 9, .dual = 7}};
  bool better = hs_solution_combine(&x.problem, &mine, &other);
  hs_check(world,
           better && mine.u[5] == 1 && mine.loss == 3 && mine.last.primal == 9 && mine.last.dual == 8 &&
               mine.last.gap == 1 && fabs(mine.last.relative_gap - 1.0 / 9) < 1e-15,
           "combined: the better of both");
  hs_check(world, !hs_solution_combine(&x.problem, &mine, &other), "combined again: no change");
  distributed_free(&x);
  direct_free(&p);
}

/* Last: from now on the process counts as interrupted. */
static void test_signal(void)
{
  direct_t p = direct_make(120, 30, 110, 1, HS_LOGISTIC, HS_JOINT);
  distributed_t x;
  distributed_make(&x, world, &p, 1e-4, 4, HS_DOUBLE);
  double *u = direct_numbers(p.gates * p.d);
  hs_polish_options_t options = {.tolerance = PROMISED, .max_steps = HS_POLISH_STEPS};
  hs_certificate_t certificate = nothing_known();
  hs_polish_report_t report;
  hs_interrupt_watch();
  if (hs_rank(world) == hs_ranks(world) - 1) raise(SIGTERM);
  hs_polish(&x.problem, &options, u, &certificate, &report);
  hs_check(world, report.end == HS_POLISH_STOPPED && report.steps <= 1,
           "a signal to one rank ends it at once");
  free(u);
  distributed_free(&x);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  world = MPI_COMM_WORLD;
  test_all_kinds();
  test_single();
  test_shapes();
  test_large();
  test_zero();
  test_ends();
  test_starts();
  test_repeats();
  check_together(HS_DOUBLE, 1e-3, 1e-10);
  check_together(HS_DOUBLE, 1e-7, 1e-7);
  check_together(HS_SINGLE, 1e-3, 1e-10);
  test_budgets();
  test_combine();
  test_signal();
  int code = hs_check_summary(world);
  MPI_Finalize();
  return code;
}
