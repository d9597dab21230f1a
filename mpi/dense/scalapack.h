/* scalapack.h: the part of BLACS and ScaLAPACK that we call; most packages ship no C header.
 *
 * Fortran conventions: column-major, 32-bit integers, arguments by reference, matrix indices from 1.
 */
#ifndef HS_MPI_DENSE_SCALAPACK_H
#define HS_MPI_DENSE_SCALAPACK_H

#include <mpi.h>

#define HS_DESCRIPTOR_LENGTH 9

#define HS_BLACS_REPEATABLE 15 /* what Cblacs_set sets: sums in the same order in every run */

extern int Csys2blacs_handle(MPI_Comm comm);
extern void Cfree_blacs_system_handle(int handle);
extern void Cblacs_gridinit(int *context, const char *order, int rows, int columns);
extern void Cblacs_gridexit(int context);
extern void Cblacs_set(int context, int what, int *value);

extern void descinit_(int *descriptor, const int *m, const int *n, const int *mb, const int *nb,
                      const int *first_row, const int *first_column, const int *context, const int *ld,
                      int *info);

extern void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
                     const int *desc_a, int *info);
extern void pdpotri_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
                     const int *desc_a, int *info);
extern void pdlauum_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
                     const int *desc_a);
extern void pdtrtri_(const char *uplo, const char *diag, const int *n, double *a, const int *ia,
                     const int *ja, const int *desc_a, int *info);
extern void pdpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *ia,
                     const int *ja, const int *desc_a, double *b, const int *ib, const int *jb,
                     const int *desc_b, int *info);
extern void pdsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *ia,
                     const int *ja, const int *desc_a, double *w, double *z, const int *iz, const int *jz,
                     const int *desc_z, double *work, const int *lwork, int *iwork, const int *liwork,
                     int *info);
extern void pdsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha,
                    const double *a, const int *ia, const int *ja, const int *desc_a, const double *beta,
                    double *c, const int *ic, const int *jc, const int *desc_c);

#endif
