/* Proved bounds on the price of a neuron, against values by plain loops.
 *
 *   Z = max over |w| <= 1 of |T'(Xw)_+|
 * `upper` may never lie below the price of any direction: the best of many random ones, each followed by an ascent. Where the
 * proof says that it finished, `upper` and `attained` must meet. Rows, ranks, the basis of the features and their precision
 * must not matter.
 */
#include "mpi/bounds/branch_and_bound.h"
#include "mpi/bounds/quadratic_bound.h"
#include "mpi/bounds/relu_proof.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define MOST 16 /* features, outputs */

static hs_traffic_t traffic;

/* |T'(Xw)_+|; G: its gradient, or NULL. p->Y is T. */
static double price(const direct_t *p, const double *w, double *G)
{
  double sums[MOST] = {0}, square = 0;
  for (int k = 0; k < p->n; k++) {
    double z = 0;
    for (int j = 0; j < p->d; j++) z += p->X[k * p->d + j] * w[j];
    for (int c = 0; c < p->outputs && z > 0; c++) sums[c] += p->Y[k * p->outputs + c] * z;
  }
  for (int c = 0; c < p->outputs; c++) square += sums[c] * sums[c];
  if (G == NULL || square == 0) return sqrt(square);
  memset(G, 0, (size_t)p->d * sizeof *G);
  for (int k = 0; k < p->n; k++) {
    double z = 0, t = 0;
    for (int j = 0; j < p->d; j++) z += p->X[k * p->d + j] * w[j];
    for (int c = 0; c < p->outputs; c++) t += p->Y[k * p->outputs + c] * sums[c] / sqrt(square);
    for (int j = 0; j < p->d && z > 0; j++) G[j] += t * p->X[k * p->d + j];
  }
  return sqrt(square);
}

static void unit(int d, double *w)
{
  double length = direct_length(d, w);
  for (int j = 0; j < d && length > 0; j++) w[j] /= length;
}

/* Steps along the gradient, halved until the price grows. */
static double ascend(const direct_t *p, double *w)
{
  double G[MOST] = {0}, next[MOST], value = price(p, w, G), step = 10;
  for (int count = 0; count < 60 && step > 1e-6; count++) {
    double size = direct_length(p->d, G);
    if (!(size > 0)) break;
    for (int j = 0; j < p->d; j++) next[j] = w[j] + step * G[j] / size;
    unit(p->d, next);
    double there = price(p, next, NULL);
    if (there > value) {
      memcpy(w, next, (size_t)p->d * sizeof *w);
      value = price(p, w, G);
    } else {
      step /= 2;
    }
  }
  return value;
}

static double best_of_many(const direct_t *p, int starts)
{
  double best = 0;
  for (int s = 0; s < starts; s++) {
    double w[MOST];
    for (int j = 0; j < p->d; j++) w[j] = direct_noise(60, s * p->d + j);
    unit(p->d, w);
    best = fmax(best, ascend(p, w));
  }
  return best;
}

/* Gaussian features, the last column one, and a residual that is large in some regions and has both signs. */
static direct_t make(int n, int d, int outputs)
{
  direct_t p = direct_make(n, d, 1, outputs, HS_SQUARED, HS_JOINT);
  for (int k = 0; k < n; k++)
    for (int c = 0; c < outputs; c++) {
      double x = p.X[k * d], z = p.X[k * d + (1 + c) % d];
      p.Y[k * outputs + c] =
          0.4 * (fabs(x) - fmax(0, z + 0.3 * c) - 0.2) + 0.5 * direct_noise(61, k * outputs + c);
    }
  return p;
}

