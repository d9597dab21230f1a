/* x_rehearsal.h: an x-update other than block-kernel, with made-up rows: made and applied on all ranks together, timed
 * part by part.
 *
 * A squared loss that is reduced to P d rows (mpi/gram/reduction.h) has iterations that do not depend on n: a few
 * thousand rows will do, and the solver itself is run. The Gram matrix is made of two numbers of rows, from which its
 * seconds for any number follow. Where P d, or the n of a global kernel, is so large that all this would take too long
 * by the model of x_update/choose.h, fewer gates or rows are taken, and what was measured is scaled by the flops and
 * bytes of the parts (x_forecast.h).
 */
#ifndef HS_MPI_PLAN_X_REHEARSAL_H
#define HS_MPI_PLAN_X_REHEARSAL_H

#include "mpi/plan/problem_size.h"

/* Seconds of the slowest rank; messages are not in them where not stated. */
typedef struct hs_x_rehearsal {
  hs_x_kind_t kind;
  bool measured;
  bool smaller;     /* fewer gates, or fewer rows of a global kernel, than the problem has */
  int ranks, gates; /* that measured, and that it was measured with */
  int64_t rows;     /* of each rank, while an iteration was measured */
  int64_t reduced;  /* rows that the rank with most of them iterated on; 0: not reduced */
  double
      products;   /* an iteration's with L'; 0 where nothing is reduced: masked products then (rehearsal.h) */
  double apply;   /* the x-update */
  double vectors; /* of a reduced iteration: all else, without acceleration */
  double anderson; /* acceleration of the reduced rows, memory full */
  double make;     /* reduction, messages included; of `rows` rows a rank. 0 where nothing is reduced */
  double factor;   /* one factor or inverse, likewise; for losses with curvatures its Gram matrix is in it */
  double estimate; /* what is measured of the matrix for the first rho, likewise */
  double per_row;  /* of `make`, or of `factor`: seconds for each further row of a rank */
} hs_x_rehearsal_t;

/* About `seconds` long. HS_NO_MEMORY, or a fault of the solver. Collective. */
hs_status_t hs_x_rehearse(hs_x_rehearsal_t *rehearsal, MPI_Comm comm, const hs_problem_size_t *size,
                          hs_x_kind_t kind, double seconds);

#endif
