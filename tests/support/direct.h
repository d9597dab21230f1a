/* direct.h: the training problem on all rows at once, by direct loops.
 *
 *   P(u) = L(A u, Y) + beta sum_i ||u_i||,    (A u)_k = sum_i 1[x_k . g_i >= 0] u_i' x_k
 *
 * The truth that tests of the solver are held against: nothing here calls the operator, the losses, the norms
 * or the solver of the program. u is P blocks of d x C, column-major; X, Y and G are row-major. Every process
 * holds everything. Memory that is not there ends the program.
 */
#ifndef HS_TESTS_SUPPORT_DIRECT_H
#define HS_TESTS_SUPPORT_DIRECT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "group/group.h"
#include "loss/loss.h"

typedef struct direct {
  int n, d, gates, outputs;
  hs_loss_t loss;
  hs_groups_t groups;
  double beta;
  double *X, *Y, *G; /* n x d, n x C, gates x d */
  char *mask;        /* n x gates */
} direct_t;

static inline double *direct_numbers(int count)
{
  double *numbers = calloc((size_t)count + 1, sizeof *numbers);
  if (numbers == NULL) abort();
  return numbers;
}

static inline double direct_noise(uint32_t stream, int index)
{
  return hs_random_normal(20, 1000 + stream, (uint64_t)index);
}

static inline void direct_masks(direct_t *p)
{
  for (int k = 0; k < p->n; k++)
    for (int i = 0; i < p->gates; i++) {
      double dot = 0;
      for (int j = 0; j < p->d; j++) dot += p->X[k * p->d + j] * p->G[i * p->d + j];
      p->mask[k * p->gates + i] = dot >= 0;
    }
}

/* Two-layer networks leave a residual of about half the targets' size. Losses for classes have their targets
 * in the encoding of the loss. Features are values that float holds exactly. */
static inline direct_t direct_make(int n, int d, int gates, int outputs, hs_loss_kind_t kind,
                                   hs_groups_t groups)
{
  direct_t p = {.n = n, .d = d, .gates = gates, .outputs = outputs, .groups = groups};
  p.loss = (hs_loss_t){.kind = kind, .huber_width = 0.7};
  p.X = direct_numbers(n * d);
  p.Y = direct_numbers(n * outputs);
  p.G = direct_numbers(gates * d);
  p.mask = calloc((size_t)(n * gates) + 1, 1);
  if (p.mask == NULL) abort();
  for (int e = 0; e < n * d; e++) p.X[e] = e % d == d - 1 ? 1 : (double)(float)direct_noise(1, e);
  for (int e = 0; e < gates * d; e++) p.G[e] = direct_noise(2, e);
  for (int k = 0; k < n; k++) {
    int largest = 0;
    double *y = p.Y + k * outputs;
    for (int c = 0; c < outputs; c++) {
      double hidden = p.X[k * d + c % d] - 0.5 * p.X[k * d + (c + 1) % d];
      y[c] = fmax(0, hidden) + 0.3 * p.X[k * d] + 0.5 * direct_noise(3, k * outputs + c);
      if (y[c] > y[largest]) largest = c;
    }
    for (int c = 0; c < outputs; c++) {
      if (kind == HS_LOGISTIC || kind == HS_SQUARED_HINGE) y[c] = y[c] > 0.3 ? 1 : -1;
      if (kind == HS_SOFTMAX) y[c] = c == largest ? 1 : 0;
    }
  }
  direct_masks(&p);
  return p;
}

static inline void direct_free(direct_t *p)
{
  free(p->X);
  free(p->Y);
  free(p->G);
  free(p->mask);
  *p = (direct_t){0};
}

/* ---- operator ---- */

static inline void direct_forward(const direct_t *p, const double *u, double *a)
{
  memset(a, 0, (size_t)(p->n * p->outputs) * sizeof *a);
  for (int k = 0; k < p->n; k++)
    for (int i = 0; i < p->gates; i++)
      for (int c = 0; c < p->outputs && p->mask[k * p->gates + i]; c++)
        for (int j = 0; j < p->d; j++)
          a[k * p->outputs + c] += u[(i * p->outputs + c) * p->d + j] * p->X[k * p->d + j];
}

static inline void direct_adjoint(const direct_t *p, const double *w, double *s)
{
  memset(s, 0, (size_t)(p->gates * p->outputs * p->d) * sizeof *s);
  for (int k = 0; k < p->n; k++)
    for (int i = 0; i < p->gates; i++)
      for (int c = 0; c < p->outputs && p->mask[k * p->gates + i]; c++)
        for (int j = 0; j < p->d; j++)
          s[(i * p->outputs + c) * p->d + j] += w[k * p->outputs + c] * p->X[k * p->d + j];
}

