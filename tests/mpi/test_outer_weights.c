/* The best outer weights of fixed neurons, rows on several ranks, every loss.
 *
 * Held against the optimality conditions of this convex problem, written out over all rows: with the residual T at the
 * network's predictions and H = (XW')_+,   |H_k'T| <= beta where a_k = 0,  H_k'T = beta a_k / |a_k| where not.
 * Features are held against plain loops.
 */
#include "mpi/network/features.h"
#include "mpi/network/outer_weights.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"
#include "tests/support/thread_counts.h"

/* K unit directions; every third is nearly or exactly the one before it. */
static hs_neurons_t directions(const direct_t *p, int K)
{
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, p->d, p->outputs);
  double *w = direct_numbers(p->d);
  for (int k = 0; k < K; k++) {
    int like = k % 3 == 2 ? k - 1 : k;
    double apart = k % 3 == 2 ? (k % 2 == 0 ? 1e-7 : 0) : 0;
    for (int j = 0; j < p->d; j++) w[j] = direct_noise(51, like * p->d + j) + apart * direct_noise(52, k + j);
    if (hs_neurons_add(&neurons, w, NULL) != HS_OK) abort();
  }
  free(w);
  hs_neurons_normalise(&neurons);
  for (int k = 0; k < K; k++) /* zero outer weights: nothing to normalise by, and lengths to be kept */
    if (fabs(direct_length(p->d, neurons.W1 + k * p->d) - 1) > 1e-12) abort();
  return neurons;
}

/* n x K */
static double *features(const direct_t *p, const hs_neurons_t *neurons)
{
  double *H = direct_numbers(p->n * neurons->count);
  for (int k = 0; k < p->n; k++)
    for (int i = 0; i < neurons->count; i++) {
      double z = 0;
      for (int j = 0; j < p->d; j++) z += p->X[k * p->d + j] * neurons->W1[i * p->d + j];
      H[k * neurons->count + i] = fmax(0, z);
    }
  return H;
}

/* The largest violation over beta; *on counts the neurons in use. W2 = NULL: the largest price of a zero network. */
static double violation(const direct_t *p, const hs_neurons_t *neurons, const double *W2, double beta,
                        int *on)
{
  int C = p->outputs, K = neurons->count;
  double *H = features(p, neurons), *a = direct_numbers(p->n * C), *T = direct_numbers(p->n * C), worst = 0;
  for (int k = 0; k < p->n && W2 != NULL; k++)
    for (int i = 0; i < K; i++)
      for (int c = 0; c < C; c++) a[k * C + c] += H[k * K + i] * W2[i * C + c];
  direct_residual(p, a, T);
  *on = 0;
  for (int i = 0; i < K; i++) {
    double g[16] = {0}, size = W2 != NULL ? direct_length(C, W2 + i * C) : 0;
    for (int c = 0; c < C; c++) {
      for (int k = 0; k < p->n; k++) g[c] += H[k * K + i] * T[k * C + c];
      if (size > 0) g[c] -= beta * W2[i * C + c] / size;
    }
    worst = fmax(worst, direct_length(C, g) / beta - (size > 0 || W2 == NULL ? 0 : 1));
    *on += size > 0;
  }
  free(H);
  free(a);
  free(T);
  return worst;
}

static void check_loss(hs_loss_kind_t kind, int outputs, double share, hs_precision_t precision)
{
  direct_t p = direct_make(90, 4, 1, outputs, kind, HS_JOINT);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 3, precision);
  hs_neurons_t neurons = directions(&p, 30);
  int on;
  double beta = share * violation(&p, &neurons, NULL, 1, &on), claimed = 1;
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard, .loss = p.loss, .beta = beta};
  hs_traffic_t traffic = {0};
  hs_outer_weights_t weights;
  hs_outer_weights_init(&weights, &problem);
  char name[128];
  snprintf(name, sizeof name, "optimality conditions: %s, C = %d, beta %g, %s", hs_loss_name(kind), outputs,
           share, precision == HS_SINGLE ? "single" : "double");
  hs_status_t status = hs_outer_weights_solve(&weights, &neurons, 1e-10, &claimed, &traffic);
  double worst = violation(&p, &neurons, neurons.W2, beta, &on);
  if (!(worst <= 1e-8)) fprintf(stderr, "%s: %g, claimed %g, %d on\n", name, worst, claimed, on);
  hs_check(MPI_COMM_WORLD, status == HS_OK && worst <= 1e-8 && claimed <= 1e-8 && on > 0 && on < 30, name);
  hs_outer_weights_free(&weights);
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Solve, drop, add, solve again: what is kept of the Gram matrix stays right. */
static void test_drop(void)
{
  direct_t p = direct_make(70, 4, 1, 2, HS_SQUARED, HS_JOINT);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 4, HS_DOUBLE);
  hs_neurons_t all = directions(&p, 36), some = directions(&p, 24);
  int on, dropped;
  double beta = 0.1 * violation(&p, &all, NULL, 1, &on);
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard, .loss = p.loss, .beta = beta};
  hs_traffic_t traffic = {0};
  hs_outer_weights_t weights;
  hs_outer_weights_init(&weights, &problem);
  hs_status_t status = hs_outer_weights_solve(&weights, &some, 1e-10, NULL, &traffic);
  violation(&p, &some, some.W2, beta, &on);
  dropped = hs_outer_weights_drop(&weights, &some);
  bool good = status == HS_OK && dropped == 24 - on && some.count == on && weights.known == on && dropped > 0;
  for (int k = 24; k < 36 && good; k++) good = hs_neurons_add(&some, all.W1 + k * p.d, NULL) == HS_OK;
  if (good) status = hs_outer_weights_solve(&weights, &some, 1e-10, NULL, &traffic);
  good = good && status == HS_OK && weights.known == on + 12;
  good = good && violation(&p, &some, some.W2, beta, &on) <= 1e-9;
  hs_check(MPI_COMM_WORLD, good, "solving again after some neurons went and others came");
  hs_outer_weights_free(&weights);
  hs_neurons_clear(&all);
  hs_neurons_clear(&some);
  hs_shard_free(&shard);
  direct_free(&p);
}

