#include "mpi/network/sign_map.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "gates/masks.h"
#include "mpi/comm/agree.h"

extern void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s,
                    double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
                    int *iwork, int *info);

#define NEGLIGIBLE 1e-6 /* parts below this share of the gate's largest are dropped */
#define SLAB_ROWS 512

/* Parts of one gate's weights, d x C column-major: sigma, a (d x parts) and b (parts x C). */
typedef struct parts {
  int count, d, C, most;
  double *sigma, *a, *b;
  double *copy, *work;
  int *iwork, lwork;
} parts_t;

static hs_status_t parts_create(parts_t *parts, int d, int C)
{
  int most = d < C ? d : C;
  int lwork = 4 * most * most + 7 * most + 10 * (d > C ? d : C);
  *parts = (parts_t){.d = d, .C = C, .most = most, .lwork = lwork};
  parts->sigma = hs_alloc((size_t)most, sizeof(double), "singular values");
  parts->a = hs_alloc((size_t)d * (size_t)most, sizeof(double), "singular vectors");
  parts->b = hs_alloc((size_t)C * (size_t)most, sizeof(double), "singular vectors");
  parts->copy = hs_alloc((size_t)d * (size_t)C, sizeof(double), "gate weights");
  parts->work = hs_alloc((size_t)lwork, sizeof(double), "singular value work");
  parts->iwork = hs_alloc((size_t)(8 * most), sizeof(int), "singular value work");
  bool good = parts->sigma != NULL && parts->a != NULL && parts->b != NULL && parts->copy != NULL &&
              parts->work != NULL && parts->iwork != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

static void parts_free(parts_t *parts)
{
  hs_free(parts->sigma);
  hs_free(parts->a);
  hs_free(parts->b);
  hs_free(parts->copy);
  hs_free(parts->work);
  hs_free(parts->iwork);
}

static hs_status_t parts_split(parts_t *parts, const double *weights)
{
  int d = parts->d, C = parts->C, most = parts->most, info;
  memcpy(parts->copy, weights, (size_t)d * (size_t)C * sizeof(double));
  dgesdd_("S", &d, &C, parts->copy, &d, parts->sigma, parts->a, &d, parts->b, &most, parts->work,
          &parts->lwork, parts->iwork, &info);
  if (info != 0)
    return hs_fail(HS_NUMERICAL, NULL, "sign map", "a singular value decomposition failed (%d)", info);
  parts->count = 0;
  while (parts->count < most && parts->sigma[parts->count] > NEGLIGIBLE * parts->sigma[0]) parts->count++;
  return HS_OK;
}

/* Neurons with s = +1, and the gate each comes from. */
static hs_status_t make_neurons(hs_model_t *model, int *gate_of)
{
  parts_t parts;
  hs_status_t status = parts_create(&parts, model->d, model->outputs);
  model->neurons = 0;
  for (int i = 0; i < model->gates && status == HS_OK; i++) {
    status = parts_split(&parts, model->weights + (int64_t)i * model->d * model->outputs);
    for (int r = 0; r < parts.count && status == HS_OK; r++) {
      double root = sqrt(parts.sigma[r]);
      int64_t neuron = model->neurons++;
      gate_of[neuron] = i;
      for (int j = 0; j < model->d; j++)
        model->W1[neuron * model->d + j] = root * parts.a[(int64_t)r * model->d + j];
      for (int c = 0; c < model->outputs; c++) /* LAPACK gives the rows of b' column-major, ld = most */
        model->W2[neuron * model->outputs + c] = root * parts.b[(int64_t)c * parts.most + r];
    }
  }
  parts_free(&parts);
  return status;
}

/* votes[k] += rows of this slab where the neuron's sign agrees with the gate's mask, minus those where not.
 */
static void vote(const hs_model_t *model, const int *gate_of, const hs_masks_t *masks,
                 const hs_shard_t *shard, int64_t row, int rows, double *X, double *H, double *votes)
{
  int d = model->d, m = model->neurons;
  for (int64_t e = 0; e < (int64_t)rows * d; e++)
    X[e] = shard->precision == HS_SINGLE ? (double)((const float *)shard->X)[row * d + e]
                                         : ((const double *)shard->X)[row * d + e];
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, m, d, 1, X, d, model->W1, d, 0, H, m);
  for (int k = 0; k < rows; k++)
    for (int j = 0; j < m; j++) {
      double h = H[(int64_t)k * m + j];
      if (h != 0) votes[j] += (h > 0) == (hs_mask_bit(masks, row + k, gate_of[j]) == 1) ? 1 : -1;
    }
}

/* Flip the neurons that disagree with their gates. Collective. */
static hs_status_t choose_signs(hs_model_t *model, const int *gate_of, MPI_Comm comm, const hs_shard_t *shard)
{
  hs_masks_t masks = {0};
  int d = model->d, m = model->neurons;
  double *X = hs_alloc((size_t)SLAB_ROWS * (size_t)d, sizeof(double), "rows");
  double *H = hs_alloc((size_t)SLAB_ROWS * (size_t)m, sizeof(double), "activations");
  double *votes = hs_alloc((size_t)m, sizeof(double), "votes");
  hs_status_t status = X != NULL && H != NULL && votes != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK)
    status = hs_masks_create(&masks, shard->precision, shard->rows, d, shard->X, model->gates, model->G);
  status = hs_agree(comm, status);
  if (status == HS_OK) {
    for (int64_t row = 0; row < shard->rows; row += SLAB_ROWS)
      vote(model, gate_of, &masks, shard, row, (int)hs_min64(SLAB_ROWS, shard->rows - row), X, H, votes);
    HS_MPI(MPI_Allreduce(MPI_IN_PLACE, votes, m, MPI_DOUBLE, MPI_SUM, comm));
    for (int j = 0; j < m; j++) {
      if (votes[j] >= 0) continue;
      cblas_dscal(d, -1, model->W1 + (int64_t)j * d, 1);
      cblas_dscal(model->outputs, -1, model->W2 + (int64_t)j * model->outputs, 1);
    }
  }
  hs_masks_free(&masks);
  hs_free(X);
  hs_free(H);
  hs_free(votes);
  return status;
}

hs_status_t hs_sign_map(hs_model_t *model, MPI_Comm comm, const hs_shard_t *shard)
{
  int most = model->d < model->outputs ? model->d : model->outputs;
  int64_t largest = (int64_t)model->gates * most;
  if (largest == 0) return HS_OK;
  int *gate_of = hs_alloc((size_t)largest, sizeof(int), "neurons");
  model->W1 = hs_alloc((size_t)largest * (size_t)model->d, sizeof(double), "first layer");
  model->W2 = hs_alloc((size_t)largest * (size_t)model->outputs, sizeof(double), "second layer");
  hs_status_t status = gate_of != NULL && model->W1 != NULL && model->W2 != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) status = make_neurons(model, gate_of);
  status = hs_agree(comm, status);
  if (status == HS_OK) status = choose_signs(model, gate_of, comm, shard);
  hs_free(gate_of);
  return status;
}
