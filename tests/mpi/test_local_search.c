/* Gradient and local methods of the real network, against differences, plain loops and problems with known solutions. */
#include <signal.h>

#include "base/interrupt.h"
#include "base/threads.h"
#include "mpi/network/local_search.h"
#include "mpi/network/random_start.h"
#include "mpi/network/relu_gradient.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"
#include "tests/support/thread_counts.h"

#define WORLD MPI_COMM_WORLD
#define KINK 1e-4 /* |x'w| / (|x| |w|) below which a row is taken to be on the edge */

static hs_traffic_t traffic;

static hs_relu_problem_t problem_of(MPI_Comm comm, const direct_t *p, const hs_shard_t *shard)
{
  return (hs_relu_problem_t){.comm = comm, .shard = shard, .loss = p->loss, .beta = p->beta};
}

/* m neurons with made-up weights of the given sizes; balanced only by chance. */
static hs_neurons_t made_up(const direct_t *p, int m, double first, double second)
{
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, p->d, p->outputs);
  if (hs_neurons_reserve(&neurons, m) != HS_OK) abort();
  neurons.count = m;
  for (int e = 0; e < m * p->d; e++) neurons.W1[e] = first * direct_noise(50, e);
  for (int e = 0; e < m * p->outputs; e++) neurons.W2[e] = second * direct_noise(51, e);
  return neurons;
}

/* L + beta/2 (|W1|^2 + |W2|^2) by loops; *nearest is the least |x'w|. */
static double plain_value(const direct_t *p, int m, const double *W1, const double *W2, double *nearest)
{
  double *f = direct_numbers(p->n * p->outputs);
  *nearest = INFINITY;
  for (int k = 0; k < p->n; k++)
    for (int j = 0; j < m; j++) {
      double h = 0;
      for (int i = 0; i < p->d; i++) h += p->X[k * p->d + i] * W1[j * p->d + i];
      *nearest = fmin(*nearest, fabs(h));
      for (int c = 0; c < p->outputs && h > 0; c++) f[k * p->outputs + c] += h * W2[j * p->outputs + c];
    }
  double first = direct_length(m * p->d, W1), second = direct_length(m * p->outputs, W2);
  double value = direct_loss(p, f) + p->beta / 2 * (first * first + second * second);
  free(f);
  return value;
}

/* The gradient by loops, packed. */
static void plain_gradient(const direct_t *p, int m, const double *W1, const double *W2, double *g)
{
  int C = p->outputs, d = p->d;
  double *f = direct_numbers(p->n * C), *r = direct_numbers(p->n * C), *H = direct_numbers(p->n * m);
  for (int k = 0; k < p->n; k++)
    for (int j = 0; j < m; j++) {
      for (int i = 0; i < d; i++) H[k * m + j] += p->X[k * d + i] * W1[j * d + i];
      for (int c = 0; c < C; c++) f[k * C + c] += fmax(0, H[k * m + j]) * W2[j * C + c];
    }
  direct_residual(p, f, r);
  for (int e = 0; e < m * d; e++) g[e] = p->beta * W1[e];
  for (int e = 0; e < m * C; e++) g[m * d + e] = p->beta * W2[e];
  for (int k = 0; k < p->n; k++)
    for (int j = 0; j < m; j++)
      for (int c = 0; c < C && H[k * m + j] > 0; c++) {
        g[m * d + j * C + c] -= H[k * m + j] * r[k * C + c];
        for (int i = 0; i < d; i++) g[j * d + i] -= r[k * C + c] * W2[j * C + c] * p->X[k * d + i];
      }
  free(f);
  free(r);
  free(H);
}

static void pack(const hs_neurons_t *neurons, double *x)
{
  memcpy(x, neurons->W1, (size_t)(neurons->count * neurons->d) * sizeof *x);
  memcpy(x + neurons->count * neurons->d, neurons->W2,
         (size_t)(neurons->count * neurons->outputs) * sizeof *x);
}

