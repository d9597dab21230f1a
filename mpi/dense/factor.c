#include "mpi/dense/factor.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/spread_private.h"

static const int one = 1;

/* Row, from 1, of the first pivot on this rank that is no number; 0: none. NaN fails no comparison, so that
 * pdpotrf does not see it. */
static int find_nan(const hs_spread_t *spread)
{
  const hs_grid_t *grid = spread->grid;
  for (int j = 0; j < spread->columns; j++) {
    int k = hs_cyclic_global(j, spread->tile, grid->column, grid->columns), tile = k / spread->tile;
    if (tile % grid->rows != grid->row) continue;
    double pivot = hs_spread_at(spread, tile, tile)[(size_t)(k % spread->tile) * ((size_t)spread->ld + 1)];
    if (!isfinite(pivot)) return k + 1;
  }
  return 0;
}

/*   info  of ScaLAPACK, on the ranks of the grid
 * Collective. */
static hs_status_t agree(hs_spread_t *spread, int info, hs_content_t content)
{
  if (info == 0) info = find_nan(spread);
  int row = info != 0 ? info : INT_MAX;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &row, 1, MPI_INT, MPI_MIN, spread->grid->comm));
  spread->content = row == INT_MAX ? content : HS_SCRATCH;
  if (row == INT_MAX) return HS_OK;
  return hs_fail(HS_NUMERICAL, NULL, "dense matrix", "order %d: not positive definite (found at row %d)",
                 spread->order, row - 1);
}

hs_status_t hs_spread_factor(hs_spread_t *spread)
{
  assert(spread->content == HS_MATRIX);
  int info = 0;
  if (spread->grid->inside) pdpotrf_("L", &spread->order, spread->a, &one, &one, spread->descriptor, &info);
  return agree(spread, info, HS_FACTOR);
}

hs_status_t hs_spread_invert(hs_spread_t *spread)
{
  assert(spread->content == HS_FACTOR);
  int info = 0;
  if (spread->grid->inside) pdpotri_("L", &spread->order, spread->a, &one, &one, spread->descriptor, &info);
  return agree(spread, info, HS_INVERSE);
}

/* Right-hand sides as ScaLAPACK wants them: n x count, in tiles of the height of the matrix's. */
typedef struct sides {
  const hs_spread_t *spread;
  int count;   /* columns, over all ranks */
  int columns; /* of this rank */
  double *b;   /* ld x columns, owned; ld of the matrix */
  int descriptor[HS_DESCRIPTOR_LENGTH];
} sides_t;

static hs_status_t create(sides_t *sides, const hs_spread_t *spread, int count)
{
  const hs_grid_t *grid = spread->grid;
  *sides = (sides_t){.spread = spread, .count = count};
  sides->columns = hs_cyclic_share(count, spread->tile, grid->column, grid->columns);
  sides->b = hs_alloc((size_t)spread->ld * (size_t)sides->columns, sizeof *sides->b, "right-hand sides");
  if (sides->b == NULL) return HS_NO_MEMORY;
  if (!grid->inside) return HS_OK;
  int zero = 0, info = 0, n = spread->order, b = spread->tile;
  descinit_(sides->descriptor, &n, &count, &b, &b, &zero, &zero, &grid->context, &spread->ld, &info);
  assert(info == 0);
  return HS_OK;
}

/* Between B and the columns of this rank: to them, or back. */
static void move(const sides_t *sides, double *B, bool back)
{
  const hs_spread_t *spread = sides->spread;
  const hs_grid_t *grid = spread->grid;
  for (int j = 0; j < sides->columns; j++) {
    int column = hs_cyclic_global(j, spread->tile, grid->column, grid->columns);
    double *b = sides->b + (size_t)j * (size_t)spread->ld;
    for (int i = 0; i < spread->rows; i++) {
      double *element =
          B + (size_t)hs_cyclic_global(i, spread->tile, grid->row, grid->rows) * (size_t)sides->count +
          (size_t)column;
      if (back)
        *element = b[i];
      else
        b[i] = *element;
    }
  }
}

hs_status_t hs_spread_solve(const hs_spread_t *spread, int columns, double *B, hs_traffic_t *traffic)
{
  assert(spread->content == HS_FACTOR && columns >= 0);
  sides_t sides;
  hs_status_t status = hs_agree(spread->grid->comm, create(&sides, spread, columns));
  if (status == HS_OK && columns > 0) {
    size_t size = (size_t)spread->order * (size_t)columns;
    int info = 0;
    move(&sides, B, false);
    if (spread->grid->inside)
      pdpotrs_("L", &spread->order, &columns, spread->a, &one, &one, spread->descriptor, sides.b, &one, &one,
               sides.descriptor, &info);
    assert(info == 0);
    memset(B, 0, size * sizeof *B);
    move(&sides, B, true);
    hs_sum(spread->grid->comm, B, (int64_t)size, traffic);
  }
  hs_free(sides.b);
  return status;
}

hs_status_t hs_spread_solve_rows(const hs_spread_t *spread, const hs_rows_t *rows, int columns, double *B,
                                 hs_traffic_t *traffic)
{
  size_t width = (size_t)columns, first = (size_t)rows->first[rows->rank];
  size_t own = (size_t)rows->first[rows->rank + 1] - first;
  double *all = hs_alloc((size_t)spread->order * width, sizeof *all, "right-hand sides");
  hs_status_t status = hs_agree(rows->comm, all != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    hs_rows_gather(rows, columns, B, all, traffic);
    status = hs_spread_solve(spread, columns, all, traffic);
    if (status == HS_OK) memcpy(B, all + first * width, own * width * sizeof *B);
  }
  hs_free(all);
  return status;
}
