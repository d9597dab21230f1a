#include "mpi/network/outer_model.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/network/features.h"
#include "mpi/network/outer_shared.h"
#include "mpi/polish/curvature.h"

#define NEARLY 0.8        /* |G_k| / beta of a neuron that is off and takes part */
#define MOST_COUPLED 2000 /* neurons times outputs of a model that couples the outputs: 32 MB */

typedef struct model {
  const hs_relu_problem_t *problem;
  hs_neurons_t part; /* the neurons that take part, and their weights */
  int *member;       /* which they are */
  bool coupled;
  int kinds; /* second derivatives per row, and Gram matrices */
  hs_curvature_t curvature;
  double *V;     /* rows x kinds */
  double *Q, *P; /* kinds Gram matrices; (count C) x (count C), coupled only */
  double *q, *g; /* count x C */
} model_t;

/* The neurons that take part, as the first rank sees it. Collective. */
static hs_status_t choose(model_t *model, const hs_neurons_t *neurons, const double *G)
{
  int K = neurons->count, C = neurons->outputs, count = 0;
  MPI_Comm comm = model->problem->comm;
  model->member = hs_alloc((size_t)K, sizeof(int), "outer weights");
  hs_status_t status = hs_agree(comm, model->member == NULL ? HS_NO_MEMORY : HS_OK);
  if (status != HS_OK) return status;
  for (int k = 0; k < K; k++) {
    double a = 0, g = 0;
    for (int c = 0; c < C; c++) {
      a += fabs(neurons->W2[(int64_t)k * C + c]);
      g += G[(int64_t)k * C + c] * G[(int64_t)k * C + c];
    }
    if (a > 0 || sqrt(g) > NEARLY * model->problem->beta) model->member[count++] = k;
  }
  HS_MPI(MPI_Bcast(&count, 1, MPI_INT, 0, comm));
  HS_MPI(MPI_Bcast(model->member, count, MPI_INT, 0, comm));
  status = hs_neurons_reserve(&model->part, count);
  for (int i = 0; i < count && status == HS_OK; i++) {
    int64_t k = model->member[i];
    status = hs_neurons_add(&model->part, neurons->W1 + k * neurons->d, neurons->W2 + k * C);
  }
  return hs_agree(comm, status);
}

/* Memory for the neurons that take part. Collective. */
static hs_status_t reserve(model_t *model)
{
  const hs_relu_problem_t *problem = model->problem;
  int C = model->part.outputs;
  size_t rows = (size_t)problem->shard->rows, count = (size_t)model->part.count, size = count * (size_t)C;
  hs_status_t status = hs_curvature_create(&model->curvature, problem->loss, problem->shard->rows, C);
  model->coupled = C > 1 && size <= MOST_COUPLED;
  model->kinds = !model->coupled ? 1 : hs_curvature_couples(&model->curvature) ? C * (C + 1) / 2 : C;
  struct {
    double **vector;
    size_t length;
  } wanted[] = {{&model->V, rows * (size_t)model->kinds},
                {&model->Q, (size_t)model->kinds * count * count},
                {&model->P, model->coupled ? size * size : 0},
                {&model->q, size},
                {&model->g, size}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == HS_OK; i++) {
    *wanted[i].vector = hs_alloc(wanted[i].length, sizeof(double), "outer weights");
    if (*wanted[i].vector == NULL) status = HS_NO_MEMORY;
  }
  return hs_agree(problem->comm, status);
}

static void discard(model_t *model)
{
  double *vectors[] = {model->V, model->Q, model->P, model->q, model->g};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) hs_free(vectors[i]);
  hs_neurons_clear(&model->part);
  hs_free(model->member);
  hs_curvature_free(&model->curvature);
}

/* V: the second derivatives of each row, damped. */
static void bend(model_t *model, const double *scores, double damping)
{
  const hs_shard_t *shard = model->problem->shard;
  hs_loss_t loss = model->problem->loss;
  int C = model->part.outputs, kinds = model->kinds;
  double floor = damping * hs_loss_curvature(loss);
  if (!model->coupled) {
    hs_loss_row_curvature(loss, shard->rows, C, scores, shard->Y, model->V);
    for (int64_t k = 0; k < shard->rows; k++) model->V[k] += floor;
    return;
  }
  hs_curvature_set(&model->curvature, scores, shard->Y);
  for (int64_t k = 0; k < shard->rows; k++)
    for (int m = 0, c = 0; c < C; c++)
      for (int e = c; e < (kinds == C ? c + 1 : C); e++, m++)
        model->V[k * kinds + m] = hs_curvature_element(&model->curvature, k, c, e) + (c == e ? floor : 0);
}

/* P from the Gram matrices: entry (k C + c, l C + e) is that of the kind (c, e). */
static void couple(model_t *model)
{
  int64_t K = model->part.count, C = model->part.outputs, m = 0;
  for (int64_t c = 0; c < C; c++)
    for (int64_t e = c; e < (model->kinds == C ? c + 1 : C); e++, m++)
      for (int64_t k = 0; k < K; k++)
        for (int64_t l = 0; l < K; l++) {
          double value = model->Q[(m * K + k) * K + l];
          model->P[(k * C + c) * K * C + l * C + e] = value;
          model->P[(k * C + e) * K * C + l * C + c] = value;
        }
}

/* part.W2 := a+, from the Gram matrices. Collective. */
static hs_status_t solve(model_t *model, const double *G, double tolerance)
{
  const hs_relu_problem_t *problem = model->problem;
  int C = model->part.outputs;
  if (model->coupled) couple(model);
  hs_outer_lasso_t lasso = {.columns = model->part.count, .outputs = C, .coupled = model->coupled};
  lasso.P = model->coupled ? model->P : model->Q;
  lasso.q = model->q;
  lasso.beta = problem->beta;
  hs_outer_gradient(&lasso, model->part.W2, model->g); /* -P a, as q is still zero */
  for (int i = 0; i < model->part.count; i++)
    for (int c = 0; c < C; c++) {
      int64_t here = (int64_t)i * C + c;
      model->q[here] = G[(int64_t)model->member[i] * C + c] - model->g[here]; /* q = G + P a */
    }
  return hs_outer_shared(problem->comm, &lasso, tolerance, model->part.W2, NULL);
}

hs_status_t hs_outer_model(const hs_relu_problem_t *problem, hs_neurons_t *neurons, const double *scores,
                           const double *G, double damping, double tolerance, hs_traffic_t *traffic)
{
  model_t model = {.problem = problem};
  size_t C = (size_t)neurons->outputs;
  hs_neurons_init(&model.part, neurons->d, neurons->outputs);
  hs_status_t status = choose(&model, neurons, G);
  if (status == HS_OK) status = reserve(&model);
  if (status == HS_OK) {
    bend(&model, scores, damping);
    status = hs_features_gram(problem, &model.part, 0, model.kinds, model.V, model.Q, traffic);
  }
  if (status == HS_OK) status = solve(&model, G, tolerance);
  for (int i = 0; i < model.part.count && status == HS_OK; i++)
    memcpy(neurons->W2 + (size_t)model.member[i] * C, model.part.W2 + (size_t)i * C, C * sizeof(double));
  discard(&model);
  return status;
}
