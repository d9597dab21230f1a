/* joint.c: all weights of a gate are one group. */
#include "group/rules.h"

static size_t entries(int d, int outputs)
{
  return (size_t)d * (size_t)outputs;
}

static double norm(int d, int outputs, const double *block, hs_group_work_t *work)
{
  (void)work;
  return hs_vector_norm(entries(d, outputs), block);
}

static double prox(int d, int outputs, double *block, double threshold, int *active, hs_group_work_t *work)
{
  (void)work;
  double rest = hs_vector_shrink(entries(d, outputs), block, threshold);
  *active = rest != 0;
  return rest;
}

const hs_group_rules_t hs_joint_rules = {"joint", norm, norm, prox};