static void test_no_neurons(void)
{
  direct_t p = direct_make(9, 3, 1, 1, HS_LOGISTIC, HS_JOINT);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 4, HS_DOUBLE);
  hs_neurons_t none;
  hs_neurons_init(&none, p.d, 1);
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard, .loss = p.loss, .beta = 1};
  hs_traffic_t traffic = {0};
  hs_outer_weights_t weights;
  hs_outer_weights_init(&weights, &problem);
  double reached = 1;
  bool good = hs_outer_weights_solve(&weights, &none, 1e-10, &reached, &traffic) == HS_OK && reached == 0;
  hs_check(MPI_COMM_WORLD, good && hs_outer_weights_drop(&weights, &none) == 0, "no neurons");
  hs_outer_weights_free(&weights);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Weighted Gram matrices and projections against plain loops, from some column on, in several slabs and threads. */
static void check_features(int threads, int first)
{
  enum { K = 7, KINDS = 3 };
  direct_t p = direct_make(1500, 5, 1, 2, HS_SQUARED, HS_JOINT);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 3, HS_DOUBLE);
  hs_neurons_t neurons = directions(&p, K);
  hs_relu_problem_t problem = {.comm = MPI_COMM_WORLD, .shard = shard, .loss = p.loss, .beta = 1};
  hs_traffic_t traffic = {0};
  double *H = features(&p, &neurons), *V = direct_numbers(p.n * KINDS), *Q = direct_numbers(KINDS * K * K);
  double *B = direct_numbers(K * 2), error = 0;
  for (int e = 0; e < p.n * KINDS; e++) V[e] = direct_noise(53, e);
  for (int e = 0; e < K * 2; e++) B[e] = 77;
  set_threads(threads);
  bool good =
      hs_features_gram(&problem, &neurons, first, KINDS, V + shard->row0 * KINDS, Q, &traffic) == HS_OK;
  good = good && hs_features_project(&problem, &neurons, first, shard->Y, B, &traffic) == HS_OK;
  set_threads(1);
  for (int m = 0; m < KINDS; m++)
    for (int i = 0; i < K; i++)
      for (int l = 0; l < K; l++) {
        double sum = 0;
        for (int k = 0; k < p.n; k++) sum += V[k * KINDS + m] * H[k * K + i] * H[k * K + l];
        if (i < first && l < first) sum = 0;
        error = fmax(error, fabs(Q[(m * K + i) * K + l] - sum));
        good = good && Q[(m * K + i) * K + l] == Q[(m * K + l) * K + i];
      }
  for (int i = 0; i < K; i++)
    for (int c = 0; c < 2; c++) {
      double sum = i < first ? 77 : 0;
      for (int k = 0; k < p.n && i >= first; k++) sum += H[k * K + i] * p.Y[k * 2 + c];
      error = fmax(error, fabs(B[i * 2 + c] - sum));
    }
  char name[80];
  snprintf(name, sizeof name, "sums over features, %d threads, from column %d", threads, first);
  if (error > 1e-9) fprintf(stderr, "%s: %g\n", name, error);
  hs_check(MPI_COMM_WORLD, good && error <= 1e-9, name);
  free(H);
  free(V);
  free(Q);
  free(B);
  hs_neurons_clear(&neurons);
  hs_shard_free(&shard);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  check_features(1, 0);
  check_features(3, 4);
  const double shares[] = {0.3, 0.02};
  for (int s = 0; s < 2; s++) {
    for (int kind = HS_SQUARED; kind <= HS_HUBER; kind++)
      for (int outputs = kind == HS_SOFTMAX ? 2 : 1; outputs <= 3; outputs++)
        check_loss((hs_loss_kind_t)kind, outputs, shares[s], HS_DOUBLE);
  }
  check_loss(HS_SQUARED, 10, 0.1, HS_SINGLE);
  check_loss(HS_SOFTMAX, 10, 0.1, HS_SINGLE);
  test_drop();
  test_no_neurons();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
