#include "network/group_newton.h"

#include <cblas.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "network/small_lasso.h"

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);

#define MOST_STEPS 200
#define PATIENCE 6 /* steps without a smaller violation */
#define MOST_HALVES 30
#define INNER_SLACK 1e-13 /* of the quadratic model's gradient, relative to beta */

/* Where the groups are e: what follows from it. */
typedef struct point {
  double *e, *A, *G; /* K; K x C; K x C */
  double F, violation;
} point_t;

typedef struct newton {
  const hs_outer_lasso_t *problem;
  point_t now, trial, best;
  int working;     /* groups of the working set */
  int *member;     /* which ones */
  int size, right; /* of the factor, and its right-hand sides: working and C; coupled: working C and 1 */
  double *M;       /* size x size: Cholesky factor of beta I + S P S, lower, row-major */
  double *V;       /* size x working: P g, then S P g behind the factor; or size x size of the common P */
  double *Hess, *slope, *z; /* the model, working x working, and its minimiser */
  double *X;                /* size x right */
} newton_t;

static hs_status_t point_create(point_t *point, size_t K, size_t C)
{
  point->e = hs_alloc(K, sizeof(double), "group sizes");
  point->A = hs_alloc(K * C, sizeof(double), "outer weights");
  point->G = hs_alloc(K * C, sizeof(double), "outer weights");
  return point->e != NULL && point->A != NULL && point->G != NULL ? HS_OK : HS_NO_MEMORY;
}

static void point_free(point_t *point)
{
  hs_free(point->e);
  hs_free(point->A);
  hs_free(point->G);
}

static hs_status_t newton_create(newton_t *newton, const hs_outer_lasso_t *problem)
{
  size_t K = (size_t)problem->columns, C = (size_t)problem->outputs, N = problem->coupled ? K * C : K;
  *newton = (newton_t){.problem = problem};
  hs_status_t status = point_create(&newton->now, K, C);
  if (status == HS_OK) status = point_create(&newton->trial, K, C);
  if (status == HS_OK) status = point_create(&newton->best, K, C);
  newton->member = hs_alloc(K, sizeof(int), "working set");
  newton->M = hs_alloc(N * N, sizeof(double), "factor of the groups");
  newton->V = hs_alloc(N * K, sizeof(double), "curvature of the groups");
  newton->Hess = hs_alloc(K * K, sizeof(double), "curvature of the groups");
  newton->slope = hs_alloc(K, sizeof(double), "slope of the groups");
  newton->z = hs_alloc(K, sizeof(double), "group sizes");
  newton->X = hs_alloc(K * C, sizeof(double), "outer weights");
  bool good = newton->member != NULL && newton->M != NULL && newton->V != NULL && newton->Hess != NULL &&
              newton->slope != NULL && newton->z != NULL && newton->X != NULL;
  return good ? status : HS_NO_MEMORY;
}

static void newton_free(newton_t *newton)
{
  point_free(&newton->now);
  point_free(&newton->trial);
  point_free(&newton->best);
  hs_free(newton->member);
  hs_free(newton->M);
  hs_free(newton->V);
  hs_free(newton->Hess);
  hs_free(newton->slope);
  hs_free(newton->z);
  hs_free(newton->X);
}

/* ---- entries of P in the order of the working set ---- */

/* Rows per group: 1, or C when the outputs are coupled. */
static int group_rows(const newton_t *newton)
{
  return newton->problem->coupled ? newton->problem->outputs : 1;
}

/* Row i of the working set in P, and the group it belongs to. */
static int64_t row_of(const newton_t *newton, int i)
{
  int rows = group_rows(newton);
  return (int64_t)newton->member[i / rows] * rows + i % rows;
}

static const double *row_at(const newton_t *newton, int i)
{
  return newton->problem->P + row_of(newton, i) * newton->problem->columns * group_rows(newton);
}

static double root_at(const newton_t *newton, const double *e, int i)
{
  return sqrt(e[newton->member[i / group_rows(newton)]]);
}

/* ---- the minimiser for given sizes ---- */

/* M = factor of beta I + S P S. False if that breaks down. */
static bool factor(newton_t *newton, const double *e)
{
  int size = newton->size, info;
  for (int i = 0; i < size; i++) {
    const double *row = row_at(newton, i);
    double root = root_at(newton, e, i);
    for (int j = 0; j <= i; j++)
      newton->M[(int64_t)i * size + j] = root * row[row_of(newton, j)] * root_at(newton, e, j);
    newton->M[(int64_t)i * size + i] += newton->problem->beta;
  }
  dpotrf_("U", &size, newton->M, &size, &info); /* upper in columns is lower in rows */
  return info == 0;
}