/* ---- losses ---- */

static inline double direct_row_loss(const direct_t *p, const double *a, const double *y)
{
  double sum = 0, total = 0, width = p->loss.huber_width;
  for (int c = 0; c < p->outputs; c++) {
    double r = fabs(a[c] - y[c]), margin = fmax(0, 1 - y[c] * a[c]);
    if (p->loss.kind == HS_SQUARED) sum += r * r / 2;
    if (p->loss.kind == HS_HUBER) sum += r <= width ? r * r / 2 : width * r - width * width / 2;
    if (p->loss.kind == HS_SQUARED_HINGE) sum += margin * margin / 2;
    if (p->loss.kind == HS_LOGISTIC) sum += log1p(exp(-y[c] * a[c]));
    if (p->loss.kind == HS_SOFTMAX) sum -= y[c] * a[c];
    total += exp(a[c]);
  }
  return p->loss.kind == HS_SOFTMAX ? sum + log(total) : sum;
}

static inline double direct_loss(const direct_t *p, const double *a)
{
  double sum = 0;
  for (int k = 0; k < p->n; k++) sum += direct_row_loss(p, a + k * p->outputs, p->Y + k * p->outputs);
  return sum;
}

/* w = -gradient of the loss at a. */
static inline void direct_residual(const direct_t *p, const double *a, double *w)
{
  for (int e = 0; e < p->n * p->outputs; e++) {
    double y = p->Y[e], total = 0, r = y - a[e], width = p->loss.huber_width;
    const double *row = a + e / p->outputs * p->outputs;
    for (int c = 0; c < p->outputs; c++) total += exp(row[c]);
    if (p->loss.kind == HS_SQUARED) w[e] = r;
    if (p->loss.kind == HS_HUBER) w[e] = fmax(-width, fmin(width, r));
    if (p->loss.kind == HS_SQUARED_HINGE) w[e] = y * fmax(0, 1 - y * a[e]);
    if (p->loss.kind == HS_LOGISTIC) w[e] = y / (1 + exp(y * a[e]));
    if (p->loss.kind == HS_SOFTMAX) w[e] = y - exp(a[e]) / total;
  }
}

/* ---- norms ---- */

/* Singular values by one-sided Jacobi: columns of the block (d x C) are rotated until they are orthogonal; V
 * (C x C, column-major) gathers the rotations, so that old block = new block * V'. */
static inline void direct_orthogonal(int d, int C, double *block, double *V)
{
  for (int e = 0; e < C * C; e++) V[e] = e % (C + 1) == 0 ? 1 : 0;
  for (int sweep = 0; sweep < 30; sweep++)
    for (int a = 0; a < C; a++)
      for (int b = a + 1; b < C; b++) {
        double aa = 0, bb = 0, ab = 0;
        for (int j = 0; j < d; j++) {
          aa += block[a * d + j] * block[a * d + j];
          bb += block[b * d + j] * block[b * d + j];
          ab += block[a * d + j] * block[b * d + j];
        }
        if (fabs(ab) <= 1e-16 * sqrt(aa * bb)) continue;
        double angle = 0.5 * atan2(2 * ab, aa - bb), co = cos(angle), si = sin(angle);
        for (int j = 0; j < d + C; j++) {
          double *x = j < d ? block + a * d + j : V + a * C + j - d;
          double *y = j < d ? block + b * d + j : V + b * C + j - d;
          double before = *x;
          *x = co * before + si * *y;
          *y = co * *y - si * before;
        }
      }
}

static inline double direct_length(int count, const double *x)
{
  double sum = 0;
  for (int e = 0; e < count; e++) sum += x[e] * x[e];
  return sqrt(sum);
}

/* The norm of a block, or its dual norm: the sum or the largest of the lengths of its parts. */
static inline double direct_norm_of(const direct_t *p, const double *block, int dual)
{
  int d = p->d, C = p->outputs;
  if (p->groups == HS_JOINT) return direct_length(d * C, block);
  double *parts = direct_numbers(d * C), *V = direct_numbers(C * C), sum = 0, largest = 0;
  memcpy(parts, block, (size_t)(d * C) * sizeof *parts);
  if (p->groups == HS_NUCLEAR) direct_orthogonal(d, C, parts, V);
  for (int c = 0; c < C; c++) {
    sum += direct_length(d, parts + c * d);
    largest = fmax(largest, direct_length(d, parts + c * d));
  }
  free(parts);
  free(V);
  return dual ? largest : sum;
}

