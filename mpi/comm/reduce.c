#include "mpi/comm/reduce.h"

#include "base/size.h"
#include "mpi/comm/agree.h"

#define PIECE ((int64_t)1 << 27) /* doubles in one call */

void hs_sum(MPI_Comm comm, double *values, int64_t count, hs_traffic_t *traffic)
{
  double begin = MPI_Wtime();
  for (int64_t done = 0; done < count; done += PIECE) {
    int piece = (int)hs_min64(PIECE, count - done);
    HS_MPI(MPI_Allreduce(MPI_IN_PLACE, values + done, piece, MPI_DOUBLE, MPI_SUM, comm));
  }
  traffic->seconds += MPI_Wtime() - begin;
  traffic->bytes += (double)count * (double)sizeof *values;
  traffic->calls += 1;
}