static void triangle(const newton_t *newton, CBLAS_TRANSPOSE transposed, int right, double *X)
{
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, transposed, CblasNonUnit, newton->size, right, 1,
              newton->M, newton->size, X, right);
}

/* Groups that are on or want to be. Sets size and right. */
static void choose_working(newton_t *newton, const point_t *point)
{
  const hs_outer_lasso_t *problem = newton->problem;
  int C = problem->outputs;
  newton->working = 0;
  for (int k = 0; k < problem->columns; k++)
    if (point->e[k] > 0 || cblas_dnrm2(C, point->G + (int64_t)k * C, 1) > problem->beta)
      newton->member[newton->working++] = k;
  newton->size = newton->working * group_rows(newton);
  newton->right = problem->coupled ? 1 : C;
}

/* A, G, F and the violation of point->e, whose groups are in the working set. False if the factor breaks down. */
static bool evaluate(newton_t *newton, point_t *point)
{
  const hs_outer_lasso_t *problem = newton->problem;
  int K = problem->columns, C = problem->outputs, size = newton->size, right = newton->right;
  memset(point->A, 0, (size_t)K * (size_t)C * sizeof(double));
  if (size > 0 && !factor(newton, point->e)) return false;
  for (int i = 0; i < size; i++)
    for (int c = 0; c < right; c++)
      newton->X[(int64_t)i * right + c] =
          root_at(newton, point->e, i) * problem->q[row_of(newton, i) * right + c];
  if (size > 0) {
    triangle(newton, CblasNoTrans, right, newton->X);
    triangle(newton, CblasTrans, right, newton->X);
  }
  for (int i = 0; i < size; i++)
    for (int c = 0; c < right; c++)
      point->A[row_of(newton, i) * right + c] =
          root_at(newton, point->e, i) * newton->X[(int64_t)i * right + c];
  hs_outer_gradient(problem, point->A, point->G);
  point->violation = hs_outer_violation(K, C, problem->beta, point->A, point->G);
  point->F = -0.5 * cblas_ddot(K * C, problem->q, 1, point->A, 1);
  for (int k = 0; k < K; k++) point->F += 0.5 * problem->beta * point->e[k];
  return isfinite(point->F);
}

/* ---- the quadratic model ---- */

/* Hess for a P that is common to the outputs: R o (G G') / beta^2. */
static void common_curvature(newton_t *newton)
{
  const hs_outer_lasso_t *problem = newton->problem;
  int C = problem->outputs, m = newton->working;
  for (int i = 0; i < m; i++) {
    double root = root_at(newton, newton->now.e, i);
    for (int j = 0; j < m; j++) newton->V[(int64_t)i * m + j] = root * row_at(newton, i)[row_of(newton, j)];
  }
  triangle(newton, CblasNoTrans, m, newton->V);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, m, m, -1, newton->V, m, newton->V, m, 0,
              newton->Hess, m);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++) {
      const double *gi = newton->now.G + row_of(newton, i) * C, *gj = newton->now.G + row_of(newton, j) * C;
      double *entry = &newton->Hess[(int64_t)i * m + j];
      *entry = (*entry + row_at(newton, i)[row_of(newton, j)]) * cblas_ddot(C, gi, 1, gj, 1);
    }
}

/* The same where P mixes outputs: V = P g for each group, Hess = g'V - (L^-1 S V)'(L^-1 S V). */
static void coupled_curvature(newton_t *newton)
{
  int C = newton->problem->outputs, m = newton->working, size = newton->size;
  const double *G = newton->now.G;
  for (int i = 0; i < size; i++)
    for (int l = 0; l < m; l++)
      newton->V[(int64_t)i * m + l] = cblas_ddot(C, row_at(newton, i) + (int64_t)newton->member[l] * C, 1,
                                                 G + (int64_t)newton->member[l] * C, 1);
  for (int k = 0; k < m; k++)
    cblas_dgemv(CblasRowMajor, CblasTrans, C, m, 1, newton->V + (int64_t)k * C * m, m,
                G + (int64_t)newton->member[k] * C, 1, 0, newton->Hess + (int64_t)k * m, 1);
  for (int i = 0; i < size; i++)
    cblas_dscal(m, root_at(newton, newton->now.e, i), newton->V + (int64_t)i * m, 1);
  triangle(newton, CblasNoTrans, m, newton->V);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, m, size, -1, newton->V, m, newton->V, m, 1,
              newton->Hess, m);
}

/* z = argmin of the model over z >= 0, in units of beta: 1/2 (z - e)'Hess (z - e) + slope'(z - e). The factor is that of
 * now.e on the working set. */
