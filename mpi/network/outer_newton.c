#include "mpi/network/outer_newton.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/network/features.h"
#include "mpi/network/outer_model.h"
#include "mpi/network/outer_shared.h"

#define MOST_STEPS 300 /* models that couple the outputs need about ten */
#define MOST_HALVES 30
#define FIRST_DAMPING 1e-3 /* of the loss's largest curvature */
#define LEAST_DAMPING 1e-12
#define ARMIJO 1e-4
#define NOISE 1e-13 /* relative changes of the objective below this are rounding */
#define PATIENCE 3  /* steps in the noise without a smaller violation */

typedef struct newton {
  const hs_relu_problem_t *problem;
  hs_neurons_t *neurons;
  int K, C;
  double *scores, *ahead, *trial; /* predictions at a, at a+, between; rows x C */
  double *G, *between;            /* K x C; between: a + t (a+ - a) */
  double *A, *best;               /* a where the step began; that of the smallest violation */
  double objective, best_violation, damping;
} newton_t;

static hs_status_t newton_create(newton_t *newton, const hs_relu_problem_t *problem, hs_neurons_t *neurons)
{
  int K = neurons->count, C = neurons->outputs;
  *newton = (newton_t){.problem = problem, .neurons = neurons, .K = K, .C = C, .damping = FIRST_DAMPING};
  size_t entries = (size_t)problem->shard->rows * (size_t)C, KC = (size_t)K * (size_t)C;
  hs_status_t status = HS_OK;
  struct {
    double **vector;
    size_t length;
  } wanted[] = {{&newton->scores, entries}, {&newton->ahead, entries}, {&newton->trial, entries},
                {&newton->G, KC},           {&newton->between, KC},    {&newton->A, KC},
                {&newton->best, KC}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == HS_OK; i++) {
    *wanted[i].vector = hs_alloc(wanted[i].length, sizeof(double), "outer weights");
    if (*wanted[i].vector == NULL) status = HS_NO_MEMORY;
  }
  return hs_agree(problem->comm, status);
}

static void newton_free(newton_t *newton)
{
  double *vectors[] = {newton->scores,  newton->ahead, newton->trial, newton->G,
                       newton->between, newton->A,     newton->best};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) hs_free(vectors[i]);
}

static double penalty(const newton_t *newton, const double *A)
{
  double sum = 0;
  for (int k = 0; k < newton->K; k++) {
    double square = 0;
    for (int c = 0; c < newton->C; c++)
      square += A[(int64_t)k * newton->C + c] * A[(int64_t)k * newton->C + c];
    sum += sqrt(square);
  }
  return newton->problem->beta * sum;
}

/* L(scores) + beta sum |a_k|, as the first rank has it. Collective. */
static double objective(newton_t *newton, const double *scores, const double *A, hs_traffic_t *traffic)
{
  const hs_shard_t *shard = newton->problem->shard;
  double loss = hs_loss_value(newton->problem->loss, shard->rows, newton->C, scores, shard->Y);
  hs_sum(newton->problem->comm, &loss, 1, traffic);
  return hs_first_ranks(newton->problem->comm, loss + penalty(newton, A));
}

/* G = -H'L'(scores), and the violation there. Collective. */
static hs_status_t gradient(newton_t *newton, double *violation, hs_traffic_t *traffic)
{
  const hs_relu_problem_t *problem = newton->problem;
  const hs_shard_t *shard = problem->shard;
  double *theta = newton->trial;
  hs_loss_gradient(problem->loss, shard->rows, newton->C, newton->scores, shard->Y, theta);
  for (int64_t e = 0; e < shard->rows * newton->C; e++) theta[e] = -theta[e];
  hs_status_t status = hs_features_project(problem, newton->neurons, 0, theta, newton->G, traffic);
  if (status != HS_OK) return status;
  double here = hs_outer_violation(newton->K, newton->C, problem->beta, newton->neurons->W2, newton->G);
  *violation = hs_first_ranks(problem->comm, here);
  return HS_OK;
}

/* ---- steps ---- */

/* W2 := a+, A := a; the decrease that the model promises to first order, -G'(a+ - a) + beta (|a+| - |a|) <= 0. Collective. */
static hs_status_t minimise_model(newton_t *newton, double tolerance, double *promise, hs_traffic_t *traffic)
{
  double *W2 = newton->neurons->W2;
  int64_t count = (int64_t)newton->K * newton->C;
  memcpy(newton->A, W2, (size_t)count * sizeof(double));
  hs_status_t status = hs_outer_model(newton->problem, newton->neurons, newton->scores, newton->G,
                                      newton->damping, tolerance, traffic);
  if (status != HS_OK) return status;
  double sum = penalty(newton, W2) - penalty(newton, newton->A);
  for (int64_t e = 0; e < count; e++) sum -= newton->G[e] * (W2[e] - newton->A[e]);
  *promise = hs_first_ranks(newton->problem->comm, sum);
  return HS_OK;
}