static inline void direct_shrink(int count, double *x, double threshold)
{
  double length = direct_length(count, x), factor = length > threshold ? 1 - threshold / length : 0;
  for (int e = 0; e < count; e++) x[e] *= factor;
}

static inline void direct_prox(const direct_t *p, double *block, double threshold)
{
  int d = p->d, C = p->outputs;
  if (p->groups == HS_JOINT) {
    direct_shrink(d * C, block, threshold);
    return;
  }
  double *V = direct_numbers(C * C), *turned = direct_numbers(d * C);
  if (p->groups == HS_NUCLEAR) direct_orthogonal(d, C, block, V);
  for (int c = 0; c < C; c++) direct_shrink(d, block + c * d, threshold);
  if (p->groups == HS_NUCLEAR) {
    for (int r = 0; r < C; r++)
      for (int c = 0; c < C; c++)
        for (int j = 0; j < d; j++) turned[c * d + j] += block[r * d + j] * V[r * C + c];
    memcpy(block, turned, (size_t)(d * C) * sizeof *block);
  }
  free(V);
  free(turned);
}

static inline double direct_penalty(const direct_t *p, const double *u)
{
  double sum = 0;
  for (int i = 0; i < p->gates; i++) sum += direct_norm_of(p, u + i * p->d * p->outputs, 0);
  return p->beta * sum;
}

static inline double direct_objective(const direct_t *p, const double *u)
{
  double *a = direct_numbers(p->n * p->outputs);
  direct_forward(p, u, a);
  double objective = direct_loss(p, a) + direct_penalty(p, u);
  free(a);
  return objective;
}

/* s = A' (-grad L(A u)); u = NULL stands for 0. */
static inline void direct_gradient(const direct_t *p, const double *u, double *s)
{
  double *a = direct_numbers(p->n * p->outputs), *w = direct_numbers(p->n * p->outputs);
  if (u != NULL) direct_forward(p, u, a);
  direct_residual(p, a, w);
  direct_adjoint(p, w, s);
  free(a);
  free(w);
}

/* The smallest beta whose solution is zero; *gate is where it is attained. */
static inline double direct_beta_max(const direct_t *p, int *gate)
{
  int size = p->d * p->outputs;
  double *s = direct_numbers(p->gates * size), largest = 0;
  direct_gradient(p, NULL, s);
  for (int i = 0; i < p->gates; i++) {
    double norm = direct_norm_of(p, s + i * size, 1);
    if (norm > largest && gate != NULL) *gate = i;
    largest = fmax(largest, norm);
  }
  free(s);
  return largest;
}

/* ---- a solver as plain as can be ---- */

/* |A|^2 by the power method, 5 % up for what is missing. */
static inline double direct_lipschitz(const direct_t *p)
{
  int size = p->gates * p->d * p->outputs;
  double *u = direct_numbers(size), *a = direct_numbers(p->n * p->outputs), length = 0;
  for (int e = 0; e < size; e++) u[e] = direct_noise(9, e);
  for (int step = 0; step < 60; step++) {
    length = direct_length(size, u);
    for (int e = 0; e < size; e++) u[e] /= length;
    direct_forward(p, u, a);
    direct_adjoint(p, a, u);
  }
  length = direct_length(size, u);
  free(u);
  free(a);
  return 1.05 * length;
}

/* Proximal gradient steps with momentum, restarted where the objective grows (momentum = 0: none). u is the
 * start and receives the result; returns the objective. No loss here has curvature above 1. */
static inline double direct_solve(const direct_t *p, double *u, int steps, int momentum)
{
  int block = p->d * p->outputs, size = p->gates * block;
  double step = 1 / direct_lipschitz(p), t = 1, last = direct_objective(p, u);
  double *v = direct_numbers(size), *s = direct_numbers(size), *next = direct_numbers(size);
  memcpy(v, u, (size_t)size * sizeof *v);
  for (int count = 0; count < steps; count++) {
    direct_gradient(p, v, s);
    for (int e = 0; e < size; e++) next[e] = v[e] + step * s[e];
    for (int i = 0; i < p->gates; i++) direct_prox(p, next + i * block, step * p->beta);
    double t_next = momentum ? (1 + sqrt(1 + 4 * t * t)) / 2 : 1;
    for (int e = 0; e < size; e++) v[e] = next[e] + (t - 1) / t_next * (next[e] - u[e]);
    t = t_next;
    double objective = momentum ? direct_objective(p, next) : 0;
    if (objective > last) {
      t = 1;
      memcpy(v, next, (size_t)size * sizeof *v);
    }
    last = objective;
    memcpy(u, next, (size_t)size * sizeof *u);
  }
  free(v);
  free(s);
  free(next);
  return direct_objective(p, u);
}

#endif
