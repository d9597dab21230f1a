/* The ReLU network of a gated one whose masks agree with real neurons.
 *
 * With u_i = s_i g_i b_i' the gated network computes  sum_i 1[x . g_i >= 0] s_i (g_i . x) b_i
 * = sum_i s_i max(0, g_i . x) b_i: a ReLU network with known neurons. Its map must compute the same numbers, in
 * as many neurons, with balanced layers, whatever the signs s_i, and with beta sum |W1_k| |W2_k| equal to beta
 * times the norms of the u_i (rank one: all norms are |g_i| |b_i|).
 */
#include "model/model.h"
#include "mpi/network/sign_map.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define BETA 0.7

/* Output weights b_i of the known neurons, with both signs. */
static double output_of(int gate, int c)
{
  return (gate % 2 == 0 ? 1 : -1) * (0.5 + fabs(direct_noise(40, 10 * gate + c))) * (c % 2 == 0 ? 1 : -0.3);
}

static hs_model_t known_model(const direct_t *p)
{
  hs_model_t model = {.features = p->d, .d = p->d, .outputs = p->outputs, .precision = HS_DOUBLE};
  model.beta = BETA;
  model.gates = p->gates;
  model.G = hs_alloc((size_t)(p->gates * p->d), sizeof(double), "gates");
  model.weights = hs_alloc((size_t)(p->gates * p->d * p->outputs), sizeof(double), "weights");
  if (model.G == NULL || model.weights == NULL) abort();
  memcpy(model.G, p->G, (size_t)(p->gates * p->d) * sizeof(double));
  for (int i = 0; i < p->gates; i++)
    for (int c = 0; c < p->outputs; c++)
      for (int j = 0; j < p->d; j++)
        model.weights[(i * p->outputs + c) * p->d + j] = p->G[i * p->d + j] * output_of(i, c);
  return model;
}

static bool same_outputs(const direct_t *p, const hs_model_t *model)
{
  bool good = true;
  for (int k = 0; k < p->n && good; k++)
    for (int c = 0; c < p->outputs; c++) {
      double gated = 0, network = 0, size = 0;
      for (int i = 0; i < p->gates; i++) {
        double hidden = 0;
        for (int j = 0; j < p->d; j++) hidden += p->G[i * p->d + j] * p->X[k * p->d + j];
        gated += fmax(0, hidden) * output_of(i, c);
        size += fabs(hidden * output_of(i, c));
      }
      for (int m = 0; m < model->neurons; m++) {
        double hidden = 0;
        for (int j = 0; j < p->d; j++) hidden += model->W1[m * p->d + j] * p->X[k * p->d + j];
        network += fmax(0, hidden) * model->W2[m * p->outputs + c];
      }
      good = good && fabs(network - gated) <= 1e-12 * size;
    }
  return good;
}

static bool balanced(const direct_t *p, const hs_model_t *model)
{
  double decay = 0, norms = 0;
  bool good = true;
  for (int m = 0; m < model->neurons; m++) {
    double in = direct_length(p->d, model->W1 + m * p->d);
    double out = direct_length(p->outputs, model->W2 + m * p->outputs);
    good = good && fabs(in / out - 1) <= 1e-12;
    decay += BETA / 2 * (in * in + out * out);
  }
  for (int i = 0; i < p->gates; i++)
    norms += BETA * direct_length(p->d * p->outputs, model->weights + i * p->d * p->outputs);
  return good && fabs(decay / norms - 1) <= 1e-12 && fabs(hs_model_relu_penalty(model) / norms - 1) <= 1e-12;
}

static void check_known(int n, int outputs, const char *name)
{
  direct_t p = direct_make(n, 5, 12, outputs, HS_SQUARED, HS_JOINT);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 4, HS_DOUBLE);
  hs_model_t model = known_model(&p);
  hs_status_t status = hs_sign_map(&model, MPI_COMM_WORLD, shard);
  bool good = status == HS_OK && model.neurons == p.gates;
  hs_check(MPI_COMM_WORLD, good && same_outputs(&p, &model) && balanced(&p, &model), name);
  hs_model_clear(&model);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Masks that no neuron along +-u has: the sign follows the majority of all rows. The gate (0, 1) is open on all of
 * them, u = (2, 0) is negative on five, and the two others come last: no rank may decide by its own. */
static void test_majority(void)
{
  direct_t p = direct_make(7, 2, 1, 1, HS_SQUARED, HS_JOINT);
  const double X[14] = {-1, 1, -2, 1, -3, 2, -1, 3, -4, 1, 1, 1, 2, 1}, g[2] = {0, 1}, u[2] = {2, 0};
  memcpy(p.X, X, sizeof X);
  memcpy(p.G, g, sizeof g);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 4, HS_DOUBLE);
  hs_model_t model = known_model(&p);
  memcpy(model.weights, u, sizeof u);
  hs_status_t status = hs_sign_map(&model, MPI_COMM_WORLD, shard);
  bool good = status == HS_OK && model.neurons == 1;
  double root = sqrt(2);
  good = good && fabs(model.W1[0] + root) <= 1e-12 && fabs(model.W1[1]) <= 1e-12;
  hs_check(MPI_COMM_WORLD, good && fabs(model.W2[0] + root) <= 1e-12,
           "the sign of most samples of all ranks");
  hs_model_clear(&model);
  hs_shard_free(&shard);
  direct_free(&p);
}

static void test_no_gates(void)
{
  direct_t p = direct_make(7, 2, 1, 1, HS_SQUARED, HS_JOINT);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 2, HS_DOUBLE);
  hs_model_t model = {.features = 2, .d = 2, .outputs = 1, .precision = HS_DOUBLE};
  hs_status_t status = hs_sign_map(&model, MPI_COMM_WORLD, shard);
  hs_check(MPI_COMM_WORLD, status == HS_OK && model.neurons == 0, "a model without gates: no neurons");
  hs_model_clear(&model);
  hs_shard_free(&shard);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  check_known(601, 1, "one output: the same numbers as the gated network");
  check_known(601, 3, "three outputs: the same numbers as the gated network");
  check_known(3, 2, "3 rows, perhaps fewer than ranks");
  test_majority();
  test_no_gates();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