static hs_status_t minimise_model(newton_t *newton)
{
  const hs_outer_lasso_t *problem = newton->problem;
  int C = problem->outputs, m = newton->working;
  double beta = problem->beta, scale = 1 / (beta * beta * beta);
  if (problem->coupled)
    coupled_curvature(newton);
  else
    common_curvature(newton);
  for (int64_t i = 0; i < (int64_t)m * m; i++) newton->Hess[i] *= scale;
  for (int i = 0; i < m; i++) {
    double g = cblas_dnrm2(C, newton->now.G + (int64_t)newton->member[i] * C, 1) / beta;
    newton->z[i] = newton->now.e[newton->member[i]];
    newton->slope[i] = 0.5 * (g + 1) * (g - 1); /* minus the derivative */
  }
  for (int i = 0; i < m; i++) newton->X[i] = newton->z[i];
  cblas_dgemv(CblasRowMajor, CblasNoTrans, m, m, 1, newton->Hess, m, newton->X, 1, 1, newton->slope, 1);
  hs_small_lasso_t model = {m, newton->Hess, newton->slope, 0, true};
  return hs_small_lasso(&model, INNER_SLACK, newton->z, NULL);
}

/* ---- steps ---- */

static void keep(point_t *to, const point_t *from, size_t K, size_t C)
{
  memcpy(to->e, from->e, K * sizeof(double));
  memcpy(to->A, from->A, K * C * sizeof(double));
  memcpy(to->G, from->G, K * C * sizeof(double));
  to->F = from->F;
  to->violation = from->violation;
}

/* now := the first of e + (z - e) / 2^i that does not raise F, or, where F cannot tell, lowers the violation. */
static bool search(newton_t *newton)
{
  size_t K = (size_t)newton->problem->columns, C = (size_t)newton->problem->outputs;
  double step = 1;
  for (int i = 0; i < MOST_HALVES; i++, step /= 2) {
    memcpy(newton->trial.e, newton->now.e, K * sizeof(double));
    for (int w = 0; w < newton->working; w++) {
      double *e = &newton->trial.e[newton->member[w]];
      *e = step < 1 ? *e + step * (newton->z[w] - *e) : newton->z[w];
    }
    if (!evaluate(newton, &newton->trial)) continue;
    double change = newton->trial.F - newton->now.F, noise = 1e-13 * fabs(newton->now.F);
    if (change > noise || (change > -noise && newton->trial.violation > 2 * newton->now.violation)) continue;
    keep(&newton->now, &newton->trial, K, C);
    return true;
  }
  return false;
}

/* Sizes of the start, and all that wants to come in. */
static bool start(newton_t *newton, const double *A)
{
  const hs_outer_lasso_t *problem = newton->problem;
  int K = problem->columns, C = problem->outputs;
  for (int k = 0; k < K; k++) newton->now.e[k] = cblas_dnrm2(C, A + (int64_t)k * C, 1);
  memset(newton->now.G, 0, (size_t)K * (size_t)C * sizeof(double));
  choose_working(newton, &newton->now);
  return evaluate(newton, &newton->now);
}

static hs_status_t iterate(newton_t *newton, double tolerance)
{
  size_t K = (size_t)newton->problem->columns, C = (size_t)newton->problem->outputs;
  keep(&newton->best, &newton->now, K, C);
  for (int step = 0, patience = PATIENCE; step < MOST_STEPS && patience > 0; step++) {
    if (newton->best.violation <= tolerance) break;
    choose_working(newton, &newton->now);
    /* The factor is that of another set or point. */
    if (newton->working == 0 || !evaluate(newton, &newton->now)) break;
    hs_status_t status = minimise_model(newton);
    if (status != HS_OK) return status;
    double before = newton->now.F;
    if (!search(newton)) break;
    if (before - newton->now.F <= 1e-13 * fabs(before)) patience--;
    if (newton->now.violation >= newton->best.violation && patience < PATIENCE) continue;
    keep(&newton->best, &newton->now, K, C);
  }
  return HS_OK;
}

hs_status_t hs_group_newton(const hs_outer_lasso_t *problem, double tolerance, double *A)
{
  newton_t newton;
  hs_status_t status = newton_create(&newton, problem);
  if (status == HS_OK && !start(&newton, A))
    status = hs_fail(HS_NUMERICAL, NULL, "outer weights", "the Gram matrix of the neurons is not finite");
  if (status == HS_OK) status = iterate(&newton, tolerance);
  if (status == HS_OK)
    memcpy(A, newton.best.A, (size_t)problem->columns * (size_t)problem->outputs * sizeof *A);
  newton_free(&newton);
  return status;
}
