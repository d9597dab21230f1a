/* Column generation: real ReLU networks to the global optimum.
 *
 * The truth in two dimensions: the residual T of the network that comes out, by plain loops, and the exact
 *     Z = max over |w| <= 1 of |T'(Xw)_+|,
 * from all arcs between the angles where a sample changes sides. By convexity, for every network g of norm N(g),
 *     L(g) + beta N(g) >= L(f) + <T, f> - (Z - beta) N(g),    and N(g) <= objective / beta for those that matter:
 *     p* >= L(f) + <T, f> - max(0, Z / beta - 1) objective.
 * That proves the optimum without solving anything, for every loss, and uses no dual function.
 */
#include <signal.h>

#include "base/interrupt.h"
#include "mpi/network/column_generation.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

enum { MOST_ROUNDS = 200 };

/* ---- plain loops ---- */

/* a = (X W1')_+ W2 */
static void predict(const direct_t *p, const hs_neurons_t *neurons, double *a)
{
  memset(a, 0, (size_t)(p->n * p->outputs) * sizeof *a);
  for (int k = 0; k < p->n; k++)
    for (int i = 0; i < neurons->count; i++) {
      double z = 0;
      for (int j = 0; j < p->d; j++) z += p->X[k * p->d + j] * neurons->W1[i * p->d + j];
      for (int c = 0; c < p->outputs; c++)
        a[k * p->outputs + c] += fmax(0, z) * neurons->W2[i * p->outputs + c];
    }
}

/* L + beta/2 (|W1|^2 + |W2|^2) */
static double objective(const direct_t *p, const hs_neurons_t *neurons, double beta)
{
  double *a = direct_numbers(p->n * p->outputs);
  predict(p, neurons, a);
  double in = direct_length(neurons->count * p->d, neurons->W1);
  double out = direct_length(neurons->count * p->outputs, neurons->W2);
  double sum = direct_loss(p, a) + beta / 2 * (in * in + out * out);
  free(a);
  return sum;
}

/* |T'(Xw)_+| / |w| */
static double price(const direct_t *p, const double *T, const double *w)
{
  double s[16] = {0}, size = direct_length(p->d, w);
  for (int k = 0; k < p->n; k++) {
    double z = 0;
    for (int j = 0; j < p->d; j++) z += p->X[k * p->d + j] * w[j];
    for (int c = 0; c < p->outputs; c++) s[c] += fmax(0, z) * T[k * p->outputs + c];
  }
  return size > 0 ? direct_length(p->outputs, s) / size : 0;
}

