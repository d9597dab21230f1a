/* Random numbers by counter: a known answer, the moments, and independence.
 *
 * The Philox4x32-10 test vector of Salmon et al. (2011) for counter 0 and key 0 is 6627e8d5 e169c58d bc57ac4c
 * 9b00dbd8; 64 bits are the first two words. The rest is statistics with bounds of about five standard
 * deviations: they hold for good numbers, once and for all, because the numbers never change.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"

#define COUNT 100000
#define FIVE_SIGMA (5 / sqrt(COUNT))

static void test_known_answer(void **state)
{
  (void)state;
  assert_int_equal(hs_random_bits(0, 0, 0), 0x6627e8d5e169c58du);
  /* The uniform number is the middle of the cell that the upper 53 bits name. */
  double cell = ((double)(0x6627e8d5e169c58du >> 11) + 0.5) / 9007199254740992.0;
  assert_true(hs_random_uniform(0, 0, 0) == cell);
  /* Box-Muller on the two halves of the block. */
  double second = ((double)(0xbc57ac4c9b00dbd8u >> 11) + 0.5) / 9007199254740992.0;
  double normal = sqrt(-2 * log(cell)) * cos(2 * acos(-1) * second);
  assert_true(fabs(hs_random_normal(0, 0, 0) - normal) <= 1e-14);
}

/* A function of its arguments alone, and of all bits of them. */
static void test_arguments(void **state)
{
  (void)state;
  const uint64_t first = hs_random_bits(12345, 3, 678);
  for (uint64_t i = 0; i < 100; i++) hs_random_bits(i, 1, i);
  assert_true(hs_random_bits(12345, 3, 678) == first);
  for (int bit = 0; bit < 64; bit++) {
    assert_true(hs_random_bits(12345 ^ (uint64_t)1 << bit, 3, 678) != first);
    assert_true(hs_random_bits(12345, 3, 678 ^ (uint64_t)1 << bit) != first);
    if (bit < 32) assert_true(hs_random_bits(12345, 3 ^ (uint32_t)1 << bit, 678) != first);
  }
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Largest distance between the empirical and the true distribution (Kolmogorov-Smirnov). */
static double distance(double *numbers, double (*distribution)(double))
{
  double largest = 0;
  qsort(numbers, COUNT, sizeof *numbers, ascending);
  for (int i = 0; i < COUNT; i++) {
    double truth = distribution(numbers[i]);
    assert_true(isfinite(truth));
    largest = fmax(largest, fmax(fabs(truth - (double)i / COUNT), fabs((i + 1.0) / COUNT - truth)));
  }
  return largest;
}

static double uniform_distribution(double x)
{
  return x;
}

static double normal_distribution(double x)
{
  return 0.5 * erfc(-x / sqrt(2));
}

/* P(distance sqrt(n) > 1.95) = 0.001. */
static void test_distributions(void **state)
{
  (void)state;
  static double numbers[COUNT];
  for (uint64_t seed = 1; seed <= 2; seed++) {
    for (int i = 0; i < COUNT; i++) {
      numbers[i] = hs_random_uniform(seed, HS_STREAM_SPLIT, (uint64_t)i);
      assert_true(numbers[i] > 0 && numbers[i] < 1);
    }
    assert_true(distance(numbers, uniform_distribution) <= 1.95 / sqrt(COUNT));
    for (int i = 0; i < COUNT; i++) numbers[i] = hs_random_normal(seed, HS_STREAM_GATES, (uint64_t)i);
    assert_true(distance(numbers, normal_distribution) <= 1.95 / sqrt(COUNT));
  }
}

/* E x^k of the standard normal: 0, 1, 0, 3; the variance of x^k is E x^2k - (E x^k)^2: 1, 2, 15, 96. */
static void test_moments(void **state)
{
  (void)state;
  double sums[4] = {0};
  for (int i = 0; i < COUNT; i++) {
    double x = hs_random_normal(7, HS_STREAM_GATES, (uint64_t)i), power = 1;
    for (int k = 0; k < 4; k++) sums[k] += power *= x;
  }
  assert_true(fabs(sums[0] / COUNT) <= FIVE_SIGMA);
  assert_true(fabs(sums[1] / COUNT - 1) <= sqrt(2) * FIVE_SIGMA);
  assert_true(fabs(sums[2] / COUNT) <= sqrt(15) * FIVE_SIGMA);
  assert_true(fabs(sums[3] / COUNT - 3) <= sqrt(96) * FIVE_SIGMA);
}

static double correlation(uint64_t seeds[2], uint32_t streams[2], uint64_t shift)
{
  double sum = 0;
  for (uint64_t i = 0; i < COUNT; i++)
    sum += hs_random_normal(seeds[0], streams[0], i) * hs_random_normal(seeds[1], streams[1], i + shift);
  return sum / COUNT;
}

/* Neighbouring seeds, streams and indices have nothing in common. */
static void test_independence(void **state)
{
  (void)state;
  static const uint64_t shifts[] = {1, 2, 64, 1000};
  for (int i = 0; i < 4; i++)
    assert_true(fabs(correlation((uint64_t[]){1, 1}, (uint32_t[]){1, 1}, shifts[i])) <= FIVE_SIGMA);
  for (uint64_t seed = 2; seed <= 5; seed++)
    assert_true(fabs(correlation((uint64_t[]){1, seed}, (uint32_t[]){1, 1}, 0)) <= FIVE_SIGMA);
  for (uint32_t stream = 2; stream <= 5; stream++)
    assert_true(fabs(correlation((uint64_t[]){1, 1}, (uint32_t[]){1, stream}, 0)) <= FIVE_SIGMA);
}

/* Each of the 64 bits is on in half of the numbers, and changes in half of the steps. */
static void test_bits(void **state)
{
  (void)state;
  int on[64] = {0}, changed[64] = {0};
  uint64_t before = hs_random_bits(3, 5, COUNT);
  for (uint64_t i = 0; i < COUNT; i++) {
    uint64_t bits = hs_random_bits(3, 5, i);
    for (int b = 0; b < 64; b++) {
      on[b] += (int)(bits >> b & 1);
      changed[b] += (int)((bits ^ before) >> b & 1);
    }
    before = bits;
  }
  for (int b = 0; b < 64; b++) {
    assert_true(fabs((double)on[b] / COUNT - 0.5) <= 0.5 * FIVE_SIGMA);
    assert_true(fabs((double)changed[b] / COUNT - 0.5) <= 0.5 * FIVE_SIGMA);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_answer),  cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_distributions), cmocka_unit_test(test_moments),
      cmocka_unit_test(test_independence),  cmocka_unit_test(test_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
