/* huber.c: with r = a - y,  f(a) = r^2 / 2 for |r| <= h, h |r| - h^2 / 2 beyond;
 *          D(t) = t y - t^2 / 2 for |t| <= h. */
#include "loss/rules.h"

/* Keeps NaN. */
static double clamp(double x, double h)
{
  return x > h ? h : x < -h ? -h : x;
}

static double value(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y)
{
  int64_t entries = rows * outputs;
  double sum = 0, h = loss.huber_width;
  for (int64_t i = 0; i < entries; i++) {
    double r = A[i] - Y[i], inner = clamp(r, h);
    /* Both branches at once: c (r - c / 2) with c = r inside, +-h beyond. */
    sum += inner * (r - inner / 2);
  }
  return sum;
}

static void gradient(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y, double *G)
{
  int64_t entries = rows * outputs;
  for (int64_t i = 0; i < entries; i++) G[i] = clamp(A[i] - Y[i], loss.huber_width);
}

static void row_curvature(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y,
                          double *out)
{
  for (int64_t k = 0; k < rows; k++) {
    out[k] = 0;
    for (int c = 0; c < outputs; c++)
      if (fabs(A[k * outputs + c] - Y[k * outputs + c]) <= loss.huber_width) out[k] = 1;
  }
}

static hs_dual_ray_t dual_ray(hs_loss_t loss, int64_t rows, int outputs, const double *T, const double *Y)
{
  hs_dual_ray_t ray = hs_squared_rules.dual_ray(loss, rows, outputs, T, Y);
  int64_t entries = rows * outputs;
  double largest = 0;
  for (int64_t i = 0; i < entries; i++) largest = fabs(T[i]) > largest ? fabs(T[i]) : largest;
  ray.limit = largest > 0 ? loss.huber_width / largest : INFINITY;
  return ray;
}

static double dual_value(hs_loss_t loss, int64_t rows, int outputs, const double *T, double s,
                         const double *Y)
{
  int64_t entries = rows * outputs;
  double sum = 0, h = loss.huber_width, border = h * (1 + HS_DUAL_SLACK);
  for (int64_t i = 0; i < entries; i++) {
    double t = s * T[i];
    if (fabs(t) > border) return -INFINITY;
    t = clamp(t, h);
    sum += t * (Y[i] - t / 2);
  }
  return sum;
}

static double dual_project(hs_loss_t loss, int64_t rows, int outputs, double *T, const double *Y)
{
  (void)Y;
  int64_t entries = rows * outputs;
  double change = 0;
  for (int64_t i = 0; i < entries; i++) {
    double t = clamp(T[i], loss.huber_width);
    change += (t - T[i]) * (t - T[i]);
    T[i] = t;
  }
  return change;
}

const hs_loss_rules_t hs_huber_rules = {"huber",       1,        true,       false,       value, gradient,
                                        row_curvature, dual_ray, dual_value, dual_project};
