/* add.c: the sum over ranks of a matrix that every rank computes a share of, block by block. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/spread_private.h"

#define LARGEST_BLOCK ((int64_t)2 << 20) /* doubles */
#define SHARE_OF_LOCAL 64                /* a block is at most so small a part of what a rank holds, */
#define SMALL_BLOCK ((int64_t)1 << 19)   /* unless this is more: small blocks are dear to compute */

/* A block of whole tiles on its way to their owners. */
typedef struct parcel {
  hs_spread_t *spread;
  int height, width; /* tiles of a full block */
  int ti, tj;        /* first tiles of the present one */
  double *block;     /* as computed: column-major, all rows of the block */
  double *packed;    /* tile after tile, those of rank 0 first */
  int *count, *next; /* per rank of the communicator: doubles, and where to pack the next tile */
} parcel_t;

/* Tiles of a block along an edge that has `places` places: a multiple of them, so that all ranks receive alike, if
 * that many fit. */
static int edge(int fitting, int places, int tiles)
{
  int wanted = fitting >= places ? fitting - fitting % places : fitting;
  return wanted < tiles ? wanted : tiles;
}

static void choose_size(parcel_t *parcel)
{
  const hs_spread_t *spread = parcel->spread;
  const hs_grid_t *grid = spread->grid;
  /* The same on all ranks: what a rank holds on average. */
  int64_t held = (int64_t)spread->order * spread->order / ((int64_t)grid->rows * grid->columns);
  int64_t most = hs_min64(LARGEST_BLOCK, hs_max64(SMALL_BLOCK, held / SHARE_OF_LOCAL));
  int64_t tiles = most / ((int64_t)spread->tile * spread->tile);
  int fitting = 1;
  while ((int64_t)(fitting + 1) * (fitting + 1) <= tiles) fitting++;
  parcel->height = edge(fitting, grid->rows, spread->tiles);
  parcel->width = edge(fitting, grid->columns, spread->tiles);
}

