#include "mpi/network/outer_weights.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/network/features.h"
#include "mpi/network/outer_newton.h"
#include "mpi/network/outer_shared.h"

void hs_outer_weights_init(hs_outer_weights_t *weights, const hs_relu_problem_t *problem)
{
  *weights = (hs_outer_weights_t){.problem = problem};
}

void hs_outer_weights_free(hs_outer_weights_t *weights)
{
  hs_free(weights->Q);
  hs_free(weights->B);
  hs_outer_weights_init(weights, weights->problem);
}

/* Q and B of all neurons, those that are known copied. Collective. */
static hs_status_t extend(hs_outer_weights_t *weights, const hs_neurons_t *neurons, hs_traffic_t *traffic)
{
  const hs_relu_problem_t *problem = weights->problem;
  size_t K = (size_t)neurons->count, C = (size_t)neurons->outputs, known = (size_t)weights->known;
  if (known == K) return HS_OK;
  double *Q = hs_alloc(K * K, sizeof *Q, "Gram matrix of the neurons");
  double *B = hs_alloc(K * C, sizeof *B, "Gram matrix of the neurons");
  hs_status_t status = hs_agree(problem->comm, Q != NULL && B != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK && known > 0) {
    for (size_t k = 0; k < known; k++) memcpy(Q + k * K, weights->Q + k * known, known * sizeof *Q);
    memcpy(B, weights->B, known * C * sizeof *B);
  }
  if (status == HS_OK) status = hs_features_gram(problem, neurons, weights->known, 1, NULL, Q, traffic);
  if (status == HS_OK)
    status = hs_features_project(problem, neurons, weights->known, problem->shard->Y, B, traffic);
  if (status != HS_OK) {
    hs_free(Q);
    hs_free(B);
    return status;
  }
  hs_outer_weights_free(weights);
  weights->Q = Q;
  weights->B = B;
  weights->known = neurons->count;
  return HS_OK;
}

hs_status_t hs_outer_weights_solve(hs_outer_weights_t *weights, hs_neurons_t *neurons, double tolerance,
                                   double *violation, hs_traffic_t *traffic)
{
  const hs_relu_problem_t *problem = weights->problem;
  double reached = 0;
  hs_status_t status = HS_OK;
  if (neurons->count > 0 && problem->loss.kind != HS_SQUARED) {
    status = hs_outer_newton(problem, neurons, tolerance, &reached, traffic);
  } else if (neurons->count > 0) {
    status = extend(weights, neurons, traffic);
    hs_outer_lasso_t lasso = {neurons->count, neurons->outputs, false, weights->Q, weights->B, problem->beta};
    if (status == HS_OK) status = hs_outer_shared(problem->comm, &lasso, tolerance, neurons->W2, &reached);
  }
  if (violation != NULL) *violation = reached;
  return status;
}

static bool is_zero(const hs_neurons_t *neurons, int k)
{
  for (int c = 0; c < neurons->outputs; c++)
    if (neurons->W2[(int64_t)k * neurons->outputs + c] != 0) return false;
  return true;
}

/* Row and column `from` of what is known to row and column `to` <= from; the matrices keep their row length. */
static void move_known(hs_outer_weights_t *weights, int to, int from)
{
  int64_t K = weights->known, C = weights->problem->shard->outputs;
  if (to == from) return;
  memmove(weights->Q + to * K, weights->Q + from * K, (size_t)K * sizeof(double));
  for (int64_t k = 0; k < K; k++) weights->Q[k * K + to] = weights->Q[k * K + from];
  memmove(weights->B + to * C, weights->B + from * C, (size_t)C * sizeof(double));
}

int hs_outer_weights_drop(hs_outer_weights_t *weights, hs_neurons_t *neurons)
{
  int kept = 0;
  int64_t before = weights->known;
  for (int k = 0; k < before; k++)
    if (!is_zero(neurons, k)) move_known(weights, kept++, k);
  for (int64_t k = 1; k < kept; k++)
    memmove(weights->Q + k * kept, weights->Q + k * before, (size_t)kept * sizeof(double));
  weights->known = kept;
  return hs_neurons_prune(neurons, 0);
}