/* Central differences along every weight. */
static void test_differences(hs_loss_kind_t loss, int outputs, const char *name)
{
  direct_t p = direct_make(31, 4, 1, outputs, loss, HS_JOINT);
  p.beta = 0.3;
  hs_shard_t *shard = distributed_shard(WORLD, &p, 5, HS_DOUBLE);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  hs_neurons_t neurons = made_up(&p, 6, 0.7, 0.4);
  hs_relu_gradient_t *work;
  int size = 6 * (p.d + outputs);
  double *x = direct_numbers(size), *g = direct_numbers(size), value, nearest, step = 1e-5;
  bool good = hs_relu_gradient_create(&work, &problem, 6) == HS_OK && hs_relu_gradient_size(work) == size;
  pack(&neurons, x);
  double votes[HS_RELU_VOTES] = {1, hs_rank(WORLD)};
  hs_relu_gradient(work, x, &value, g, votes, &traffic);
  int ranks = hs_ranks(WORLD);
  good = good && votes[0] == ranks && votes[1] == ranks * (ranks - 1) / 2.0;
  double truth = plain_value(&p, 6, x, x + 6 * p.d, &nearest);
  good = good && nearest > 5 * step * 4 && fabs(value - truth) <= 1e-12 * truth;
  for (int e = 0; e < size; e++) {
    double at = x[e], side[2], any;
    for (int s = 0; s < 2; s++) {
      x[e] = at + (s ? step : -step);
      side[s] = plain_value(&p, 6, x, x + 6 * p.d, &any);
    }
    x[e] = at;
    good = good && fabs((side[1] - side[0]) / (2 * step) - g[e]) <= 1e-7 * (1 + fabs(truth));
  }
  hs_check(WORLD, good, name);
  hs_relu_gradient_free(&work);
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
  free(x);
  free(g);
}

/* More rows than a slab, features in both precisions, several threads; the same bits twice. */
static void test_slabs(hs_precision_t precision, int threads, const char *name)
{
  direct_t p = direct_make(1700, 5, 1, 2, HS_SQUARED, HS_JOINT);
  p.beta = 0.3;
  if (!set_threads(threads)) set_threads(1);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 7, precision);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  hs_neurons_t neurons = made_up(&p, 9, 0.7, 0.4);
  hs_relu_gradient_t *work;
  int size = 9 * (p.d + 2);
  double x[63], g[63], again[63], truth[63], value, second, nearest;
  bool good = hs_relu_gradient_create(&work, &problem, 9) == HS_OK;
  pack(&neurons, x);
  hs_relu_gradient(work, x, &value, g, NULL, &traffic);
  hs_relu_gradient(work, x, &second, again, NULL, &traffic);
  plain_gradient(&p, 9, x, x + 9 * p.d, truth);
  good = good && value == second && memcmp(g, again, sizeof g) == 0;
  good = good && fabs(value / plain_value(&p, 9, x, x + 9 * p.d, &nearest) - 1) <= 1e-12;
  double scale = direct_length(size, truth);
  for (int e = 0; e < size; e++) good = good && fabs(g[e] - truth[e]) <= 1e-12 * scale;
  hs_check(WORLD, good, name);
  hs_relu_gradient_free(&work);
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
  set_threads(1);
}

/* What is left of v (d) along the directions that leave x'w = 0 for the rows where that holds: there the network has a
 * kink, where it may well rest, and the derivative may have any value between two. */
static double off_kinks(const direct_t *p, const double *w, double *v)
{
  double basis[8][8];
  int count = 0, d = p->d;
  for (int k = 0; k < p->n && count < d; k++) {
    double *x = basis[count], h = 0;
    memcpy(x, p->X + k * d, (size_t)d * sizeof *x);
    for (int i = 0; i < d; i++) h += x[i] * w[i];
    if (fabs(h) > KINK * direct_length(d, x) * direct_length(d, w)) continue;
    for (int b = 0; b < 2 * count; b++) {
      double dot = 0, *e = basis[b % count];
      for (int i = 0; i < d; i++) dot += x[i] * e[i];
      for (int i = 0; i < d; i++) x[i] -= dot * e[i];
    }
    double length = direct_length(d, x), dot = 0;
    if (length < 1e-6) continue;
    for (int i = 0; i < d; i++) x[i] /= length;
    for (int i = 0; i < d; i++) dot += x[i] * v[i];
    for (int i = 0; i < d; i++) v[i] -= dot * x[i];
    count++;
  }
  return direct_length(d, v);
}