static hs_status_t create(parcel_t *parcel, hs_spread_t *spread)
{
  *parcel = (parcel_t){.spread = spread};
  choose_size(parcel);
  size_t tile = (size_t)spread->tile, ranks = (size_t)hs_ranks(spread->grid->comm);
  size_t size = (size_t)parcel->height * (size_t)parcel->width * tile * tile;
  parcel->block = hs_alloc(size, sizeof *parcel->block, "sum of matrices");
  parcel->packed = hs_alloc(size, sizeof *parcel->packed, "sum of matrices");
  parcel->count = hs_alloc(ranks, sizeof *parcel->count, "sum of matrices");
  parcel->next = hs_alloc(ranks, sizeof *parcel->next, "sum of matrices");
  bool good =
      parcel->block != NULL && parcel->packed != NULL && parcel->count != NULL && parcel->next != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

static void release(parcel_t *parcel)
{
  hs_free(parcel->block);
  hs_free(parcel->packed);
  hs_free(parcel->count);
  hs_free(parcel->next);
}

typedef void tile_task_t(parcel_t *parcel, int ti, int tj);

/* For the tiles of the present block that count. */
static void each_tile(parcel_t *parcel, tile_task_t *task)
{
  int tiles = parcel->spread->tiles;
  for (int tj = parcel->tj; tj < tiles && tj < parcel->tj + parcel->width; tj++)
    for (int ti = parcel->ti > tj ? parcel->ti : tj; ti < tiles && ti < parcel->ti + parcel->height; ti++)
      task(parcel, ti, tj);
}

/* Rank in the communicator; it is also the order of the packed tiles. */
static int owner(const parcel_t *parcel, int ti, int tj)
{
  const hs_grid_t *grid = parcel->spread->grid;
  return ti % grid->rows * grid->columns + tj % grid->columns;
}

static void count_tile(parcel_t *parcel, int ti, int tj)
{
  int size = hs_spread_extent(parcel->spread, ti) * hs_spread_extent(parcel->spread, tj);
  parcel->count[owner(parcel, ti, tj)] += size;
}

/* Rows of the present block, and leading dimension as it is computed. */
static int block_rows(const parcel_t *parcel)
{
  const hs_spread_t *spread = parcel->spread;
  int first = parcel->ti * spread->tile, full = parcel->height * spread->tile;
  return spread->order - first < full ? spread->order - first : full;
}

static int block_columns(const parcel_t *parcel)
{
  const hs_spread_t *spread = parcel->spread;
  int first = parcel->tj * spread->tile, full = parcel->width * spread->tile;
  return spread->order - first < full ? spread->order - first : full;
}

static void pack_tile(parcel_t *parcel, int ti, int tj)
{
  int tile = parcel->spread->tile, rows = hs_spread_extent(parcel->spread, ti);
  size_t ld = (size_t)block_rows(parcel);
  const double *from =
      parcel->block + (size_t)((tj - parcel->tj) * tile) * ld + (size_t)((ti - parcel->ti) * tile);
  int *next = &parcel->next[owner(parcel, ti, tj)];
  for (int j = 0; j < hs_spread_extent(parcel->spread, tj); j++, *next += rows)
    memcpy(parcel->packed + *next, from + (size_t)j * ld, (size_t)rows * sizeof *from);
}

/* A tile of this rank, from the sums in `block`. */
static void add_tile(parcel_t *parcel, int ti, int tj)
{
  const hs_spread_t *spread = parcel->spread;
  if (ti % spread->grid->rows != spread->grid->row || tj % spread->grid->columns != spread->grid->column)
    return;
  double *to = hs_spread_at(spread, ti, tj);
  int rows = hs_spread_extent(spread, ti), *next = &parcel->next[0];
  for (int j = 0; j < hs_spread_extent(spread, tj); j++, *next += rows)
    for (int i = 0; i < rows; i++) to[(size_t)j * (size_t)spread->ld + (size_t)i] += parcel->block[*next + i];
}

/* Collective. */
static void sum_block(parcel_t *parcel, hs_block_task_t *share, void *context, hs_traffic_t *traffic)
{
  const hs_spread_t *spread = parcel->spread;
  MPI_Comm comm = spread->grid->comm;
  int ranks = hs_ranks(comm), rows = block_rows(parcel), columns = block_columns(parcel);
  memset(parcel->block, 0, (size_t)rows * (size_t)columns * sizeof *parcel->block);
  share(context, (int64_t)parcel->ti * spread->tile, rows, (int64_t)parcel->tj * spread->tile, columns,
        parcel->block, rows);
  memset(parcel->count, 0, (size_t)ranks * sizeof *parcel->count);
  each_tile(parcel, count_tile);
  int total = 0;
  for (int rank = 0; rank < ranks; total += parcel->count[rank++]) parcel->next[rank] = total;
  each_tile(parcel, pack_tile);
  double begin = MPI_Wtime();
  HS_MPI(MPI_Reduce_scatter(parcel->packed, parcel->block, parcel->count, MPI_DOUBLE, MPI_SUM, comm));
  traffic->seconds += MPI_Wtime() - begin;
  traffic->bytes += (double)total * (double)sizeof *parcel->packed;
  traffic->calls += 1;
  parcel->next[0] = 0;
  if (spread->grid->inside) each_tile(parcel, add_tile);
}

hs_status_t hs_spread_add(hs_spread_t *spread, hs_block_task_t *share, void *context, hs_traffic_t *traffic)
{
  assert(spread->content == HS_MATRIX);
  parcel_t parcel;
  hs_status_t status = hs_agree(spread->grid->comm, create(&parcel, spread));
  if (status == HS_OK)
    for (parcel.tj = 0; parcel.tj < spread->tiles; parcel.tj += parcel.width)
      for (parcel.ti = parcel.tj; parcel.ti < spread->tiles; parcel.ti += parcel.height)
        sum_block(&parcel, share, context, traffic);
  release(&parcel);
  return status;
}
