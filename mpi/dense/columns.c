#include "mpi/dense/columns.h"

#include <assert.h>
#include <string.h>

#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/spread_private.h"

/* The part of one tile. */
static void copy_tile(const hs_spread_t *spread, int ti, int tj, int first, int count, double *out)
{
  const double *tile = hs_spread_at(spread, ti, tj);
  int i0 = ti * spread->tile, j0 = tj * spread->tile, rows = hs_spread_extent(spread, ti);
  int low = first > j0 ? first : j0, high = (int)hs_min64(first + count, j0 + hs_spread_extent(spread, tj));
  for (int j = low; j < high; j++) {
    int start = ti == tj ? j - i0 : 0;
    memcpy(out + (size_t)(j - first) * (size_t)spread->order + (size_t)(i0 + start),
           tile + (size_t)(j - j0) * (size_t)spread->ld + (size_t)start,
           (size_t)(rows - start) * sizeof *out);
  }
}

void hs_spread_columns(const hs_spread_t *spread, int first, int count, int root, double *out,
                       hs_traffic_t *traffic)
{
  const hs_grid_t *grid = spread->grid;
  int length = spread->order * count;
  memset(out, 0, (size_t)length * sizeof *out);
  for (int tj = first / spread->tile; grid->inside && tj * spread->tile < first + count; tj++)
    if (tj % grid->columns == grid->column)
      for (int ti = tj; ti < spread->tiles; ti++)
        if (ti % grid->rows == grid->row) copy_tile(spread, ti, tj, first, count, out);
  double begin = MPI_Wtime();
  const void *own = hs_rank(grid->comm) == root ? MPI_IN_PLACE : out;
  HS_MPI(MPI_Reduce(own, out, length, MPI_DOUBLE, MPI_SUM, root, grid->comm));
  traffic->seconds += MPI_Wtime() - begin;
  traffic->bytes += (double)length * (double)sizeof *out;
  traffic->calls += 1;
}

hs_status_t hs_spread_square(hs_spread_t *spread)
{
  static const int one = 1;
  assert(spread->content == HS_FACTOR);
  if (spread->grid->inside) pdlauum_("L", &spread->order, spread->a, &one, &one, spread->descriptor);
  spread->content = HS_MATRIX;
  return HS_OK;
}