/* No small move lowers the value by much. */
static bool rests(const direct_t *p, const hs_neurons_t *neurons, double value)
{
  int m = neurons->count, first = m * p->d, size = m * (p->d + p->outputs);
  double *x = direct_numbers(size), nearest;
  bool good = true;
  for (int move = 0; move < 40; move++) {
    memcpy(x, neurons->W1, (size_t)first * sizeof *x);
    memcpy(x + first, neurons->W2, (size_t)(size - first) * sizeof *x);
    for (int e = 0; e < size; e++) x[e] += 1e-3 * direct_noise(70, move * size + e);
    good = good && plain_value(p, m, x, x + first, &nearest) >= value * (1 - 1e-9);
  }
  free(x);
  return good;
}

/* At a stationary point: layers balanced, gradient small but for kinks, objective what loops make of it. */
static bool stationary(const direct_t *p, const hs_neurons_t *neurons, const hs_local_report_t *report,
                       double tolerance)
{
  int m = neurons->count, first = m * p->d, size = m * (p->d + p->outputs);
  double *g = direct_numbers(size), nearest;
  plain_gradient(p, m, neurons->W1, neurons->W2, g);
  double value = plain_value(p, m, neurons->W1, neurons->W2, &nearest);
  double weights = hypot(direct_length(first, neurons->W1), direct_length(size - first, neurons->W2));
  double left = direct_length(size - first, g + first);
  for (int j = 0; j < m; j++) left = hypot(left, off_kinks(p, neurons->W1 + j * p->d, g + j * p->d));
  bool good = fabs(value - report->end.objective) <= 1e-11 * value && left * weights <= tolerance * value;
  good = good && report->end.objective <= report->start.objective && rests(p, neurons, value);
  for (int j = 0; j < m; j++) {
    double w = direct_length(p->d, neurons->W1 + j * p->d);
    good = good && fabs(w / direct_length(p->outputs, neurons->W2 + j * p->outputs) - 1) <= 1e-10;
  }
  if (!good)
    fprintf(stderr, "value %.12g, reported %.12g, relative gradient %g\n", value, report->end.objective,
            left * weights / value);
  free(g);
  return good;
}

static hs_local_report_t search(const hs_relu_problem_t *problem, hs_neurons_t *neurons,
                                hs_local_method_t method, int64_t most, double tolerance)
{
  hs_local_options_t options = {.method = method, .max_iterations = most, .tolerance = tolerance};
  hs_local_report_t report;
  hs_status_t status = hs_local_search(problem, neurons, &options, &report, &traffic);
  if (status != HS_OK) fprintf(stderr, "local search: %s\n", hs_error_message());
  hs_relu_value_t value;
  if (status != HS_OK || hs_relu_evaluate(problem, neurons, NULL, &value, &traffic) != HS_OK ||
      value.objective != report.end.objective)
    report.end.objective = NAN;
  return report;
}

/* Targets of a network, and a start beside it: with next to no decay the loss goes to next to nothing. */
static void test_teacher(void)
{
  direct_t p = direct_make(300, 5, 1, 2, HS_SQUARED, HS_JOINT);
  hs_neurons_t teacher = made_up(&p, 3, 1, 1);
  double total = 0;
  for (int k = 0; k < p.n; k++)
    for (int c = 0; c < 2; c++) {
      double f = 0;
      for (int j = 0; j < 3; j++) {
        double h = 0;
        for (int i = 0; i < 5; i++) h += p.X[k * 5 + i] * teacher.W1[j * 5 + i];
        f += fmax(0, h) * teacher.W2[j * 2 + c];
      }
      p.Y[k * 2 + c] = f;
      total += f * f / 2;
    }
  p.beta = 1e-6;
  double norm = hs_neurons_norm(&teacher);
  for (int e = 0; e < 15; e++) teacher.W1[e] += 0.1 * direct_noise(60, e);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 4, HS_DOUBLE);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  hs_local_report_t report = search(&problem, &teacher, HS_LOCAL_LBFGS, 0, 1e-12);
  hs_check(WORLD,
           report.end.objective <= p.beta * norm * (1 + 1e-6) && report.end.loss <= 1e-9 * total &&
               report.start.loss > 1e-4 * total && stationary(&p, &teacher, &report, 1e-2),
           "a start beside the network that made the data finds it");
  hs_neurons_clear(&teacher);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* One rank with all rows goes the same way as all ranks with their share, and every budget ends lower. */
