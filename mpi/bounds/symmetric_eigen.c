#include "mpi/bounds/symmetric_eigen.h"

#include <math.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

extern void dsyevr_(const char *job, const char *range, const char *triangle, const int *n, double *a,
                    const int *lda, const double *vl, const double *vu, const int *il, const int *iu,
                    const double *abstol, int *m, double *w, double *z, const int *ldz, int *isuppz,
                    double *work, const int *lwork, int *iwork, const int *liwork, int *info);

/* The upper triangle of rows is the lower one of columns. */
static int eigen(int n, double *A, double *values, double *vectors, int *support, double *work, int size,
                 int *iwork, int isize)
{
  int info = 0, found = 0, none = 0;
  double zero = 0;
  dsyevr_("V", "A", "L", &n, A, &n, &zero, &zero, &none, &none, &zero, &found, values, vectors, &n, support,
          work, &size, iwork, &isize, &info);
  return info;
}

static hs_status_t solve(int n, double *A, double *values, double *vectors)
{
  double sum = 0, best_size = 0;
  int best_isize = 0;
  for (int i = 0; i < n; i++)
    for (int j = i; j < n; j++) sum += fabs(A[(long)i * n + j]);
  if (!isfinite(sum))
    return hs_fail(HS_NUMERICAL, NULL, "proof",
                   "the data or the residual are not finite (all must be numbers)");
  eigen(n, A, values, vectors, NULL, &best_size, -1, &best_isize, -1);
  int size = (int)best_size + 64, isize = best_isize + 64;
  double *work = hs_alloc((size_t)size, sizeof *work, "eigenvalues");
  int *iwork = hs_alloc((size_t)isize + 2 * (size_t)n, sizeof *iwork, "eigenvalues");
  hs_status_t status = work != NULL && iwork != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    int info = eigen(n, A, values, vectors, iwork + isize, work, size, iwork, isize);
    if (info != 0)
      status = hs_fail(HS_NUMERICAL, NULL, "proof", "order %d: no eigenvalues (dsyevr: %d)", n, info);
  }
  hs_free(work);
  hs_free(iwork);
  return status;
}

hs_status_t hs_symmetric_eigen(MPI_Comm comm, int n, double *A, double *values, double *vectors)
{
  hs_status_t status = hs_agree(comm, hs_rank(comm) == 0 ? solve(n, A, values, vectors) : HS_OK);
  if (status != HS_OK) return status;
  HS_MPI(MPI_Bcast(values, n, MPI_DOUBLE, 0, comm));
  for (int i = 0; i < n; i++) HS_MPI(MPI_Bcast(vectors + (long)i * n, n, MPI_DOUBLE, 0, comm));
  return HS_OK;
}
