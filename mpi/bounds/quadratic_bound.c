#include "mpi/bounds/quadratic_bound.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/size.h"
#include "mpi/bounds/symmetric_eigen.h"
#include "mpi/comm/agree.h"
#include "mpi/data/slab.h"

#define ROUNDING                                                                                             \
  1e-10 /* of |A| + |b|: distance of lambda from the eigenvalues, and what is added for rounding */
#define SMALLEST_T 1e-9 /* of |x_k| */
#define GAIN 1e-5       /* relative: steps end after PATIENCE of them that gained less */
#define PATIENCE 5

typedef struct quadratic {
  MPI_Comm comm;
  const hs_shard_t *shard;
  const double *theta;
  hs_traffic_t *traffic;
  int d;
  double *memory;                   /* all of the following, owned */
  double *b, *minus[2];             /* X'theta; sum over a sign of |theta| x x'/|x|: d x d, upper triangle */
  double *A, *vectors, *values;     /* d x d (and one number more: c), d x d, d */
  double *M;                        /* d x d */
  double *Y, *S, *work;             /* (d + 1) x (d + 1) */
  double *along;                    /* d: v_i'b */
  double *rows, *products, *weight; /* of a slab */
} quadratic_t;

static hs_status_t take_memory(quadratic_t *q)
{
  size_t d = (size_t)q->d, square = d * d, lifted = (d + 1) * (d + 1);
  size_t slab = (size_t)HS_SLAB_ROWS * d;
  size_t numbers = 6 * square + 3 * lifted + 3 * d + 1 + 3 * slab + HS_SLAB_ROWS;
  double *next = q->memory = hs_alloc(numbers, sizeof *next, "quadratic bound");
  if (next == NULL) return HS_NO_MEMORY;
  q->b = next; /* b and minus are one block: they are summed together */
  q->minus[0] = q->b + d;
  q->minus[1] = q->minus[0] + square;
  q->A = q->minus[1] + square;
  q->vectors = q->A + square + 1;
  q->M = q->vectors + square;
  q->Y = q->M + square;
  q->S = q->Y + lifted;
  q->work = q->S + lifted;
  q->values = q->work + lifted;
  q->along = q->values + d;
  q->rows = q->along + d;
  q->products = q->rows + 2 * slab;
  q->weight = q->products + slab;
  return HS_OK;
}

/* The rows of a slab whose sign is that of `part` (0: theta > 0), one after the other; |theta_k| in q->weight. */
static int choose_rows(const quadratic_t *q, int64_t first, int count, int part, double **chosen)
{
  int d = q->d, kept = 0;
  double *buffer = q->rows + (int64_t)HS_SLAB_ROWS * d;
  const double *x = hs_slab(q->shard, first, count, buffer);
  for (int k = 0; k < count; k++) {
    double theta = q->theta[first + k];
    if (theta == 0 || (theta < 0) != part) continue;
    memcpy(q->rows + (int64_t)kept * d, x + (int64_t)k * d, (size_t)d * sizeof *x);
    q->weight[kept++] = fabs(theta);
  }
  *chosen = q->rows;
  return kept;
}

/* into += sum of weight_k x_k x_k', upper triangle; the rows are overwritten. */
static void add_squares(const quadratic_t *q, int count, double *x, double *into)
{
  for (int k = 0; k < count; k++) cblas_dscal(q->d, sqrt(q->weight[k]), x + (int64_t)k * q->d, 1);
  if (count > 0) cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, q->d, count, 1, x, q->d, 1, into, q->d);
}

static void add_fixed(const quadratic_t *q, int64_t first, int count, int part)
{
  double *x;
  int kept = choose_rows(q, first, count, part, &x);
  for (int k = 0; k < kept; k++) {
    double length = cblas_dnrm2(q->d, x + (int64_t)k * q->d, 1);
    cblas_daxpy(q->d, part == 0 ? q->weight[k] : -q->weight[k], x + (int64_t)k * q->d, 1, q->b, 1);
    q->weight[k] = length > 0 ? q->weight[k] / length : 0;
  }
  add_squares(q, kept, x, q->minus[part]);
}

