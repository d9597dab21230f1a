/* rules.h: what one loss has to know. Inside src/loss only; loss.h is the way in. */
#ifndef HS_LOSS_RULES_H
#define HS_LOSS_RULES_H

#include <math.h>

#include "loss/loss.h"

/* The domain of D is closed, and the points of interest lie on its border: rounding must not push them out. A
 * point this close to the domain counts as inside, and is evaluated at the nearest point of it. */
#define HS_DUAL_SLACK 1e-12

/* The functions have the arguments and meanings of those in loss.h. */
typedef struct hs_loss_rules {
  const char *name;
  double curvature;
  bool quadratic; /* dual along rays */
  bool classes;   /* targets have to be */
  double (*value)(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y);
  void (*gradient)(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y, double *G);
  void (*row_curvature)(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y,
                        double *out);
  hs_dual_ray_t (*dual_ray)(hs_loss_t loss, int64_t rows, int outputs, const double *T, const double *Y);
  double (*dual_value)(hs_loss_t loss, int64_t rows, int outputs, const double *T, double s, const double *Y);
  double (*dual_project)(hs_loss_t loss, int64_t rows, int outputs, double *T, const double *Y);
} hs_loss_rules_t;

extern const hs_loss_rules_t hs_squared_rules, hs_logistic_rules, hs_softmax_rules, hs_squared_hinge_rules,
    hs_huber_rules;

/* Largest s with s q >= 0, up to the slack: the border that every sign condition has. */
static inline double hs_sign_limit(double q)
{
  if (q >= 0) return HUGE_VAL;
  return q < -HS_DUAL_SLACK ? 0 : HS_DUAL_SLACK / -q;
}

#endif
