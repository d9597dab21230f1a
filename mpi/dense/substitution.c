#include "mpi/dense/substitution.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/simd.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/spread_private.h"
#include "mpi/dense/substitution_private.h"

/* Diagonal blocks: few, for few sums over the ranks; but their inverses cost 1/BLOCKS^2 of the factor. */
#define BLOCKS 8

static int extent(const hs_substitution_t *s, int t)
{
  int left = s->order - t * s->tile;
  return left < s->tile ? left : s->tile;
}

#define REAL float
#define NAME(stem) stem##_single
#include "mpi/dense/substitution_body.h"

#define REAL double
#define NAME(stem) stem##_double
#include "mpi/dense/substitution_body.h"

/* Where the columns of tiles of this rank begin, and how much they hold. */
static size_t measure(hs_substitution_t *s)
{
  const hs_grid_t *grid = s->grid;
  size_t size = 0;
  if (!grid->inside) return 0;
  for (int tj = grid->column, j = 0; tj < s->tiles; tj += grid->columns, j++) {
    s->start[j] = size;
    for (int ti = grid->row; ti < s->tiles; ti += grid->rows)
      if (ti >= tj) size += (size_t)extent(s, ti) * (size_t)extent(s, tj);
  }
  return size;
}

static hs_status_t allocate(hs_substitution_t *s)
{
  int numbers = 0;
  hs_status_t status = hs_to_int((int64_t)s->order * s->columns, &numbers, "rows times outputs");
  if (status != HS_OK) return status;
  size_t real = hs_precision_bytes(s->precision);
  s->start = hs_alloc((size_t)(s->tiles / s->grid->columns + 1), sizeof *s->start, "dense factor");
  if (s->start == NULL) return HS_NO_MEMORY;
  s->size = measure(s);
  s->L = hs_alloc(s->size, real, "dense factor");
  s->x = hs_alloc((size_t)numbers, real, "dense solution");
  s->y = hs_alloc((size_t)s->tile, real, "dense solution");
  s->sum = hs_alloc((size_t)numbers, sizeof *s->sum, "dense solution");
  s->V = hs_alloc((size_t)numbers, sizeof *s->V, "dense solution");
  bool good = s->L != NULL && s->x != NULL && s->y != NULL && s->sum != NULL && s->V != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

hs_status_t hs_substitution_create(hs_substitution_t **out, const hs_spread_t *like, hs_precision_t precision,
                                   int columns)
{
  hs_substitution_t *s = hs_alloc(1, sizeof *s, "dense factor");
  hs_status_t status = s != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    *s = (hs_substitution_t){.grid = like->grid,
                             .precision = precision,
                             .order = like->order,
                             .tile = like->tile,
                             .tiles = like->tiles,
                             .columns = columns,
                             .block = (like->tiles + BLOCKS - 1) / BLOCKS};
    status = allocate(s);
  }
  status = hs_agree(like->grid->comm, status);
  if (status != HS_OK) hs_substitution_free(&s);
  *out = s;
  return status;
}

void hs_substitution_free(hs_substitution_t **out)
{
  hs_substitution_t *s = *out;
  *out = NULL;
  if (s == NULL) return;
  hs_free(s->start);
  hs_free(s->L);
  hs_free(s->x);
  hs_free(s->y);
  hs_free(s->sum);
  hs_free(s->V);
  hs_free(s);
}

/* A block of rows: tiles t0 .. t1-1, rows first .. last-1. */
typedef struct block {
  int t0, t1, first, last;
} block_t;

static block_t make_block(const hs_substitution_t *s, int t0)
{
  block_t block = {.t0 = t0, .t1 = t0 + s->block};
  if (block.t1 > s->tiles) block.t1 = s->tiles;
  block.first = t0 * s->tile;
  block.last = block.t1 == s->tiles ? s->order : block.t1 * s->tile;
  return block;
}

hs_status_t hs_substitution_take(hs_substitution_t *s, hs_spread_t *factor)
{
  assert(factor->content == HS_FACTOR);
  assert(factor->grid == s->grid && factor->order == s->order && factor->tile == s->tile);
  int info = 0;
  factor->content = HS_SCRATCH;
  for (int t0 = 0; t0 < s->tiles && s->grid->inside && info == 0; t0 += s->block) {
    block_t block = make_block(s, t0);
    int rows = block.last - block.first, at = block.first + 1;
    pdtrtri_("L", "N", &rows, factor->a, &at, &at, factor->descriptor, &info);
  }
  hs_status_t status = HS_OK;
  if (info != 0) status = hs_fail(HS_NUMERICAL, NULL, "dense factor", "order %d: singular", s->order);
  status = hs_agree(s->grid->comm, status);
  if (status != HS_OK || !s->grid->inside) return status;
  if (s->precision == HS_SINGLE)
    take_single(s, factor);
  else
    take_double(s, factor);
  return HS_OK;
}

