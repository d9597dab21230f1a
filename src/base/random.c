#include "base/random.h"

#include <math.h>

#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0 0x9E3779B9u
#define WEYL_1 0xBB67AE85u
#define ROUNDS 10

typedef struct {
  uint32_t word[4];
} block_t;

static block_t philox(uint64_t seed, uint32_t stream, uint64_t index)
{
  block_t x = {{(uint32_t)index, (uint32_t)(index >> 32), stream, 0}};
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t p0 = (uint64_t)MULTIPLIER_0 * x.word[0], p1 = (uint64_t)MULTIPLIER_1 * x.word[2];
    x = (block_t){{(uint32_t)(p1 >> 32) ^ x.word[1] ^ key0, (uint32_t)p1,
                   (uint32_t)(p0 >> 32) ^ x.word[3] ^ key1, (uint32_t)p0}};
    key0 += WEYL_0;
    key1 += WEYL_1;
  }
  return x;
}

/* The middle of one of 2^53 equal cells: never 0 and never 1. */
static double unit_interval(uint32_t high, uint32_t low)
{
  uint64_t bits = ((uint64_t)high << 32 | low) >> 11;
  return ((double)bits + 0.5) * 0x1p-53;
}

uint64_t hs_random_bits(uint64_t seed, uint32_t stream, uint64_t index)
{
  block_t x = philox(seed, stream, index);
  return (uint64_t)x.word[0] << 32 | x.word[1];
}

double hs_random_uniform(uint64_t seed, uint32_t stream, uint64_t index)
{
  block_t x = philox(seed, stream, index);
  return unit_interval(x.word[0], x.word[1]);
}

double hs_random_normal(uint64_t seed, uint32_t stream, uint64_t index)
{
  block_t x = philox(seed, stream, index);
  double radius = sqrt(-2.0 * log(unit_interval(x.word[0], x.word[1])));
  return radius * cos(6.283185307179586476925 * unit_interval(x.word[2], x.word[3]));
}
