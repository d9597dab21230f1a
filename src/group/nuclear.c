/* nuclear.c: the sum of the singular values of a block, through the Gram matrix of its shorter side.
 *
 *   C <= d:  B'B = V diag(s^2) V',  R = B V   (columns s_i u_i)
 *   d <  C:  BB' = U diag(s^2) U',  R = U' B  (rows s_i v_i')
 * s_i is taken as the length of column (row) i of R, not as a root of the eigenvalue: the root of a rounding
 * error eps s_1^2 would be 1e-8 s_1, the length errs by eps s_1. */
#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "group/rules.h"

extern void dsyev_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *w,
                   double *work, const int *lwork, int *info);

/* work->gram = the Gram matrix, upper triangle. */
static void form_gram(int d, int outputs, const double *block, hs_group_work_t *work)
{
  bool columns = outputs <= d;
  cblas_dsyrk(CblasColMajor, CblasUpper, columns ? CblasTrans : CblasNoTrans, work->k, columns ? d : outputs,
              1, block, d, 0, work->gram, work->k);
}

/* Eigenvalues in ascending order in work->values; false when LAPACK does not converge. */
static bool eigen(const char *job, hs_group_work_t *work)
{
  int info = 0;
  dsyev_(job, "U", &work->k, work->gram, &work->k, work->values, work->lapack, &work->lapack_size, &info);
  return info == 0;
}

/* Fill work->rotated with R and work->values with s; false when LAPACK does not converge. */
static bool singular_values(int d, int outputs, const double *block, hs_group_work_t *work)
{
  form_gram(d, outputs, block, work);
  if (!eigen("V", work)) return false;
  double *R = work->rotated;
  if (outputs <= d) {
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, d, outputs, outputs, 1, block, d, work->gram,
                outputs, 0, R, d);
    for (int i = 0; i < outputs; i++) work->values[i] = hs_vector_norm((size_t)d, R + (size_t)i * (size_t)d);
  } else {
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, d, outputs, d, 1, work->gram, d, block, d, 0, R, d);
    for (int i = 0; i < d; i++) work->values[i] = cblas_dnrm2(outputs, R + i, d);
  }
  return true;
}

/* Zero blocks are the rule, and NaN would send LAPACK round in circles: both are answered by the Frobenius
 * norm. */
static double norm(int d, int outputs, const double *block, hs_group_work_t *work)
{
  double frobenius = hs_vector_norm((size_t)d * (size_t)outputs, block);
  if (frobenius == 0 || !isfinite(frobenius) || work->k == 1) return frobenius;
  if (!singular_values(d, outputs, block, work)) return NAN;
  double sum = 0;
  for (int i = 0; i < work->k; i++) sum += work->values[i];
  return sum;
}

static double dual_norm(int d, int outputs, const double *block, hs_group_work_t *work)
{
  double frobenius = hs_vector_norm((size_t)d * (size_t)outputs, block);
  if (frobenius == 0 || !isfinite(frobenius) || work->k == 1) return frobenius;
  form_gram(d, outputs, block, work);
  if (!eigen("N", work)) return NAN;
  return sqrt(work->values[work->k - 1]);
}

/* Scale singular triple i of R by max(0, 1 - threshold / s_i); returns the sum of what is left of the s_i. */
static double shrink_rotated(int d, int outputs, double threshold, hs_group_work_t *work)
{
  double sum = 0;
  for (int i = 0; i < work->k; i++) {
    double s = work->values[i], scale = s > threshold ? 1 - threshold / s : 0;
    sum += s > threshold ? s - threshold : 0;
    if (outputs <= d)
      cblas_dscal(d, scale, work->rotated + (size_t)i * (size_t)d, 1);
    else
      cblas_dscal(outputs, scale, work->rotated + i, d);
  }
  return sum;
}

/* block = the sum of the scaled singular triples. */
static void rotate_back(int d, int outputs, double *block, const hs_group_work_t *work)
{
  if (outputs <= d)
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, d, outputs, outputs, 1, work->rotated, d, work->gram,
                outputs, 0, block, d);
  else
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, d, outputs, d, 1, work->gram, d, work->rotated, d,
                0, block, d);
}

static double prox(int d, int outputs, double *block, double threshold, int *active, hs_group_work_t *work)
{
  size_t entries = (size_t)d * (size_t)outputs;
  double frobenius = hs_vector_norm(entries, block), rest;
  /* Frobenius not above the threshold: no singular value is. One singular value: it is the Frobenius norm. */
  if (frobenius <= threshold || work->k == 1 || !isfinite(frobenius)) {
    rest = hs_vector_shrink(entries, block, threshold);
  } else {
    rest = singular_values(d, outputs, block, work) ? shrink_rotated(d, outputs, threshold, work) : NAN;
    if (rest == 0)
      memset(block, 0, entries * sizeof *block);
    else
      rotate_back(d, outputs, block, work);
  }
  *active = rest != 0;
  return rest;
}

const hs_group_rules_t hs_nuclear_rules = {"nuclear", norm, dual_norm, prox};
