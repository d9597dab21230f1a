/* Packed masks against their definition: bit i of row k is 1[x_k . g_i >= 0].
 *
 * The features and gates are small integers, so dot products are exact, many of them are 0, and the answer is
 * the sign of a sum of integers. Zero counts as open, whichever sign it carries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "gates/masks.h"

static int small(int stream, int64_t index)
{
  return (int)(hs_random_bits(3, (uint32_t)stream, (uint64_t)index) % 5) - 2;
}

static hs_masks_t make(hs_precision_t precision, int n, int d, int gates)
{
  double *G = hs_alloc((size_t)(gates * d), sizeof *G, "gates");
  void *X = hs_alloc((size_t)(n * d), hs_precision_bytes(precision), "features");
  for (int i = 0; i < gates * d; i++) G[i] = small(1, i);
  for (int i = 0; i < n * d; i++) {
    if (precision == HS_SINGLE)
      ((float *)X)[i] = (float)small(2, i);
    else
      ((double *)X)[i] = small(2, i);
  }
  hs_masks_t masks;
  assert_int_equal(hs_masks_create(&masks, precision, n, d, X, gates, G), HS_OK);
  hs_free(X);
  hs_free(G);
  return masks;
}

static int is_open(int d, int64_t row, int gate)
{
  int dot = 0;
  for (int j = 0; j < d; j++) dot += small(2, row * d + j) * small(1, (int64_t)gate * d + j);
  return dot >= 0;
}

static void assert_clean_tail(const hs_masks_t *masks)
{
  for (int64_t k = 0; k < masks->rows; k++)
    for (int i = masks->gates; i < 64 * masks->words; i++) assert_int_equal(hs_mask_bit(masks, k, i), 0);
}

static void test_definition(void **state)
{
  (void)state;
  static const int shapes[][3] = {{0, 3, 5},   {1, 1, 1},    {9, 2, 7},    {10, 4, 8},   {300, 3, 9},
                                  {20, 5, 63}, {511, 2, 64}, {257, 6, 65}, {70, 10, 200}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
      int n = shapes[s][0], d = shapes[s][1], gates = shapes[s][2];
      hs_masks_t masks = make((hs_precision_t)precision, n, d, gates);
      assert_int_equal(masks.rows, n);
      assert_int_equal(masks.gates, gates);
      assert_int_equal(masks.words, (gates + 63) / 64);
      for (int k = 0; k < n; k++)
        for (int i = 0; i < gates; i++) assert_int_equal(hs_mask_bit(&masks, k, i), is_open(d, k, i));
      assert_clean_tail(&masks);
      hs_masks_free(&masks);
      assert_null(masks.bits);
    }
}

/* x = 1, g = 0 and g = -0: both dot products are zeros, the second negative. x = -1 swaps them. */
static void test_signed_zero(void **state)
{
  (void)state;
  const double G[] = {0.0, -0.0, 1.0, -1.0}, X[] = {1.0, -1.0};
  hs_masks_t masks;
  assert_int_equal(hs_masks_create(&masks, HS_DOUBLE, 2, 1, X, 4, G), HS_OK);
  assert_int_equal(masks.bits[0], 7);  /* 0, -0, 1 are open, -1 is not */
  assert_int_equal(masks.bits[1], 11); /* -0, 0, 1 are open, the third is not */
  hs_masks_free(&masks);
}

/* Floats whose dot product rounds to the wrong sign unless it is accumulated in double. */
static void test_double_sums(void **state)
{
  (void)state;
  const float X[] = {1.0F, 1.0F, 1.0F};
  const double G[] = {16777216.0, -0.25, -16777216.0, -16777216.0, 0.25, 16777216.0};
  hs_masks_t masks;
  assert_int_equal(hs_masks_create(&masks, HS_SINGLE, 1, 3, X, 2, G), HS_OK);
  assert_int_equal(masks.bits[0], 2);
  hs_masks_free(&masks);
}

static void test_select(void **state)
{
  (void)state;
  static const int keep[] = {0, 3, 62, 63, 64, 65, 99, 127, 128, 150};
  int n = 40, d = 4, kept = (int)(sizeof keep / sizeof *keep);
  hs_masks_t masks = make(HS_DOUBLE, n, d, 151);
  assert_int_equal(hs_masks_select(&masks, kept, keep), HS_OK);
  assert_int_equal(masks.gates, kept);
  assert_int_equal(masks.words, 1);
  for (int k = 0; k < n; k++)
    for (int i = 0; i < kept; i++) assert_int_equal(hs_mask_bit(&masks, k, i), is_open(d, k, keep[i]));
  assert_clean_tail(&masks);
  hs_masks_free(&masks);
}

/* Dropping one gate of 140 moves bits across word boundaries. */
static void test_select_most(void **state)
{
  (void)state;
  int n = 30, d = 3, keep[139];
  for (int i = 0; i < 139; i++) keep[i] = i < 5 ? i : i + 1;
  hs_masks_t masks = make(HS_SINGLE, n, d, 140);
  assert_int_equal(hs_masks_select(&masks, 139, keep), HS_OK);
  assert_int_equal(masks.words, 3);
  for (int k = 0; k < n; k++)
    for (int i = 0; i < 139; i++) assert_int_equal(hs_mask_bit(&masks, k, i), is_open(d, k, keep[i]));
  assert_clean_tail(&masks);
  hs_masks_free(&masks);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_definition),  cmocka_unit_test(test_signed_zero),
      cmocka_unit_test(test_double_sums), cmocka_unit_test(test_select),
      cmocka_unit_test(test_select_most),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