static void test_ranks(hs_loss_kind_t loss, hs_precision_t precision, const char *name)
{
  direct_t p = direct_make(400, 4, 1, 3, loss, HS_JOINT);
  p.beta = 2;
  hs_shard_t *mine = distributed_shard(WORLD, &p, 6, precision);
  hs_shard_t *all = distributed_shard(MPI_COMM_SELF, &p, 6, precision);
  hs_relu_problem_t shared = problem_of(WORLD, &p, mine), alone = problem_of(MPI_COMM_SELF, &p, all);
  bool good = true;
  double last = INFINITY;
  for (int most = 5; most <= 20; most += 5) {
    hs_neurons_t a, b;
    hs_neurons_init(&a, p.d, p.outputs);
    hs_neurons_init(&b, p.d, p.outputs);
    good = good && hs_random_start(&shared, 7, 2, 8, &a, &traffic) == HS_OK;
    good = good && hs_random_start(&alone, 7, 2, 8, &b, &traffic) == HS_OK;
    hs_local_report_t x = search(&shared, &a, HS_LOCAL_LBFGS, most, 0);
    hs_local_report_t y = search(&alone, &b, HS_LOCAL_LBFGS, most, 0);
    good = good && fabs(x.end.objective / y.end.objective - 1) <= 1e-6;
    good = good && x.iterations == most && x.stop == HS_LOCAL_ITERATIONS && x.end.objective < last;
    last = x.end.objective;
    hs_neurons_clear(&a);
    hs_neurons_clear(&b);
  }
  hs_check(WORLD, good, name);
  hs_shard_free(&mine);
  hs_shard_free(&all);
  direct_free(&p);
}

