/* x_forecast.h: what an x-update other than block-kernel costs a rank, from a rehearsal on other ranks, and perhaps of
 * another size. Seconds grow like the flops or the bytes of their part:
 *
 *   products with L'   (P d)^2 C, of global kinds divided by the ranks
 *   application        the squared order of the matrix, likewise; with a factor instead of an inverse twice as much
 *   factor             the cubed order; a third of that without the inverse
 *   Gram matrix        a part that does not depend on the rows, and one for each row
 *
 * Not collective.
 */
#ifndef HS_MPI_PLAN_X_FORECAST_H
#define HS_MPI_PLAN_X_FORECAST_H

#include "mpi/plan/network.h"
#include "mpi/plan/x_rehearsal.h"

typedef struct hs_x_forecast {
  double products, apply, vectors, anderson; /* of an iteration, as in hs_x_rehearsal_t; per rank */
  double messages;                           /* of an application: seconds */
  double message_bytes;                      /* that a rank puts into them */
  double setup;                              /* matrices, factors, and what is measured for the first rho */
  double renewal;                            /* for another rho or other curvatures */
  double flops;                              /* of an iteration, without masked products */
} hs_x_forecast_t;

/*   share    of a kind other than block-kernel; that of the rehearsal
 *   weights  seconds of an iteration's work on weights alone, which every rank does in full: part of `vectors` */
hs_x_forecast_t hs_x_forecast(const hs_problem_size_t *size, const hs_x_rehearsal_t *rehearsal,
                              hs_share_t share, double weights, const hs_network_t *network);

#endif
