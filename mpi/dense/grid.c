#include "mpi/dense/grid.h"

#include <assert.h>
#include <math.h>

#include "mpi/comm/agree.h"
#include "mpi/dense/scalapack.h"

/* Of one rank of a busy node. Only their ratio matters, and the choice changes little within a factor of three. */
#define FLOPS 3e10  /* a second */
#define WORDS 1.2e8 /* doubles a second, to and from other ranks */
#define PANEL 128   /* columns */

/* Seconds to factor n x n on rows x columns ranks:
 *   all the flops, spread over all ranks;
 *   the panels, n^2 PANEL / 2 flops, each computed by one column of the grid while the others wait;
 *   the words: a rank receives its share of the rows of every panel, n^2 / (2 rows), and, for the transposed
 *   panel, n^2 / (2 columns). */
static double model_seconds(double n, int rows, int columns)
{
  double p = rows, q = columns;
  return n * n * n / (3 * p * q * FLOPS) + n * n * PANEL / (2 * p * FLOPS) +
         n * n / 2 * (1 / p + 1 / q) / WORDS;
}

void hs_grid_shape(int ranks, int64_t order, int *rows, int *columns)
{
  double shortest = INFINITY;
  for (int p = 1; p <= ranks / p; p++) {
    double seconds = model_seconds((double)order, p, ranks / p);
    if (seconds >= shortest) continue;
    shortest = seconds;
    *rows = p;
    *columns = ranks / p;
  }
}

void hs_grid_create(hs_grid_t *grid, MPI_Comm comm, int rows, int columns)
{
  int rank = hs_rank(comm);
  bool inside = rank < rows * columns;
  assert(rows >= 1 && columns >= 1 && rows * columns <= hs_ranks(comm));
  *grid = (hs_grid_t){.comm = comm,
                      .rows = rows,
                      .columns = columns,
                      .inside = inside,
                      .row = -1,
                      .column = -1,
                      .context = -1};
  HS_MPI(MPI_Comm_split(comm, inside ? 0 : MPI_UNDEFINED, rank, &grid->members));
  if (!inside) return;
  grid->row = rank / columns;
  grid->column = rank % columns;
  grid->handle = Csys2blacs_handle(grid->members);
  grid->context = grid->handle;
  Cblacs_gridinit(&grid->context, "Row", rows, columns);
  int yes = 1;
  Cblacs_set(grid->context, HS_BLACS_REPEATABLE, &yes);
}

void hs_grid_free(hs_grid_t *grid)
{
  if (grid->inside) {
    Cblacs_gridexit(grid->context);
    Cfree_blacs_system_handle(grid->handle);
    HS_MPI(MPI_Comm_free(&grid->members));
  }
  *grid = (hs_grid_t){.members = MPI_COMM_NULL, .row = -1, .column = -1, .context = -1};
}
