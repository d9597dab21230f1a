/* softmax.c: f(a) = log sum_c exp(a_c) - sum_c y_c a_c, y one-hot, a row of C >= 2 outputs at a time;
 *            with q = y - t:  D(t) = -sum_c q_c log q_c for q in the simplex {q >= 0, sum q = 1}. */
#include "loss/rules.h"

static int largest_entry(int outputs, const double *a)
{
  int best = 0;
  for (int c = 1; c < outputs; c++)
    if (a[c] > a[best]) best = c;
  return best;
}

static double row_value(int outputs, const double *a, const double *y)
{
  int best = largest_entry(outputs, a);
  double rest = 0, target = 0;
  for (int c = 0; c < outputs; c++) {
    if (c != best) rest += exp(a[c] - a[best]);
    target += y[c] * (a[c] - a[best]);
  }
  /* The largest term is exp(0) = 1: log1p keeps the digits of a confident, right prediction. */
  return log1p(rest) - target;
}

static double value(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y)
{
  (void)loss;
  double sum = 0;
  for (int64_t k = 0; k < rows; k++) sum += row_value(outputs, A + k * outputs, Y + k * outputs);
  return sum;
}

static void row_gradient(int outputs, const double *a, const double *y, double *g)
{
  double most = a[largest_entry(outputs, a)], sum = 0;
  for (int c = 0; c < outputs; c++) {
    g[c] = exp(a[c] - most);
    sum += g[c];
  }
  for (int c = 0; c < outputs; c++) g[c] = g[c] / sum - y[c];
}

static void gradient(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y, double *G)
{
  (void)loss;
  for (int64_t k = 0; k < rows; k++) {
    int64_t first = k * outputs;
    row_gradient(outputs, A + first, Y + first, G + first);
  }
}

/* A row stays in the simplex as long as sum_c s t_c = 0, up to the slack per entry, and s t_c <= y_c. */
static double row_limit(int outputs, const double *t, const double *y)
{
  double sum = 0, limit = INFINITY;
  for (int c = 0; c < outputs; c++) {
    sum += t[c];
    if (t[c] > 0) limit = fmin(limit, y[c] > 0 ? y[c] / t[c] : hs_sign_limit(-t[c]));
  }
  return fmin(limit, hs_sign_limit(-fabs(sum) / outputs));
}

static void row_curvature(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y,
                          double *out)
{
  (void)loss, (void)Y;
  /* diag(q) - q q' is diagonally dominated: no eigenvalue exceeds 2 max q (1 - q) (Gershgorin). */
  for (int64_t k = 0; k < rows; k++) {
    const double *a = A + k * outputs;
    double largest = -INFINITY, sum = 0, bound = 0;
    for (int c = 0; c < outputs; c++) largest = fmax(largest, a[c]);
    for (int c = 0; c < outputs; c++) sum += exp(a[c] - largest);
    for (int c = 0; c < outputs; c++) {
      double q = exp(a[c] - largest) / sum;
      bound = fmax(bound, 2 * q * (1 - q));
    }
    out[k] = bound;
  }
}

static hs_dual_ray_t dual_ray(hs_loss_t loss, int64_t rows, int outputs, const double *T, const double *Y)
{
  (void)loss;
  double limit = INFINITY;
  for (int64_t k = 0; k < rows; k++)
    limit = fmin(limit, row_limit(outputs, T + k * outputs, Y + k * outputs));
  return (hs_dual_ray_t){.limit = limit};
}

static double row_dual_value(int outputs, const double *t, double s, const double *y)
{
  double entropy = 0, sum = 0;
  for (int c = 0; c < outputs; c++) {
    double q = y[c] - s * t[c];
    sum += s * t[c];
    if (q < -HS_DUAL_SLACK) return -INFINITY;
    if (!(q <= 0)) entropy -= q * log(q); /* lets NaN through */
  }
  return fabs(sum) > HS_DUAL_SLACK * outputs ? -INFINITY : entropy;
}

static double dual_value(hs_loss_t loss, int64_t rows, int outputs, const double *T, double s,
                         const double *Y)
{
  (void)loss;
  double sum = 0;
  for (int64_t k = 0; k < rows; k++) sum += row_dual_value(outputs, T + k * outputs, s, Y + k * outputs);
  return sum;
}

/* The nearest point of the simplex to q = y - t is max(0, q - theta) with theta such that it sums to 1. theta
 * is found from below: the entries above the last theta are the candidates, theta' = (their sum - 1) / their
 * number, until no candidate drops out. Counting from the largest entry (shift) keeps the 1 visible beside
 * large q. */
static double simplex_threshold(int outputs, const double *t, const double *y, double shift)
{
  double theta = -INFINITY;
  for (int before = 0;;) { /* every round but the last drops a candidate */
    double sum = 0;
    int count = 0;
    for (int c = 0; c < outputs; c++) {
      double q = y[c] - t[c] - shift;
      if (q <= theta) continue;
      sum += q;
      count++;
    }
    if (before > 0 && count >= before) return theta;
    theta = (sum - 1) / count;
    before = count;
  }
}

static double row_project(int outputs, double *t, const double *y)
{
  double shift = -INFINITY, change = 0;
  for (int c = 0; c < outputs; c++) shift = y[c] - t[c] > shift ? y[c] - t[c] : shift;
  double theta = simplex_threshold(outputs, t, y, shift);
  for (int c = 0; c < outputs; c++) {
    double q = y[c] - t[c] - shift - theta;
    double moved = y[c] - (q < 0 ? 0 : q);
    change += (moved - t[c]) * (moved - t[c]);
    t[c] = moved;
  }
  return change;
}

static double dual_project(hs_loss_t loss, int64_t rows, int outputs, double *T, const double *Y)
{
  (void)loss;
  double change = 0;
  for (int64_t k = 0; k < rows; k++) change += row_project(outputs, T + k * outputs, Y + k * outputs);
  return change;
}

const hs_loss_rules_t hs_softmax_rules = {"softmax", 0.5,           false,    true,       value,
                                          gradient,  row_curvature, dual_ray, dual_value, dual_project};
