/* test_dense_matrices.h: spread matrices with known elements, and the whole of them for comparison.
 *
 * An element is a function of its indices, so that every grid holds the same matrix.
 */
#ifndef HS_TESTS_MPI_TEST_DENSE_MATRICES_H
#define HS_TESTS_MPI_TEST_DENSE_MATRICES_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/spread.h"
#include "tests/support/mpi_check.h"

typedef double dense_element_t(int64_t i, int64_t j, int64_t n);

#define DENSE_DECAY 0.5

/* r^|i - j| (Kac, Murdock and Szego), positive definite; its inverse is tridiagonal. */
static inline double dense_decay(int64_t i, int64_t j, int64_t n)
{
  (void)n;
  return pow(DENSE_DECAY, (double)llabs(i - j));
}

static inline double dense_decay_inverse(int64_t i, int64_t j, int64_t n)
{
  double scale = 1 / (1 - DENSE_DECAY * DENSE_DECAY);
  if (n == 1) return 1;
  if (i == j) return scale * (i == 0 || i == n - 1 ? 1 : 1 + DENSE_DECAY * DENSE_DECAY);
  return llabs(i - j) == 1 ? -scale * DENSE_DECAY : 0;
}

/* Symmetric, of no structure, both signs. */
static inline double dense_noise(int64_t i, int64_t j, int64_t n)
{
  int64_t low = i < j ? i : j, high = i < j ? j : i;
  return 2 * hs_random_uniform(3, HS_STREAM_SYNTHETIC, (uint64_t)(low * n + high)) - 1;
}

typedef struct dense_source {
  dense_element_t *element;
  int64_t n;
} dense_source_t;

static inline void dense_write(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block,
                               int ld)
{
  const dense_source_t *source = context;
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < rows; i++)
      if (i0 + i >= j0 + j)
        block[(size_t)j * (size_t)ld + (size_t)i] = source->element(i0 + i, j0 + j, source->n);
}

static inline void dense_fill(hs_spread_t *spread, dense_element_t *element)
{
  dense_source_t source = {element, hs_spread_order(spread)};
  hs_spread_fill(spread, dense_write, &source);
}

static inline hs_spread_t *dense_create(const hs_grid_t *grid, int64_t n, int tile)
{
  hs_spread_t *spread;
  if (hs_spread_create(&spread, grid, n, tile) != HS_OK) abort();
  return spread;
}

static inline hs_spread_t *dense_make(const hs_grid_t *grid, int64_t n, int tile, dense_element_t *element)
{
  hs_spread_t *spread = dense_create(grid, n, tile);
  dense_fill(spread, element);
  return spread;
}

static inline double *dense_numbers(int64_t count)
{
  double *numbers = hs_alloc((size_t)count, sizeof *numbers, "test");
  if (numbers == NULL) abort();
  return numbers;
}

typedef struct dense_whole {
  double *elements;
  int64_t n;
} dense_whole_t;

static inline void dense_copy(void *context, int64_t i0, int rows, int64_t j0, int columns, double *block,
                              int ld)
{
  dense_whole_t *whole = context;
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < rows; i++)
      whole->elements[(j0 + j) * whole->n + i0 + i] += block[(size_t)j * (size_t)ld + (size_t)i];
}

/* What all ranks hold, column-major, on every rank; to be freed. Elements that nobody visits are 0. Collective. */
static inline double *dense_gather(hs_spread_t *spread, MPI_Comm comm)
{
  int64_t n = hs_spread_order(spread);
  dense_whole_t whole = {dense_numbers(n * n), n};
  hs_spread_visit(spread, dense_copy, &whole);
  MPI_Allreduce(MPI_IN_PLACE, whole.elements, (int)(n * n), MPI_DOUBLE, MPI_SUM, comm);
  return whole.elements;
}

/* Largest distance of the lower triangle of a gathered matrix from the known elements; NaN counts as infinite. */
static inline double dense_distance(int64_t n, const double *whole, dense_element_t *element)
{
  double largest = 0;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = j; i < n; i++) {
      double distance = fabs(whole[j * n + i] - element(i, j, n));
      if (!(distance <= largest)) largest = isnan(distance) ? INFINITY : distance;
    }
  return largest;
}

/* Sizes that divide nothing, are smaller than a tile, or leave ranks without a tile; 0: automatic. */
typedef struct dense_shape {
  int n, tile;
} dense_shape_t;

static const dense_shape_t dense_shapes[] = {{1, 0},  {1, 4},   {5, 16},  {7, 1},   {9, 3},
                                             {37, 8}, {64, 16}, {150, 0}, {131, 32}};
#define DENSE_SHAPES ((int)(sizeof dense_shapes / sizeof *dense_shapes))

/* Something checked on every grid that fits the ranks; true if it holds on all. */
typedef bool dense_check_t(const hs_grid_t *grid, dense_shape_t shape);

static inline bool dense_everywhere(MPI_Comm comm, dense_check_t *check)
{
  bool good = true;
  int ranks = hs_ranks(comm);
  for (int rows = 1; rows <= ranks; rows++)
    for (int columns = 1; rows * columns <= ranks; columns++) {
      hs_grid_t grid;
      hs_grid_create(&grid, comm, rows, columns);
      for (int s = 0; s < DENSE_SHAPES; s++) {
        bool holds = check(&grid, dense_shapes[s]);
        if (!holds)
          fprintf(stderr, "rank %d, grid %d x %d, order %d, tile %d\n", hs_rank(comm), rows, columns,
                  dense_shapes[s].n, dense_shapes[s].tile);
        good = good && holds;
      }
      hs_grid_free(&grid);
    }
  return good;
}

#endif
