#include "mpi/polish/curvature.h"

#include <math.h>

#include "base/memory.h"

hs_status_t hs_curvature_create(hs_curvature_t *curvature, hs_loss_t loss, int64_t rows, int outputs)
{
  *curvature = (hs_curvature_t){.loss = loss, .rows = rows, .outputs = outputs};
  curvature->values = hs_alloc((size_t)(rows * outputs), sizeof(double), "curvature of the loss");
  return curvature->values != NULL ? HS_OK : HS_NO_MEMORY;
}

void hs_curvature_free(hs_curvature_t *curvature)
{
  hs_free(curvature->values);
  *curvature = (hs_curvature_t){0};
}

static double entry(hs_loss_t loss, double a, double y)
{
  double e = exp(-fabs(a));
  switch (loss.kind) {
  case HS_LOGISTIC:
    return e / ((1 + e) * (1 + e));
  case HS_SQUARED_HINGE:
    return y * a < 1 ? 1 : 0;
  case HS_HUBER:
    return fabs(a - y) <= loss.huber_width ? 1 : 0;
  default:
    return 1;
  }
}

static void probabilities(int outputs, const double *a, double *q)
{
  double largest = -INFINITY, sum = 0;
  for (int c = 0; c < outputs; c++) largest = fmax(largest, a[c]);
  for (int c = 0; c < outputs; c++) sum += q[c] = exp(a[c] - largest);
  for (int c = 0; c < outputs; c++) q[c] /= sum;
}

void hs_curvature_set(hs_curvature_t *curvature, const double *A, const double *Y)
{
  int64_t C = curvature->outputs, entries = curvature->rows * C;
  if (hs_curvature_couples(curvature))
    for (int64_t k = 0; k < curvature->rows; k++)
      probabilities(curvature->outputs, A + k * C, curvature->values + k * C);
  else
    for (int64_t e = 0; e < entries; e++) curvature->values[e] = entry(curvature->loss, A[e], Y[e]);
}

void hs_curvature_apply(const hs_curvature_t *curvature, const double *v, double *out)
{
  int64_t C = curvature->outputs, entries = curvature->rows * C;
  for (int64_t first = 0; first < entries && hs_curvature_couples(curvature); first += C) {
    const double *q = curvature->values + first;
    double mean = 0;
    for (int64_t c = 0; c < C; c++) mean += q[c] * v[first + c];
    for (int64_t c = 0; c < C; c++) out[first + c] = q[c] * (v[first + c] - mean);
  }
  if (hs_curvature_couples(curvature)) return;
  for (int64_t e = 0; e < entries; e++) out[e] = curvature->values[e] * v[e];
}

bool hs_curvature_couples(const hs_curvature_t *curvature)
{
  return curvature->loss.kind == HS_SOFTMAX;
}

double hs_curvature_element(const hs_curvature_t *curvature, int64_t row, int c, int e)
{
  const double *values = curvature->values + row * curvature->outputs;
  if (!hs_curvature_couples(curvature)) return c == e ? values[c] : 0;
  return c == e ? values[c] * (1 - values[c]) : -values[c] * values[e];
}
