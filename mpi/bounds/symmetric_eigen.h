/* symmetric_eigen.h: eigenvalues and eigenvectors of a small symmetric matrix, by LAPACK on the
 * first rank: others may have another processor, and with it other bits. */
#ifndef HS_MPI_BOUNDS_SYMMETRIC_EIGEN_H
#define HS_MPI_BOUNDS_SYMMETRIC_EIGEN_H

#include <mpi.h>

#include "base/status.h"

/* A (n x n, the same on all ranks, both triangles filled, or the upper one in row-major order) is overwritten. values ascending (n); vectors: n x n,
 * row i belongs to value i. HS_NO_MEMORY; HS_NUMERICAL when A is not finite or LAPACK does not converge.
 * Collective. */
hs_status_t hs_symmetric_eigen(MPI_Comm comm, int n, double *A, double *values, double *vectors);

#endif
