/* Process grids: what shape is chosen, and that every place of the grid is held by one rank. */
#include <stdbool.h>

#include "mpi/comm/agree.h"
#include "mpi/dense/grid.h"
#include "tests/support/mpi_check.h"

static void test_fits(void)
{
  bool good = true;
  const int64_t orders[] = {1, 500, 8000, 100000};
  for (int ranks = 1; ranks <= 1024; ranks++)
    for (int o = 0; o < 4; o++) {
      int rows = 0, columns = 0;
      hs_grid_shape(ranks, orders[o], &rows, &columns);
      good =
          good && rows >= 1 && rows <= columns && rows * columns <= ranks && 4 * rows * columns >= 3 * ranks;
    }
  hs_check(MPI_COMM_WORLD, good, "shapes fit, lie flat and use at least three quarters of the ranks");
}

static bool shape_is(int ranks, int64_t order, int rows, int columns)
{
  int p = 0, q = 0;
  hs_grid_shape(ranks, order, &p, &q);
  return p == rows && q == columns;
}

static void test_known(void)
{
  bool good = shape_is(1, 8000, 1, 1) && shape_is(2, 8000, 1, 2) && shape_is(3, 8000, 1, 3);
  good = good && shape_is(4, 8000, 2, 2) && shape_is(6, 8000, 2, 3) && shape_is(64, 50000, 8, 8);
  hs_check(MPI_COMM_WORLD, good, "squares and rectangles for numbers that have them");
  good = shape_is(5, 20000, 1, 5) && shape_is(11, 20000, 2, 5) && shape_is(31, 20000, 5, 6);
  hs_check(MPI_COMM_WORLD, good, "primes: one row while there are few, later some ranks are left out");
}

/* The coordinates of all ranks, on one. */
static void test_places(void)
{
  int ranks = hs_ranks(MPI_COMM_WORLD);
  bool good = true;
  for (int rows = 1; rows <= ranks; rows++)
    for (int columns = 1; rows * columns <= ranks; columns++) {
      hs_grid_t grid;
      hs_grid_create(&grid, MPI_COMM_WORLD, rows, columns);
      good = good && grid.inside == (hs_rank(MPI_COMM_WORLD) < rows * columns);
      int taken[16] = {0};
      if (grid.inside) taken[grid.row * columns + grid.column] = 1;
      good = good && (grid.inside || (grid.row == -1 && grid.column == -1));
      MPI_Allreduce(MPI_IN_PLACE, taken, 16, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
      for (int place = 0; place < 16; place++) good = good && taken[place] == (place < rows * columns);
      hs_grid_free(&grid);
      hs_grid_free(&grid);
    }
  hs_check(MPI_COMM_WORLD, good, "every place of every grid is held by one rank");
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  test_fits();
  test_known();
  test_places();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