static hs_proof_t prove(const direct_t *p, double floor, const double *start, hs_precision_t precision)
{
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, p, 16, precision);
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard, .loss = p->loss, .beta = 1};
  hs_proof_options_t options = {.max_seconds = 20, .floor = floor, .start = start};
  hs_proof_t proof;
  hs_status_t status = hs_relu_prove(&problem, shard->Y, &options, &proof, &traffic);
  if (status != HS_OK) {
    fprintf(stderr, "no proof: %s\n", hs_error_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  hs_shard_free(&shard);
  return proof;
}

/* What every proof must keep to, whatever it found. */
static bool sound(const direct_t *p, const hs_proof_t *proof, double known)
{
  double again = price(p, proof->w, NULL), all[2] = {proof->upper, -proof->upper};
  bool good = proof->upper >= known && proof->upper >= proof->attained && isfinite(proof->upper);
  good = good && fabs(again - proof->attained) <= 1e-9 * fmax(1, again);
  good = good && fabs(direct_length(p->d, proof->w) - 1) <= 1e-9;
  MPI_Allreduce(MPI_IN_PLACE, all, 2, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  good = good && all[0] == proof->upper && all[1] == -proof->upper;
  if (!good)
    fprintf(stderr, "upper %.15g known %.15g attained %.15g again %.15g\n", proof->upper, known,
            proof->attained, again);
  return good;
}

static void check_sharp(const direct_t *p, int rank, const char *name)
{
  double known = best_of_many(p, 200);
  hs_proof_t proof = prove(p, 0, NULL, HS_DOUBLE);
  bool good = sound(p, &proof, known) && proof.finished && proof.rank == rank;
  good = good && proof.upper <= (1 + 2e-6) * proof.attained + 1e-9;
  if (!good)
    fprintf(stderr, "%s: rank %d, finished %d, upper %.12g, attained %.12g\n", name, proof.rank,
            proof.finished, proof.upper, proof.attained);
  hs_check(MPI_COMM_WORLD, good, name);
  hs_proof_free(&proof);
}

static void test_ranks(void)
{
  static const struct {
    int n, d;
    const char *name;
  } cases[] = {{60, 1, "rank 1: exact"},        {150, 2, "rank 2: exact"},
               {200, 3, "rank 3: bounds meet"}, {100, 4, "rank 4: bounds meet"},
               {50, 5, "rank 5: bounds meet"},  {3, 3, "one sample on some ranks"},
               {1, 4, "one sample, more ranks"}};
  for (int i = 0; i < 7; i++) {
    direct_t p = make(cases[i].n, cases[i].d, 1);
    check_sharp(&p, cases[i].n < cases[i].d ? cases[i].n : cases[i].d, cases[i].name);
    direct_free(&p);
  }
}

static void test_odd_data(void)
{
  direct_t p = make(120, 4, 1);
  for (int k = 60; k < 120; k++) {
    memcpy(p.X + k * 4, p.X + (k - 60) * 4, 4 * sizeof *p.X);
    p.Y[k] = k % 3 == 0 ? -p.Y[k - 60] : p.Y[k - 60];
  }
  check_sharp(&p, 4, "rows twice, some with opposite signs");
  for (int k = 0; k < 120; k++) p.X[k * 4 + 1] = 0;
  check_sharp(&p, 3, "a column of zeros");
  for (int k = 0; k < 120; k++) p.X[k * 4 + 1] = 0.3 * p.X[k * 4] - 2 * p.X[k * 4 + 2];
  check_sharp(&p, 3, "a column that combines others");
  for (int k = 0; k < 120; k++) p.Y[k] = fabs(p.Y[k]);
  check_sharp(&p, 3, "a residual of one sign");
  for (int k = 0; k < 120; k++) p.Y[k] = k == 77 ? 2 : 0;
  check_sharp(&p, 3, "one sample with a residual");
  memset(p.Y, 0, 120 * sizeof *p.Y);
  hs_proof_t proof = prove(&p, 0, NULL, HS_DOUBLE);
  hs_check(MPI_COMM_WORLD, proof.finished && proof.upper == 0 && proof.attained == 0, "no residual: zero");
  hs_proof_free(&proof);
  memset(p.X, 0, 480 * sizeof *p.X);
  p.Y[3] = 1;
  proof = prove(&p, 0, NULL, HS_DOUBLE);
  hs_check(MPI_COMM_WORLD, proof.finished && proof.upper == 0 && proof.rank == 0, "no features: zero");
  hs_proof_free(&proof);
  direct_free(&p);
}

/* A feature of 1e-7 of the size of the others is below the cut of the rank: what it can change is added. */
static void check_cut(int outputs, const char *name)
{
  direct_t p = make(100, 4, outputs);
  for (int k = 0; k < 100; k++) p.X[k * 4 + 2] *= 1e-7;
  double known = best_of_many(&p, 200);
  hs_proof_t proof = prove(&p, 0, NULL, HS_DOUBLE);
  double sum = 0;
  for (int k = 0; k < 100; k++) sum += direct_length(outputs, p.Y + k * outputs) * fabs(p.X[k * 4 + 2]);
  bool good = sound(&p, &proof, known) && proof.rank == 3 && proof.upper >= proof.attained + 0.99 * sum;
  hs_check(MPI_COMM_WORLD, good, name);
  hs_proof_free(&proof);
  direct_free(&p);
}

static void test_cut(void)
{
  check_cut(1, "what is cut off of the rank counts");
  check_cut(3, "norm: what is cut off of the rank counts");
}

/* A turned basis of the features, an other order of the rows, features in single precision, a given start. */
static void test_invariance(void)
{
  direct_t p = make(90, 4, 1), turned = make(90, 4, 1);
  const double h[4] = {0.5, -0.5, 0.1, 0.7};
  for (int k = 0; k < 90; k++) {
    int from = (k * 37) % 90;
    double dot = 0, square = 0;
    for (int j = 0; j < 4; j++) {
      dot += h[j] * p.X[from * 4 + j];
      square += h[j] * h[j];
    }
    for (int j = 0; j < 4; j++) turned.X[k * 4 + j] = p.X[from * 4 + j] - 2 * dot / square * h[j];
    turned.Y[k] = p.Y[from];
  }
  hs_proof_t plain = prove(&p, 0, NULL, HS_DOUBLE), again = prove(&p, 0, NULL, HS_DOUBLE);
  hs_proof_t other = prove(&turned, 0, NULL, HS_DOUBLE);
  hs_proof_t single = prove(&p, 0, NULL, HS_SINGLE), started = prove(&p, 0, plain.w, HS_DOUBLE);
  hs_check(MPI_COMM_WORLD,
           again.upper == plain.upper && again.attained == plain.attained && again.nodes == plain.nodes,
           "the same bits in two runs");
  hs_check_near(MPI_COMM_WORLD, other.upper / plain.upper, 1, 3e-6, "a turned basis, another order of rows");
  hs_check_near(MPI_COMM_WORLD, single.upper / plain.upper, 1, 3e-6, "features in single precision");
  hs_check_near(MPI_COMM_WORLD, started.upper / plain.upper, 1, 3e-6, "with a start");
  hs_check(MPI_COMM_WORLD, started.attained >= plain.attained * (1 - 1e-12), "a start is not lost");
  double floor = 1.5 * plain.attained;
  hs_proof_t floored = prove(&p, floor, NULL, HS_DOUBLE);
  hs_check(MPI_COMM_WORLD,
           floored.finished && floored.upper <= floor * (1 + 2e-6) && floored.nodes <= plain.nodes,
           "no more accurate than the floor");
  hs_proof_free(&floored);
  hs_proof_free(&plain);
  hs_proof_free(&again);
  hs_proof_free(&other);
  hs_proof_free(&single);
  hs_proof_free(&started);
  direct_free(&p);
  direct_free(&turned);
}

/* The same value whatever the number of ranks that share the work: here, this run against one rank by itself. */
static void test_alone(void)
{
  direct_t p = make(150, 5, 1);
  hs_proof_t together = prove(&p, 0, NULL, HS_DOUBLE), alone;
  hs_shard_t *shard = distributed_shard(MPI_COMM_SELF, &p, 16, HS_DOUBLE);
  hs_relu_problem_t problem = {.comm = MPI_COMM_SELF, .shard = shard, .loss = p.loss, .beta = 1};
  hs_proof_options_t options = {.max_seconds = 100};
  hs_status_t status = hs_relu_prove(&problem, shard->Y, &options, &alone, &traffic);
  hs_check(MPI_COMM_WORLD, status == HS_OK && together.finished && alone.finished, "together and alone");
  hs_check_near(MPI_COMM_WORLD, together.upper / alone.upper, 1, 2e-6, "together as alone");
  hs_proof_free(&together);
  if (status == HS_OK) hs_proof_free(&alone);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Out of time at once: what there is holds. */
static void test_late(void)
{
  direct_t p = make(200, 7, 1);
  double known = best_of_many(&p, 50);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 16, HS_DOUBLE);
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard, .loss = p.loss, .beta = 1};
  hs_proof_options_t options = {.max_seconds = 1e-9};
  hs_proof_t proof;
  hs_status_t status = hs_relu_prove(&problem, shard->Y, &options, &proof, &traffic);
  hs_check(MPI_COMM_WORLD, status == HS_OK && !proof.finished && sound(&p, &proof, known), "out of time");
  hs_proof_free(&proof);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Rows that do not fit on every rank: all ranks grow one tree, and evaluate its vertices together. */
static void test_spread(void)
{
  direct_t p = make(130, 4, 1);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 16, HS_DOUBLE);
  hs_branch_options_t options = {
      .floor = 0.1, .epsilon = 1e-6, .cap = INFINITY, .deadline = MPI_Wtime() + 100};
  hs_branch_t found[2];
  bool good = true;
  for (int spread = 0; spread < 2; spread++) {
    hs_shared_rows_t rows;
    good = good && hs_shared_rows_make(&rows, MPI_COMM_WORLD, 4, 1, shard->rows, shard->Y, shard->X,
                                       spread ? 0 : 1e6, &traffic) == HS_OK;
    if (!good) break;
    good = rows.copied == !spread && hs_branch_and_bound(&rows, &options, found + spread) == HS_OK;
    hs_shared_rows_free(&rows);
  }
  good = good && found[0].finished && found[1].finished;
  hs_check(MPI_COMM_WORLD, good && fabs(price(&p, found[1].w, NULL) - found[1].attained) <= 1e-9,
           "spread rows");
  hs_check_near(MPI_COMM_WORLD, found[1].upper / found[0].upper, 1, 2e-6, "spread rows as copied ones");
  hs_shard_free(&shard);
  direct_free(&p);
}

static void test_quadratic(void)
{
  direct_t p = make(300, 12, 1);
  double known = best_of_many(&p, 100), first = 0, last = 0;
  hs_proof_t proof = prove(&p, 0, NULL, HS_DOUBLE);
  bool good = sound(&p, &proof, known) && !proof.finished && proof.rank == 12;
  hs_check(MPI_COMM_WORLD, good && proof.upper <= 5 * known, "a quadratic bound where the rank is 12");
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 16, HS_DOUBLE);
  double late = MPI_Wtime() + 100;
  hs_status_t status = hs_quadratic_bound(MPI_COMM_WORLD, shard, shard->Y, 1, late, &first, &traffic);
  if (status == HS_OK)
    status = hs_quadratic_bound(MPI_COMM_WORLD, shard, shard->Y, 40, late, &last, &traffic);
  hs_check(MPI_COMM_WORLD, status == HS_OK && last < 0.95 * first && last >= known,
           "steps lower the quadratic bound");
  for (int64_t k = 0; k < shard->rows; k++) shard->Y[k] = -shard->Y[k];
  status = hs_quadratic_bound(MPI_COMM_WORLD, shard, shard->Y, 40, late, &first, &traffic);
  hs_check_near(MPI_COMM_WORLD, first, last, 1e-9, "the sign of the residual does not matter");
  hs_proof_free(&proof);
  hs_shard_free(&shard);
  direct_free(&p);
  /* One feature: f(1) and f(-1) are all there is, and a positive residual makes |z| tight at t = |x|. */
  p = make(20, 1, 1);
  for (int k = 0; k < 20; k++) p.Y[k] = fabs(p.Y[k]);
  shard = distributed_shard(MPI_COMM_WORLD, &p, 16, HS_DOUBLE);
  status = hs_quadratic_bound(MPI_COMM_WORLD, shard, shard->Y, 40, late, &last, &traffic);
  double plus[1] = {1}, minus[1] = {-1};
  hs_check_near(MPI_COMM_WORLD, last, fmax(price(&p, plus, NULL), price(&p, minus, NULL)), 1e-8,
                "one feature, one sign: exact");
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Several outputs: finished means within 1e-4 of what is attained. */
static void check_norm(const direct_t *p, int rank, const char *name)
{
  double known = best_of_many(p, 200);
  hs_proof_t proof = prove(p, 0, NULL, HS_DOUBLE);
  bool good = sound(p, &proof, known) && proof.finished && proof.rank == rank;
  good = good && proof.upper <= (1 + 1.01e-4) * proof.attained + 1e-9 && proof.attained >= known * (1 - 1e-4);
  if (!good)
    fprintf(stderr, "%s: finished %d, upper %.12g, attained %.12g, known %.12g\n", name, proof.finished,
            proof.upper, proof.attained, known);
  hs_check(MPI_COMM_WORLD, good, name);
  hs_proof_free(&proof);
}

static void test_norms(void)
{
  static const struct {
    int n, d, outputs;
    const char *name;
  } cases[] = {{60, 1, 3, "norm, rank 1"},      {150, 2, 2, "norm, rank 2"}, {120, 3, 3, "norm, rank 3"},
               {90, 3, 10, "norm, 10 outputs"}, {60, 4, 2, "norm, rank 4"},  {3, 3, 2, "norm, few samples"}};
  for (int i = 0; i < 6; i++) {
    direct_t p = make(cases[i].n, cases[i].d, cases[i].outputs);
    check_norm(&p, cases[i].n < cases[i].d ? cases[i].n : cases[i].d, cases[i].name);
    direct_free(&p);
  }
}

/* Turned outputs have the same norm; one rank by itself has the same result, and two runs the same bits. */
static void test_norm_invariance(void)
{
  direct_t p = make(100, 3, 3);
  hs_proof_t plain = prove(&p, 0, NULL, HS_DOUBLE), again = prove(&p, 0, NULL, HS_DOUBLE), alone;
  hs_check(MPI_COMM_WORLD,
           again.upper == plain.upper && again.attained == plain.attained && again.nodes == plain.nodes,
           "norm: the same bits in two runs");
  hs_shard_t *shard = distributed_shard(MPI_COMM_SELF, &p, 16, HS_DOUBLE);
  hs_relu_problem_t problem = {.comm = MPI_COMM_SELF, .shard = shard, .loss = p.loss, .beta = 1};
  hs_proof_options_t options = {.max_seconds = 100};
  hs_status_t status = hs_relu_prove(&problem, shard->Y, &options, &alone, &traffic);
  hs_check(MPI_COMM_WORLD, status == HS_OK && alone.finished, "norm: alone");
  hs_check_near(MPI_COMM_WORLD, plain.upper / alone.upper, 1, 1e-4, "norm: together as alone");
  if (status == HS_OK) hs_proof_free(&alone);
  hs_shard_free(&shard);
  for (int k = 0; k < p.n; k++) {
    double *y = p.Y + k * 3, turned[3] = {0.6 * y[0] + 0.8 * y[2], -y[1], 0.8 * y[0] - 0.6 * y[2]};
    memcpy(y, turned, sizeof turned);
  }
  hs_proof_t other = prove(&p, 0, NULL, HS_DOUBLE);
  hs_check_near(MPI_COMM_WORLD, other.upper / plain.upper, 1, 1e-4, "norm: turned outputs");
  double floor = 1.5 * plain.attained;
  hs_proof_t floored = prove(&p, floor, NULL, HS_DOUBLE);
  hs_check(MPI_COMM_WORLD,
           floored.finished && floored.upper <= floor * (1 + 1.01e-4) && floored.nodes <= plain.nodes,
           "norm: no more accurate than the floor");
  hs_proof_free(&plain);
  hs_proof_free(&again);
  hs_proof_free(&other);
  hs_proof_free(&floored);
  direct_free(&p);
}

/* Rows twice, outputs that do not matter, a column that combines others, samples without a residual. */
static void test_norm_odd_data(void)
{
  direct_t p = make(100, 4, 3);
  for (int k = 0; k < 100; k++) {
    p.X[k * 4 + 1] = 0.3 * p.X[k * 4] - 2 * p.X[k * 4 + 2];
    p.Y[k * 3 + 1] = 0;
    if (k >= 50) memcpy(p.X + k * 4, p.X + (k - 50) * 4, 4 * sizeof *p.X);
    if (k % 7 == 0) memset(p.Y + k * 3, 0, 3 * sizeof *p.Y);
  }
  check_norm(&p, 3, "norm: odd data");
  memset(p.Y, 0, 300 * sizeof *p.Y);
  p.Y[77 * 3 + 2] = 2;
  check_norm(&p, 3, "norm: one sample with a residual");
  memset(p.Y, 0, 300 * sizeof *p.Y);
  hs_proof_t proof = prove(&p, 0, NULL, HS_DOUBLE);
  hs_check(MPI_COMM_WORLD, proof.finished && proof.upper == 0 && proof.attained == 0, "norm: no residual");
  hs_proof_free(&proof);
  direct_free(&p);
}

/* With a column of ones there are directions in which no sample is active: the norm is zero there and has no direction. The cones
 * that reach from there to where it is large used to become flat without getting smaller. */
static void test_norm_dark(void)
{
  direct_t p = make(150, 3, 3);
  for (int k = 0; k < 150; k++) {
    for (int j = 0; j < 2; j++) p.X[k * 3 + j] = tanh(p.X[k * 3 + j]);
    p.X[k * 3 + 2] = 1;
    p.Y[k * 3 + 2] = -p.Y[k * 3] - p.Y[k * 3 + 1]; /* as the residuals of softmax */
  }
  double dark[3] = {0.1, -0.2, -1};
  hs_check(MPI_COMM_WORLD, price(&p, dark, NULL) == 0, "norm: no sample is active there");
  check_norm(&p, 3, "norm: directions without active samples");
  direct_free(&p);
}

/* Rows that do not fit on every rank are not copied, and nothing is made of them. */
static void test_norm_spread(void)
{
  direct_t p = make(100, 3, 2);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 16, HS_DOUBLE);
  bool good = true;
  for (int spread = 0; spread < 2; spread++) {
    hs_shared_rows_t rows;
    hs_status_t status = hs_shared_rows_make(&rows, MPI_COMM_WORLD, 3, 2, shard->rows, shard->Y, shard->X,
                                             spread ? 0 : 1e6, &traffic);
    good = good && status == HS_OK && rows.copied == !spread && rows.rows == 100;
    good = good && rows.held == (spread ? shard->rows : 100) && (rows.norm.numbers == NULL) == spread;
    if (status == HS_OK) hs_shared_rows_free(&rows);
  }
  hs_check(MPI_COMM_WORLD, good, "norm: spread rows");
  hs_shard_free(&shard);
  direct_free(&p);
}

