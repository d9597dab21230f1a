/* The price of a ReLU neuron, max over |w| <= 1 of f(w) = |T'(Xw)_+|, against what plain loops over all rows know.
 *
 * In the plane it is known: between two neighbouring angles at which a row changes its side f is the length of a linear
 * map of w. In any dimension: no direction is better than the best one, the values are those of the directions returned, and
 * the best direction is parallel to a gradient. A run on all ranks must agree with one on a single rank.
 */
#include <string.h>

#include "base/threads.h"
#include "mpi/pricing/relu_ascent.h"
#include "mpi/pricing/relu_price.h"
#include "mpi/pricing/relu_starts.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define OUTPUTS 8 /* at most */

/* n rows, the targets are the residual. Without the column of ones: all directions are alike. */
static direct_t make_data(int n, int d, int C)
{
  direct_t p = direct_make(n, d, 1, C, HS_SQUARED, HS_JOINT);
  for (int e = 0; e < n * d; e++) p.X[e] = (double)(float)direct_noise(1, e);
  return p;
}

/* T'(Xw)_+ and its length. */
static double plain_value(const direct_t *p, const double *w, double *A)
{
  for (int c = 0; c < p->outputs; c++) A[c] = 0;
  for (int k = 0; k < p->n; k++) {
    double z = 0;
    for (int j = 0; j < p->d; j++) z += p->X[k * p->d + j] * w[j];
    for (int c = 0; c < p->outputs && z > 0; c++) A[c] += z * p->Y[k * p->outputs + c];
  }
  return direct_length(p->outputs, A);
}

/* ---- the plane ---- */

static double on_circle(const direct_t *p, double angle)
{
  double w[2] = {cos(angle), sin(angle)}, A[OUTPUTS];
  return plain_value(p, w, A);
}

