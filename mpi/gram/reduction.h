/* reduction.h: a squared loss on n rows as one on P d rows: the same problem, whatever n.
 *
 * With G = A'A = L L' (P d x P d, of one output; all outputs share it), c = A'Y and y = L^-1 c,
 *     1/2 |A u - Y|^2 = 1/2 |L'u - y|^2 + 1/2 ( |Y|^2 - |y|^2 )           for all u.
 * L' takes the place of A and y that of Y; a last row without features, whose target is the root of what is left of
 * |Y|^2, takes that of the constant. Objective, gradients and duals of a prediction L'q are those of A q. The data
 * are read once, to make G and c; an iteration costs a few (P d)^2 C.
 *
 * Two kinds:
 *   local   every rank reduces its own rows: N blocks, one for each rank that has rows
 *   global  G is summed over the ranks and factored by all of them (2-D block-cyclic); each keeps some of the rows
 *           of L', cut so that all have about the same number of non-zeros. One block.
 * G is made in double. Its diagonal is raised by 1e-12 of its largest element, for dependent columns; what that
 * changes is below the rounding of most problems, and the bracket of a run is computed again from the data
 * (hs_reduction_confirm).
 */
#ifndef HS_MPI_GRAM_REDUCTION_H
#define HS_MPI_GRAM_REDUCTION_H

#include "dense/factor_columns.h"
#include "mpi/admm/certificate.h"
#include "mpi/admm/problem.h"
#include "mpi/dense/rows.h"
#include "mpi/dense/spread.h"

typedef struct hs_reduction {
  const hs_problem_t *given; /* borrowed */
  hs_problem_t problem;      /* the reduced one: to be iterated on. Shares what it can with `given` */
  bool global;
  int order;              /* P d */
  int first, count;       /* rows of L' on this rank */
  int64_t *first_row;     /* ranks + 1, owned: rows of the reduced problem over the ranks */
  int64_t blocks;         /* N */
  hs_factor_columns_t *L; /* owned */
  double *Y;              /* reduced targets, owned */
  double *U, *S;          /* outputs x order: weights by outputs, owned */
  float *kernel;          /* local: lower triangle of L'L by columns, owned */
  hs_grid_t grid;         /* global */
  bool has_grid;
  hs_spread_t *spread; /* global: L'L, owned */
} hs_reduction_t;

/* Reduce a problem of squared loss. HS_BAD_DATA when P d is too large for 32-bit sizes, HS_NO_MEMORY when a rank's
 * share is too large. Collective. */
hs_status_t hs_reduction_create(hs_reduction_t **reduction, const hs_problem_t *problem, bool global);
void hs_reduction_free(hs_reduction_t **reduction); /* Collective. */

/* The products of the reduced problem, shapes as in masked.h. Not collective. */
void hs_reduction_forward(hs_reduction_t *reduction, const double *u, double *a);
void hs_reduction_adjoint(hs_reduction_t *reduction, const double *w, double *s);

/* Kernel of the local rows first .. first+count-1, as masked.h has it; local reductions only. Not collective. */
void hs_reduction_kernel(void *reduction, int64_t first, int count, float *K);

/* Bounds recomputed from the data with every operation in double.
 *   u  weights    w  residual of the reduced problem: that of the best dual bound
 * Collective. */
hs_status_t hs_reduction_confirm(hs_reduction_t *reduction, const double *u, const double *w,
                                 hs_certificate_t *certificate, hs_traffic_t *traffic);

/* Bytes of a reduction, by kind, of one rank: what stays, and what it takes while it is made besides. */
double hs_reduction_bytes(double order, int outputs, int ranks, bool global, double *making);

#endif
