#include "mpi/dense/rows.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/spread_private.h"

hs_status_t hs_rows_create(hs_rows_t *rows, MPI_Comm comm, const int64_t *first)
{
  *rows = (hs_rows_t){.comm = comm, .ranks = hs_ranks(comm), .rank = hs_rank(comm)};
  size_t ranks = (size_t)rows->ranks;
  rows->first = hs_alloc(ranks + 1, sizeof *rows->first, "rows of ranks");
  rows->counts = hs_alloc(ranks, sizeof *rows->counts, "rows of ranks");
  rows->starts = hs_alloc(ranks, sizeof *rows->starts, "rows of ranks");
  if (rows->first == NULL || rows->counts == NULL || rows->starts == NULL) {
    hs_rows_free(rows);
    return HS_NO_MEMORY;
  }
  memcpy(rows->first, first, (ranks + 1) * sizeof *first);
  return HS_OK;
}

void hs_rows_free(hs_rows_t *rows)
{
  hs_free(rows->first);
  hs_free(rows->counts);
  hs_free(rows->starts);
  *rows = (hs_rows_t){0};
}

static void count_numbers(const hs_rows_t *rows, int width)
{
  assert(rows->first[rows->ranks] * width <= INT_MAX);
  for (int rank = 0; rank < rows->ranks; rank++) {
    rows->counts[rank] = (int)(rows->first[rank + 1] - rows->first[rank]) * width;
    rows->starts[rank] = (int)rows->first[rank] * width;
  }
}

static void add_traffic(hs_traffic_t *traffic, double begin, double bytes)
{
  traffic->seconds += MPI_Wtime() - begin;
  traffic->bytes += bytes;
  traffic->calls += 1;
}

void hs_rows_gather(const hs_rows_t *rows, int width, const double *local, double *all, hs_traffic_t *traffic)
{
  double begin = MPI_Wtime();
  count_numbers(rows, width);
  int own = rows->counts[rows->rank];
  HS_MPI(MPI_Allgatherv(local, own, MPI_DOUBLE, all, rows->counts, rows->starts, MPI_DOUBLE, rows->comm));
  add_traffic(traffic, begin, (double)own * (double)sizeof *local);
}

void hs_rows_sum(const hs_rows_t *rows, int width, const double *all, double *local, hs_traffic_t *traffic)
{
  double begin = MPI_Wtime(), numbers = (double)rows->first[rows->ranks] * width;
  count_numbers(rows, width);
  HS_MPI(MPI_Reduce_scatter(all, local, rows->counts, MPI_DOUBLE, MPI_SUM, rows->comm));
  add_traffic(traffic, begin, numbers * (double)sizeof *local);
}

/* Along one side: places of the grid, and the place of a rank of the communicator (-1 outside). */
static int places(const hs_grid_t *grid, hs_side_t side)
{
  return side == HS_TILE_ROWS ? grid->rows : grid->columns;
}

static int place_of(const hs_grid_t *grid, hs_side_t side, int rank)
{
  if (rank >= grid->rows * grid->columns) return -1;
  return side == HS_TILE_ROWS ? rank / grid->columns : rank % grid->columns;
}

int hs_rows_needed(const hs_spread_t *spread, hs_side_t side)
{
  return side == HS_TILE_ROWS ? spread->rows : spread->columns;
}

int hs_rows_place(const hs_spread_t *spread, hs_side_t side, int64_t i0)
{
  assert(i0 % spread->tile == 0);
  return (int)(i0 / spread->tile) / places(spread->grid, side) * spread->tile;
}

/* How many of the rows 0 .. end-1 belong to a place. */
static int rows_before(const hs_spread_t *spread, hs_side_t side, int64_t end, int place)
{
  return hs_cyclic_share((int)end, spread->tile, place, places(spread->grid, side));
}

/* What a fetch sends and receives. */
typedef struct mail {
  char *sorted;     /* own rows, those for place 0 first; owned */
  int *numbers;     /* 4 x ranks, owned: the next four */
  int *sent, *from; /* per rank: records, and where in `sorted` */
  int *received, *to;
} mail_t;

static hs_status_t create(mail_t *mail, const hs_rows_t *rows, int bytes)
{
  size_t ranks = (size_t)rows->ranks;
  size_t own = (size_t)(rows->first[rows->rank + 1] - rows->first[rows->rank]);
  mail->sorted = hs_alloc(own, (size_t)bytes, "rows for other ranks");
  mail->numbers = hs_alloc(4 * ranks, sizeof *mail->numbers, "rows for other ranks");
  if (mail->sorted == NULL || mail->numbers == NULL) return HS_NO_MEMORY;
  mail->sent = mail->numbers;
  mail->from = mail->sent + ranks;
  mail->received = mail->from + ranks;
  mail->to = mail->received + ranks;
  return HS_OK;
}

/* Ranks of the same place along the side get the same part of `sorted`. */
static void address(mail_t *mail, const hs_rows_t *rows, const hs_spread_t *spread, hs_side_t side)
{
  const int64_t *first = rows->first;
  int me = rows->rank, mine = place_of(spread->grid, side, me), to = 0;
  for (int rank = 0; rank < rows->ranks; rank++) {
    int place = place_of(spread->grid, side, rank);
    for (int other = 0; other < place; other++)
      mail->from[rank] +=
          rows_before(spread, side, first[me + 1], other) - rows_before(spread, side, first[me], other);
    mail->sent[rank] =
        rows_before(spread, side, first[me + 1], place) - rows_before(spread, side, first[me], place);
    mail->received[rank] =
        rows_before(spread, side, first[rank + 1], mine) - rows_before(spread, side, first[rank], mine);
    mail->to[rank] = to;
    to += mail->received[rank];
  }
}

static void sort(mail_t *mail, const hs_rows_t *rows, const hs_spread_t *spread, hs_side_t side, size_t bytes,
                 const char *local)
{
  int64_t begin = rows->first[rows->rank], end = rows->first[rows->rank + 1];
  char *next = mail->sorted;
  int count = places(spread->grid, side);
  for (int place = 0; place < count; place++)
    for (int64_t i = begin; i < end; i++)
      if (i / spread->tile % count == place) {
        memcpy(next, local + (size_t)(i - begin) * bytes, bytes);
        next += bytes;
      }
}

hs_status_t hs_rows_fetch(const hs_rows_t *rows, const hs_spread_t *spread, hs_side_t side, int bytes,
                          const void *local, void *needed, hs_traffic_t *traffic)
{
  assert(rows->first[rows->ranks] == spread->order);
  mail_t mail = {0};
  hs_status_t status = hs_agree(rows->comm, create(&mail, rows, bytes));
  if (status == HS_OK) {
    double begin = MPI_Wtime(), sent = 0;
    MPI_Datatype record;
    address(&mail, rows, spread, side);
    sort(&mail, rows, spread, side, (size_t)bytes, local);
    HS_MPI(MPI_Type_contiguous(bytes, MPI_BYTE, &record));
    HS_MPI(MPI_Type_commit(&record));
    HS_MPI(MPI_Alltoallv(mail.sorted, mail.sent, mail.from, record, needed, mail.received, mail.to, record,
                         rows->comm));
    HS_MPI(MPI_Type_free(&record));
    for (int rank = 0; rank < rows->ranks; rank++) sent += mail.sent[rank];
    add_traffic(traffic, begin, sent * bytes);
  }
  hs_free(mail.sorted);
  hs_free(mail.numbers);
  return status;
}
