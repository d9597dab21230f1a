/* squared.c: f(a) = (a - y)^2 / 2,  D(t) = t y - t^2 / 2 for every t. */
#include "loss/rules.h"

static double value(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < entries; i++) sum += (A[i] - Y[i]) * (A[i] - Y[i]);
  return sum / 2;
}

static void gradient(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y, double *G)
{
  (void)loss;
  int64_t entries = rows * outputs;
  for (int64_t i = 0; i < entries; i++) G[i] = A[i] - Y[i];
}

static void row_curvature(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y,
                          double *out)
{
  (void)loss, (void)outputs, (void)A, (void)Y;
  for (int64_t k = 0; k < rows; k++) out[k] = 1;
}

static hs_dual_ray_t dual_ray(hs_loss_t loss, int64_t rows, int outputs, const double *T, const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double linear = 0, square = 0;
#pragma omp simd reduction(+ : linear, square)
  for (int64_t i = 0; i < entries; i++) {
    linear += T[i] * Y[i];
    square += T[i] * T[i];
  }
  return (hs_dual_ray_t){.linear = linear, .square = square, .limit = INFINITY};
}

static double dual_value(hs_loss_t loss, int64_t rows, int outputs, const double *T, double s,
                         const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < entries; i++) sum += s * T[i] * (Y[i] - s * T[i] / 2);
  return sum;
}

static double dual_project(hs_loss_t loss, int64_t rows, int outputs, double *T, const double *Y)
{
  (void)loss, (void)rows, (void)outputs, (void)T, (void)Y;
  return 0;
}

const hs_loss_rules_t hs_squared_rules = {"squared",     1,        true,       false,       value, gradient,
                                          row_curvature, dual_ray, dual_value, dual_project};
