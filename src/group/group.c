#include "group/group.h"

#include <string.h>

#include "group/rules.h"

/* In the order of hs_groups_t. */
static const hs_group_rules_t *const rules[] = {&hs_joint_rules, &hs_per_output_rules, &hs_nuclear_rules};

#define KINDS ((int)(sizeof rules / sizeof rules[0]))

double hs_group_norm(hs_groups_t groups, int d, int outputs, const double *block, hs_group_work_t *work)
{
  return rules[groups]->norm(d, outputs, block, work);
}

double hs_group_dual_norm(hs_groups_t groups, int d, int outputs, const double *block, hs_group_work_t *work)
{
  return rules[groups]->dual_norm(d, outputs, block, work);
}

double hs_group_prox(hs_groups_t groups, int d, int outputs, double *block, double threshold, int *active,
                     hs_group_work_t *work)
{
  return rules[groups]->prox(d, outputs, block, threshold, active, work);
}

const char *hs_groups_name(hs_groups_t groups)
{
  return rules[groups]->name;
}

int hs_groups_find(const char *name)
{
  for (int kind = 0; kind < KINDS; kind++)
    if (strcmp(rules[kind]->name, name) == 0) return kind;
  return -1;
}