static int ascending(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Largest value between two angles without a change of sides in between. f^2 = w'Mw there: cosines of twice the
 * angle, largest at an end or where tan(2 angle) = 2 M12 / (M11 - M22). One output: M = G G'. */
static double largest_between(const direct_t *p, double from, double to)
{
  double middle = (from + to) / 2, w[2] = {cos(middle), sin(middle)}, M[3] = {0}, B[OUTPUTS][2] = {{0}};
  for (int k = 0; k < p->n; k++)
    for (int c = 0; c < p->outputs && p->X[2 * k] * w[0] + p->X[2 * k + 1] * w[1] > 0; c++)
      for (int j = 0; j < 2; j++) B[c][j] += p->Y[k * p->outputs + c] * p->X[2 * k + j];
  for (int c = 0; c < p->outputs; c++) {
    M[0] += B[c][0] * B[c][0];
    M[1] += B[c][0] * B[c][1];
    M[2] += B[c][1] * B[c][1];
  }
  double most = fmax(on_circle(p, from), on_circle(p, to)), angle = atan2(2 * M[1], M[0] - M[2]) / 2;
  for (int turn = -2; turn <= 4; turn++)
    if (angle + turn * M_PI >= from && angle + turn * M_PI <= to)
      most = fmax(most, on_circle(p, angle + turn * M_PI));
  return most;
}

static double largest_on_circle(const direct_t *p)
{
  int count = 2 * p->n;
  double *angle = direct_numbers(count + 1), most = 0;
  for (int k = 0; k < p->n; k++)
    for (int side = 0; side < 2; side++)
      angle[2 * k + side] = fmod(atan2(-p->X[2 * k], p->X[2 * k + 1]) + (3 + side) * M_PI, 2 * M_PI);
  qsort(angle, (size_t)count, sizeof *angle, ascending);
  angle[count] = angle[0] + 2 * M_PI;
  for (int k = 0; k < count; k++) most = fmax(most, largest_between(p, angle[k], angle[k + 1]));
  free(angle);
  return most;
}

/* ---- runs ---- */

static hs_status_t price_of(MPI_Comm comm, const direct_t *p, hs_precision_t precision,
                            const hs_price_options_t *options, hs_price_t *price, hs_traffic_t *traffic)
{
  hs_shard_t *shard = distributed_shard(comm, p, 8, precision);
  hs_relu_problem_t problem = {.comm = comm, .shard = shard, .loss = p->loss, .beta = 1};
  *traffic = (hs_traffic_t){0};
  hs_status_t status = hs_relu_price(&problem, shard->Y, options, price, traffic);
  hs_shard_free(&shard);
  return status;
}

static hs_price_t must_price(MPI_Comm comm, const direct_t *p, hs_precision_t precision,
                             const hs_price_options_t *options)
{
  hs_price_t price;
  hs_traffic_t traffic;
  if (price_of(comm, p, precision, options, &price, &traffic) != HS_OK) {
    fprintf(stderr, "no price: %s\n", hs_error_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  return price;
}

static void test_plane(int n, int C, const char *name)
{
  direct_t p = make_data(n, 2, C);
  hs_price_options_t options = {.starts = 300, .seed = 3, .keep = 5};
  hs_price_t price = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &options);
  hs_check_near(MPI_COMM_WORLD, price.best, largest_on_circle(&p), 1e-8, name);
  hs_price_free(&price);
  direct_free(&p);
}

/* ---- any dimension ---- */

static bool is_close(double value, double truth, double tolerance)
{
  return fabs(value - truth) <= tolerance * fmax(1, fabs(truth));
}

/* Every direction has length 1, the value and the output weights that plain loops find. */
static bool values_hold(const direct_t *p, const hs_price_t *price)
{
  double A[OUTPUTS];
  bool good = is_close(price->best, plain_value(p, price->best_w, A), 1e-11) && price->found.count > 0 &&
              price->value[0] == price->best;
  for (int k = 0; k < price->found.count && good; k++) {
    const double *w = price->found.W1 + k * p->d, *a = price->found.W2 + k * p->outputs;
    double f = plain_value(p, w, A);
    good = is_close(price->value[k], f, 1e-11) && is_close(direct_length(p->d, w), 1, 1e-14);
    for (int c = 0; c < p->outputs; c++) good = good && is_close(a[c], A[c] / f, 1e-11);
  }
  return good;
}

static double apart(int d, const double *v, const double *w)
{
  double sum = 0;
  for (int j = 0; j < d; j++) sum += (v[j] - w[j]) * (v[j] - w[j]);
  return sqrt(sum);
}

static bool list_holds(const direct_t *p, const hs_price_t *price, double above, int keep)
{
  const double *W = price->found.W1;
  bool good = price->found.count <= keep;
  for (int k = 0; k < price->found.count; k++) {
    good = good && price->value[k] > above && (k == 0 || price->value[k] <= price->value[k - 1]);
    for (int l = 0; l < k; l++) good = good && apart(p->d, W + k * p->d, W + l * p->d) > HS_PRICE_APART;
  }
  return good;
}

/* Each rank tries its share of 20000 random directions. */
static bool none_is_better(const direct_t *p, double best)
{
  double w[16], A[OUTPUTS], most = 0;
  for (int trial = hs_rank(MPI_COMM_WORLD); trial < 20000; trial += hs_ranks(MPI_COMM_WORLD)) {
    for (int j = 0; j < p->d; j++) w[j] = direct_noise(70, trial * p->d + j);
    most = fmax(most, plain_value(p, w, A) / direct_length(p->d, w));
  }
  return most <= best;
}

#define ON_PLANE 1e-3 /* |x.w| of a row that counts as being on the hyperplane of w */

/* What is left of the gradient across w, relative to f, when rows on the hyperplane of w count with the share of [0, 1]
 * that is best: descent along one share after the other. *edges: how many rows that are. */
static double across(const direct_t *p, const double *w, int *edges_found)
{
  int d = p->d, edges = 0;
  double near = ON_PLANE, A[OUTPUTS], f = plain_value(p, w, A), G[16] = {0}, *edge = direct_numbers(p->n * d);
  double *share = direct_numbers(p->n);
  for (int k = 0; k < p->n; k++) {
    double z = 0, pull = 0, *row = edge + edges * d;
    for (int j = 0; j < d; j++) z += p->X[k * d + j] * w[j];
    for (int c = 0; c < p->outputs; c++) pull += p->Y[k * p->outputs + c] * A[c] / f;
    for (int j = 0; j < d; j++) row[j] = pull * (p->X[k * d + j] - z * w[j]);
    for (int j = 0; j < d && z > near; j++) G[j] += row[j];
    edges += fabs(z) <= near;
  }
  for (int sweep = 0; sweep < 500; sweep++)
    for (int e = 0; e < edges; e++) {
      double *row = edge + e * d, inner = 0, square = direct_length(d, row), old = share[e];
      for (int j = 0; j < d; j++) inner += G[j] * row[j];
      share[e] = fmax(0, fmin(1, old - inner / (square * square)));
      for (int j = 0; j < d; j++) G[j] += (share[e] - old) * row[j];
    }
  double left = direct_length(d, G) / f;
  *edges_found = edges;
  free(edge);
  free(share);
  return left;
}

/* The same as on rank 0 alone, and the same bits on all ranks. */
static bool same_everywhere(const direct_t *p, hs_precision_t precision, const hs_price_options_t *options,
                            const hs_price_t *price)
{
  bool good = true;
  if (hs_rank(MPI_COMM_WORLD) == 0) {
    hs_price_t alone = must_price(MPI_COMM_SELF, p, precision, options);
    good = is_close(price->best, alone.best, 1e-9) && price->starts == alone.starts;
    hs_price_free(&alone);
  }
  int count = price->found.count, numbers = count * p->d;
  double *first = direct_numbers(numbers + 1);
  memcpy(first, price->found.W1, (size_t)numbers * sizeof *first);
  first[numbers] = price->best;
  MPI_Bcast(&count, 1, MPI_INT, 0, MPI_COMM_WORLD);
  int same = count == price->found.count, all;
  MPI_Allreduce(&same, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (all) MPI_Bcast(first, numbers + 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  good = good && all && memcmp(first, price->found.W1, (size_t)numbers * sizeof *first) == 0 &&
         first[numbers] == price->best;
  free(first);
  return good;
}

static void test_space(int n, int d, int C, hs_precision_t precision, const char *what)
{
  char name[128];
  direct_t p = make_data(n, d, C);
  hs_price_options_t options = {.starts = 160, .seed = 1, .keep = 40};
  hs_price_t price = must_price(MPI_COMM_WORLD, &p, precision, &options);
  double above = options.above = 0.5 * price.best;
  hs_price_free(&price);
  price = must_price(MPI_COMM_WORLD, &p, precision, &options);
  snprintf(name, sizeof name, "%s: values are those of the directions", what);
  hs_check(MPI_COMM_WORLD, values_hold(&p, &price), name);
  snprintf(name, sizeof name, "%s: distinct maxima, the best first", what);
  hs_check(MPI_COMM_WORLD, list_holds(&p, &price, above, options.keep), name);
  snprintf(name, sizeof name, "%s: no direction is better", what);
  hs_check(MPI_COMM_WORLD, none_is_better(&p, price.best), name);
  snprintf(name, sizeof name, "%s: parallel to a gradient", what);
  /* On a kink the ascent zigzags across it: f is right to 1e-8, w to the root of that. */
  int edges;
  double left = across(&p, price.best_w, &edges);
  hs_check_near(MPI_COMM_WORLD, left, 0, edges > 0 ? 1e-3 : 1e-6, name);
  snprintf(name, sizeof name, "%s: the same on all ranks as on one", what);
  hs_check(MPI_COMM_WORLD, same_everywhere(&p, precision, &options, &price), name);
  hs_price_free(&price);
  direct_free(&p);
}

/* ---- the ascent ---- */

/* The same starts, followed for more and more steps. */
static bool only_rises(const direct_t *p, hs_relu_ascent_t *ascent, const hs_relu_starts_t *starts)
{
  enum { COLUMNS = 24, LENGTHS = 9 };
  const int steps[LENGTHS] = {0, 1, 2, 3, 4, 6, 10, 30, 100};
  double W[COLUMNS * 5], A[COLUMNS * OUTPUTS], f[COLUMNS], last[COLUMNS] = {0}, plain[OUTPUTS];
  hs_ascent_batch_t batch = {COLUMNS, W, A, f};
  hs_ascent_work_t work = {0};
  hs_traffic_t traffic = {0};
  bool good = true;
  double first = 0, end = 0;
  for (int length = 0; length < LENGTHS; length++) {
    hs_relu_starts_make(starts, 0, COLUMNS, W, &traffic);
    double start = plain_value(p, W, plain);
    hs_relu_ascent_run(ascent, &batch, HS_DOUBLE, steps[length], &work, &traffic);
    good = good && (length > 0 || is_close(f[0], start, 1e-12));
    for (int s = 0; s < COLUMNS; s++) {
      good = good && f[s] >= last[s] && is_close(f[s], plain_value(p, W + s * p->d, plain), 1e-11);
      first += length == 0 ? f[s] : 0;
      end += length == LENGTHS - 1 ? f[s] : 0;
      last[s] = f[s];
    }
  }
  return good && end > 1.5 * first;
}

static void test_ascent(int C, const char *name)
{
  direct_t p = make_data(203, 5, C);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 8, HS_DOUBLE);
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard, .loss = p.loss, .beta = 1};
  hs_relu_starts_t starts = {&problem, NULL, 24, 5, 1};
  hs_relu_ascent_t *ascent;
  bool good = hs_relu_ascent_create(&ascent, &problem, shard->Y, 24) == HS_OK;
  hs_check(MPI_COMM_WORLD, good && only_rises(&p, ascent, &starts), name);
  hs_relu_ascent_free(&ascent);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* As the headers say: 8 bytes for d numbers of each start and each gradient, and C of each value of several outputs. */
static void test_traffic(int C, const char *name)
{
  direct_t p = make_data(200, 5, C);
  hs_price_options_t options = {.starts = 70, .seed = 1};
  hs_price_t price;
  hs_traffic_t traffic;
  hs_status_t status = price_of(MPI_COMM_WORLD, &p, HS_DOUBLE, &options, &price, &traffic);
  double numbers = 5.0 * (double)(price.starts + price.gradients) + (C > 1 ? C * (double)price.values : 0);
  bool good = status == HS_OK && price.starts == 70 && traffic.bytes == 8 * numbers;
  good = good && price.values > 2 * 70 && price.gradients >= 70 && price.gradients <= price.values;
  /* One reduction makes the starts, one for each step, at most two if C > 1. */
  good = good && traffic.calls >= 1 + price.steps && traffic.calls <= 1 + (C > 1 ? 2 : 1) * price.steps;
  hs_check(MPI_COMM_WORLD, good && price.found.count == 0, name);
  hs_price_free(&price);
  direct_free(&p);
}

/* ---- starts ---- */

static bool are_rows(const direct_t *p, int count, const double *W)
{
  bool good = true;
  for (int s = 1; s < count; s += 2) {
    double nearest = 9;
    for (int k = 0; k < p->n; k++) {
      double length = direct_length(p->d, p->X + k * p->d), plus = 0, minus = 0;
      for (int j = 0; j < p->d; j++) {
        plus = fmax(plus, fabs(W[s * p->d + j] - p->X[k * p->d + j] / length));
        minus = fmax(minus, fabs(W[s * p->d + j] + p->X[k * p->d + j] / length));
      }
      nearest = fmin(nearest, fmin(plus, minus));
    }
    good = good && nearest <= 1e-14;
  }
  return good;
}

static void make_starts(MPI_Comm comm, const direct_t *p, int64_t round, int64_t first, int count, double *W)
{
  hs_shard_t *shard = distributed_shard(comm, p, 8, HS_DOUBLE);
  hs_relu_problem_t problem = {.comm = comm, .shard = shard};
  hs_traffic_t traffic = {0};
  hs_relu_starts_t starts = {&problem, NULL, 30, 4, round};
  hs_relu_starts_make(&starts, first, count, W, &traffic);
  hs_shard_free(&shard);
}

static void test_starts(void)
{
  direct_t p = make_data(50, 4, 1);
  double W[30 * 4], alone[30 * 4], part[7 * 4], other[30 * 4];
  make_starts(MPI_COMM_WORLD, &p, 2, 0, 30, W);
  make_starts(MPI_COMM_SELF, &p, 2, 0, 30, alone);
  make_starts(MPI_COMM_WORLD, &p, 2, 11, 7, part);
  make_starts(MPI_COMM_WORLD, &p, 3, 0, 30, other);
  hs_check(MPI_COMM_WORLD, memcmp(W, alone, sizeof W) == 0 && memcmp(W + 44, part, sizeof part) == 0,
           "starts depend neither on ranks nor on batches");
  bool good = are_rows(&p, 30, W), differ = true;
  for (int s = 0; s < 30; s++) {
    good = good && is_close(direct_length(4, W + 4 * s), 1, 1e-14);
    differ = differ && apart(4, W + 4 * s, other + 4 * s) > 0;
    for (int t = 0; t < s; t += 2) differ = differ && apart(4, W + 4 * s, W + 4 * t) > 1e-3;
  }
  hs_check(MPI_COMM_WORLD, good, "every other start is a row or its opposite");
  hs_check(MPI_COMM_WORLD, differ, "other starts in every round");
  direct_free(&p);
}

/* Two neurons, the second along w: start 1 is w, start 3 is 2 % off, those from 4 on are off by up to about 1. */
static bool near_starts_hold(const direct_t *p, const hs_neurons_t *near, const double *w)
{
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, p, 8, HS_DOUBLE);
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard};
  hs_traffic_t traffic = {0};
  hs_relu_starts_t starts = {&problem, near, 0, 4, 1};
  double W[(4 + HS_PRICE_PERTURBED) * 5];
  hs_relu_starts_make(&starts, 0, 4 + HS_PRICE_PERTURBED, W, &traffic);
  hs_shard_free(&shard);
  double noise = apart(5, W + 15, w);
  int close = 0;
  for (int s = 4; s < 4 + HS_PRICE_PERTURBED; s++)
    close += apart(5, W + 5 * s, w) > 1e-3 && apart(5, W + 5 * s, w) < 1;
  return apart(5, W + 5, w) <= 1e-14 && noise > 2e-3 && noise < 0.06 && close >= HS_PRICE_PERTURBED / 4;
}

/* Known neurons, of any length and even zero, are starts: without another step their own value is found. */
static void test_near(void)
{
  direct_t p = make_data(200, 5, 1);
  hs_price_options_t options = {.starts = 300, .seed = 1};
  hs_price_t price = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &options);
  hs_neurons_t near;
  hs_neurons_init(&near, 5, 1);
  double w[5], zero[5] = {0};
  for (int j = 0; j < 5; j++) w[j] = 7 * price.best_w[j];
  bool good = hs_neurons_add(&near, zero, NULL) == HS_OK && hs_neurons_add(&near, w, NULL) == HS_OK;
  hs_price_options_t again = {.starts = 1, .seed = 2, .near = &near, .keep = 60};
  hs_price_t known = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &again);
  good = good && known.starts == 1 + 2 * 2 + HS_PRICE_PERTURBED && known.best >= price.best * (1 - 1e-13);
  hs_check(MPI_COMM_WORLD, good, "neurons that are known are starts");
  hs_check(MPI_COMM_WORLD, near_starts_hold(&p, &near, price.best_w), "as they are, and with some noise");
  hs_neurons_clear(&near);
  hs_price_free(&known);
  hs_price_free(&price);
  direct_free(&p);
}

