#include "mpi/dense/spread.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/spread_private.h"

/* Columns of a tile: wide enough for fast products, but every place of the grid is to have a few tiles. */
#define WIDEST 128
#define NARROWEST 16
#define TILES_EACH 4

int hs_cyclic_share(int length, int block, int place, int places)
{
  if (place < 0) return 0;
  int blocks = length / block, share = blocks / places * block, odd = blocks % places;
  if (place < odd) return share + block;
  return place == odd ? share + length % block : share;
}

static int automatic_tile(int order, const hs_grid_t *grid)
{
  int most = grid->rows > grid->columns ? grid->rows : grid->columns;
  int wanted = order / most / TILES_EACH / NARROWEST * NARROWEST; /* whole vector registers */
  if (wanted > WIDEST) return WIDEST;
  return wanted < NARROWEST ? NARROWEST : wanted;
}

static hs_status_t measure(hs_spread_t *spread, int64_t order, int tile)
{
  const hs_grid_t *grid = spread->grid;
  hs_status_t status = hs_to_int(order, &spread->order, "order of a dense matrix");
  if (status != HS_OK) return status;
  int n = spread->order;
  spread->tile = tile > 0 ? tile : automatic_tile(n, grid);
  if (spread->tile > n) spread->tile = n;
  spread->tiles = (int)(((int64_t)n + spread->tile - 1) / spread->tile);
  spread->rows = hs_cyclic_share(n, spread->tile, grid->row, grid->rows);
  spread->columns = hs_cyclic_share(n, spread->tile, grid->column, grid->columns);
  spread->ld = spread->rows > 1 ? spread->rows : 1;
  int64_t size = (int64_t)spread->ld * spread->columns;
  if (size > INT_MAX)
    return hs_fail(HS_BAD_DATA, NULL, "dense matrix",
                   "%lld of %d x %d elements fall to a rank (ScaLAPACK counts to %d: use more ranks)",
                   (long long)size, n, n, INT_MAX);
  return HS_OK;
}

static hs_status_t allocate(hs_spread_t *spread)
{
  spread->a = hs_alloc((size_t)spread->ld * (size_t)spread->columns, sizeof *spread->a, "dense matrix");
  if (spread->a == NULL) return HS_NO_MEMORY;
  if (!spread->grid->inside) return HS_OK;
  int zero = 0, info = 0, n = spread->order, b = spread->tile;
  descinit_(spread->descriptor, &n, &n, &b, &b, &zero, &zero, &spread->grid->context, &spread->ld, &info);
  assert(info == 0);
  return HS_OK;
}

hs_status_t hs_spread_create(hs_spread_t **out, const hs_grid_t *grid, int64_t order, int tile)
{
  assert(order >= 1 && tile >= 0);
  hs_spread_t *spread = hs_alloc(1, sizeof *spread, "dense matrix");
  hs_status_t status = spread != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    spread->grid = grid;
    status = measure(spread, order, tile);
  }
  if (status == HS_OK) status = allocate(spread);
  status = hs_agree(grid->comm, status);
  if (status != HS_OK) hs_spread_free(&spread);
  *out = spread;
  return status;
}

void hs_spread_free(hs_spread_t **out)
{
  hs_spread_t *spread = *out;
  *out = NULL;
  if (spread == NULL) return;
  hs_free(spread->a);
  hs_free(spread);
}

int64_t hs_spread_order(const hs_spread_t *spread)
{
  return spread->order;
}

int hs_spread_tile(const hs_spread_t *spread)
{
  return spread->tile;
}

MPI_Comm hs_spread_comm(const hs_spread_t *spread)
{
  return spread->grid->comm;
}

void hs_spread_copy(hs_spread_t *to, const hs_spread_t *from)
{
  assert(to->grid == from->grid && to->order == from->order && to->tile == from->tile);
  memcpy(to->a, from->a, (size_t)to->ld * (size_t)to->columns * sizeof *to->a);
  to->content = from->content;
}

size_t hs_spread_bytes(const hs_spread_t *spread)
{
  return sizeof *spread + (size_t)spread->ld * (size_t)spread->columns * sizeof *spread->a;
}

void hs_spread_clear(hs_spread_t *spread)
{
  memset(spread->a, 0, (size_t)spread->ld * (size_t)spread->columns * sizeof *spread->a);
  spread->content = HS_MATRIX;
}

void hs_spread_visit(hs_spread_t *spread, hs_block_task_t *task, void *context)
{
  const hs_grid_t *grid = spread->grid;
  if (!grid->inside) return;
  for (int tj = grid->column; tj < spread->tiles; tj += grid->columns)
    for (int ti = grid->row; ti < spread->tiles; ti += grid->rows)
      if (ti >= tj || spread->content == HS_VECTORS)
        task(context, (int64_t)ti * spread->tile, hs_spread_extent(spread, ti), (int64_t)tj * spread->tile,
             hs_spread_extent(spread, tj), hs_spread_at(spread, ti, tj), spread->ld);
}

void hs_spread_fill(hs_spread_t *spread, hs_block_task_t *task, void *context)
{
  spread->content = HS_MATRIX;
  hs_spread_visit(spread, task, context);
}
