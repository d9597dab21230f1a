#include "mpi/dense/eigen.h"

#include <assert.h>
#include <math.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/spread_private.h"

static const int one = 1;

typedef struct workspace {
  double *reals;
  int *integers;
  int real_count, integer_count;
} workspace_t;

/* Doubles that the parts of pdsyevd need. It asks for less than pdlasrt and pdormtr check
 * for, which then do nothing; and pdsyevd says nothing of it. */
static int64_t parts_need(const hs_spread_t *A)
{
  int64_t b = A->tile, rows = A->rows, columns = A->columns;
  int64_t sorting = rows * (b + columns), rotating = b * (rows + columns + 3 * b);
  return 3 * (int64_t)A->order + hs_max64(sorting, rotating);
}

static hs_status_t make_workspace(workspace_t *work, hs_spread_t *A, double *values, hs_spread_t *vectors)
{
  if (!A->grid->inside) return HS_OK;
  double reals = 0;
  int query = -1, info = 0;
  pdsyevd_("V", "L", &A->order, A->a, &one, &one, A->descriptor, values, vectors->a, &one, &one,
           vectors->descriptor, &reals, &query, &work->integer_count, &query, &info);
  assert(info == 0);
  int64_t count = hs_max64((int64_t)reals, parts_need(A));
  hs_status_t status = hs_to_int(count, &work->real_count, "workspace of eigenvalues");
  if (status != HS_OK) return status;
  work->reals = hs_alloc((size_t)count, sizeof *work->reals, "eigenvalues");
  work->integers = hs_alloc((size_t)work->integer_count, sizeof *work->integers, "eigenvalues");
  return work->reals != NULL && work->integers != NULL ? HS_OK : HS_NO_MEMORY;
}

static void look(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block, int ld)
{
  bool *finite = context;
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < rows; i++)
      if (i0 + i >= j0 + j && !isfinite(block[(size_t)j * (size_t)ld + (size_t)i])) *finite = false;
}

/* pdsyevd need not return when it is given NaN. Not collective. */
static hs_status_t check(hs_spread_t *A)
{
  bool finite = true;
  hs_spread_visit(A, look, &finite);
  if (finite) return HS_OK;
  return hs_fail(HS_NUMERICAL, NULL, "dense matrix", "order %d: no eigenvalues (it holds NaN or infinity)",
                 A->order);
}

/* 0, or what pdsyevd returned. Not collective outside the grid. */
static int decompose(workspace_t *work, hs_spread_t *A, double *values, hs_spread_t *vectors)
{
  int info = 0;
  if (!A->grid->inside) return 0;
  pdsyevd_("V", "L", &A->order, A->a, &one, &one, A->descriptor, values, vectors->a, &one, &one,
           vectors->descriptor, work->reals, &work->real_count, work->integers, &work->integer_count, &info);
  return info;
}

static bool alike(const hs_spread_t *a, const hs_spread_t *b)
{
  return a->grid == b->grid && a->order == b->order && a->tile == b->tile;
}

hs_status_t hs_spread_eigen(hs_spread_t *A, double *values, hs_spread_t *vectors)
{
  assert(A != vectors && A->content == HS_MATRIX && alike(A, vectors));
  MPI_Comm comm = A->grid->comm;
  workspace_t work = {0};
  hs_status_t status = hs_agree(comm, check(A));
  if (status == HS_OK) status = hs_agree(comm, make_workspace(&work, A, values, vectors));
  if (status == HS_OK) {
    int info = decompose(&work, A, values, vectors);
    if (info != 0)
      status = hs_fail(HS_NUMERICAL, NULL, "dense matrix", "order %d: no eigenvalues (pdsyevd: %d)", A->order,
                       info);
    status = hs_agree(comm, status);
    HS_MPI(MPI_Bcast(values, A->order, MPI_DOUBLE, 0, comm));
    A->content = HS_SCRATCH;
    vectors->content = status == HS_OK ? HS_VECTORS : HS_SCRATCH;
  }
  hs_free(work.reals);
  hs_free(work.integers);
  return status;
}

/* Columns of this rank times sqrt|weight|. Not collective. */
static void scale(hs_spread_t *vectors, const double *weights)
{
  const hs_grid_t *grid = vectors->grid;
  for (int j = 0; j < vectors->columns; j++) {
    int k = hs_cyclic_global(j, vectors->tile, grid->column, grid->columns);
    double *column = vectors->a + (size_t)j * (size_t)vectors->ld, factor = sqrt(fabs(weights[k]));
    for (int i = 0; i < vectors->rows; i++) column[i] *= factor;
  }
}

static int sign(double weight)
{
  return (weight > 0) - (weight < 0);
}

void hs_spread_compose(hs_spread_t *vectors, const double *weights, hs_spread_t *result)
{
  assert(vectors != result && vectors->content == HS_VECTORS && alike(vectors, result));
  int n = vectors->order;
  hs_spread_clear(result);
  if (vectors->grid->inside) {
    scale(vectors, weights);
    /* Runs of columns whose weights have the same sign: two, where the weights ascend as the values do. */
    for (int first = 0, next; first < n; first = next) {
      for (next = first + 1; next < n && sign(weights[next]) == sign(weights[first]);) next++;
      int count = next - first, column = first + 1;
      double factor = sign(weights[first]), keep = 1;
      if (factor != 0)
        pdsyrk_("L", "N", &n, &count, &factor, vectors->a, &one, &column, vectors->descriptor, &keep,
                result->a, &one, &one, result->descriptor);
    }
  }
  vectors->content = HS_SCRATCH;
}