/* ---- choices, ends, failures ---- */

/* A short list is the best one of each neighbourhood of a long one. */
static void test_short_list(void)
{
  direct_t p = make_data(200, 5, 1);
  hs_price_options_t options = {.starts = 600, .seed = 1, .keep = 600};
  hs_price_t all = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &options);
  options.keep = 3;
  hs_price_t few = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &options);
  bool good = few.found.count == 3 && all.found.count > 3;
  for (int k = 0, next = 0; k < all.found.count && next < 3 && good; k++) {
    const double *w = all.found.W1 + 5 * k;
    bool apart_from_all = true;
    for (int l = 0; l < next; l++)
      apart_from_all = apart_from_all && apart(5, w, few.found.W1 + 5 * l) > HS_PRICE_NEAR;
    if (apart_from_all) good = apart(5, w, few.found.W1 + 5 * next++) == 0;
  }
  hs_check(MPI_COMM_WORLD, good && few.best == all.best, "a short list has the best of each neighbourhood");
  hs_price_free(&all);
  hs_price_free(&few);
  direct_free(&p);
}

/* Powers of two and signs change no rounding. */
static void test_scaling(void)
{
  direct_t p = make_data(200, 5, 1);
  hs_price_options_t options = {.starts = 50, .seed = 1, .keep = 4};
  hs_price_t price = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &options);
  for (int k = 0; k < p.n; k++) p.Y[k] *= -4;
  hs_price_t scaled = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &options);
  bool good = scaled.best == 4 * price.best && scaled.found.count == price.found.count;
  for (int k = 0; k < price.found.count && good; k++)
    good = scaled.found.W2[k] == -price.found.W2[k] &&
           apart(5, scaled.found.W1 + 5 * k, price.found.W1 + 5 * k) == 0;
  hs_check(MPI_COMM_WORLD, good, "-4 theta: four times the price, other signs");
  hs_price_free(&price);
  hs_price_free(&scaled);
  direct_free(&p);
}