/* Where the step length is t: the predictions in trial, the objective. W2 holds a+, *between the weights. Collective. */
static double look(newton_t *newton, double t, double *between, hs_traffic_t *traffic)
{
  int64_t rows = newton->problem->shard->rows;
  for (int64_t e = 0; e < rows * newton->C; e++)
    newton->trial[e] =
        t < 1 ? newton->scores[e] + t * (newton->ahead[e] - newton->scores[e]) : newton->ahead[e];
  for (int64_t e = 0; e < (int64_t)newton->K * newton->C; e++)
    between[e] = t < 1 ? newton->A[e] + t * (newton->neurons->W2[e] - newton->A[e]) : newton->neurons->W2[e];
  return objective(newton, newton->trial, between, traffic);
}

/* The longest step that Armijo's rule allows; 0: none does, and W2 is what it was. Collective. */
static double search(newton_t *newton, double promise, hs_traffic_t *traffic)
{
  double *W2 = newton->neurons->W2, *between = newton->between, step = 1;
  size_t bytes = (size_t)newton->K * (size_t)newton->C * sizeof(double);
  for (int i = 0; i < MOST_HALVES; i++, step /= 2) {
    double value = look(newton, step, between, traffic);
    if (!(value <= newton->objective + ARMIJO * step * promise + NOISE * fabs(newton->objective))) continue;
    double *scores = newton->scores;
    newton->scores = newton->trial;
    newton->trial = scores;
    newton->objective = value;
    memcpy(W2, between, bytes);
    return step;
  }
  memcpy(W2, newton->A, bytes);
  return 0;
}

/* One step; false when there is none. Collective. */
static hs_status_t advance(newton_t *newton, double tolerance, double *promise, bool *moved,
                           hs_traffic_t *traffic)
{
  *moved = false;
  hs_status_t status = minimise_model(newton, tolerance, promise, traffic);
  if (status == HS_OK)
    status =
        hs_agree(newton->problem->comm, hs_features_predict(newton->problem, newton->neurons, newton->ahead));
  if (status != HS_OK) return status;
  double step = search(newton, *promise, traffic);
  newton->damping =
      step < 1 ? fmax(10 * newton->damping, FIRST_DAMPING) : fmax(newton->damping / 10, LEAST_DAMPING);
  *moved = step > 0;
  return HS_OK;
}

static hs_status_t iterate(newton_t *newton, double tolerance, hs_traffic_t *traffic)
{
  size_t bytes = (size_t)newton->K * (size_t)newton->C * sizeof(double);
  int patience = PATIENCE;
  for (int step = 0;; step++) {
    double violation, promise;
    bool moved;
    hs_status_t status = gradient(newton, &violation, traffic);
    if (status != HS_OK) return status;
    bool better = violation < newton->best_violation || patience == PATIENCE;
    if (better) {
      memcpy(newton->best, newton->neurons->W2, bytes);
      newton->best_violation = violation;
    }
    if (violation <= tolerance || step == MOST_STEPS || patience == 0) return HS_OK;
    status = advance(newton, 0.1 * tolerance, &promise, &moved, traffic);
    if (status != HS_OK || !moved) return status;
    if (-promise <= NOISE * fabs(newton->objective)) patience--;
  }
}

hs_status_t hs_outer_newton(const hs_relu_problem_t *problem, hs_neurons_t *neurons, double tolerance,
                            double *violation, hs_traffic_t *traffic)
{
  newton_t newton;
  hs_status_t status = newton_create(&newton, problem, neurons);
  newton.best_violation = INFINITY;
  if (status == HS_OK) status = hs_agree(problem->comm, hs_features_predict(problem, neurons, newton.scores));
  if (status == HS_OK) {
    newton.objective = objective(&newton, newton.scores, neurons->W2, traffic);
    status = iterate(&newton, tolerance, traffic);
  }
  if (status == HS_OK) memcpy(neurons->W2, newton.best, (size_t)newton.K * (size_t)newton.C * sizeof(double));
  *violation = newton.best_violation;
  newton_free(&newton);
  return status;
}
