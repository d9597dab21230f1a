/* squared_hinge.c: f(a) = max(0, 1 - y a)^2 / 2, y = +-1;  with q = y t:  D(t) = q - q^2 / 2 for q >= 0. */
#include "loss/rules.h"

/* max(0, x), keeps NaN. */
static double positive(double x)
{
  return x < 0 ? 0 : x;
}

static double value(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double sum = 0;
  for (int64_t i = 0; i < entries; i++) {
    double short_by = positive(1 - Y[i] * A[i]);
    sum += short_by * short_by;
  }
  return sum / 2;
}

static void gradient(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y, double *G)
{
  (void)loss;
  int64_t entries = rows * outputs;
  for (int64_t i = 0; i < entries; i++) G[i] = -Y[i] * positive(1 - Y[i] * A[i]);
}

static void row_curvature(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y,
                          double *out)
{
  (void)loss;
  for (int64_t k = 0; k < rows; k++) {
    out[k] = 0;
    for (int c = 0; c < outputs; c++)
      if (Y[k * outputs + c] * A[k * outputs + c] < 1) out[k] = 1;
  }
}

static hs_dual_ray_t dual_ray(hs_loss_t loss, int64_t rows, int outputs, const double *T, const double *Y)
{
  /* q^2 = t^2 as y = +-1: the sums are those of the squared loss. */
  hs_dual_ray_t ray = hs_squared_rules.dual_ray(loss, rows, outputs, T, Y);
  int64_t entries = rows * outputs;
  for (int64_t i = 0; i < entries; i++) ray.limit = fmin(ray.limit, hs_sign_limit(Y[i] * T[i]));
  return ray;
}

static double dual_value(hs_loss_t loss, int64_t rows, int outputs, const double *T, double s,
                         const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double sum = 0;
  for (int64_t i = 0; i < entries; i++) {
    double q = s * Y[i] * T[i];
    if (q < -HS_DUAL_SLACK) return -INFINITY;
    q = positive(q);
    sum += q * (1 - q / 2);
  }
  return sum;
}

static double dual_project(hs_loss_t loss, int64_t rows, int outputs, double *T, const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double change = 0;
  for (int64_t i = 0; i < entries; i++) {
    double t = Y[i] * positive(Y[i] * T[i]);
    change += (t - T[i]) * (t - T[i]);
    T[i] = t;
  }
  return change;
}

const hs_loss_rules_t hs_squared_hinge_rules = {
    "squared-hinge", 1, true, true, value, gradient, row_curvature, dual_ray, dual_value, dual_project};