static void test_threads(void)
{
#ifdef _OPENMP
  if (hs_rank(MPI_COMM_WORLD) > 0) {
    hs_check(MPI_COMM_WORLD, true, "");
    return;
  }
  direct_t p = make_data(1603, 5, 3);
  hs_price_options_t options = {.starts = 60, .seed = 1, .keep = 4};
  omp_set_num_threads(1);
  hs_price_t one = must_price(MPI_COMM_SELF, &p, HS_DOUBLE, &options);
  omp_set_num_threads(3);
  hs_price_t three = must_price(MPI_COMM_SELF, &p, HS_DOUBLE, &options);
  hs_price_t again = must_price(MPI_COMM_SELF, &p, HS_DOUBLE, &options);
  omp_set_num_threads(1);
  bool good = is_close(one.best, three.best, 1e-11) && three.best == again.best && values_hold(&p, &three);
  hs_check(MPI_COMM_WORLD, good, "threads share the rows");
  hs_price_free(&one);
  hs_price_free(&three);
  hs_price_free(&again);
  direct_free(&p);
#endif
}

static void test_ends(void)
{
  direct_t p = make_data(60, 3, 2);
  hs_price_options_t options = {.starts = 600, .seed = 1, .max_seconds = 1e-9};
  hs_price_t price = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &options);
  hs_check(MPI_COMM_WORLD, price.starts == 200 && price.best > 0, "out of time after the first batch");
  hs_price_free(&price);
  hs_traffic_t traffic;
  options.starts = 0;
  hs_status_t status = price_of(MPI_COMM_WORLD, &p, HS_DOUBLE, &options, &price, &traffic);
  hs_check(MPI_COMM_WORLD, status == HS_BAD_USAGE && price.best_w == NULL, "no starts");
  hs_error_clear();
  options = (hs_price_options_t){.starts = 20, .keep = 5};
  p.Y[119] = NAN;
  status = price_of(MPI_COMM_WORLD, &p, HS_DOUBLE, &options, &price, &traffic);
  hs_check(MPI_COMM_WORLD, status == HS_NUMERICAL && price.best_w == NULL, "a residual that is no number");
  hs_error_clear();
  memset(p.Y, 0, 120 * sizeof *p.Y);
  price = must_price(MPI_COMM_WORLD, &p, HS_DOUBLE, &options);
  hs_check(MPI_COMM_WORLD, price.best == 0 && price.found.count == 0, "no residual, no price");
  hs_price_free(&price);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  test_plane(60, 1, "plane, one output: the best of all cells");
  test_plane(60, 3, "plane, three outputs: the best of all cells");
  test_plane(2, 1, "plane, two rows");
  test_plane(3, 2, "plane, three rows, two outputs");
  test_plane(1, 1, "plane, one row");
  test_space(200, 5, 1, HS_DOUBLE, "one output");
  test_space(200, 5, 1, HS_SINGLE, "one output, single precision");
  test_space(203, 5, 3, HS_DOUBLE, "three outputs");
  test_space(203, 5, 3, HS_SINGLE, "three outputs, single precision");
  test_space(1003, 4, 2, HS_DOUBLE, "several slabs");
  test_ascent(1, "one output: steps never lower the value");
  test_ascent(4, "four outputs: steps never lower the value");
  test_traffic(1, "one output: what is reduced");
  test_traffic(3, "three outputs: what is reduced");
  test_starts();
  test_near();
  test_short_list();
  test_scaling();
  test_threads();
  test_ends();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