/* No time: the outputs one by one are still a bound. */
static void test_norm_late(void)
{
  direct_t p = make(200, 7, 3);
  double known = best_of_many(&p, 50);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 16, HS_DOUBLE);
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard, .loss = p.loss, .beta = 1};
  hs_proof_options_t options = {.max_seconds = 1e-9};
  hs_proof_t proof;
  hs_status_t status = hs_relu_prove(&problem, shard->Y, &options, &proof, &traffic);
  hs_check(MPI_COMM_WORLD, status == HS_OK && !proof.finished && sound(&p, &proof, known),
           "norm: out of time");
  hs_proof_free(&proof);
  hs_shard_free(&shard);
  direct_free(&p);
}

static void test_outputs(void)
{
  direct_t p = make(120, 3, 3);
  double known;
  hs_proof_t proof;
  bool good;
  /* Outputs that are multiples of one: as sharp as one. */
  for (int k = 0; k < 120; k++) {
    p.Y[k * 3 + 1] = 0.5 * p.Y[k * 3];
    p.Y[k * 3 + 2] = -2 * p.Y[k * 3];
  }
  known = best_of_many(&p, 200);
  proof = prove(&p, 0.1 * known, NULL, HS_DOUBLE);
  good = sound(&p, &proof, known) && proof.upper <= (1 + 1.01e-4) * proof.attained;
  hs_check(MPI_COMM_WORLD, good, "outputs that are multiples of one");
  hs_proof_free(&proof);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  test_ranks();
  test_odd_data();
  test_cut();
  test_invariance();
  test_alone();
  test_late();
  test_spread();
  test_quadratic();
  test_norms();
  test_norm_invariance();
  test_norm_odd_data();
  test_norm_dark();
  test_norm_spread();
  test_norm_late();
  test_outputs();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
