#include "mpi/dense/packed.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/simd.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/packed_private.h"
#include "mpi/dense/spread_private.h"

static int extent(const hs_packed_t *packed, int ti)
{
  int left = packed->order - ti * packed->tile;
  return left < packed->tile ? left : packed->tile;
}

#define REAL float
#define NAME(stem) stem##_single
#include "mpi/dense/packed_body.h"

#define REAL double
#define NAME(stem) stem##_double
#include "mpi/dense/packed_body.h"

/* Elements of the tiles of this rank that have a part in the lower triangle. */
static size_t measure(const hs_packed_t *packed)
{
  const hs_grid_t *grid = packed->grid;
  size_t size = 0;
  if (!grid->inside) return 0;
  for (int tj = grid->column; tj < packed->tiles; tj += grid->columns)
    for (int ti = grid->row; ti < packed->tiles; ti += grid->rows)
      if (ti >= tj) size += (size_t)extent(packed, ti) * (size_t)extent(packed, tj);
  return size;
}

static hs_status_t allocate(hs_packed_t *packed)
{
  int numbers = 0;
  hs_status_t status = hs_to_int((int64_t)packed->order * packed->columns, &numbers, "rows times outputs");
  if (status != HS_OK) return status;
  size_t real = hs_precision_bytes(packed->precision);
  packed->size = measure(packed);
  packed->M = hs_alloc(packed->size, real, "dense inverse");
  packed->x = hs_alloc((size_t)numbers, real, "dense product");
  packed->y = hs_alloc(2 * (size_t)packed->tile, real, "dense product");
  packed->V = hs_alloc((size_t)numbers, sizeof *packed->V, "dense product");
  bool good = packed->M != NULL && packed->x != NULL && packed->y != NULL && packed->V != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

hs_status_t hs_packed_create(hs_packed_t **out, const hs_spread_t *like, hs_precision_t precision,
                             int columns)
{
  hs_packed_t *packed = hs_alloc(1, sizeof *packed, "dense inverse");
  hs_status_t status = packed != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    *packed = (hs_packed_t){.grid = like->grid,
                            .precision = precision,
                            .order = like->order,
                            .tile = like->tile,
                            .tiles = like->tiles,
                            .columns = columns};
    status = allocate(packed);
  }
  status = hs_agree(like->grid->comm, status);
  if (status != HS_OK) hs_packed_free(&packed);
  *out = packed;
  return status;
}

void hs_packed_free(hs_packed_t **out)
{
  hs_packed_t *packed = *out;
  *out = NULL;
  if (packed == NULL) return;
  hs_free(packed->M);
  hs_free(packed->x);
  hs_free(packed->y);
  hs_free(packed->V);
  hs_free(packed);
}

void hs_packed_take(hs_packed_t *packed, const hs_spread_t *spread)
{
  assert(spread->content == HS_MATRIX || spread->content == HS_INVERSE);
  assert(spread->grid == packed->grid && spread->order == packed->order && spread->tile == packed->tile);
  if (!packed->grid->inside) return;
  if (packed->precision == HS_SINGLE)
    take_single(packed, spread);
  else
    take_double(packed, spread);
}

/* V = what this rank contributes to M R; V may be R. Not collective. */
static void multiply(hs_packed_t *packed, int columns, const double *R, double *V)
{
  if (packed->precision == HS_SINGLE)
    multiply_single(packed, columns, R, V);
  else
    multiply_double(packed, columns, R, V);
}

void hs_packed_multiply(hs_packed_t *packed, int columns, const double *R, double *V, hs_traffic_t *traffic)
{
  assert(columns <= packed->columns);
  multiply(packed, columns, R, V);
  hs_sum(packed->grid->comm, V, (int64_t)packed->order * columns, traffic);
}

void hs_packed_multiply_rows(hs_packed_t *packed, const hs_rows_t *rows, int columns, const double *R,
                             double *V, hs_traffic_t *traffic)
{
  assert(columns <= packed->columns);
  hs_rows_gather(rows, columns, R, packed->V, traffic);
  multiply(packed, columns, packed->V, packed->V);
  hs_rows_sum(rows, columns, packed->V, V, traffic);
}

size_t hs_packed_matrix_bytes(const hs_packed_t *packed)
{
  return packed->size * hs_precision_bytes(packed->precision);
}

size_t hs_packed_bytes(const hs_packed_t *packed)
{
  size_t real = hs_precision_bytes(packed->precision);
  size_t numbers = (size_t)packed->order * (size_t)packed->columns;
  return sizeof *packed + hs_packed_matrix_bytes(packed) + (numbers + 2 * (size_t)packed->tile) * real +
         numbers * sizeof(double);
}