static void test_end(hs_loss_kind_t loss, int outputs, const char *name)
{
  direct_t p = direct_make(1500, 4, 1, outputs, loss, HS_JOINT);
  p.beta = 10;
  hs_shard_t *shard = distributed_shard(WORLD, &p, 6, HS_DOUBLE);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, p.d, outputs);
  bool good = hs_random_start(&problem, 1, 0, 3, &neurons, &traffic) == HS_OK;
  hs_local_report_t report = search(&problem, &neurons, HS_LOCAL_LBFGS, 0, 1e-13);
  good = good && neurons.count > 0 && neurons.count <= 3 && report.stop == HS_LOCAL_CONVERGED;
  hs_check(WORLD, good && stationary(&p, &neurons, &report, 1e-3), name);
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* x = (z, 1) with small z: a neuron (0, 1) is on for all rows, and close to it the problem is
 *   min over u = a w of  1/2 |X u - y|^2 + beta |u|,  solved by  (X'X + beta/|u| I) u = X'y,  a fixed point in |u|. */
static double linear_optimum(const direct_t *p)
{
  double A[2][2] = {{0}}, b[2] = {0}, u[2] = {1, 1}, loss = 0;
  for (int k = 0; k < p->n; k++)
    for (int i = 0; i < 2; i++) {
      b[i] += p->X[2 * k + i] * p->Y[k];
      for (int j = 0; j < 2; j++) A[i][j] += p->X[2 * k + i] * p->X[2 * k + j];
    }
  for (int step = 0; step < 2000; step++) {
    double ridge = p->beta / hypot(u[0], u[1]), a = A[0][0] + ridge, c = A[1][1] + ridge, o = A[0][1];
    u[0] = (c * b[0] - o * b[1]) / (a * c - o * o);
    u[1] = (a * b[1] - o * b[0]) / (a * c - o * o);
  }
  for (int k = 0; k < p->n; k++) {
    double r = p->Y[k] - p->X[2 * k] * u[0] - p->X[2 * k + 1] * u[1];
    loss += r * r / 2;
    if (p->X[2 * k] * u[0] + p->X[2 * k + 1] * u[1] <= 0)
      abort(); /* else not the problem that it should be */
  }
  return loss + p->beta * hypot(u[0], u[1]);
}

static void test_one_neuron(void)
{
  direct_t p = direct_make(120, 2, 1, 1, HS_SQUARED, HS_JOINT);
  for (int k = 0; k < p.n; k++) {
    p.X[2 * k] = 0.2 * direct_noise(61, k);
    p.Y[k] = 2 + p.X[2 * k] + 0.1 * direct_noise(62, k);
  }
  p.beta = 5;
  double truth = linear_optimum(&p);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 4, HS_DOUBLE);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  const hs_local_method_t methods[] = {HS_LOCAL_LBFGS, HS_LOCAL_ADAM, HS_LOCAL_BOTH};
  const char *const names[] = {"one neuron that is on: L-BFGS finds the optimum",
                               "one neuron that is on: Adam comes close", "one neuron that is on: both"};
  for (int i = 0; i < 3; i++) {
    hs_neurons_t neurons;
    hs_neurons_init(&neurons, 2, 1);
    const double w[2] = {0.1, 0.5}, a = 0.5;
    if (hs_neurons_add(&neurons, w, &a) != HS_OK) abort();
    hs_local_report_t report = search(&problem, &neurons, methods[i], 500, 1e-14);
    hs_check_near(WORLD, report.end.objective / truth, 1, i == 1 ? 1e-2 : 1e-9, names[i]);
    hs_neurons_clear(&neurons);
  }
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Adam on the same start as L-BFGS: lower than the start, not below what L-BFGS makes of its end. */
static void test_adam(void)
{
  direct_t p = direct_make(300, 4, 1, 1, HS_SQUARED, HS_JOINT);
  p.beta = 3;
  hs_shard_t *shard = distributed_shard(WORLD, &p, 6, HS_DOUBLE);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, p.d, 1);
  bool good = hs_random_start(&problem, 3, 0, 6, &neurons, &traffic) == HS_OK;
  hs_local_report_t adam = search(&problem, &neurons, HS_LOCAL_ADAM, 1000, 0);
  hs_local_report_t both = search(&problem, &neurons, HS_LOCAL_LBFGS, 0, 1e-12);
  good = good && adam.end.objective < adam.start.objective && adam.stop == HS_LOCAL_ITERATIONS;
  good = good && adam.evaluations == 1001 && fabs(both.start.objective / adam.end.objective - 1) <= 1e-12;
  good = good && both.end.objective <= adam.end.objective && both.end.objective >= 0.95 * adam.end.objective;
  hs_check(WORLD, good, "Adam ends within 5 % of the stationary point beside it");
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Neurons without an output, neurons that are on for no row, no neurons, no time. */
static void test_corners(void)
{
  direct_t p = direct_make(50, 3, 1, 1, HS_SQUARED, HS_JOINT);
  for (int k = 0; k < p.n; k++) p.X[3 * k] = fabs(p.X[3 * k]) + 0.1;
  p.beta = 0.5;
  hs_shard_t *shard = distributed_shard(WORLD, &p, 4, HS_DOUBLE);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, 3, 1);
  const double on[3] = {1, 0, 0.5}, off[3] = {-1, 0, 0}, one = 1, zero = 0;
  bool good = hs_neurons_add(&neurons, off, &one) == HS_OK && hs_neurons_add(&neurons, on, &zero) == HS_OK;
  good = good && hs_neurons_add(&neurons, on, &one) == HS_OK;
  double counts[3];
  good = good && hs_relu_active_rows(&problem, &neurons, counts, &traffic) == HS_OK;
  good = good && counts[0] == 0 && counts[1] == 50 && counts[2] == 50;
  hs_local_report_t report = search(&problem, &neurons, HS_LOCAL_LBFGS, 1, 0);
  good = good && neurons.count == 1 && report.end.objective < report.start.objective;
  hs_check(WORLD, good, "idle neurons go");

  hs_local_options_t options = {.method = HS_LOCAL_BOTH, .max_seconds = 1e-12};
  good = hs_local_search(&problem, &neurons, &options, &report, &traffic) == HS_OK;
  good = good && report.stop == HS_LOCAL_TIME && report.evaluations == 1 && neurons.count == 1;
  good = good && report.end.objective == report.start.objective;
  hs_check(WORLD, good, "no time: the start");

  neurons.count = 0;
  report = search(&problem, &neurons, HS_LOCAL_BOTH, 10, 0);
  double zeros[50] = {0};
  good = neurons.count == 0 && report.evaluations == 0;
  hs_check(WORLD, good && fabs(report.end.objective / direct_loss(&p, zeros) - 1) <= 1e-12,
           "no neurons: none found");
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* As large as the targets, balanced, the same for any ranks, different from one restart to the next. */
static void test_start(void)
{
  direct_t p = direct_make(90, 4, 1, 3, HS_LOGISTIC, HS_JOINT);
  hs_shard_t *shard = distributed_shard(WORLD, &p, 5, HS_DOUBLE);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  hs_neurons_t a, b;
  hs_neurons_init(&a, 4, 3);
  hs_neurons_init(&b, 4, 3);
  bool good = hs_random_start(&problem, 5, 0, 11, &a, &traffic) == HS_OK;
  good = good && hs_random_start(&problem, 5, 1, 11, &b, &traffic) == HS_OK && a.count == 11;
  double f[3], size = 0, product = 0;
  for (int k = 0; k < p.n; k++) {
    memset(f, 0, sizeof f);
    for (int j = 0; j < 11; j++) {
      double h = 0;
      for (int i = 0; i < 4; i++) h += p.X[4 * k + i] * a.W1[4 * j + i];
      for (int c = 0; c < 3 && h > 0; c++) f[c] += h * a.W2[3 * j + c];
    }
    size += f[0] * f[0] + f[1] * f[1] + f[2] * f[2];
  }
  good = good && fabs(size / (90 * 3) - 1) <= 1e-12;
  for (int j = 0; j < 11; j++)
    good = good && fabs(direct_length(4, a.W1 + 4 * j) / direct_length(3, a.W2 + 3 * j) - 1) <= 1e-12;
  for (int e = 0; e < 44; e++) product += a.W1[e] * b.W1[e];
  good = good && fabs(product) <= 0.6 * direct_length(44, a.W1) * direct_length(44, b.W1);
  hs_check(WORLD, good, "random starts");
  hs_neurons_clear(&a);
  hs_neurons_clear(&b);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* A signal on one rank ends the search on all of them, with what there is. The flag stays up: the last test. */
static void test_signal(void)
{
  direct_t p = direct_make(60, 3, 1, 1, HS_SQUARED, HS_JOINT);
  p.beta = 0.5;
  hs_shard_t *shard = distributed_shard(WORLD, &p, 4, HS_DOUBLE);
  hs_relu_problem_t problem = problem_of(WORLD, &p, shard);
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, 3, 1);
  bool good = hs_random_start(&problem, 3, 0, 6, &neurons, &traffic) == HS_OK;
  hs_interrupt_watch();
  if (hs_rank(WORLD) == hs_ranks(WORLD) - 1) raise(SIGUSR2);
  hs_local_report_t report = search(&problem, &neurons, HS_LOCAL_BOTH, 100, 0);
  good = good && report.stop == HS_LOCAL_INTERRUPTED && report.evaluations == 1 && neurons.count > 0;
  hs_check(WORLD, good && report.end.objective <= report.start.objective, "a signal on one rank");
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  set_threads(1);
  test_differences(HS_SQUARED, 1, "gradient against differences: squared, 1 output");
  test_differences(HS_HUBER, 2, "gradient against differences: huber, 2 outputs");
  test_differences(HS_LOGISTIC, 1, "gradient against differences: logistic");
  test_differences(HS_SOFTMAX, 3, "gradient against differences: softmax, 3 outputs");
  test_differences(HS_SQUARED_HINGE, 1, "gradient against differences: squared hinge");
  test_slabs(HS_DOUBLE, 1, "gradient on several slabs");
  test_slabs(HS_SINGLE, 1, "gradient on several slabs, features in single precision");
  test_slabs(HS_DOUBLE, 3, "gradient by several threads");
  test_start();
  test_teacher();
  test_ranks(HS_SQUARED, HS_DOUBLE, "ranks: squared loss");
  test_ranks(HS_SOFTMAX, HS_SINGLE, "ranks: softmax, features in single precision");
  test_end(HS_SQUARED, 1, "stationary at the end: squared, 1 output");
  test_end(HS_SOFTMAX, 3, "stationary at the end: softmax, 3 outputs");
  test_one_neuron();
  test_adam();
  test_corners();
  test_signal();
  int code = hs_check_summary(WORLD);
  MPI_Finalize();
  return code;
}
