#include "network/outer_lasso.h"

#include <cblas.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "network/group_newton.h"
#include "network/small_lasso.h"

void hs_outer_gradient(const hs_outer_lasso_t *problem, const double *A, double *G)
{
  int K = problem->columns, C = problem->outputs;
  size_t count = (size_t)K * (size_t)C;
  if (count == 0) return;
  memcpy(G, problem->q, count * sizeof *G);
  if (problem->coupled)
    cblas_dgemv(CblasRowMajor, CblasNoTrans, K * C, K * C, -1, problem->P, K * C, A, 1, 1, G, 1);
  else
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, K, C, K, -1, problem->P, K, A, C, 1, G, C);
}

double hs_outer_violation(int columns, int outputs, double beta, const double *A, const double *G)
{
  double worst = 0;
  for (int k = 0; k < columns; k++) {
    const double *a = A + (int64_t)k * outputs, *g = G + (int64_t)k * outputs;
    double size = cblas_dnrm2(outputs, a, 1), sum = 0;
    for (int c = 0; c < outputs && size > 0; c++)
      sum += (g[c] / beta - a[c] / size) * (g[c] / beta - a[c] / size);
    double off = size > 0 ? sqrt(sum) : cblas_dnrm2(outputs, g, 1) / beta - 1;
    if (!(off <= worst)) worst = off; /* lets NaN through */
  }
  return worst;
}

double hs_outer_objective(const hs_outer_lasso_t *problem, const double *A)
{
  int64_t count = (int64_t)problem->columns * problem->outputs;
  double sum = 0;
  double *G = hs_alloc((size_t)count, sizeof *G, "outer weights");
  if (G == NULL) return NAN;
  hs_outer_gradient(problem, A, G);
  /* 1/2 a'Pa - q'a = -1/2 a'(q + g) */
  for (int64_t e = 0; e < count; e++) sum -= 0.5 * A[e] * (problem->q[e] + G[e]);
  for (int k = 0; k < problem->columns; k++)
    sum += problem->beta * cblas_dnrm2(problem->outputs, A + (int64_t)k * problem->outputs, 1);
  hs_free(G);
  return sum;
}

hs_status_t hs_outer_lasso(const hs_outer_lasso_t *problem, double tolerance, double *A, double *violation)
{
  size_t count = (size_t)problem->columns * (size_t)problem->outputs;
  double *G = hs_alloc(count, sizeof *G, "outer weights");
  hs_status_t status = G == NULL ? HS_NO_MEMORY : HS_OK;
  if (status == HS_OK && problem->outputs == 1) {
    hs_small_lasso_t lasso = {problem->columns, problem->P, problem->q, problem->beta, false};
    status = hs_small_lasso(&lasso, fmax(tolerance, 1e-15) * problem->beta, A, NULL);
  } else if (status == HS_OK) {
    status = hs_group_newton(problem, tolerance, A);
  }
  if (status == HS_OK && violation != NULL) {
    hs_outer_gradient(problem, A, G);
    *violation = hs_outer_violation(problem->columns, problem->outputs, problem->beta, A, G);
  }
  hs_free(G);
  return status;
}
