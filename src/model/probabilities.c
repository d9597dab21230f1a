#include "model/probabilities.h"

#include <math.h>

bool hs_model_has_probabilities(const hs_model_t *model)
{
  return model->classes > 0 && (model->loss.kind == HS_LOGISTIC || model->loss.kind == HS_SOFTMAX);
}

/* p = exp(p) / sum exp(p), shifted by the largest: no overflow, and the sum is at least 1. */
static void normalise_exponents(int count, double *p)
{
  double largest = p[0], sum = 0;
  for (int c = 1; c < count; c++) largest = fmax(largest, p[c]);
  for (int c = 0; c < count; c++) sum += p[c] = exp(p[c] - largest);
  for (int c = 0; c < count; c++) p[c] /= sum;
}

/* log(1 / (1 + exp(-a))) without overflow for a far below 0, and without loss of digits far above. */
static double log_sigmoid(double a)
{
  return a >= 0 ? -log1p(exp(-a)) : a - log1p(exp(a));
}

void hs_model_probabilities(const hs_model_t *model, int64_t rows, const double *scores,
                            double *probabilities)
{
  int C = model->outputs, K = model->classes;
  for (int64_t k = 0; k < rows; k++) {
    const double *a = scores + k * C;
    double *p = probabilities + k * K;
    if (C == 1) {
      p[0] = exp(log_sigmoid(-a[0]));
      p[1] = exp(log_sigmoid(a[0]));
      continue;
    }
    for (int c = 0; c < K; c++) p[c] = model->loss.kind == HS_SOFTMAX ? a[c] : log_sigmoid(a[c]);
    normalise_exponents(K, p);
  }
}
