#include "model/model.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "gates/masks.h"

#define SLAB 256 /* rows scored at a time */
#define WIDTH                                                                                                \
  ((int64_t)512) /* neurons, or outputs of gates, computed together: a slab of them stays in the cache */

void hs_model_clear(hs_model_t *model)
{
  for (int c = 0; model->class_names != NULL && c < model->classes; c++) hs_free(model->class_names[c]);
  hs_free(model->class_names);
  hs_free(model->class_values);
  hs_free(model->shift);
  hs_free(model->scale);
  hs_free(model->G);
  hs_free(model->weights);
  hs_free(model->W1);
  hs_free(model->W2);
  *model = (hs_model_t){0};
}

/* Rows first .. first+count-1 of X, as doubles. */
static void widen(const hs_model_t *model, int64_t first, int64_t count, const void *X, double *slab)
{
  int64_t numbers = count * model->d, offset = first * model->d;
  if (model->precision == HS_DOUBLE) {
    memcpy(slab, (const double *)X + offset, (size_t)numbers * sizeof *slab);
    return;
  }
  const float *from = (const float *)X + offset;
  for (int64_t k = 0; k < numbers; k++) slab[k] = (double)from[k];
}

/* products = slab V', count x width; V is width x d row-major. */
static void project(int d, int count, int width, const double *slab, const double *V, double *products)
{
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, width, d, 1.0, slab, d, V, d, 0.0, products,
              width);
}

/* Adds the part of neurons k .. k+width-1:  scores += max(0, slab W1_k') W2_k. */
static void add_neurons(const hs_model_t *model, int64_t k, int count, int width, const double *slab,
                        double *hidden, double *scores)
{
  int C = model->outputs;
  project(model->d, count, width, slab, model->W1 + k * model->d, hidden);
  for (int64_t i = 0; i < (int64_t)count * width; i++) hidden[i] = hidden[i] > 0 ? hidden[i] : 0;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, C, width, 1.0, hidden, width,
              model->W2 + k * C, C, 1.0, scores, C);
}

/* Adds the part of gates i .. i+width-1; linear is scratch, count x (width C).
 *   scores_k += sum_g m_kg u_g' x_k
 * Blocks of weights lie one after the other, each C x d by rows: one product serves them all. */
static void add_gates(const hs_model_t *model, int64_t i, int count, int width, const hs_masks_t *masks,
                      const double *slab, double *linear, double *scores)
{
  int C = model->outputs;
  project(model->d, count, width * C, slab, model->weights + i * C * model->d, linear);
  for (int64_t k = 0; k < count; k++)
    for (int g = 0; g < width; g++) {
      if (!hs_mask_bit(masks, k, (int)i + g)) continue;
      const double *part = linear + (k * width + g) * C;
      for (int c = 0; c < C; c++) scores[k * C + c] += part[c];
    }
}

static void slab_relu(const hs_model_t *model, int count, const double *slab, double *hidden, double *scores)
{
  for (int64_t k = 0; k < model->neurons; k += WIDTH)
    add_neurons(model, k, count, (int)hs_min64(WIDTH, model->neurons - k), slab, hidden, scores);
}

/* Masks come from the function that training takes them from: rounding near a boundary is then the same. */
static hs_status_t slab_gated(const hs_model_t *model, int count, const void *rows, const double *slab,
                              double *linear, double *scores)
{
  hs_masks_t masks = {0};
  hs_status_t status =
      hs_masks_create(&masks, model->precision, count, model->d, rows, model->gates, model->G);
  if (status != HS_OK) return status;
  int64_t together = hs_max64(1, WIDTH / model->outputs);
  for (int64_t i = 0; i < model->gates; i += together)
    add_gates(model, i, count, (int)hs_min64(together, model->gates - i), &masks, slab, linear, scores);
  hs_masks_free(&masks);
  return HS_OK;
}

static hs_status_t score(const hs_model_t *model, bool relu, int64_t rows, const void *X, double *scores)
{
  int64_t C = model->outputs, row_bytes = model->d * (int64_t)hs_precision_bytes(model->precision);
  double *slab = hs_alloc((size_t)SLAB * (size_t)model->d, sizeof *slab, "rows to score");
  double *products = hs_alloc((size_t)(SLAB * hs_max64(WIDTH, C)), sizeof *products, "hidden layer");
  hs_status_t status = slab != NULL && products != NULL ? HS_OK : HS_NO_MEMORY;
  for (int64_t k = 0; k < rows && status == HS_OK; k += SLAB) {
    int count = (int)hs_min64(SLAB, rows - k);
    double *part = scores + k * C;
    memset(part, 0, (size_t)(count * C) * sizeof *part);
    widen(model, k, count, X, slab);
    if (relu)
      slab_relu(model, count, slab, products, part);
    else if (model->gates > 0)
      status = slab_gated(model, count, (const char *)X + k * row_bytes, slab, products, part);
  }
  hs_free(slab);
  hs_free(products);
  return status;
}

hs_status_t hs_model_relu_scores(const hs_model_t *model, int64_t rows, const void *X, double *scores)
{
  return score(model, true, rows, X, scores);
}

hs_status_t hs_model_gated_scores(const hs_model_t *model, int64_t rows, const void *X, double *scores)
{
  return score(model, false, rows, X, scores);
}

int64_t hs_model_class(int outputs, const double *scores)
{
  if (outputs == 1) return scores[0] >= 0 ? 1 : 0;
  int best = 0;
  for (int c = 1; c < outputs; c++)
    if (scores[c] > scores[best]) best = c;
  return best;
}

double hs_model_relu_penalty(const hs_model_t *model)
{
  double sum = 0;
  for (int64_t k = 0; k < model->neurons; k++)
    sum += cblas_dnrm2(model->d, model->W1 + k * model->d, 1) *
           cblas_dnrm2(model->outputs, model->W2 + k * model->outputs, 1);
  return model->beta * sum;
}

hs_status_t hs_model_gated_penalty(const hs_model_t *model, double *penalty)
{
  hs_group_work_t *work = NULL;
  hs_status_t status = hs_group_work_create(&work, model->d, model->outputs);
  if (status != HS_OK) return status;
  int64_t block = (int64_t)model->d * model->outputs;
  double sum = 0;
  for (int64_t i = 0; i < model->gates; i++)
    sum += hs_group_norm(model->groups, model->d, model->outputs, model->weights + i * block, work);
  hs_group_work_free(&work);
  *penalty = model->beta * sum;
  return HS_OK;
}
