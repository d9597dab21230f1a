#include "mpi/network/sign_map.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "gates/masks.h"
#include "mpi/comm/agree.h"
#include "mpi/network/rank_one.h"

#define NEGLIGIBLE 1e-6 /* parts below this share of the gate's largest are dropped */
#define SLAB_ROWS 512

/* Neurons with s = +1, and the gate each comes from. By rank 0: other ranks' singular vectors might differ in their last bits. */
static hs_status_t make_neurons(hs_model_t *model, int *gate_of)
{
  int d = model->d, C = model->outputs, most = d < C ? d : C;
  double *sigma = hs_alloc((size_t)most, sizeof *sigma, "singular values");
  hs_status_t status = sigma != NULL ? HS_OK : HS_NO_MEMORY;
  model->neurons = 0;
  for (int i = 0; i < model->gates && status == HS_OK; i++) {
    double *a = model->W1 + (int64_t)model->neurons * d, *b = model->W2 + (int64_t)model->neurons * C;
    int parts;
    status = hs_rank_one_split(d, C, model->weights + (int64_t)i * d * C, NEGLIGIBLE, &parts, sigma, a, b);
    for (int r = 0; r < parts && status == HS_OK; r++) {
      cblas_dscal(d, sqrt(sigma[r]), a + (int64_t)r * d, 1);
      cblas_dscal(C, sqrt(sigma[r]), b + (int64_t)r * C, 1);
      gate_of[model->neurons++] = i;
    }
  }
  hs_free(sigma);
  return status;
}

/* Collective. */
static hs_status_t share_neurons(hs_model_t *model, MPI_Comm comm, int *gate_of)
{
  hs_status_t status = hs_agree(comm, hs_rank(comm) == 0 ? make_neurons(model, gate_of) : HS_OK);
  if (status != HS_OK) return status;
  HS_MPI(MPI_Bcast(&model->neurons, 1, MPI_INT, 0, comm));
  HS_MPI(MPI_Bcast(gate_of, model->neurons, MPI_INT, 0, comm));
  HS_MPI(MPI_Bcast(model->W1, model->neurons * model->d, MPI_DOUBLE, 0, comm));
  HS_MPI(MPI_Bcast(model->W2, model->neurons * model->outputs, MPI_DOUBLE, 0, comm));
  return HS_OK;
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
  int fits;
  hs_status_t status = gate_of != NULL && model->W1 != NULL && model->W2 != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK)
    status = hs_to_int(largest * hs_max64(model->d, model->outputs), &fits, "weights of neurons");
  status = hs_agree(comm, status);
  if (status == HS_OK) status = share_neurons(model, comm, gate_of);
  if (status == HS_OK) status = choose_signs(model, gate_of, comm, shard);
  hs_free(gate_of);
  return status;
}
