/* random.h: random numbers by counter (Philox 4x32-10; Salmon et al. 2011, "Parallel random numbers: as
 * easy as 1, 2, 3").
 *
 * A number is a pure function of (seed, stream, index): any rank computes any entry, in any order, and the
 * numbers do not depend on ranks, threads or block sizes. Not collective.
 */
#ifndef HS_BASE_RANDOM_H
#define HS_BASE_RANDOM_H

#include <stdint.h>

/* Streams keep the uses of one seed apart. */
typedef enum hs_stream {
  HS_STREAM_GATES = 1,
  HS_STREAM_SPLIT = 2,
  HS_STREAM_SHUFFLE = 3,
  HS_STREAM_POWER = 4,
  HS_STREAM_HOLD_OUT = 5,
  HS_STREAM_PRICE = 10,
  HS_STREAM_CIRCLES = 11,
  HS_STREAM_START = 14,
  HS_STREAM_SYNTHETIC = 16 /* and the 64 after it */
} hs_stream_t;

/* 64 uniform bits. */
uint64_t hs_random_bits(uint64_t seed, uint32_t stream, uint64_t index);

/* Uniform in the open interval (0, 1). */
double hs_random_uniform(uint64_t seed, uint32_t stream, uint64_t index);

/* Standard normal (Box-Muller on the counter's 128 bits). */
double hs_random_normal(uint64_t seed, uint32_t stream, uint64_t index);

#endif
