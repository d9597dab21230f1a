/* Which rows belong to which block and which blocks to which rank.
 *
 * Block b holds rows floor(b n / N) .. floor((b + 1) n / N) - 1, a rank a run of whole blocks. Whatever n, N and
 * the ranks: every row belongs to exactly one block and rank, borders ascend, blocks differ by at most one row,
 * ranks by at most one block; and as long as there are enough blocks, the blocks do not depend on the ranks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mpi/data/partition.h"

static int64_t block_size(const hs_partition_t *p, int64_t b)
{
  return hs_partition_block_row(p, b + 1) - hs_partition_block_row(p, b);
}

static void check(int64_t n, int64_t wanted, int ranks)
{
  hs_partition_t p = hs_partition_make(n, wanted, 0, ranks);
  int64_t enough = wanted > ranks ? wanted : ranks;
  assert_int_equal(p.blocks, enough < n ? enough : n);
  assert_int_equal(p.rows, n);
  assert_int_equal(hs_partition_block_row(&p, 0), 0);
  assert_int_equal(hs_partition_block_row(&p, p.blocks), n);
  for (int64_t b = 0; b < p.blocks; b++) {
    assert_true(block_size(&p, b) >= 1);
    assert_true(block_size(&p, b) - n / p.blocks == 0 || block_size(&p, b) - n / p.blocks == 1);
    assert_int_equal(hs_partition_block_row(&p, b), b * n / p.blocks);
  }
  assert_int_equal(hs_partition_first_block(&p, 0), 0);
  assert_int_equal(hs_partition_first_block(&p, ranks), p.blocks);
  assert_int_equal(hs_partition_first_row(&p, 0), 0);
  assert_int_equal(hs_partition_first_row(&p, ranks), n);
  for (int r = 0; r < ranks; r++) {
    int64_t blocks = hs_partition_first_block(&p, r + 1) - hs_partition_first_block(&p, r);
    assert_true(blocks == p.blocks / ranks || blocks == p.blocks / ranks + 1);
    assert_int_equal(hs_partition_first_row(&p, r),
                     hs_partition_block_row(&p, hs_partition_first_block(&p, r)));
  }
}

static void test_all_small(void **state)
{
  (void)state;
  for (int64_t n = 1; n <= 40; n++)
    for (int64_t wanted = 1; wanted <= 45; wanted++)
      for (int ranks = 1; ranks <= 9; ranks++) check(n, wanted, ranks);
}

static void test_large(void **state)
{
  (void)state;
  check(1000003, 997, 64);
  check(60000, 1, 4096);
  check(123456, 123456, 7);
}

/* 1, 2, 3, 4 and 8 ranks see the same blocks when there are at least 8. */
static void test_independent_of_ranks(void **state)
{
  (void)state;
  static const int ranks[] = {2, 3, 4, 8};
  hs_partition_t one = hs_partition_make(1013, 11, 0, 1);
  for (int i = 0; i < 4; i++) {
    hs_partition_t p = hs_partition_make(1013, 11, 1, ranks[i]);
    assert_int_equal(p.blocks, one.blocks);
    for (int64_t b = 0; b <= one.blocks; b++)
      assert_int_equal(hs_partition_block_row(&p, b), hs_partition_block_row(&one, b));
  }
}

/* b n exceeds 64 bits here; the borders of halves and quarters are known. */
static void test_no_overflow(void **state)
{
  (void)state;
  int64_t n = (int64_t)1 << 60;
  hs_partition_t p = hs_partition_make(n, 1 << 20, 3, 1024);
  assert_int_equal(hs_partition_block_row(&p, 1 << 19), n / 2);
  assert_int_equal(hs_partition_block_row(&p, 3 << 18), n / 4 * 3);
  assert_int_equal(hs_partition_first_row(&p, 1024), n);
  assert_int_equal(hs_partition_first_row(&p, 256), n / 4);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_small),
      cmocka_unit_test(test_large),
      cmocka_unit_test(test_independent_of_ranks),
      cmocka_unit_test(test_no_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