static int by_size(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* The price at both ends of an arc, and where it is stationary if its samples on are those of the middle. Directions that
 * lie elsewhere do no harm: they are prices, too. */
static double arc_price(const direct_t *p, const double *T, double from, double to)
{
  double middle[2] = {cos((from + to) / 2), sin((from + to) / 2)}, M[4] = {0}; /* M'M of M = sum T_k x_k' */
  double best = fmax(price(p, T, (double[2]){cos(from), sin(from)}), price(p, T, middle));
  for (int c = 0; c < p->outputs; c++) {
    double v[2] = {0};
    for (int k = 0; k < p->n; k++) {
      const double *x = p->X + k * 2;
      if (x[0] * middle[0] + x[1] * middle[1] <= 0) continue;
      v[0] += T[k * p->outputs + c] * x[0];
      v[1] += T[k * p->outputs + c] * x[1];
    }
    M[0] += v[0] * v[0];
    M[1] += v[0] * v[1];
    M[3] += v[1] * v[1];
  }
  double angle = 0.5 * atan2(2 * M[1], M[0] - M[3]); /* of the larger eigenvector */
  for (int q = 0; q < 4; q++) {
    double t = angle + q * acos(0);
    best = fmax(best, price(p, T, (double[2]){cos(t), sin(t)}));
  }
  return best;
}

/* Z, exactly; d = 2. */
static double exact_price(const direct_t *p, const double *T)
{
  double *angle = direct_numbers(2 * p->n + 1), best = 0, turn = 4 * acos(0);
  for (int k = 0; k < p->n; k++) {
    double t = atan2(p->X[k * 2], -p->X[k * 2 + 1]); /* orthogonal to x_k */
    angle[2 * k] = t < 0 ? t + turn : t;
    angle[2 * k + 1] = fmod(angle[2 * k] + turn / 2, turn);
  }
  qsort(angle, (size_t)(2 * p->n), sizeof *angle, by_size);
  angle[2 * p->n] = angle[0] + turn;
  for (int k = 0; k < 2 * p->n; k++) best = fmax(best, arc_price(p, T, angle[k], angle[k + 1]));
  free(angle);
  return best;
}

static double zero_price(const direct_t *p)
{
  double *a = direct_numbers(p->n * p->outputs), *T = direct_numbers(p->n * p->outputs);
  direct_residual(p, a, T);
  double Z = exact_price(p, T);
  free(a);
  free(T);
  return Z;
}

/* How far the network may be from p*, relative to its objective; d = 2. */
static double exact_gap(const direct_t *p, const hs_neurons_t *neurons, double beta)
{
  double *a = direct_numbers(p->n * p->outputs), *T = direct_numbers(p->n * p->outputs), inner = 0;
  predict(p, neurons, a);
  direct_residual(p, a, T);
  for (int e = 0; e < p->n * p->outputs; e++) inner += T[e] * a[e];
  double value = objective(p, neurons, beta), over = fmax(0, exact_price(p, T) / beta - 1);
  double lower = direct_loss(p, a) + inner - over * value;
  free(a);
  free(T);
  return (value - lower) / value;
}

/* ---- runs ---- */

typedef struct rows {
  int count, most; /* most > 0: one rank asks to stop after so many */
  hs_columns_round_t row[MOST_ROUNDS];
} rows_t;

static bool note(void *context, const hs_columns_round_t *round)
{
  rows_t *rows = context;
  if (rows->count < MOST_ROUNDS) rows->row[rows->count++] = *round;
  return rows->most > 0 && rows->count >= rows->most &&
         hs_rank(MPI_COMM_WORLD) == hs_ranks(MPI_COMM_WORLD) - 1;
}

typedef struct result {
  hs_status_t status;
  hs_shard_t *shard;
  hs_neurons_t neurons;
  hs_columns_report_t report;
  double *theta;
  rows_t rows;
} result_t;

static hs_columns_options_t tight(void)
{
  return (hs_columns_options_t){
      .tolerance = 1e-8, .rounds = 120, .starts = 64, .final_starts = 256, .seed = 1};
}

/* From the neurons of *result. */
static void run_from(result_t *result, MPI_Comm comm, const direct_t *p, double beta, int64_t blocks,
                     hs_precision_t precision, hs_columns_options_t options)
{
  result->shard = distributed_shard(comm, p, blocks, precision);
  result->theta = direct_numbers((int)result->shard->rows * p->outputs);
  hs_relu_problem_t problem = {.comm = comm, .shard = result->shard, .loss = p->loss, .beta = beta};
  hs_traffic_t traffic = {0};
  options.observe = note;
  options.context = &result->rows;
  result->status =
      hs_column_generation(&problem, &result->neurons, &options, result->theta, &result->report, &traffic);
  if (result->status != HS_OK) fprintf(stderr, "column generation: %s\n", hs_error_message());
}

/* From nothing. */
static void run(result_t *result, MPI_Comm comm, const direct_t *p, double beta, int64_t blocks,
                hs_precision_t precision, hs_columns_options_t options)
{
  *result = (result_t){0};
  hs_neurons_init(&result->neurons, p->d, p->outputs);
  run_from(result, comm, p, beta, blocks, precision, options);
}

static void discard(result_t *result)
{
  hs_columns_report_free(&result->report);
  hs_neurons_clear(&result->neurons);
  hs_shard_free(&result->shard);
  free(result->theta);
}

/* What every run owes: a monotone objective, an estimate below it, numbers that are those of the network. */
static bool sound(const direct_t *p, const result_t *result, double beta)
{
  const hs_columns_report_t *report = &result->report;
  double value = objective(p, &result->neurons, beta), before = report->start.objective;
  bool good = result->status == HS_OK && result->rows.count == report->rounds && report->rounds > 0;
  for (int r = 0; r < result->rows.count; r++) {
    good = good && result->rows.row[r].objective <= before && result->rows.row[r].lower <= before;
    good = good && result->rows.row[r].round == r + 1;
    before = result->rows.row[r].objective;
  }
  good =
      good && fabs(report->end.objective - value) <= 1e-10 * value && fabs(before - value) <= 1e-10 * value;
  for (int k = 0; k < result->neurons.count; k++) {
    double in = direct_length(p->d, result->neurons.W1 + k * p->d);
    double out = direct_length(p->outputs, result->neurons.W2 + k * p->outputs);
    good = good && in > 0 && fabs(in / out - 1) <= 1e-10;
  }
  good = good && report->lower <= report->end.objective && report->gap >= 0;
  return good && fabs(report->gap - (value - report->lower) / value) <= 1e-9;
}

/* ---- tests ---- */

static void check_exact(int n, hs_loss_kind_t kind, int outputs, double share)
{
  direct_t p = direct_make(n, 2, 1, outputs, kind, HS_JOINT);
  double beta = share * zero_price(&p);
  result_t result;
  run(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, tight());
  double off = exact_gap(&p, &result.neurons, beta);
  char name[128];
  snprintf(name, sizeof name, "the exact optimum, %d samples, %s, C = %d, beta %g", n, hs_loss_name(kind),
           outputs, share);
  if (!(off <= 1e-6)) fprintf(stderr, "%s: %g\n", name, off);
  hs_check(MPI_COMM_WORLD, sound(&p, &result, beta) && off <= 1e-6 && result.neurons.count > 0, name);
  discard(&result);
  direct_free(&p);
}

/* The bound that is reported belongs to theta and Z, Z to best_w; theta is this rank's. */
static bool bound_is_theirs(const direct_t *p, const result_t *result, double beta)
{
  const hs_columns_report_t *report = &result->report;
  double *T = direct_numbers(p->n * p->outputs), ty = 0, tt = 0;
  int mine = (int)result->shard->rows * p->outputs;
  memcpy(T + result->shard->row0 * p->outputs, result->theta, (size_t)mine * sizeof *T);
  MPI_Allreduce(MPI_IN_PLACE, T, p->n * p->outputs, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  double Z = price(p, T, report->best_w);
  for (int e = 0; e < p->n * p->outputs; e++) {
    ty += T[e] * p->Y[e];
    tt += T[e] * T[e];
  }
  double s = fmin(beta / fmax(Z, beta), ty / tt), lower = s * ty - s * s * tt / 2;
  free(T);
  return fabs(Z / report->Z - 1) <= 1e-9 && fabs(report->lower / lower - 1) <= 1e-9;
}

static double some_beta(const direct_t *p, double share)
{
  double *a = direct_numbers(p->n * p->outputs), *T = direct_numbers(p->n * p->outputs), best = 0;
  direct_residual(p, a, T);
  for (int trial = 0; trial < 500; trial++) {
    double w[16];
    for (int j = 0; j < p->d; j++) w[j] = direct_noise(61, trial * p->d + j);
    best = fmax(best, price(p, T, w));
  }
  free(a);
  free(T);
  return share * best;
}

static void check_larger(int outputs, hs_loss_kind_t kind, const char *name)
{
  direct_t p = direct_make(300, 5, 1, outputs, kind, HS_JOINT);
  double beta = some_beta(&p, 0.25);
  result_t result;
  hs_columns_options_t options = tight();
  options.tolerance = 1e-3;
  run(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, options);
  bool good = sound(&p, &result, beta) && result.report.gap <= 1e-3 && result.report.starts >= 256;
  good = good && result.report.ended == HS_COLUMNS_TOLERANCE;
  good = good && (kind != HS_SQUARED || bound_is_theirs(&p, &result, beta));
  hs_check(MPI_COMM_WORLD, good, name);
  discard(&result);
  direct_free(&p);
}

/* All rows on one rank, or few blocks, so that some ranks have none, or features in single precision. */
static void test_ranks(void)
{
  direct_t p = direct_make(60, 3, 1, 1, HS_SQUARED, HS_JOINT);
  double beta = some_beta(&p, 0.3);
  result_t alone, all, few, single;
  run(&alone, MPI_COMM_SELF, &p, beta, 1, HS_DOUBLE, tight());
  run(&all, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, tight());
  run(&few, MPI_COMM_WORLD, &p, beta, 2, HS_DOUBLE, tight());
  run(&single, MPI_COMM_WORLD, &p, beta, 4, HS_SINGLE, tight());
  double truth = alone.report.end.objective;
  bool good = alone.status == HS_OK && alone.report.gap <= 1e-7;
  hs_check(MPI_COMM_WORLD, good && sound(&p, &all, beta) && sound(&p, &few, beta) && sound(&p, &single, beta),
           "the same problem on other ranks");
  hs_check_near(MPI_COMM_WORLD, all.report.end.objective, truth, 1e-6, "rows on all ranks against one");
  hs_check_near(MPI_COMM_WORLD, few.report.end.objective, truth, 1e-6, "ranks without rows");
  hs_check_near(MPI_COMM_WORLD, single.report.end.objective, truth, 1e-6, "features in single precision");
  double sum[2] = {all.report.end.objective, -all.report.end.objective};
  MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, sum[0] == -sum[1], "the same bits on all ranks");
  discard(&alone);
  discard(&all);
  discard(&few);
  discard(&single);
  direct_free(&p);
}

/* Neurons of any scaling, some without outer weights, one without a direction. */
static void test_start(void)
{
  direct_t p = direct_make(60, 3, 1, 2, HS_SQUARED, HS_JOINT);
  double beta = some_beta(&p, 0.1), w[3], a[2], zero[3] = {0};
  result_t result = {0};
  hs_neurons_init(&result.neurons, 3, 2);
  for (int k = 0; k < 12; k++) {
    double scale = k % 2 == 0 ? 100 : 0.01;
    for (int j = 0; j < 3; j++) w[j] = scale * direct_noise(62, 3 * k + j);
    for (int c = 0; c < 2; c++) a[c] = 0.1 / scale * direct_noise(63, 2 * k + c);
    if (hs_neurons_add(&result.neurons, k == 5 ? zero : w, k < 8 ? a : NULL) != HS_OK) abort();
  }
  hs_neurons_t start;
  hs_neurons_init(&start, 3, 2);
  if (hs_neurons_copy(&start, &result.neurons) != HS_OK) abort();
  hs_neurons_balance(&start);
  double before = objective(&p, &start, beta);
  run_from(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, tight());
  bool good = sound(&p, &result, beta) && fabs(result.report.start.objective / before - 1) <= 1e-10;
  hs_check(MPI_COMM_WORLD, good && result.report.end.objective < before, "a start of any scaling");
  double best = result.report.end.objective;
  hs_columns_report_free(&result.report);
  free(result.theta);
  hs_shard_free(&result.shard);
  result.rows.count = 0;
  hs_columns_options_t options = tight();
  options.rounds = 1;
  run_from(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, options);
  good = sound(&p, &result, beta) && result.report.end.objective <= best * (1 + 1e-14);
  hs_check(MPI_COMM_WORLD, good && result.report.end.objective >= best * (1 - 1e-7),
           "a start at the optimum stays there");
  hs_neurons_clear(&start);
  discard(&result);
  direct_free(&p);
}

static void test_ends(void)
{
  direct_t p = direct_make(60, 3, 1, 1, HS_SQUARED, HS_JOINT);
  double beta = some_beta(&p, 0.05);
  result_t result;
  hs_columns_options_t options = tight();
  options.rounds = 3;
  run(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, options);
  bool good =
      sound(&p, &result, beta) && result.report.ended == HS_COLUMNS_ROUNDS && result.report.rounds == 3;
  hs_check(MPI_COMM_WORLD, good && result.report.starts >= 256 && bound_is_theirs(&p, &result, beta),
           "out of rounds: the bound is that of the final price");
  discard(&result);

  options.final_starts = 0;
  run(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, options);
  good = sound(&p, &result, beta) && result.report.starts < 256 && result.report.starts >= 16;
  hs_check(MPI_COMM_WORLD, good && bound_is_theirs(&p, &result, beta),
           "no final price: the bound of a round");
  discard(&result);

  result = (result_t){.rows.most = 2};
  hs_neurons_init(&result.neurons, p.d, p.outputs);
  run_from(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, tight());
  good = sound(&p, &result, beta) && result.report.ended == HS_COLUMNS_STOPPED && result.report.rounds == 2;
  hs_check(MPI_COMM_WORLD, good, "the observer of one rank asks to stop");
  discard(&result);

  options = tight();
  options.max_seconds = 1e-9;
  run(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, options);
  good = sound(&p, &result, beta) && result.report.ended == HS_COLUMNS_TIME && result.report.rounds == 1;
  hs_check(MPI_COMM_WORLD, good, "out of time at once");
  discard(&result);
  direct_free(&p);
}

/* Above the largest price of all the zero network is optimal. */
static void test_nothing(void)
{
  direct_t p = direct_make(30, 2, 1, 2, HS_SQUARED, HS_JOINT);
  double beta = 1.001 * zero_price(&p), zero = 0;
  for (int e = 0; e < p.n * p.outputs; e++) zero += p.Y[e] * p.Y[e] / 2;
  result_t result = {0};
  const double w[2] = {0.4, -0.3}, a[2] = {1, 2};
  hs_neurons_init(&result.neurons, 2, 2);
  if (hs_neurons_add(&result.neurons, w, a) != HS_OK) abort();
  run_from(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, tight());
  bool good = sound(&p, &result, beta) && result.neurons.count == 0 && result.report.Z < beta;
  hs_check_near(MPI_COMM_WORLD, result.report.lower, zero, 1e-12, "a large beta: the bound");
  hs_check(MPI_COMM_WORLD, good && fabs(result.report.end.objective - zero) <= 1e-12 * zero,
           "a large beta: no neurons");
  discard(&result);
  direct_free(&p);
}

/* A signal on one rank ends the run after the round, with the bound that there is. The flag stays: this test comes last. */
static void test_interrupt(void)
{
  direct_t p = direct_make(60, 3, 1, 1, HS_SQUARED, HS_JOINT);
  double beta = some_beta(&p, 0.05);
  result_t result;
  hs_interrupt_watch();
  if (hs_rank(MPI_COMM_WORLD) == 0) raise(SIGUSR2);
  run(&result, MPI_COMM_WORLD, &p, beta, 4, HS_DOUBLE, tight());
  bool good = sound(&p, &result, beta) && result.report.ended == HS_COLUMNS_INTERRUPTED;
  good =
      good && result.report.rounds == 1 && result.report.starts < 256 && bound_is_theirs(&p, &result, beta);
  hs_check(MPI_COMM_WORLD, good, "a signal");
  discard(&result);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  check_exact(12, HS_SQUARED, 1, 0.02);
  check_exact(40, HS_SQUARED, 1, 0.3);
  check_exact(40, HS_SQUARED, 1, 0.01);
  check_exact(40, HS_SQUARED, 3, 0.05);
  check_exact(40, HS_LOGISTIC, 1, 0.1);
  check_exact(40, HS_LOGISTIC, 2, 0.2);
  check_exact(40, HS_SOFTMAX, 3, 0.1);
  check_exact(40, HS_SQUARED_HINGE, 1, 0.1);
  check_exact(40, HS_HUBER, 1, 0.1);
  check_larger(1, HS_SQUARED, "300 samples");
  check_larger(3, HS_SQUARED, "300 samples, three outputs");
  check_larger(3, HS_SOFTMAX, "300 samples, three classes");
  test_ranks();
  test_start();
  test_ends();
  test_nothing();
  test_interrupt();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
