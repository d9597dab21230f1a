#include "loss/loss.h"

#include <string.h>

#include "loss/rules.h"

/* In the order of hs_loss_kind_t. */
static const hs_loss_rules_t *const rules[] = {&hs_squared_rules, &hs_logistic_rules, &hs_softmax_rules,
                                               &hs_squared_hinge_rules, &hs_huber_rules};

#define KINDS ((int)(sizeof rules / sizeof rules[0]))

double hs_loss_value(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y)
{
  return rules[loss.kind]->value(loss, rows, outputs, A, Y);
}

void hs_loss_gradient(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y, double *G)
{
  rules[loss.kind]->gradient(loss, rows, outputs, A, Y, G);
}

void hs_loss_row_curvature(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y,
                           double *out)
{
  rules[loss.kind]->row_curvature(loss, rows, outputs, A, Y, out);
}

double hs_loss_curvature(hs_loss_t loss)
{
  return rules[loss.kind]->curvature;
}

bool hs_loss_dual_is_quadratic(hs_loss_t loss)
{
  return rules[loss.kind]->quadratic;
}

hs_dual_ray_t hs_loss_dual_ray(hs_loss_t loss, int64_t rows, int outputs, const double *T, const double *Y)
{
  return rules[loss.kind]->dual_ray(loss, rows, outputs, T, Y);
}

double hs_loss_dual_value(hs_loss_t loss, int64_t rows, int outputs, const double *T, double s,
                          const double *Y)
{
  return rules[loss.kind]->dual_value(loss, rows, outputs, T, s, Y);
}

double hs_loss_dual_project(hs_loss_t loss, int64_t rows, int outputs, double *T, const double *Y)
{
  return rules[loss.kind]->dual_project(loss, rows, outputs, T, Y);
}

bool hs_loss_needs_classes(hs_loss_t loss)
{
  return rules[loss.kind]->classes;
}

const char *hs_loss_name(hs_loss_kind_t kind)
{
  return rules[kind]->name;
}

int hs_loss_find(const char *name)
{
  for (int kind = 0; kind < KINDS; kind++)
    if (strcmp(rules[kind]->name, name) == 0) return kind;
  return -1;
}