/* b and minus. */
static void form_fixed(quadratic_t *q)
{
  for (int64_t row = 0; row < q->shard->rows; row += HS_SLAB_ROWS)
    for (int part = 0; part < 2; part++)
      add_fixed(q, row, (int)hs_min64(HS_SLAB_ROWS, q->shard->rows - row), part);
  hs_sum(q->comm, q->b, q->d + 2 * (int64_t)q->d * q->d, q->traffic);
}

/* A += sum |theta| x x'/(2 t), *c += sum |theta| t / 2, t^2 = x'Mx */
static void add_upper(const quadratic_t *q, int64_t first, int count, int part, double *c)
{
  int d = q->d;
  double *x;
  int kept = choose_rows(q, first, count, part, &x);
  if (kept == 0) return;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kept, d, d, 1, x, d, q->M, d, 0, q->products, d);
  for (int k = 0; k < kept; k++) {
    const double *own = x + (int64_t)k * d;
    double length = cblas_dnrm2(d, own, 1), square = cblas_ddot(d, own, 1, q->products + (int64_t)k * d, 1);
    double t = fmax(sqrt(fmax(0, square)), SMALLEST_T * length);
    *c += q->weight[k] * t / 2;
    q->weight[k] = t > 0 ? q->weight[k] / (2 * t) : 0;
  }
  add_squares(q, kept, x, q->A);
}

/* A and c of this sign for the present M; A with both triangles. */
static double form_quadratic(quadratic_t *q, int part)
{
  int d = q->d;
  int64_t square = (int64_t)d * d;
  memset(q->A, 0, (size_t)(square + 1) * sizeof *q->A);
  for (int64_t row = 0; row < q->shard->rows; row += HS_SLAB_ROWS)
    add_upper(q, row, (int)hs_min64(HS_SLAB_ROWS, q->shard->rows - row), part, q->A + square);
  hs_sum(q->comm, q->A, square + 1, q->traffic);
  for (int i = 0; i < d; i++)
    for (int j = i; j < d; j++) {
      q->A[(int64_t)i * d + j] -= q->minus[1 - part][(int64_t)i * d + j];
      q->A[(int64_t)j * d + i] = q->A[(int64_t)i * d + j];
    }
  return q->A[square];
}

/* 1/4 sum (v_i'b)^2 / (lambda - a_i)^power */
static double resolvent(const quadratic_t *q, double lambda, int power)
{
  double sum = 0;
  for (int i = 0; i < q->d; i++) {
    double gap = lambda - q->values[i];
    sum += q->along[i] * q->along[i] / (4 * (power == 2 ? gap * gap : gap));
  }
  return sum;
}

/* The least of lambda + resolvent over lambda above all eigenvalues, by the sign of its derivative; any lambda gives a bound.
 * *rounding is to be added. */
static double best_lambda(const quadratic_t *q, double *rounding)
{
  double b = cblas_dnrm2(q->d, q->b, 1), top = q->values[q->d - 1];
  *rounding = ROUNDING * (fmax(fabs(top), fabs(q->values[0])) + b);
  double low = fmax(0, top) + *rounding + DBL_MIN, high = low + b / 2;
  if (resolvent(q, low, 2) <= 1) return low;
  for (int step = 0; step < 100 && low < high; step++) {
    double middle = 0.5 * (low + high);
    if (resolvent(q, middle, 2) > 1)
      low = middle;
    else
      high = middle;
  }
  return high;
}

/* With L = [0, b'/2; b/2, A] and D = diag(mu, lambda, .., lambda), L <= D at the best lambda, and a Y >= 0 (first diagonal
 * number 1, trace of the rest 1) that maximises the concave bound lies where L = D: power steps with 1/2 (I + D^-1/2 L D^-1/2),
 * then the scaling. The rest of Y is M. */
