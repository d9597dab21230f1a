/* rules.h: what each kind of x-update provides; x_update.c chooses. Shapes and meanings are those of x_update.h. */
#ifndef HS_MPI_X_UPDATE_RULES_H
#define HS_MPI_X_UPDATE_RULES_H

#include "mpi/x_update/x_update.h"

typedef struct hs_x_rule {
  /* *blocks: N. Collective, the same status on all ranks; *data may be half built on failure. */
  hs_status_t (*create)(void **data, const hs_problem_t *problem, bool global, double *blocks);
  void (*free)(void *data); /* accepts NULL */
  hs_kernel_size_t (*kernel_size)(void *data, const double *curvature);
  hs_status_t (*factor)(void *data, double rho, const double *curvature);
  void (*apply)(void *data, const double *R, double *V, hs_traffic_t *traffic);
} hs_x_rule_t;

extern const hs_x_rule_t hs_x_rule_local, hs_x_rule_spread, hs_x_rule_woodbury;

#endif
