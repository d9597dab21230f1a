/* shared_rows.h: the rows of all ranks for the evaluation of a price at points that every rank knows.
 *
 * Where all rows fit, every rank holds a copy and evaluates by itself; else each rank holds its own, all ranks must evaluate
 * the same points at the same time, and every evaluation is one sum over the ranks. Several outputs need a copy.
 */
#ifndef HS_MPI_BOUNDS_SHARED_ROWS_H
#define HS_MPI_BOUNDS_SHARED_ROWS_H

#include <stdbool.h>

#include "bounds/norm_rows.h"
#include "bounds/relu_parts.h"
#include "mpi/comm/reduce.h"

typedef struct hs_shared_rows {
  MPI_Comm comm;
  int d, outputs;
  bool copied;           /* every rank holds all rows */
  int64_t rows;          /* of all ranks, those with theta = 0 left out */
  double *theta;         /* of the rows that this rank holds, x C; owned */
  double *X;             /* the same rows x d; owned */
  int64_t held;          /* how many these are */
  hs_relu_parts_t parts; /* of one output; */
  hs_norm_rows_t norm;   /* of several, if copied */
  hs_traffic_t *traffic; /* of evaluations; not owned */
} hs_shared_rows_t;

/* theta: rows x C; X: rows x d of this rank. bytes: how much the copy may take on a rank. Collective. */
hs_status_t hs_shared_rows_make(hs_shared_rows_t *shared, MPI_Comm comm, int d, int outputs, int64_t rows,
                                const double *theta, const double *X, double bytes, hs_traffic_t *traffic);
void hs_shared_rows_free(hs_shared_rows_t *shared);

/* Longest chain of additions in one number of an evaluation, on any rank, for bounds on its rounding. Collective. */
double hs_shared_rows_additions(const hs_shared_rows_t *shared);

/* One output. As hs_parts_evaluate_t (bounds/cone_tree.h); shared is a hs_shared_rows_t. Collective unless copied. */
void hs_shared_rows_evaluate(void *shared, int count, const double *points, double *gradients);

#endif
