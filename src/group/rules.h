/* rules.h: the three kinds of groups. Inside src/group only; group.h is the way in. */
#ifndef HS_GROUP_RULES_H
#define HS_GROUP_RULES_H

#include <stddef.h>

#include "group/group.h"

/* d x C, column-major. The Gram matrix is that of the shorter side, k = min(d, C). */
struct hs_group_work {
  int k;
  double *gram;    /* k x k, owned; its eigenvectors after hs_singular_values */
  double *values;  /* k, owned */
  double *rotated; /* d x C, owned */
  double *lapack;  /* owned, lapack_size doubles */
  int lapack_size;
};

typedef struct hs_group_rules {
  const char *name;
  double (*norm)(int d, int outputs, const double *block, hs_group_work_t *work);
  double (*dual_norm)(int d, int outputs, const double *block, hs_group_work_t *work);
  double (*prox)(int d, int outputs, double *block, double threshold, int *active, hs_group_work_t *work);
} hs_group_rules_t;

extern const hs_group_rules_t hs_joint_rules, hs_per_output_rules, hs_nuclear_rules;

/* Euclidean norm of a vector. */
double hs_vector_norm(size_t length, const double *x);

/* x = argmin_u threshold |u| + |u - x|^2 / 2; returns |u|. Euclidean norms. */
double hs_vector_shrink(size_t length, double *x, double threshold);

#endif
