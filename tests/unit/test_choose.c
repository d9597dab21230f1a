/* Which x-update is chosen for which sizes, by the model alone: nothing is timed.
 *
 * The cases are those where no measurement is needed to know: one pass over very many rows for few weights, kernels of
 * few rows where the weights are very many, no matrix where there is no memory for it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mpi/admm/block_count.h"
#include "mpi/x_update/choose.h"

#define AMPLE 1e15 /* bytes */

static hs_x_shape_t make_shape(int64_t rows, int d, int gates, int outputs, bool squared)
{
  return (hs_x_shape_t){.rows = rows,
                        .blocks = hs_block_count(rows, d, gates, outputs, 0),
                        .d = d,
                        .gates = gates,
                        .outputs = outputs,
                        .precision = HS_DOUBLE,
                        .squared = squared};
}

static void test_many_rows(void **state)
{
  (void)state;
  for (int64_t rows = 300000; rows <= 300000000; rows *= 10) {
    hs_x_shape_t squared = make_shape(rows, 10, 20, 1, true), wide = make_shape(rows, 20, 50, 3, true);
    assert_string_equal(hs_x_name(hs_x_choose(&squared, 1, AMPLE)), "global-gram");
    assert_string_equal(hs_x_name(hs_x_choose(&wide, 1, AMPLE)), "global-gram");
    assert_string_equal(hs_x_name(hs_x_choose(&squared, 64, AMPLE)), "global-gram");
  }
}

static void test_many_weights(void **state)
{
  (void)state;
  for (int64_t rows = 100; rows <= 10000; rows *= 10)
    for (int squared = 0; squared < 2; squared++) {
      hs_x_shape_t shape = make_shape(rows, 784, 1000, 10, squared);
      hs_x_kind_t kind = hs_x_choose(&shape, 2, AMPLE);
      assert_true(kind == HS_X_BLOCK_KERNEL || kind == HS_X_GLOBAL_KERNEL);
    }
}

/* A kind whose matrix does not fit is not chosen, however soon it would be done; blocks always fit. */
static void test_memory(void **state)
{
  (void)state;
  hs_x_shape_t shape = make_shape(1000000, 20, 50, 1, true);
  hs_x_estimate_t estimates[HS_X_KINDS];
  for (int ranks = 1; ranks <= 8; ranks *= 2) {
    assert_int_equal(hs_x_choose(&shape, ranks, AMPLE), HS_X_GLOBAL_GRAM);
    hs_x_estimate(&shape, ranks, AMPLE, estimates);
    double needed = estimates[HS_X_GLOBAL_GRAM].bytes;
    assert_true(needed >= 8e6 / ranks && needed < 1e9); /* at least a double for each pair of 1000 weights */
    assert_int_not_equal(hs_x_choose(&shape, ranks, 0.99 * needed), HS_X_GLOBAL_GRAM);
    assert_int_equal(hs_x_choose(&shape, ranks, 1e3), HS_X_BLOCK_KERNEL);
    hs_x_estimate(&shape, ranks, 1e3, estimates);
    assert_true(estimates[HS_X_BLOCK_KERNEL].possible);
    for (int kind = HS_X_BLOCK_GRAM; kind < HS_X_KINDS; kind++) assert_false(estimates[kind].possible);
  }
}

/* Not more numbers than MPI and BLAS can count, whatever the memory. */
static void test_sizes(void **state)
{
  (void)state;
  hs_x_estimate_t estimates[HS_X_KINDS];
  hs_x_shape_t rows = make_shape(3000000000, 10, 10, 1, true);
  hs_x_estimate(&rows, 8, INFINITY, estimates);
  assert_false(estimates[HS_X_GLOBAL_KERNEL].possible);
  assert_true(estimates[HS_X_GLOBAL_GRAM].possible);
  hs_x_shape_t weights = make_shape(1000, 8000, 300000, 1, true);
  hs_x_estimate(&weights, 8, INFINITY, estimates);
  assert_false(estimates[HS_X_GLOBAL_GRAM].possible);
  assert_false(estimates[HS_X_BLOCK_GRAM].possible);
  assert_true(estimates[HS_X_GLOBAL_KERNEL].possible);
}

/* The same problem has the same x-update on any number of ranks. */
static void test_ranks(void **state)
{
  (void)state;
  static const struct {
    int64_t rows;
    int d, gates, outputs;
    bool squared;
  } shapes[] = {{1000, 10, 20, 1, true},    {4000, 10, 50, 1, true},   {2000, 20, 400, 1, true},
                {20000, 50, 200, 1, true},  {15216, 11, 128, 1, true}, {60000, 784, 64, 10, true},
                {100000, 20, 20, 1, true},  {20000, 50, 60, 1, true},  {5000, 20, 50, 3, true},
                {1000000, 20, 50, 1, true}, {4000, 10, 50, 2, false},  {15216, 11, 128, 1, false}};
  static const int ranks[] = {2, 3, 4, 8};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    hs_x_shape_t shape =
        make_shape(shapes[i].rows, shapes[i].d, shapes[i].gates, shapes[i].outputs, shapes[i].squared);
    hs_x_kind_t alone = hs_x_choose(&shape, 1, AMPLE);
    assert_int_not_equal(alone, HS_X_AUTO);
    for (size_t r = 0; r < sizeof ranks / sizeof *ranks; r++)
      assert_string_equal(hs_x_name(hs_x_choose(&shape, ranks[r], AMPLE)), hs_x_name(alone));
  }
}

/* Whatever the sizes: numbers that can be compared, and a choice that is possible. */
static void test_estimates(void **state)
{
  (void)state;
  for (int64_t rows = 1; rows <= 1000000000; rows *= 30)
    for (int d = 1; d <= 10000; d *= 10)
      for (int gates = 1; gates <= 10000; gates *= 10)
        for (int ranks = 1; ranks <= 1024; ranks *= 32)
          for (int squared = 0; squared < 2; squared++) {
            hs_x_shape_t shape = make_shape(rows, d, gates, 1 + 9 * squared, squared);
            hs_x_estimate_t estimates[HS_X_KINDS];
            hs_x_estimate(&shape, ranks, 4e9, estimates);
            for (int kind = HS_X_BLOCK_KERNEL; kind < HS_X_KINDS; kind++) {
              const hs_x_estimate_t *estimate = &estimates[kind];
              assert_true(isfinite(estimate->seconds) && estimate->seconds > 0 && estimate->bytes > 0);
              assert_true(fabs(estimate->setup + estimate->iterations * estimate->iteration -
                               estimate->seconds) <= 1e-12 * estimate->seconds);
            }
            hs_x_kind_t kind = hs_x_choose(&shape, ranks, 4e9);
            assert_true(kind != HS_X_AUTO && estimates[kind].possible);
          }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_many_rows), cmocka_unit_test(test_many_weights), cmocka_unit_test(test_memory),
      cmocka_unit_test(test_sizes),     cmocka_unit_test(test_ranks),        cmocka_unit_test(test_estimates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
