/* per_output.c: the weights of each output are a group: C scalar networks side by side. */
#include <math.h>

#include "group/rules.h"

static double norm(int d, int outputs, const double *block, hs_group_work_t *work)
{
  (void)work;
  double sum = 0;
  for (int c = 0; c < outputs; c++) sum += hs_vector_norm((size_t)d, block + (size_t)c * (size_t)d);
  return sum;
}

static double dual_norm(int d, int outputs, const double *block, hs_group_work_t *work)
{
  (void)work;
  double largest = 0;
  for (int c = 0; c < outputs; c++) {
    double column = hs_vector_norm((size_t)d, block + (size_t)c * (size_t)d);
    if (isnan(column)) return column;
    if (column > largest) largest = column;
  }
  return largest;
}

static double prox(int d, int outputs, double *block, double threshold, int *active, hs_group_work_t *work)
{
  (void)work;
  double sum = 0;
  *active = 0;
  for (int c = 0; c < outputs; c++) {
    double rest = hs_vector_shrink((size_t)d, block + (size_t)c * (size_t)d, threshold);
    *active += rest != 0;
    sum += rest;
  }
  return sum;
}

const hs_group_rules_t hs_per_output_rules = {"per-output", norm, dual_norm, prox};