static void improve(quadratic_t *q, int part, double lambda, double mu)
{
  int d = q->d, n = d + 1;
  double sign = part == 0 ? 1 : -1, scale0 = mu > 0 ? 1 / sqrt(mu) : 0, scale = 1 / sqrt(lambda);
  double lowest = fmin(0, q->values[0]) / lambda - 0.5 * scale0 * scale * cblas_dnrm2(d, q->b, 1);
  double shift = fmax(0.1, -(1 + lowest) / 2);
  memset(q->S, 0, (size_t)n * (size_t)n * sizeof *q->S);
  for (int i = 0; i < d; i++) {
    q->S[i + 1] = q->S[(int64_t)(i + 1) * n] = 0.5 * sign * scale0 * scale * q->b[i];
    for (int j = 0; j < d; j++) q->S[(int64_t)(i + 1) * n + j + 1] = q->A[(int64_t)i * d + j] * scale * scale;
  }
  for (int i = 0; i < n; i++) q->S[(int64_t)i * n + i] += shift;
  /* Y in the coordinates of D: only the ratio of its first row to the others matters. */
  for (int i = 1; i < n; i++) {
    q->Y[i] *= sqrt(mu / lambda);
    q->Y[(int64_t)i * n] *= sqrt(mu / lambda);
  }
  q->Y[0] *= mu / lambda;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, q->S, n, q->Y, n, 0, q->work, n);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, q->work, n, q->S, n, 0, q->Y, n);
  double trace = 0, first = q->Y[0];
  for (int i = 1; i < n; i++) trace += q->Y[(int64_t)i * n + i];
  double by0 = first > 0 ? 1 / sqrt(first) : 0, by = trace > 0 ? 1 / sqrt(trace) : 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double *y = q->Y + (int64_t)i * n + j;
      *y *= (i == 0 ? by0 : by) * (j == 0 ? by0 : by);
      if (i > 0 && j > 0) q->M[(int64_t)(i - 1) * d + j - 1] = *y;
    }
}

/* M = I/d, Y = diag(1, M) */
static void begin(quadratic_t *q)
{
  int d = q->d;
  memset(q->Y, 0, (size_t)(d + 1) * (size_t)(d + 1) * sizeof *q->Y);
  memset(q->M, 0, (size_t)d * (size_t)d * sizeof *q->M);
  q->Y[0] = 1;
  for (int i = 0; i < d; i++) q->M[(int64_t)i * d + i] = q->Y[(int64_t)(i + 1) * (d + 2)] = 1.0 / d;
}

static bool out_of_time(const quadratic_t *q, double deadline)
{
  int stop = hs_interrupted() || MPI_Wtime() > deadline;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &stop, 1, MPI_INT, MPI_MAX, q->comm));
  return stop;
}

/* A rigorous value for the present M, and the next M. */
static hs_status_t take_step(quadratic_t *q, int part, double *value)
{
  int d = q->d;
  double rounding, c = form_quadratic(q, part);
  memcpy(q->work, q->A, (size_t)d * (size_t)d * sizeof *q->A);
  hs_status_t status = hs_symmetric_eigen(q->comm, d, q->work, q->values, q->vectors);
  if (status != HS_OK) return status;
  cblas_dgemv(CblasRowMajor, CblasNoTrans, d, d, 1, q->vectors, d, q->b, 1, 0, q->along, 1);
  double lambda = best_lambda(q, &rounding), mu = resolvent(q, lambda, 1);
  *value = 0.5 * (lambda + mu + c + rounding);
  HS_MPI(MPI_Bcast(value, 1, MPI_DOUBLE, 0, q->comm)); /* it decides on the number of steps */
  improve(q, part, lambda, mu);
  return HS_OK;
}

static hs_status_t bound_sign(quadratic_t *q, int part, int steps, double deadline, double *least)
{
  hs_status_t status = HS_OK;
  *least = INFINITY;
  begin(q);
  for (int step = 0, idle = 0; status == HS_OK && step < steps && idle < PATIENCE; step++) {
    double value = INFINITY;
    if (step > 0 && out_of_time(q, deadline)) break;
    status = take_step(q, part, &value);
    idle = value < (1 - GAIN) * *least ? 0 : idle + 1;
    *least = fmin(*least, value);
  }
  return status;
}

hs_status_t hs_quadratic_bound(MPI_Comm comm, const hs_shard_t *shard, const double *theta, int steps,
                               double deadline, double *bound, hs_traffic_t *traffic)
{
  quadratic_t q = {.comm = comm, .shard = shard, .theta = theta, .traffic = traffic, .d = shard->d};
  double values[2] = {0, 0}, now = MPI_Wtime();
  hs_status_t status = hs_agree(comm, take_memory(&q));
  if (status == HS_OK) {
    form_fixed(&q);
    status = bound_sign(&q, 0, steps, now + 0.5 * (deadline - now), values);
    if (status == HS_OK) status = bound_sign(&q, 1, steps, deadline, values + 1);
  }
  *bound = fmax(values[0], values[1]);
  hs_free(q.memory);
  return status;
}
