/* outer_shared.h: the small problem of outer_weights.h, solved once for all ranks. */
#ifndef HS_MPI_NETWORK_OUTER_SHARED_H
#define HS_MPI_NETWORK_OUTER_SHARED_H

#include "mpi/comm/agree.h"
#include "network/outer_lasso.h"

/* The value that the first rank has. Collective. */
static inline double hs_first_ranks(MPI_Comm comm, double value)
{
  HS_MPI(MPI_Bcast(&value, 1, MPI_DOUBLE, 0, comm));
  return value;
}

/* hs_outer_lasso on the first rank; A and the violation on all. Collective. */
static inline hs_status_t hs_outer_shared(MPI_Comm comm, const hs_outer_lasso_t *lasso, double tolerance,
                                          double *A, double *violation)
{
  hs_status_t status = HS_OK;
  if (hs_rank(comm) == 0) status = hs_outer_lasso(lasso, tolerance, A, violation);
  status = hs_agree(comm, status);
  if (status != HS_OK) return status;
  HS_MPI(MPI_Bcast(A, lasso->columns * lasso->outputs, MPI_DOUBLE, 0, comm));
  if (violation != NULL) *violation = hs_first_ranks(comm, *violation);
  return HS_OK;
}

#endif