/* The rows of a block are multiplied from now on. Not collective. */
static void set(hs_substitution_t *s, block_t block, int C, const double *V)
{
  if (s->precision == HS_SINGLE)
    set_single(s, block.first, block.last, C, V);
  else
    set_double(s, block.first, block.last, C, V);
}

/* Not collective. */
static void add(hs_substitution_t *s, int t0, int t1, int u0, int u1, int C, bool transpose)
{
  if (!s->grid->inside) return;
  if (s->precision == HS_SINGLE)
    add_single(s, t0, t1, u0, u1, C, transpose);
  else
    add_double(s, t0, t1, u0, u1, C, transpose);
}

/* V_k -= the products so far, of all ranks, with these rows of the block. Collective. */
static void subtract(hs_substitution_t *s, block_t block, int C, double *V, hs_traffic_t *traffic)
{
  size_t from = (size_t)block.first * (size_t)C, to = (size_t)block.last * (size_t)C;
  hs_sum(s->grid->comm, s->sum + from, (int64_t)(to - from), traffic);
  for (size_t e = from; e < to; e++) V[e] -= s->sum[e];
}

/* V_k <- L_kk^-1 V_k, or with its transpose; it is multiplied from now on. Collective. */
static void divide(hs_substitution_t *s, block_t block, int C, double *V, bool transpose,
                   hs_traffic_t *traffic)
{
  size_t from = (size_t)block.first * (size_t)C, count = (size_t)block.last * (size_t)C - from;
  set(s, block, C, V);
  memset(s->sum + from, 0, count * sizeof *s->sum);
  add(s, block.t0, block.t1, block.t0, block.t1, C, transpose);
  hs_sum(s->grid->comm, s->sum + from, (int64_t)count, traffic);
  memcpy(V + from, s->sum + from, count * sizeof *V);
  set(s, block, C, V);
}

static void forward(hs_substitution_t *s, int C, double *V, hs_traffic_t *traffic)
{
  memset(s->sum, 0, (size_t)s->order * (size_t)C * sizeof *s->sum);
  for (int t0 = 0; t0 < s->tiles; t0 += s->block) {
    block_t block = make_block(s, t0);
    if (t0 > 0) subtract(s, block, C, V, traffic);
    divide(s, block, C, V, false, traffic);
    add(s, block.t1, s->tiles, block.t0, block.t1, C, false);
  }
}

static void backward(hs_substitution_t *s, int C, double *V, hs_traffic_t *traffic)
{
  for (int t0 = (s->tiles - 1) / s->block * s->block; t0 >= 0; t0 -= s->block) {
    block_t block = make_block(s, t0);
    size_t from = (size_t)block.first * (size_t)C, count = (size_t)block.last * (size_t)C - from;
    memset(s->sum + from, 0, count * sizeof *s->sum);
    add(s, block.t1, s->tiles, block.t0, block.t1, C, true);
    if (block.t1 < s->tiles) subtract(s, block, C, V, traffic);
    divide(s, block, C, V, true, traffic);
  }
}

void hs_substitution_solve(hs_substitution_t *s, int columns, const double *R, double *V,
                           hs_traffic_t *traffic)
{
  assert(columns <= s->columns);
  if (V != R) memcpy(V, R, (size_t)s->order * (size_t)columns * sizeof *V);
  forward(s, columns, V, traffic);
  backward(s, columns, V, traffic);
}

void hs_substitution_solve_rows(hs_substitution_t *s, const hs_rows_t *rows, int columns, const double *R,
                                double *V, hs_traffic_t *traffic)
{
  size_t width = (size_t)columns, first = (size_t)rows->first[rows->rank];
  size_t own = (size_t)rows->first[rows->rank + 1] - first;
  hs_rows_gather(rows, columns, R, s->V, traffic);
  hs_substitution_solve(s, columns, s->V, s->V, traffic);
  memcpy(V, s->V + first * width, own * width * sizeof *V);
}

size_t hs_substitution_matrix_bytes(const hs_substitution_t *s)
{
  return s->size * hs_precision_bytes(s->precision);
}

size_t hs_substitution_bytes(const hs_substitution_t *s)
{
  size_t real = hs_precision_bytes(s->precision), numbers = (size_t)s->order * (size_t)s->columns;
  return sizeof *s + hs_substitution_matrix_bytes(s) + (numbers + (size_t)s->tile) * real +
         2 * numbers * sizeof(double) + (size_t)(s->tiles / s->grid->columns + 1) * sizeof *s->start;
}
