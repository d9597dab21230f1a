/* logistic.c: f(a) = log(1 + exp(-y a)), y = +-1;
 *             with q = y t:  D(t) = -q log q - (1 - q) log(1 - q) for 0 <= q <= 1. */
#include "loss/rules.h"

static double value(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double sum = 0;
  for (int64_t i = 0; i < entries; i++) {
    double margin = Y[i] * A[i];
    /* exp of a negative number only: no overflow, and small losses keep their digits. */
    sum += log1p(exp(-fabs(margin))) + (margin < 0 ? -margin : 0);
  }
  return sum;
}

static void gradient(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y, double *G)
{
  (void)loss;
  int64_t entries = rows * outputs;
  /* exp may overflow to infinity: the quotient is then the 0 it should be. */
  for (int64_t i = 0; i < entries; i++) G[i] = -Y[i] / (1 + exp(Y[i] * A[i]));
}

static void row_curvature(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y,
                          double *out)
{
  (void)loss, (void)Y;
  for (int64_t k = 0; k < rows; k++) {
    double nearest = INFINITY; /* the smallest |a| bends most: e/(1+e)^2 with e = exp(-|a|) */
    for (int c = 0; c < outputs; c++) nearest = fmin(nearest, fabs(A[k * outputs + c]));
    double e = exp(-nearest);
    out[k] = e / ((1 + e) * (1 + e));
  }
}

static hs_dual_ray_t dual_ray(hs_loss_t loss, int64_t rows, int outputs, const double *T, const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double largest = 0, limit = INFINITY;
  for (int64_t i = 0; i < entries; i++) {
    double q = Y[i] * T[i];
    limit = fmin(limit, hs_sign_limit(q));
    largest = q > largest ? q : largest;
  }
  return (hs_dual_ray_t){.limit = largest > 0 ? fmin(limit, 1 / largest) : limit};
}

/* -q log q - (1 - q) log(1 - q), 0 at both ends; log1p keeps the digits of a small q. */
static double entropy(double q)
{
  if (q <= 0 || q >= 1) return 0;
  return -q * log(q) - (1 - q) * log1p(-q);
}

static double dual_value(hs_loss_t loss, int64_t rows, int outputs, const double *T, double s,
                         const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double sum = 0;
  for (int64_t i = 0; i < entries; i++) {
    double q = s * Y[i] * T[i];
    if (q < -HS_DUAL_SLACK || q > 1 + HS_DUAL_SLACK) return -INFINITY;
    sum += entropy(q);
  }
  return sum;
}

static double dual_project(hs_loss_t loss, int64_t rows, int outputs, double *T, const double *Y)
{
  (void)loss;
  int64_t entries = rows * outputs;
  double change = 0;
  for (int64_t i = 0; i < entries; i++) {
    double q = Y[i] * T[i];
    double t = Y[i] * (q < 0 ? 0 : q > 1 ? 1 : q);
    change += (t - T[i]) * (t - T[i]);
    T[i] = t;
  }
  return change;
}

const hs_loss_rules_t hs_logistic_rules = {"logistic", 0.25,          false,    true,       value,
                                           gradient,   row_curvature, dual_ray, dual_value, dual_project};
